// Where the floor's pieces end: hashed, compared and written, on the thread that calls or in one worker.

import { createHash } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { pieceBytes, readTorrent, type Torrent } from './torrent.js';

export interface SinkOptions {
  readonly torrent: string;
  /** The file to write; none: pieces are hashed and forgotten. */
  readonly out?: string | undefined;
}

interface Job {
  readonly index: number;
  readonly memory: ArrayBufferLike;
}

/** Memory in which a piece may lie. What ends here can be used for another piece once `done` was called with it. */
export type PieceSink = (index: number, memory: Buffer, done: (memory: Buffer) => void) => void;

function hashAndWrite(torrent: Torrent, file: number | undefined, index: number, memory: Buffer): void {
  const piece = memory.subarray(0, pieceBytes(torrent, index));
  const expected = torrent.hashes.subarray(20 * index, 20 * index + 20);
  if (!createHash('sha1').update(piece).digest().equals(expected)) {
    throw new Error(`piece ${index} does not match its hash`);
  }
  if (file !== undefined) writeSync(file, piece, 0, piece.length, index * torrent.pieceLength);
}

export function mainThreadSink({ torrent: path, out }: SinkOptions): PieceSink {
  const torrent = readTorrent(path);
  const file = out === undefined ? undefined : openSync(out, 'w');
  return (index, memory, done) => {
    hashAndWrite(torrent, file, index, memory);
    done(memory);
  };
}

/** Memory is shared with the worker, so that nothing is copied on the way. */
export function workerSink(options: SinkOptions): PieceSink {
  const worker = new Worker(new URL(import.meta.url), { workerData: options });
  const waiting: [memory: Buffer, done: (memory: Buffer) => void][] = [];
  worker.on('message', () => {
    const next = waiting.shift();
    if (next) next[1](next[0]);
  });
  worker.on('error', error => {
    throw error;
  });
  return (index, memory, done) => {
    waiting.push([memory, done]);
    worker.postMessage({ index, memory: memory.buffer } satisfies Job);
  };
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const { torrent: path, out }: SinkOptions = workerData;
  const torrent = readTorrent(path);
  const file = out === undefined ? undefined : openSync(out, 'w');
  port.on('message', ({ index, memory }: Job) => {
    hashAndWrite(torrent, file, index, Buffer.from(memory));
    port.postMessage(index);
  });
}
