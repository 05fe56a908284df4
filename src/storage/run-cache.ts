// Runs of blocks read for peers, kept for the requests that follow. Knows keys and bytes; who reads them is not its
// business.

import { Gate } from './concurrency.js';

export class RunCache {
  readonly #cap: number;
  readonly #gate: Gate;
  /** The one unused for longest first. */
  readonly #runs = new Map<number, Uint8Array>();
  readonly #loading = new Map<number, Promise<Uint8Array>>();
  #bytes = 0;

  /** @param capBytes bytes of runs that are kept @param loads how many are read at a time */
  constructor(capBytes: number, loads: number) {
    this.#cap = capBytes;
    this.#gate = new Gate(loads);
  }

  /** The run, if it is here. */
  get(key: number): Uint8Array | undefined {
    const run = this.#runs.get(key);
    if (run) {
      this.#runs.delete(key);
      this.#runs.set(key, run);
    }
    return run;
  }

  /** The run, loaded where it is not here; whoever asks while it is being loaded waits for the same load. */
  fetch(key: number, load: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const run = this.get(key);
    if (run) return Promise.resolve(run);
    const known = this.#loading.get(key);
    if (known) return known;
    const loading = this.#gate.run(load).then(loaded => {
      this.#keep(key, loaded);
      return loaded;
    });
    this.#loading.set(key, loading);
    const done = () => this.#loading.delete(key);
    loading.then(done, done);
    return loading;
  }

  #keep(key: number, run: Uint8Array): void {
    this.#runs.set(key, run);
    this.#bytes += run.length;
    for (const [oldest, { length }] of this.#runs) {
      if (this.#bytes <= this.#cap) break;
      this.#runs.delete(oldest);
      this.#bytes -= length;
    }
  }
}
