// The threads that hash, check and write, for all torrents of the process: started as they are needed, ended with the
// last who needs them. Small work is done by its caller: a thread takes longer to start than 32 MiB to hash.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { LIMITS } from '../torrent/limits.js';
import type { DiskAnswer, DiskJob, StoreJob } from './disk-job.js';
import { packStores, type StoreAnswers, type StoreBatch, unpackAnswers } from './store-batch.js';

/** What a thread is sent, and what it sends back for each. */
export type DiskOrder = Exclude<DiskJob, StoreJob> | StoreBatch;
export type DiskReport = DiskAnswer | StoreAnswers;

interface Waiting {
  readonly bytes: number;
  readonly resolve: (answer: DiskAnswer) => void;
  readonly reject: (error: unknown) => void;
}

export class DiskThreads {
  readonly #count: number;
  #threads: DiskThread[] = [];
  /** Bytes that callers may still do themselves. */
  #inPlaceBytes: number;
  #hasFailed = false;

  /** @param count threads at most @param inPlaceBytes bytes worked on before any is started */
  constructor(
    count: number = Math.min(availableParallelism(), LIMITS.diskThreads),
    inPlaceBytes: number = LIMITS.hashInPlaceBytes,
  ) {
    this.#count = count;
    this.#inPlaceBytes = inPlaceBytes;
  }

  /** How many runs are worth handing over at a time: each thread works at one while the next is on its way. */
  get lanes(): number {
    return 2 * this.#count;
  }

  /** Whether the caller is to do these bytes itself; if so, they count. */
  isSmall(bytes: number): boolean {
    if (this.#hasFailed) return true;
    if (this.#threads.length > 0 || bytes > this.#inPlaceBytes) return false;
    this.#inPlaceBytes -= bytes;
    return true;
  }

  /**
   * Does the job on the thread that has least to do. A further one is started where all have more than `aheadBytes`, unless
   * the last one has just been started and would keep up.
   * @param bytes that the job is about
   */
  run(job: DiskJob, bytes: number, aheadBytes: number): Promise<DiskAnswer> {
    return this.#least(aheadBytes).run(job, bytes);
  }

  /** Closes the files that the threads hold open for this owner. */
  async closeFiles(owner: number): Promise<void> {
    await Promise.all(this.#threads.map(thread => thread.run({ kind: 'close', owner }, 0)));
  }

  /** Ends the threads. Nobody may be waiting. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map(thread => thread.end()));
    this.#threads = [];
  }

  #least(aheadBytes: number): DiskThread {
    let least: DiskThread | undefined;
    for (const thread of this.#threads)
      if (!least || thread.waitingBytes < least.waitingBytes) least = thread;
    const isEnough = this.#threads.length >= this.#count || (aheadBytes > 0 && least?.hasAnswered === false);
    if (least && (isEnough || least.waitingBytes <= aheadBytes)) return least;
    const thread = new DiskThread(() => {
      // Whoever still works does so in place; what this one was to do has failed.
      this.#hasFailed = true;
      this.#threads = this.#threads.filter(other => other !== thread);
    });
    this.#threads.push(thread);
    return thread;
  }
}

class DiskThread {
  /** Bytes of the jobs that are not done. */
  waitingBytes = 0;
  readonly #worker: Worker;
  /** In the order of their jobs. */
  readonly #waiting: Waiting[] = [];
  /** Whether it is known to run. */
  hasAnswered = false;
  /** Jobs that leave together. */
  #batch: DiskJob[] = [];
  #batchBytes = 0;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  /** They leave at the end of this turn. */
  #isDue = false;

  constructor(onFailure: () => void) {
    this.#worker = new Worker(new URL('./disk-worker.js', import.meta.url));
    this.#worker.on('message', (reports: readonly DiskReport[]) => {
      for (const report of reports) {
        if (report.kind !== 'stores') this.#answered(report);
        else for (const answer of unpackAnswers(report)) this.#answered(answer);
      }
    });
    this.#worker.on('error', error => {
      onFailure();
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  run(job: DiskJob, bytes: number): Promise<DiskAnswer> {
    return new Promise((resolve, reject) => {
      this.waitingBytes += bytes;
      this.#waiting.push({ bytes, resolve, reject });
      this.#batch.push(job);
      this.#batchBytes += bytes;
      const isUrgent = job.kind !== 'store' || this.#batchBytes >= LIMITS.diskBatchBytes;
      this.#sendIn(isUrgent ? 0 : this.#sentAtMs + LIMITS.diskBatchMs - performance.now());
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Waking a thread may cost more than what it is woken for, so pieces that follow each other quickly go together. */
  #sendIn(delayMs: number): void {
    if (delayMs > 0) {
      this.#timer ??= setTimeout(() => this.#send(), delayMs);
      return;
    }
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => this.#send());
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isDue = false;
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#sentAtMs = performance.now();
    this.#worker.postMessage(ordersOf(batch));
  }

  #answered(answer: DiskAnswer): void {
    this.hasAnswered = true;
    const waiting = this.#waiting.shift();
    if (!waiting) return;
    this.waitingBytes -= waiting.bytes;
    waiting.resolve(answer);
  }
}

/** The jobs in their order, those to store pieces packed together. */
function ordersOf(jobs: readonly DiskJob[]): DiskOrder[] {
  const orders: DiskOrder[] = [];
  let stores: StoreJob[] = [];
  const pack = () => {
    if (stores.length > 0) orders.push(packStores(stores));
    stores = [];
  };
  for (const job of jobs) {
    if (job.kind === 'store') stores.push(job);
    else {
      pack();
      orders.push(job);
    }
  }
  pack();
  return orders;
}

let shared: DiskThreads | undefined;
let users = 0;

/** The threads that all torrents of the process share, for one user, until it gives them back. */
export class DiskThreadsLease {
  readonly threads: DiskThreads;
  #isGiven = false;

  constructor() {
    shared ??= new DiskThreads();
    this.threads = shared;
    users++;
  }

  /** The last one ends the threads. Safe to call twice. */
  async give(): Promise<void> {
    if (this.#isGiven) return;
    this.#isGiven = true;
    if (--users > 0) return;
    shared = undefined;
    await this.threads.close();
  }
}

/** Does work for which no thread is to end before it is over. */
export async function withDiskThreads<T>(work: (threads: DiskThreads) => Promise<T>): Promise<T> {
  const lease = new DiskThreadsLease();
  try {
    return await work(lease.threads);
  } finally {
    await lease.give();
  }
}
