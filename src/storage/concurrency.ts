// How much asynchronous work runs at a time. Knows nothing of what the work is.

/** Lets a limited number of jobs run, the others wait in order. */
export class Gate {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limit) this.#running++;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // A place that is waited for is handed over, never given back in between.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

/**
 * Does the work for every item, `limit` at a time, taking items only as they are needed. After a failure no more
 * are begun, and it is thrown once those under way have ended.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed = false;
  const worker = async () => {
    try {
      for (let item = iterator.next(); !item.done && !failed; item = iterator.next()) await work(item.value);
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  for (const result of await Promise.allSettled(Array.from({ length: limit }, worker))) {
    if (result.status === 'rejected') throw result.reason;
  }
}
