// What one peer said before the metadata was here, so that a swarm can be told afterwards. Must not know the torrent:
// indices are checked again by the swarm, here they are only bounded.

import type { CloseReason } from '../torrent/errors.js';
import { LIMITS } from '../torrent/limits.js';
import type { ExtensionHandshake, Message } from '../wire/message.js';

type Field = Extract<Message, { type: 'bitfield' | 'haveAll' | 'haveNone' }>;

export class EarlyMessages {
  #field: Field | undefined;
  /** Announced beyond the field, and taken back from it (BEP 54). */
  readonly #have = new Set<number>();
  readonly #lost = new Set<number>();
  readonly #allowedFast = new Set<number>();
  #extension: ExtensionHandshake | undefined;
  #unchoked = false;
  #interested = false;

  /** Keeps what will matter later. Returns why the peer has to be closed, if it has. */
  note(message: Message): CloseReason | undefined {
    switch (message.type) {
      case 'choke':
      case 'unchoke':
        this.#unchoked = message.type === 'unchoke';
        return undefined;
      case 'interested':
      case 'notInterested':
        this.#interested = message.type === 'interested';
        return undefined;
      case 'bitfield':
        if (message.bits.length > LIMITS.pieces / 8) return 'bad-bitfield';
        this.#fieldArrived({ type: 'bitfield', bits: message.bits.slice() });
        return undefined;
      case 'haveAll':
      case 'haveNone':
        this.#fieldArrived(message);
        return undefined;
      case 'have':
        return move(message.index, this.#have, this.#lost, LIMITS.rememberedHaves);
      case 'dontHave':
        return move(message.index, this.#lost, this.#have, LIMITS.rememberedHaves);
      case 'allowedFast':
        return move(message.index, this.#allowedFast, undefined, LIMITS.hintedPieces);
      case 'extensionHandshake':
        this.#extension = merged(this.#extension, message);
        return undefined;
      default:
        return undefined;
    }
  }

  /** A field says all; it may come again at any time. */
  #fieldArrived(field: Field): void {
    this.#field = field;
    this.#have.clear();
    this.#lost.clear();
  }

  /** The same in as few messages as will do, in an order in which a peer may send them. */
  messages(): Message[] {
    const messages: Message[] = [];
    if (this.#field) messages.push(this.#field);
    if (this.#extension) messages.push(this.#extension);
    for (const index of this.#have) messages.push({ type: 'have', index });
    for (const index of this.#lost) messages.push({ type: 'dontHave', index });
    for (const index of this.#allowedFast) messages.push({ type: 'allowedFast', index });
    if (this.#unchoked) messages.push({ type: 'unchoke' });
    if (this.#interested) messages.push({ type: 'interested' });
    return messages;
  }
}

/** Puts the index into one set and takes it out of the other; beyond `most` it is dropped. */
function move(
  index: number,
  to: Set<number>,
  from: Set<number> | undefined,
  most: number,
): CloseReason | undefined {
  if (index >= LIMITS.pieces) return 'bad-index';
  from?.delete(index);
  if (to.size < most) to.add(index);
  return undefined;
}

/** A later handshake states changes only (BEP 10). */
function merged(before: ExtensionHandshake | undefined, after: ExtensionHandshake): ExtensionHandshake {
  const changes = Object.fromEntries(Object.entries(after).filter(([, value]) => value !== undefined));
  return { ...before, ...changes, type: 'extensionHandshake' };
}
