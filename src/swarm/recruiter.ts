// Who is in the swarm with us: admits connections, recognises ourselves and peers we have already, strikes and bans, and
// says whom to dial. Lives through both phases of a torrent; knows no sockets and no pieces.

import type { CloseReason } from '../torrent/errors.js';
import { equalBytes, type PeerId } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import { peerKey } from './address-key.js';
import { PeerBook } from './peer-book.js';
import type { Address, PeerFacts, PeerNumber, PeerSource, Random } from './port.js';

/** Closings that prove a fault of the peer. */
const STRIKE_REASONS: ReadonlySet<CloseReason> = new Set([
  'message-too-long',
  'bad-message-length',
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
  /** Our own address as it told us. */
  seesUsAs: Address | undefined;
}

function isSame(a: Address | undefined, b: Address): boolean {
  return a?.host === b.host && a.port === b.port;
}

export class Recruiter {
  readonly #book = new PeerBook();
  readonly #members = new Map<PeerNumber, Member>();
  readonly #peerId: PeerId;
  readonly #maxPeers: number;
  readonly #random: Random;
  /** Dials that `next` ordered and that have not ended. */
  #dialling = 0;
  /** Where not all may name peers: an address that was forgotten while it was being dialled is not let in. */
  #isRestricted = false;

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

  /**
   * From now on these alone may name peers (BEP 27), which is for the caller to see to: forgets every other address.
   * @returns connections that were made otherwise, to be closed
   */
  keepOnly(sources: readonly PeerSource[]): PeerNumber[] {
    this.#isRestricted = true;
    this.#book.keepOnly(sources);
    const others = [...this.#members].filter(
      ([, { dialAddress }]) => dialAddress === undefined || !this.#book.knows(dialAddress),
    );
    return others.map(([number]) => number);
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
    const dialAddress = facts.incoming ? undefined : facts.address;
    if (dialAddress) this.#dialling--;
    const [twinNumber, twin] = this.#twinOf(facts) ?? [];
    const refuse = this.#refusal(facts, twin !== undefined);
    if (refuse) {
      if (dialAddress) this.#book.closed(dialAddress, now, refuse);
      return { refuse };
    }
    if (dialAddress) this.#book.connected(dialAddress, now);
    const member: Member = { facts, sinceMs: now, dialAddress, seesUsAs: undefined };
    if (twin && !this.#prefers(facts, twin, now)) {
      this.#inherit(twin, member, now);
      return { refuse: 'duplicate' };
    }
    if (twin) this.#inherit(member, twin, now);
    this.#members.set(number, member);
    return twinNumber === undefined ? {} : { replaces: twinNumber };
  }

  /** The peer said at which port it listens: that is where it can be found again. */
  listensAt(number: PeerNumber, port: number, now: number): void {
    const member = this.#members.get(number);
    if (!member || member.dialAddress) return;
    member.dialAddress = { host: member.facts.address.host, port };
    this.#book.add([member.dialAddress], 'incoming', now, this.#random);
    this.#book.connected(member.dialAddress, now);
  }

  /** A peer says at which address it sees us. That is believed once peers at two hosts agree: one may be wrong, or lie. */
  seenAs(from: PeerNumber, address: Address): void {
    const teller = this.#members.get(from);
    if (!teller) return;
    teller.seesUsAs = address;
    for (const { facts, seesUsAs } of this.#members.values()) {
      if (facts.address.host === teller.facts.address.host || !isSame(seesUsAs, address)) continue;
      this.#book.setOutside(address);
      return;
    }
  }

  /** An admitted connection is over. Returns whether its peer is banned from now on. */
  closed(number: PeerNumber, reason: CloseReason, now: number): boolean {
    const member = this.#members.get(number);
    if (!member) return false;
    this.#members.delete(number);
    const { facts, dialAddress } = member;
    // What becomes of the address of a duplicate was settled when its twin came in.
    if (dialAddress && reason !== 'duplicate') this.#book.closed(dialAddress, now, reason);
    if (!STRIKE_REASONS.has(reason)) return false;
    return this.#book.strike(peerKey(facts.address, facts.incoming)) === 'banned';
  }

  get #hasRoom(): boolean {
    return this.#members.size + this.#dialling < this.#maxPeers;
  }

  /** @param known we are connected to this peer, so that its connection takes no further place */
  #refusal(facts: PeerFacts, known: boolean): CloseReason | undefined {
    if (equalBytes(facts.peerId, this.#peerId)) return 'self';
    if (this.#book.isBanned(peerKey(facts.address, facts.incoming))) return 'banned';
    if (this.#isRestricted && !facts.incoming && !this.#book.knows(facts.address)) return 'not-allowed';
    return this.#members.size >= this.#maxPeers && !known ? 'too-many-peers' : undefined;
  }

  /** Of two connections to one peer, one stays and may learn from the other where the peer can be dialled. */
  #inherit(stays: Member, goes: Member, now: number): void {
    if (!goes.dialAddress || isSame(stays.dialAddress, goes.dialAddress)) return;
    if (stays.dialAddress) this.#book.closed(goes.dialAddress, now, 'duplicate');
    else stays.dialAddress = goes.dialAddress;
  }

  /** A connection to the same peer. */
  #twinOf(facts: PeerFacts): readonly [PeerNumber, Member] | undefined {
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
