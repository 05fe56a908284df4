// The first 68 bytes of a connection, both ways (BEP 3, "peer protocol"), and our own peer id. Whether the info hash is
// one of ours and the peer id is not ourselves is for others to judge.

import type { CloseReason } from '../torrent/errors.js';
import { HASH_LENGTH, type InfoHash, type PeerId } from '../torrent/ids.js';

/** What a handshake says; the booleans are its reserved bits. */
export interface Handshake {
  readonly infoHash: InfoHash;
  readonly peerId: PeerId;
  /** BEP 6. */
  readonly fast: boolean;
  /** BEP 10. */
  readonly extended: boolean;
  /** BEP 5: it runs a DHT node and will take a port message. */
  readonly dht: boolean;
}

/** What a HandshakeDecoder knows after a chunk. */
export type HandshakeProgress =
  | { readonly state: 'wait' }
  /** An incoming connection is answered now: some wait for our peer id before they send theirs. */
  | { readonly state: 'infoHash'; readonly infoHash: InfoHash }
  /** `rest` is a view of what the chunk holds beyond the handshake; it belongs to the Decoder. */
  | { readonly state: 'done'; readonly handshake: Handshake; readonly rest: Uint8Array }
  | { readonly state: 'fatal'; readonly reason: CloseReason };

export const HANDSHAKE_LENGTH = 68;

// "\x13BitTorrent protocol"
const PROTOCOL = Uint8Array.of(19, ...[...'BitTorrent protocol'].map(char => char.charCodeAt(0)));
const INFO_HASH_AT = PROTOCOL.length + 8;
const PEER_ID_AT = INFO_HASH_AT + HASH_LENGTH;

/** Reserved bits: byte of the handshake, mask in it. */
const EXTENDED = { at: PROTOCOL.length + 5, mask: 0x10 };
const FAST = { at: PROTOCOL.length + 7, mask: 0x04 };
const DHT = { at: PROTOCOL.length + 7, mask: 0x01 };

/** The 68 bytes of a handshake. */
export function encodeHandshake(handshake: Handshake): Uint8Array {
  const bytes = new Uint8Array(HANDSHAKE_LENGTH);
  bytes.set(PROTOCOL);
  if (handshake.extended) bytes[EXTENDED.at]! |= EXTENDED.mask;
  if (handshake.fast) bytes[FAST.at]! |= FAST.mask;
  if (handshake.dht) bytes[DHT.at]! |= DHT.mask;
  bytes.set(handshake.infoHash, INFO_HASH_AT);
  bytes.set(handshake.peerId, PEER_ID_AT);
  return bytes;
}

/** Collects the handshake of one peer, however it was cut into chunks. */
export class HandshakeDecoder {
  readonly #bytes = new Uint8Array(HANDSHAKE_LENGTH);
  #arrived = 0;

  /**
   * Takes the next bytes. `infoHash` is told once, and not at all where the chunk that brings it completes the handshake.
   * Fatal, 'bad-handshake', at the first byte that is not the protocol's. After `done` and `fatal` there is no more to push.
   */
  push(chunk: Uint8Array): HandshakeProgress {
    const before = this.#arrived;
    const taken = chunk.subarray(0, HANDSHAKE_LENGTH - before);
    this.#bytes.set(taken, before);
    this.#arrived += taken.length;
    for (let at = before; at < Math.min(this.#arrived, PROTOCOL.length); at++) {
      if (this.#bytes[at] !== PROTOCOL[at]) return { state: 'fatal', reason: 'bad-handshake' };
    }
    if (this.#arrived === HANDSHAKE_LENGTH) {
      return { state: 'done', handshake: this.#handshake(), rest: chunk.subarray(taken.length) };
    }
    if (before < PEER_ID_AT && this.#arrived >= PEER_ID_AT) {
      return { state: 'infoHash', infoHash: this.#infoHash() };
    }
    return { state: 'wait' };
  }

  #infoHash(): InfoHash {
    return this.#bytes.slice(INFO_HASH_AT, PEER_ID_AT) as InfoHash;
  }

  #handshake(): Handshake {
    return {
      infoHash: this.#infoHash(),
      peerId: this.#bytes.slice(PEER_ID_AT) as PeerId,
      fast: (this.#bytes[FAST.at]! & FAST.mask) !== 0,
      extended: (this.#bytes[EXTENDED.at]! & EXTENDED.mask) !== 0,
      dht: (this.#bytes[DHT.at]! & DHT.mask) !== 0,
    };
  }
}

/** Random bytes in a peer id. */
export const PEER_ID_RANDOM_LENGTH = 12;

/**
 * A peer id after the convention of Azureus (BEP 20): `-RA`, four characters of the version, `-`, 12 random bytes.
 * @param version `major.minor.patch`; each part is one character, 10 is A, and the fourth is always 0: 0.1.0 gives -RA0100-
 */
export function makePeerId(version: string, random: Uint8Array): PeerId {
  if (random.length !== PEER_ID_RANDOM_LENGTH) throw new RangeError('a peer id needs 12 random bytes');
  const parts = version.split('.', 3).map(part => Number.parseInt(part, 10) || 0);
  const digits = parts.map(part => Math.min(part, 35).toString(36).toUpperCase());
  const prefix = `-RA${digits.join('').padEnd(4, '0')}-`;
  const bytes = new Uint8Array(HASH_LENGTH);
  for (let at = 0; at < prefix.length; at++) bytes[at] = prefix.charCodeAt(at);
  bytes.set(random, prefix.length);
  return bytes as PeerId;
}
