// Who is in the swarm with us: admits connections, recognises ourselves and peers we have already, strikes and bans, and
// says whom to dial. Lives through both phases of a torrent; knows no sockets and no pieces.

import type { CloseReason } from '../torrent/errors.js';
import { equalBytes, type PeerId } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import { PeerBook, peerKey } from './peer-book.js';
import type { Address, PeerFacts, PeerNumber, PeerSource, Random } from './port.js';

/** Closings that prove a fault of the peer. */
const STRIKE_REASONS: ReadonlySet<CloseReason> = new Set([
  'message-too-long',
  'bad-message-length',
  'unexpected-bitfield',
  'bad-bitfield',
  'fast-not-enabled',
  'bad-extension',
  'bad-index',
  'bad-request',
  'unrequested-block',
  'hash-failed',
  'bad-metadata',
  'request-flood',
]);
/** ms within which two connections to one peer count as made at the same time, by both sides. */
const SIMULTANEOUS_MS = 5000;

/** Either a refusal, or welcome; `replaces` is a connection to the same peer that is to be closed as a duplicate. */
export interface Admission {
  readonly refuse?: CloseReason;
  readonly replaces?: PeerNumber;
}

interface Member {
  readonly facts: PeerFacts;
  readonly sinceMs: number;
  /** Where it can be dialled, if we know. */
  dialAddress: Address | undefined;
}

export class Recruiter {
  readonly #book = new PeerBook();
  readonly #members = new Map<PeerNumber, Member>();
  readonly #peerId: PeerId;
  readonly #maxPeers: number;
  readonly #random: Random;
  /** Dials that `next` ordered and that have not ended. */
  #dialling = 0;

  /** @param peerId our own */
  constructor(peerId: PeerId, maxPeers: number, random: Random) {
    this.#peerId = peerId;
    this.#maxPeers = maxPeers;
    this.#random = random;
  }

  /** Connected peers. */
  get connected(): number {
    return this.#members.size;
  }

  /** Addresses heard of. */
  get known(): number {
    return this.#book.size;
  }

  /** Whether more addresses would be of use. */
  get needsPeers(): boolean {
    return this.#members.size < Math.min(LIMITS.fewPeers, this.#maxPeers);
  }

  /** When `next` may have an address; Infinity when only a new address or a closing can change that. */
  get nextDueMs(): number {
    return this.#hasRoom ? this.#book.nextDueMs : Number.POSITIVE_INFINITY;
  }

  addressesFound(addresses: Iterable<Address>, source: PeerSource, now: number): void {
    this.#book.add(addresses, source, now, this.#random);
  }

  /** The best address to dial now; to be asked until it says undefined. Each ends in `admit` or `dialFailed`. */
  next(now: number): Address | undefined {
    if (!this.#hasRoom) return undefined;
    const address = this.#book.next(now);
    if (address) this.#dialling++;
    return address;
  }

  dialFailed(address: Address, now: number): void {
    this.#dialling--;
    this.#book.dialFailed(address, now);
  }

  /** A connection whose handshake is done asks to come in. Who is welcome stays until `closed`. */
  admit(number: PeerNumber, facts: PeerFacts, now: number): Admission {
    if (!facts.incoming) this.#dialling--;
    const refuse = this.#refusal(facts);
    const twin = refuse ? undefined : this.#twin(facts);
    const keepsTwin = twin !== undefined && !this.#prefers(facts, twin[1], now);
    if (refuse || keepsTwin) {
      if (!facts.incoming) this.#turnedAway(facts.address, refuse ?? 'duplicate', twin?.[1], now);
      return { refuse: refuse ?? 'duplicate' };
    }
    const dialAddress = facts.incoming ? twin?.[1].dialAddress : facts.address;
    if (dialAddress) this.#book.connected(dialAddress, now);
    this.#members.set(number, { facts, sinceMs: now, dialAddress });
    return twin ? { replaces: twin[0] } : {};
  }

  /** The peer said at which port it listens: that is where it can be found again. */
  listensAt(number: PeerNumber, port: number, now: number): void {
    const member = this.#members.get(number);
    if (!member || member.dialAddress) return;
    member.dialAddress = { host: member.facts.address.host, port };
    this.#book.add([member.dialAddress], 'incoming', now, this.#random);
    this.#book.connected(member.dialAddress, now);
  }

  /** The address under which others see us. */
  seenAs(address: Address): void {
    this.#book.setOutside(address);
  }

  /** An admitted connection is over. Returns whether its peer is banned from now on. */
  closed(number: PeerNumber, reason: CloseReason, now: number): boolean {
    const member = this.#members.get(number);
    if (!member) return false;
    this.#members.delete(number);
    const { facts, dialAddress } = member;
    // A duplicate leaves its address to the connection that stays.
    if (dialAddress && reason !== 'duplicate') this.#book.closed(dialAddress, now, reason);
    if (!STRIKE_REASONS.has(reason)) return false;
    return this.#book.strike(peerKey(facts.address, facts.incoming)) === 'banned';
  }

  get #hasRoom(): boolean {
    return this.#members.size + this.#dialling < this.#maxPeers;
  }

  #refusal(facts: PeerFacts): CloseReason | undefined {
    if (equalBytes(facts.peerId, this.#peerId)) return 'self';
    if (this.#book.isBanned(peerKey(facts.address, facts.incoming))) return 'banned';
    return this.#members.size >= this.#maxPeers ? 'too-many-peers' : undefined;
  }

  #turnedAway(address: Address, reason: CloseReason, twin: Member | undefined, now: number): void {
    if (!twin) this.#book.closed(address, now, reason);
    else {
      twin.dialAddress ??= address;
      this.#book.connected(address, now);
    }
  }

  /** A connection to the same peer. */
  #twin(facts: PeerFacts): readonly [PeerNumber, Member] | undefined {
    for (const entry of this.#members) if (equalBytes(entry[1].facts.peerId, facts.peerId)) return entry;
    return undefined;
  }

  /**
   * Whether a new connection is to stay in place of the one we have. When both sides dialled at the same moment, both
   * keep the connection that the smaller peer id made, so that they do not each close the other's.
   */
  #prefers(facts: PeerFacts, twin: Member, now: number): boolean {
    if (facts.incoming === twin.facts.incoming || now - twin.sinceMs > SIMULTANEOUS_MS) return false;
    return this.#isSmaller(facts.peerId) === !facts.incoming;
  }

  /** Whether our peer id is smaller than this one. */
  #isSmaller(theirs: PeerId): boolean {
    for (let at = 0; at < theirs.length; at++) {
      const difference = (this.#peerId[at] as number) - (theirs[at] as number);
      if (difference !== 0) return difference < 0;
    }
    return false;
  }
}
