// What one torrent has asked of the DHT and what came of it: when to look and announce again, which addresses are news.
// Pure: `now` is monotonic ms, and the timer it carries belongs to dht.ts.

import type { InfoHash } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import { LookupSchedule } from './lookup-schedule.js';

/** With fewer nodes the DHT is a small one, or we have just come to it; the package asks so many for one torrent. */
const FEW_NODES = 20;
/** An announce to fewer nodes (BEP 5: K) is repeated with the next lookup: more may have come by then. */
const ANNOUNCED_WELL = 8;
/** ms after which a lookup no longer holds the next one up: somebody leads it on, or its answers are lost. */
const LOOKUP_MS = 30_000;

/** What a torrent wants of the DHT. */
export interface DhtInterest {
  /** The TCP port to announce; undefined: look only. */
  readonly port: number | undefined;
  /** Asked every few seconds. */
  needsPeers(): boolean;
  /** An address was heard of, in one lookup each at most once. It may be our own. */
  onPeer(address: HostPort): void;
}

export class Search {
  readonly infoHash: InfoHash;
  readonly interest: DhtInterest;
  timer: NodeJS.Timeout | undefined;
  readonly #schedule = new LookupSchedule();
  /** `host:port` of what was reported since the last lookup began. */
  readonly #reported = new Set<string>();
  #foundAny = false;
  #lookups = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #announceAt = Number.NEGATIVE_INFINITY;

  constructor(infoHash: InfoHash, interest: DhtInterest) {
    this.infoHash = infoHash;
    this.interest = interest;
  }

  /** Whether a lookup was ever begun. */
  get hasLooked(): boolean {
    return this.#lookedAt !== Number.NEGATIVE_INFINITY;
  }

  get isLooking(): boolean {
    return this.#lookups > 0;
  }

  /**
   * Whether to look now. Not while a lookup is under way; but with few nodes known that one only waits for dead ones, or was
   * lost altogether, and the others are to be asked again.
   */
  isDue(now: number, nodeCount: number): boolean {
    const underWay = this.isLooking && nodeCount >= FEW_NODES && now - this.#lookedAt < LOOKUP_MS;
    return !underWay && (this.mustAnnounce(now) || this.interest.needsPeers());
  }

  mustAnnounce(now: number): boolean {
    return this.interest.port !== undefined && now >= this.#announceAt;
  }

  /** ms after which to ask `isDue` again. While peers are wanted the waits grow; while not, it is asked often, and looks soon then. */
  nextMs(now: number): number {
    if (!this.interest.needsPeers()) this.#schedule.restart();
    const lookMs = this.#schedule.nextMs(this.#foundAny);
    const announceMs = this.interest.port === undefined ? 0 : this.#announceAt - now;
    return announceMs > 0 ? Math.min(lookMs, announceMs) : lookMs;
  }

  lookupBegan(now: number): void {
    this.#lookups++;
    this.#lookedAt = now;
    this.#reported.clear();
  }

  lookupEnded(): void {
    this.#lookups--;
  }

  /** So many nodes have taken our announce. */
  announced(nodes: number, now: number): void {
    if (nodes >= ANNOUNCED_WELL) this.#announceAt = now + LIMITS.dhtAnnounceMs;
  }

  /** Reports an address, unless it is old news or there are more than can be kept. Returns whether it is the first of all. */
  peerFound({ host, port }: HostPort): boolean {
    const name = `${host}:${port}`;
    if (this.#reported.has(name) || this.#reported.size >= LIMITS.knownAddresses) return false;
    this.#reported.add(name);
    const first = !this.#foundAny;
    this.#foundAny = true;
    this.interest.onPeer({ host, port });
    return first;
  }
}
