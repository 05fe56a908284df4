// Bytes per second over a sliding window (Cohen 2003: 20 s). Must not know whose bytes they are or why anyone asks.

/** Few, and in a plain array, which takes half the memory of a typed one: a simulation has a million rates. */
const BUCKETS = 10;
/** ms by which a rate is divided at least, so that the first block of a peer is no burst of a thousand a second. */
const SHORTEST_MS = 1000;

/**
 * A rate and a total. Time is kept in ten buckets, so the window covers between 0.9 and 1 times its length, and the
 * rate is over exactly the time covered.
 */
export class Rate {
  readonly #bucketMs: number;
  /** Made by the first byte: most pairs of peers never exchange any. */
  #buckets: number[] | undefined;
  /** Number of the current bucket, counted from time 0. */
  #current = 0;
  #startMs = 0;
  #windowBytes = 0;
  #totalBytes = 0;

  /** @param windowMs whole ms, at least 10 */
  constructor(windowMs: number) {
    this.#bucketMs = Math.floor(windowMs / BUCKETS);
  }

  /** All bytes ever added. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** @param now whole ms, not earlier than in any call before */
  add(bytes: number, now: number): void {
    if (this.#buckets === undefined) {
      this.#buckets = new Array<number>(BUCKETS).fill(0);
      this.#current = Math.floor(now / this.#bucketMs);
      this.#startMs = now;
    }
    this.#advance(this.#buckets, now);
    const at = this.#current % BUCKETS;
    this.#buckets[at] = (this.#buckets[at] ?? 0) + bytes;
    this.#windowBytes += bytes;
    this.#totalBytes += bytes;
  }

  /** Bytes per second. Early on over the time since the first byte, at least a second, so that new peers can be told apart. */
  bps(now: number): number {
    if (this.#buckets === undefined) return 0;
    this.#advance(this.#buckets, now);
    const fromMs = Math.max(this.#startMs, (this.#current - BUCKETS + 1) * this.#bucketMs);
    return (this.#windowBytes * 1000) / Math.max(SHORTEST_MS, now - fromMs);
  }

  /** Empties the buckets whose time has passed. */
  #advance(buckets: number[], now: number): void {
    const bucket = Math.floor(now / this.#bucketMs);
    const passed = Math.min(bucket - this.#current, BUCKETS);
    for (let step = 1; step <= passed; step++) {
      const at = (this.#current + step) % BUCKETS;
      this.#windowBytes -= buckets[at] ?? 0;
      buckets[at] = 0;
    }
    if (passed > 0) this.#current = bucket;
  }
}
