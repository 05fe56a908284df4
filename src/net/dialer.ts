// When to dial: how many dials may be under way at a time and how many may begin per second, over all torrents, each of
// which gets its turn. Pure: `now` is monotonic milliseconds. Dials nothing itself.

import { LIMITS } from '../torrent/limits.js';

/** A dial that waits for its turn. `Owner` is the torrent, `Target` what is to be dialled. */
export interface WaitingDial<Target> {
  readonly target: Target;
  /** After this moment the dial is not worth beginning: addresses grow stale. */
  readonly deadline: number;
}

export class Dialer<Owner, Target> {
  /** Dials that wait; owners in the order of their next turn. */
  readonly #waiting = new Map<Owner, WaitingDial<Target>[]>();
  #halfOpen = 0;
  /** Dials that may begin now; a second's worth can be saved up, so that a start is quick. */
  #tokens: number = LIMITS.dialsPerSecond;
  #filledAt: number;

  constructor(now: number) {
    this.#filledAt = now;
  }

  /** Dials under way: begun, not ended. */
  get halfOpen(): number {
    return this.#halfOpen;
  }

  wait(owner: Owner, target: Target, deadline: number): void {
    const line = this.#waiting.get(owner);
    if (line) line.push({ target, deadline });
    else this.#waiting.set(owner, [{ target, deadline }]);
  }

  /** Forgets what an owner that goes away has waiting. */
  forget(owner: Owner): void {
    this.#waiting.delete(owner);
  }

  /**
   * What to do next: `dial` one (counted as under way until `ended`), give one up as `expired`, or nothing for now. To be
   * asked until it says undefined.
   */
  next(
    now: number,
  ): { readonly what: 'dial' | 'expired'; readonly owner: Owner; readonly target: Target } | undefined {
    this.#fill(now);
    for (const [owner, line] of this.#waiting) {
      const first = line[0];
      const expired = first !== undefined && first.deadline < now;
      if (first === undefined || (!expired && (this.#tokens < 1 || this.#halfOpen >= LIMITS.halfOpen)))
        continue;
      line.shift();
      this.#waiting.delete(owner);
      if (line.length > 0) this.#waiting.set(owner, line);
      if (expired) return { what: 'expired', owner, target: first.target };
      this.#tokens--;
      this.#halfOpen++;
      return { what: 'dial', owner, target: first.target };
    }
    return undefined;
  }

  /** A dial that `next` ordered is over: connected, failed or given up. */
  ended(): void {
    this.#halfOpen--;
  }

  /** ms until `next` may have something to say that it does not say now; Infinity when only `wait` or `ended` can help. */
  nextMs(now: number): number {
    this.#fill(now);
    let soonest = Number.POSITIVE_INFINITY;
    for (const line of this.#waiting.values())
      soonest = Math.min(soonest, (line[0]?.deadline ?? soonest) + 1 - now);
    if (this.#waiting.size > 0 && this.#halfOpen < LIMITS.halfOpen)
      soonest = Math.min(soonest, ((1 - this.#tokens) * 1000) / LIMITS.dialsPerSecond);
    return Math.max(0, Math.ceil(soonest));
  }

  #fill(now: number): void {
    const gained = ((now - this.#filledAt) * LIMITS.dialsPerSecond) / 1000;
    this.#filledAt = now;
    this.#tokens = Math.min(LIMITS.dialsPerSecond, this.#tokens + gained);
  }
}
