// What a hashing thread runs: takes runs of bytes, gives back their hashes, and the memory with them.

import { parentPort } from 'node:worker_threads';
import { hashRun } from './hash-run.js';

/** A run to hash. The buffer moves to the thread and back, it is never copied. */
export interface HashJob {
  readonly buffer: ArrayBuffer;
  /** Bytes from the start of the buffer that count. */
  readonly length: number;
  readonly pieceLength: number;
}

export interface HashAnswer {
  readonly buffer: ArrayBuffer;
  /** 20 bytes for each piece. */
  readonly hashes: Uint8Array<ArrayBuffer>;
}

parentPort?.on('message', ({ buffer, length, pieceLength }: HashJob) => {
  const hashes = hashRun(new Uint8Array(buffer, 0, length), pieceLength);
  const answer: HashAnswer = { buffer, hashes };
  parentPort?.postMessage(answer, [buffer, hashes.buffer]);
});
