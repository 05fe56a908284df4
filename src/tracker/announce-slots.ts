// How many announces and scrapes may be under way at a time, over all torrents, in the order they were asked for.

import { LIMITS } from '../torrent/limits.js';
import { TrackerError } from './tracker-error.js';

/** Good-byes have as many places again: trackers that do not answer must not keep others from hearing that we leave. */
const URGENT_FACTOR = 2;

export class AnnounceSlots {
  #underWay = 0;
  readonly #urgent = new Set<() => void>();
  readonly #regular = new Set<() => void>();

  /** Runs the task when its turn comes. Rejects as the task does, or with TrackerError when `signal` aborts before its turn. */
  async run<T>(task: () => Promise<T>, urgent: boolean, signal: AbortSignal): Promise<T> {
    await this.#turn(urgent, signal);
    try {
      return await task();
    } finally {
      this.#underWay--;
      this.#next();
    }
  }

  #turn(urgent: boolean, signal: AbortSignal): Promise<void> {
    const line = urgent ? this.#urgent : this.#regular;
    return new Promise((resolve, reject) => {
      const aborted = () => {
        line.delete(begin);
        reject(new TrackerError('given up'));
      };
      const begin = () => {
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      if (signal.aborted) return aborted();
      signal.addEventListener('abort', aborted, { once: true });
      line.add(begin);
      this.#next();
    });
  }

  #next(): void {
    for (const [line, places] of [
      [this.#urgent, LIMITS.announces * URGENT_FACTOR],
      [this.#regular, LIMITS.announces],
    ] as const) {
      for (const begin of line) {
        if (this.#underWay >= places) break;
        line.delete(begin);
        this.#underWay++;
        begin();
      }
    }
  }
}
