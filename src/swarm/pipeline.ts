// How many requests to keep outstanding at one peer: slow start while its rate still grows, then three seconds of its
// rate; one while it is snubbed.

import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';

/** Growth of the rate, in bytes per second, below which slow start ends. libtorrent: 5 kB. */
const SLOW_START_GAIN_BPS = 5000;
/** ms over which one sample of the rate is taken. */
const SAMPLE_MS = 1000;

/** How many requests to keep outstanding: at the start, at least, and at most until the peer says otherwise. */
export interface PipelineBounds {
  readonly start: number;
  readonly least: number;
  readonly most: number;
}

export class Pipeline {
  /** Requests to keep outstanding. */
  target: number;
  readonly #bounds: PipelineBounds;
  /** The most this peer accepts: its reqq (BEP 10). */
  #ceiling: number;
  #slowStart = true;
  #snubbed = false;
  #sampleStartMs = -1;
  #sampleBytes = 0;
  #rateBps = 0;

  constructor(bounds: PipelineBounds) {
    this.target = bounds.start;
    this.#bounds = bounds;
    this.#ceiling = bounds.most;
  }

  get snubbed(): boolean {
    return this.#snubbed;
  }

  /** Bytes per second over the last few seconds. */
  get rateBps(): number {
    return this.#rateBps;
  }

  /** The peer said how many requests it accepts at a time. */
  setReqq(reqq: number): void {
    this.#ceiling = Math.max(1, Math.min(reqq, LIMITS.pipelineMax));
    this.target = Math.min(this.target, this.#ceiling);
  }

  /**
   * How many requests to send now. Zero until a fifth of the pipeline has drained, so that requests go out in batches
   * and not one for each block.
   */
  room(outstanding: number): number {
    return outstanding <= this.target - Math.max(1, this.target / 5) ? this.target - outstanding : 0;
  }

  /** A block arrived. */
  received(bytes: number, now: number): void {
    if (this.#snubbed) this.#restart(now);
    if (this.#sampleStartMs < 0) this.#sampleStartMs = now;
    this.#sampleBytes += bytes;
    const elapsedMs = now - this.#sampleStartMs;
    if (this.#slowStart) this.target = Math.min(this.target + 1, this.#ceiling);
    if (elapsedMs >= SAMPLE_MS) this.#sample(elapsedMs, now);
  }

  /** The peer is silent although we wait: one request is enough to notice that it is back. */
  snub(): void {
    this.#snubbed = true;
    this.#slowStart = false;
    this.target = 1;
    this.#rateBps = 0;
  }

  /** The peer unchoked us: begin anew, what was measured is old. */
  restart(now: number): void {
    if (!this.#snubbed) this.#restart(now);
  }

  #restart(now: number): void {
    this.#snubbed = false;
    this.#slowStart = true;
    this.target = Math.max(Math.min(this.#bounds.start, this.#ceiling), this.#fromRate());
    this.#sampleStartMs = now;
    this.#sampleBytes = 0;
  }

  #sample(elapsedMs: number, now: number): void {
    const sampleBps = (this.#sampleBytes * 1000) / elapsedMs;
    const gainBps = sampleBps - this.#rateBps;
    // A rising rate is believed at once, a falling one half, so that a short pause does not drain the pipeline.
    this.#rateBps = gainBps > 0 ? sampleBps : this.#rateBps + gainBps / 2;
    if (this.#slowStart && gainBps < SLOW_START_GAIN_BPS) this.#slowStart = false;
    if (!this.#slowStart) this.target = this.#fromRate();
    this.#sampleStartMs = now;
    this.#sampleBytes = 0;
  }

  #fromRate(): number {
    const wanted = Math.ceil((this.#rateBps * LIMITS.pipelineMs) / 1000 / BLOCK_LENGTH);
    return Math.min(Math.max(wanted, this.#bounds.least), this.#ceiling);
  }
}
