// The threads that hash, one for each core, for all torrents of the process: started once there is much to hash, ended
// with the last who needs them. Small work is done in place: a thread takes longer to start than 32 MiB to hash.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { LIMITS } from '../torrent/limits.js';
import { ByteGate } from './concurrency.js';
import { hashRun } from './hash-run.js';
import type { HashAnswer, HashJob } from './hash-worker.js';

interface Hashed {
  /** 20 bytes for each piece. */
  readonly hashes: Uint8Array;
  /** The memory that was handed in; that of before is gone. */
  readonly buffer: Uint8Array<ArrayBuffer>;
}

interface Thread {
  readonly worker: Worker;
  /** Those who wait for an answer, in the order of their jobs. */
  readonly waiting: {
    readonly resolve: (answer: Hashed) => void;
    readonly reject: (error: unknown) => void;
  }[];
}

export class HashThreads {
  /** How many runs are worth reading at a time: each thread hashes one while the next is read. */
  readonly lanes: number;
  /** Bounds the memory of the runs that are read or hashed. */
  readonly gate = new ByteGate(LIMITS.hashBufferBytes);
  readonly #count: number;
  #threads: Thread[] | undefined;
  #inPlaceBytes: number;

  /** @param count threads at most @param inPlaceBytes bytes to hash before any is started */
  constructor(
    count: number = Math.min(availableParallelism(), LIMITS.hashThreads),
    inPlaceBytes: number = LIMITS.hashInPlaceBytes,
  ) {
    this.#count = count;
    this.#inPlaceBytes = inPlaceBytes;
    this.lanes = 2 * count;
  }

  /** Hashes the first `length` bytes of a buffer, which must not be used until it comes back. */
  async hash(buffer: Uint8Array<ArrayBuffer>, length: number, pieceLength: number): Promise<Hashed> {
    if (this.#inPlaceBytes <= 0) this.#threads ??= Array.from({ length: this.#count }, () => this.#start());
    const [first, ...others] = this.#threads ?? [];
    if (!first) {
      this.#inPlaceBytes -= length;
      return { hashes: hashRun(buffer.subarray(0, length), pieceLength), buffer };
    }
    const thread = others.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a), first);
    return new Promise((resolve, reject) => {
      thread.waiting.push({ resolve, reject });
      const job: HashJob = { buffer: buffer.buffer, length, pieceLength };
      thread.worker.postMessage(job, [job.buffer]);
    });
  }

  /** Ends the threads. Nobody may be waiting. */
  async close(): Promise<void> {
    await Promise.all((this.#threads ?? []).map(({ worker }) => worker.terminate()));
    this.#threads = undefined;
  }

  #start(): Thread {
    const worker = new Worker(new URL('./hash-worker.js', import.meta.url));
    const thread: Thread = { worker, waiting: [] };
    worker.on('message', ({ hashes, buffer }: HashAnswer) =>
      thread.waiting.shift()?.resolve({ hashes, buffer: new Uint8Array(buffer) }),
    );
    // A thread that could not be started, or failed, answers nobody. Without any the work is done in place.
    worker.on('error', error => {
      this.#threads = this.#threads?.filter(other => other !== thread);
      for (const { reject } of thread.waiting.splice(0)) reject(error);
    });
    return thread;
  }
}

let shared: HashThreads | undefined;
let users = 0;

/** Lends the threads that all torrents of the process share. */
export async function withHashThreads<T>(work: (threads: HashThreads) => Promise<T>): Promise<T> {
  shared ??= new HashThreads();
  const threads = shared;
  users++;
  try {
    return await work(threads);
  } finally {
    if (--users === 0) {
      shared = undefined;
      await threads.close();
    }
  }
}
