// How many bytes may move now, for one direction over all torrents: a token bucket and the line of those who wait for
// tokens, served in turn. Pure: `now` is monotonic milliseconds. Knows no sockets.

import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';

/** Waits in line for a share of the rate. */
export interface RateConsumer {
  /**
   * Moves about `bytes` bytes, or takes them as an allowance to move soon. Returns how many: fewer when it has no more
   * (it leaves the line), more where it could not stop in the middle of a block (the rate makes up for it afterwards).
   */
  use(bytes: number): number;
}

export class RateLimiter {
  readonly #rateBps: number;
  readonly #burstBytes: number;
  /** Bytes offered to one consumer before it is the next one's turn. */
  readonly #turnBytes: number;
  readonly #line = new Set<RateConsumer>();
  /** Bytes that may move now; below zero after `spend`. */
  #tokens = 0;
  #filledAt: number;

  /** @param rateBps bytes per second, above 0 */
  constructor(rateBps: number, now: number) {
    this.#rateBps = rateBps;
    this.#burstBytes = Math.max(1, (rateBps * LIMITS.rateBurstMs) / 1000);
    this.#turnBytes = Math.max(1, Math.min(BLOCK_LENGTH, Math.floor(this.#burstBytes / 4)));
    this.#filledAt = now;
  }

  /** Counts bytes that moved without being granted, such as a read longer than foreseen; later ones wait for them. */
  spend(bytes: number, now: number): void {
    this.#fill(now);
    this.#tokens -= bytes;
  }

  /** Puts a consumer at the end of the line, unless it stands there already. */
  wait(consumer: RateConsumer): void {
    this.#line.add(consumer);
  }

  leave(consumer: RateConsumer): void {
    this.#line.delete(consumer);
  }

  /** Hands out what may move now, in turn, also to those who joined this very moment. */
  serve(now: number): void {
    this.#fill(now);
    while (this.#tokens >= this.#turnBytes) {
      const next = this.#line.values().next();
      if (next.done) return;
      const consumer = next.value;
      const used = consumer.use(this.#turnBytes);
      this.#tokens -= used;
      this.#line.delete(consumer);
      if (used >= this.#turnBytes) this.#line.add(consumer);
    }
  }

  /** ms until `serve` can do something; Infinity when nobody waits. */
  nextMs(now: number): number {
    if (this.#line.size === 0) return Number.POSITIVE_INFINITY;
    this.#fill(now);
    return Math.max(0, Math.ceil(((this.#turnBytes - this.#tokens) * 1000) / this.#rateBps));
  }

  #fill(now: number): void {
    const gained = ((now - this.#filledAt) * this.#rateBps) / 1000;
    this.#filledAt = now;
    this.#tokens = Math.min(this.#burstBytes, this.#tokens + gained);
  }
}
