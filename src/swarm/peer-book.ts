// The addresses of one torrent: which to dial next, which to leave alone, which are banned. Must not know of sockets,
// connection limits or time beyond what it is told.

import type { CloseReason } from '../torrent/errors.js';
import { formatHostPort } from '../torrent/host-port.js';
import { addressBytes } from '../torrent/ip.js';
import { LIMITS } from '../torrent/limits.js';
import { dialable, peerKey } from './address-key.js';
import type { Address, PeerSource, Random } from './port.js';
import { canonicalPriority } from './priority.js';

/** Who to believe first when the book is full: what the user asked for, those who cannot invent peers cheaply, the rest. */
const TRUST: Readonly<Record<PeerSource, number>> = {
  manual: 3,
  magnet: 2,
  lsd: 2,
  tracker: 2,
  resume: 2,
  incoming: 2,
  dht: 1,
  pex: 0,
};
const GIVEN = TRUST.manual;
/** Our own addresses that are remembered: listen addresses, and those under which we met ourselves. */
const MAX_OWN = 64;

/**
 * `forgotten`: failed too often, dialled again only if it is heard of again. `retired`: there is no point in dialling
 * it again in this run.
 */
type Standing = 'known' | 'dialling' | 'connected' | 'forgotten' | 'retired';

interface Entry {
  readonly address: Address;
  /** Who named it. */
  readonly sources: Set<PeerSource>;
  trust: number;
  standing: Standing;
  /** Dials in a row that led to no lasting connection. */
  failures: number;
  dueMs: number;
  heardAtMs: number;
  connectedAtMs: number;
  /** Between equals the higher goes first: canonical priority (BEP 40) or a salt. */
  rank: number;
}

export class PeerBook {
  readonly #entries = new Map<string, Entry>();
  readonly #own = new Set<string>();
  readonly #strikes = new Map<string, number>();
  readonly #banned = new Set<string>();
  /** The addresses under which others see us, one for each family. */
  readonly #outside: Address[] = [];
  #nextDueMs = Number.POSITIVE_INFINITY;

  /** Addresses known, in whatever standing. */
  get size(): number {
    return this.#entries.size;
  }

  /** When `next` may have an address: a time that has passed, one to come, or Infinity. */
  get nextDueMs(): number {
    return this.#nextDueMs;
  }

  /**
   * Takes in what a source names. Hosts that are no IP literals, addresses that cannot be dialled, our own and banned ones
   * are left out; when the book is full the worst address goes, which may be the new one.
   * @returns how many were new
   */
  add(addresses: Iterable<Address>, source: PeerSource, now: number, random: Random): number {
    let added = 0;
    for (const named of addresses) {
      const address = dialable(named);
      if (address === undefined) continue;
      const key = formatHostPort(address);
      if (this.#own.has(key) || this.#banned.has(key)) continue;
      const known = this.#entries.get(key);
      if (known !== undefined) this.#heardAgain(known, source, now);
      else if (this.#insert(key, address, source, now, random)) added++;
    }
    return added;
  }

  /** Forgets each address that none of these named, in use or not. */
  keepOnly(sources: readonly PeerSource[]): void {
    for (const [key, entry] of this.#entries)
      if (!sources.some(source => entry.sources.has(source))) this.#entries.delete(key);
  }

  /** Whether the address is remembered. */
  knows(address: Address): boolean {
    return this.#entries.has(peerKey(address, false));
  }

  /**
   * The best address that is due, which counts as being dialled from now on; undefined when none is due. What the user
   * gave goes first, then fewer failures, then the higher canonical priority or a salt.
   */
  next(now: number): Address | undefined {
    if (now < this.#nextDueMs) return undefined;
    let best: Entry | undefined;
    let nextDueMs = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) {
      if (entry.standing !== 'known') continue;
      if (entry.dueMs <= now && (best === undefined || goesBefore(entry, best))) {
        if (best !== undefined) nextDueMs = Math.min(nextDueMs, best.dueMs);
        best = entry;
      } else nextDueMs = Math.min(nextDueMs, entry.dueMs);
    }
    this.#nextDueMs = nextDueMs;
    if (best === undefined) return undefined;
    best.standing = 'dialling';
    return best.address;
  }

  /** No connection came about, or none with a good handshake. */
  dialFailed(address: Address, now: number): void {
    const entry = this.#entries.get(formatHostPort(address));
    if (entry?.standing === 'dialling') this.#failed(entry, now);
  }

  /** Both handshakes are done. For a connection that came in, the address is where its peer listens. */
  connected(address: Address, now: number): void {
    const entry = this.#entries.get(formatHostPort(address));
    if (entry === undefined) return;
    entry.standing = 'connected';
    entry.connectedAtMs = now;
  }

  /**
   * The connection ended. A lasting one may be dialled again soon, one that ended at once counts as a failed dial, and
   * where the reason will hold for the rest of the run there is no other.
   */
  closed(address: Address, now: number, reason: CloseReason): void {
    if (reason === 'self') this.markSelf(address);
    const entry = this.#entries.get(formatHostPort(address));
    if (entry === undefined || (entry.standing !== 'connected' && entry.standing !== 'dialling')) return;
    if (reason === 'duplicate' || reason === 'both-seeds' || reason === 'banned') {
      entry.standing = 'retired';
    } else if (reason === 'too-many-peers') {
      this.#wait(entry, now + LIMITS.redialMs);
    } else if (entry.standing === 'dialling' || now - entry.connectedAtMs < LIMITS.redialMs) {
      this.#failed(entry, now);
    } else {
      entry.failures = 0;
      this.#wait(entry, now + (reason === 'both-uninterested' ? LIMITS.uninterestedMs : LIMITS.redialMs));
    }
  }

  /** The address is our own: a listen address, or one where we met ourselves. It is never handed out again. */
  markSelf(address: Address): void {
    const key = peerKey(address, false);
    this.#entries.delete(key);
    this.#own.add(key);
    dropOldest(this.#own, MAX_OWN);
  }

  /** The address under which others see us; canonical priorities of its family count from it (BEP 40). */
  setOutside(address: Address): void {
    const length = addressBytes(address.host)?.length;
    const known = this.#outside.some(({ host, port }) => host === address.host && port === address.port);
    if (length === undefined || known) return;
    const others = this.#outside.filter(({ host }) => addressBytes(host)?.length !== length);
    this.#outside.splice(0, this.#outside.length, ...others, address);
    for (const entry of this.#entries.values()) {
      if (addressBytes(entry.address.host)?.length === length)
        entry.rank = canonicalPriority(address, entry.address);
    }
  }

  /** Notes one proven fault of whoever `key` (see peerKey) names; LIMITS.strikes of them are a ban for the rest of the run. */
  strike(key: string): 'banned' | 'strike' {
    const strikes = (this.#strikes.get(key) ?? 0) + 1;
    this.#strikes.delete(key);
    if (strikes < LIMITS.strikes && !this.#banned.has(key)) {
      this.#strikes.set(key, strikes);
      dropOldest(this.#strikes, LIMITS.knownAddresses);
      return 'strike';
    }
    this.#entries.delete(key);
    this.#banned.add(key);
    dropOldest(this.#banned, LIMITS.knownAddresses);
    return 'banned';
  }

  isBanned(key: string): boolean {
    return this.#banned.has(key);
  }

  #heardAgain(entry: Entry, source: PeerSource, now: number): void {
    entry.heardAtMs = now;
    entry.sources.add(source);
    entry.trust = Math.max(entry.trust, TRUST[source]);
    // It gets one more dial, after the wait that its failures have earned.
    if (entry.standing === 'forgotten') this.#wait(entry, entry.dueMs);
  }

  #insert(key: string, address: Address, source: PeerSource, now: number, random: Random): boolean {
    const entry: Entry = {
      address,
      sources: new Set([source]),
      trust: TRUST[source],
      standing: 'known',
      failures: 0,
      dueMs: now,
      heardAtMs: now,
      connectedAtMs: now,
      rank: this.#rankOf(address, random),
    };
    if (this.#entries.size >= LIMITS.knownAddresses && !this.#makeRoom(entry)) return false;
    this.#entries.set(key, entry);
    this.#wait(entry, now);
    return true;
  }

  #rankOf(address: Address, random: Random): number {
    const salt = Math.floor(random() * 2 ** 32);
    for (const outside of this.#outside) {
      const priority = canonicalPriority(outside, address);
      if (priority !== 0) return priority;
    }
    return salt;
  }

  /** Drops the worst address that can be spared; false when that would be the new one. */
  #makeRoom(newcomer: Entry): boolean {
    let worst = newcomer;
    let worstKey: string | undefined;
    for (const [key, entry] of this.#entries) {
      const inUse = entry.standing === 'dialling' || entry.standing === 'connected';
      if (inUse || entry.trust === GIVEN || !isWorse(entry, worst)) continue;
      worst = entry;
      worstKey = key;
    }
    return worstKey !== undefined && this.#entries.delete(worstKey);
  }

  #failed(entry: Entry, now: number): void {
    entry.failures++;
    const waitMs = Math.min(LIMITS.redialMs * 2 ** (entry.failures - 1), LIMITS.redialMaxMs);
    this.#wait(entry, now + waitMs);
    if (entry.failures < LIMITS.dialFailures || entry.trust === GIVEN) return;
    if (this.#hasOther(entry)) entry.standing = 'forgotten';
  }

  #hasOther(entry: Entry): boolean {
    for (const other of this.#entries.values()) {
      if (other !== entry && other.standing !== 'forgotten' && other.standing !== 'retired') return true;
    }
    return false;
  }

  #wait(entry: Entry, dueMs: number): void {
    entry.standing = 'known';
    entry.dueMs = dueMs;
    this.#nextDueMs = Math.min(this.#nextDueMs, dueMs);
  }
}

function goesBefore(a: Entry, b: Entry): boolean {
  const givenFirst = Number(b.trust === GIVEN) - Number(a.trust === GIVEN);
  return (givenFirst || a.failures - b.failures || b.rank - a.rank) < 0;
}

/** Which to forget: who failed more, then whom we believe less, then who was heard of longer ago. */
function isWorse(a: Entry, b: Entry): boolean {
  return (b.failures - a.failures || a.trust - b.trust || a.heardAtMs - b.heardAtMs) < 0;
}

/** Insertion-ordered collections forget their first member. */
function dropOldest(collection: Set<string> | Map<string, number>, most: number): void {
  if (collection.size <= most) return;
  for (const oldest of collection.keys()) {
    collection.delete(oldest);
    return;
  }
}
