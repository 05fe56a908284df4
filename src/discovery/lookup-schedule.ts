// When to look into the DHT: the waits of one torrent, and the pace of all together. Pure: owns no timer.

import { LIMITS } from '../torrent/limits.js';

/** ms between the first lookups while nothing at all was found: the bootstrap node may not be up yet, a datagram may be lost. */
const FIRST_WAITS = [200, 500, 1000, 2000] as const;

/** Waits of one torrent: short ones until a first peer is found, then LIMITS.dhtLookupMs and doubling up to the announce interval. */
export class LookupSchedule {
  #first = 0;
  #waitMs: number = LIMITS.dhtLookupMs;

  /** ms from now until the next lookup is due. */
  nextMs(foundAny: boolean): number {
    const soon = foundAny ? undefined : FIRST_WAITS[this.#first++];
    if (soon !== undefined) return soon;
    const waitMs = this.#waitMs;
    this.#waitMs = Math.min(2 * waitMs, LIMITS.dhtAnnounceMs);
    return waitMs;
  }

  /** The waits begin anew, without those before the first find. */
  restart(): void {
    this.#waitMs = LIMITS.dhtLookupMs;
  }
}

/** With so many nodes known the DHT is a large one: few of them see two lookups of ours. */
const MANY_NODES = 100;
const COST_AMONG_MANY = 0.2;

/**
 * The pace of all lookups and announces. In a small DHT each of them reaches every node, and libtorrent ignores for five
 * minutes whoever sends it 50 datagrams in 10 s; our answers to its queries count as well.
 */
export class LookupPace {
  /** ms saved up; a lookup costs LIMITS.dhtLookupEveryMs of them. */
  #savedMs: number = LIMITS.dhtLookupBurst * LIMITS.dhtLookupEveryMs;
  #countedAt: number;

  /** @param now monotonic ms, as everywhere here */
  constructor(now: number) {
    this.#countedAt = now;
  }

  /** ms until another lookup may begin; 0: now. */
  waitMs(now: number): number {
    const most = LIMITS.dhtLookupBurst * LIMITS.dhtLookupEveryMs;
    this.#savedMs = Math.min(most, this.#savedMs + now - this.#countedAt);
    this.#countedAt = now;
    return Math.max(0, Math.ceil(LIMITS.dhtLookupEveryMs - this.#savedMs));
  }

  /** A lookup or an announce begins. */
  spend(nodeCount: number): void {
    this.#savedMs -= LIMITS.dhtLookupEveryMs * (nodeCount < MANY_NODES ? 1 : COST_AMONG_MANY);
  }
}
