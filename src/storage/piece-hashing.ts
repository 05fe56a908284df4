// Hashes pieces of files on disk, many small ones in one read, on all cores. Says what the hashes are, not whether they
// are right.

import { TorrentError } from '../torrent/errors.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { HASH_LENGTH } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import { forEachConcurrently } from './concurrency.js';
import { type DiskThreads, DiskThreadsLease } from './disk-threads.js';
import { hashRun } from './hash-run.js';
import type { TorrentFiles } from './torrent-files.js';

export interface PieceHashing {
  /** Told of each piece once, in no particular order. @param hash 20 bytes, a view */
  readonly onHash: (piece: Piece, hash: Uint8Array) => void;
  /**
   * Told of each piece that could not be read: the path of a file that is missing or too short, or what the system
   * said (DISK_IO). What it throws ends the work.
   */
  readonly onUnread: (piece: Piece, why: string | TorrentError) => void;
  /** Ends the work early; the signal's reason is thrown. */
  readonly signal: AbortSignal | undefined;
}

/** Pieces that lie side by side. */
interface Run {
  readonly first: Piece;
  readonly count: number;
}

/** Hashes these pieces. Adjacent ones are read together up to 1 MiB; a thread has memory for one run. */
export async function hashPieces(
  files: TorrentFiles,
  pieces: readonly Piece[],
  { onHash, onUnread, signal }: PieceHashing,
): Promise<void> {
  const lease = new DiskThreadsLease();
  const { threads } = lease;
  const isMuch = pieces.length * files.geometry.pieceLength > LIMITS.hashInPlaceBytes;
  const hash = async (run: Run): Promise<void> => {
    const hashed = await hashesOf(files, run, threads, isMuch);
    if (hashed instanceof Uint8Array) {
      for (let at = 0; at < run.count; at++)
        onHash(pieceAt(run, at), hashed.subarray(at * HASH_LENGTH, (at + 1) * HASH_LENGTH));
    } else if (run.count === 1) onUnread(run.first, hashed);
    // Which of the pieces it was is found out one by one.
    else for (let at = 0; at < run.count; at++) await hash({ first: pieceAt(run, at), count: 1 });
  };
  const count = Math.max(1, Math.floor(LIMITS.hashRunBytes / files.geometry.pieceLength));
  try {
    await forEachConcurrently(runs(pieces, count), threads.lanes, run => {
      signal?.throwIfAborted();
      return hash(run);
    });
  } finally {
    await threads.closeFiles(files.owner);
    await lease.give();
  }
}

/** 20 bytes for each piece, or what is wrong with the files. */
async function hashesOf(
  files: TorrentFiles,
  run: Run,
  threads: DiskThreads,
  isMuch: boolean,
): Promise<Uint8Array | string | TorrentError> {
  const length = lengthOf(files.geometry, run);
  const { pieceLength } = files.geometry;
  const parts = files.parts(run.first, length);
  if (!isMuch && threads.isSmall(length + parts.length * LIMITS.inPlaceFileBytes)) {
    const bytes = new Uint8Array(length);
    return (await read(files, run.first, bytes)) ?? hashRun(bytes, pieceLength);
  }
  const { owner } = files;
  const job = { kind: 'hash', owner, length, pieceLength, parts } as const;
  const answer = await threads.run(job, length, 0);
  if (answer.kind === 'hashed') return answer.hashes;
  if (answer.kind === 'unread') return files.readFault(answer.path, answer.fault);
  throw new TorrentError('INTERNAL', `hashing: answered ${answer.kind}`);
}

/** What is wrong with the files, or undefined once the target is filled. */
async function read(
  files: TorrentFiles,
  first: Piece,
  target: Uint8Array,
): Promise<string | TorrentError | undefined> {
  try {
    return await files.read(first, 0, [target]);
  } catch (error) {
    if (error instanceof TorrentError) return error;
    throw error;
  }
}

/** Counts bytes and tells of them now and then: once each MiB, and at the end. */
export function byteProgress(
  lengthBytes: number,
  onProgress: (hashedBytes: number, lengthBytes: number) => void,
): (bytes: number) => void {
  let hashed = 0;
  let told = 0;
  return bytes => {
    hashed += bytes;
    if (hashed - told < LIMITS.hashRunBytes && hashed < lengthBytes) return;
    told = hashed;
    onProgress(hashed, lengthBytes);
  };
}

/** Pieces that follow each other, so many together at most. */
function* runs(pieces: Iterable<Piece>, limit: number): Generator<Run> {
  let run: { first: Piece; count: number } | undefined;
  for (const piece of pieces) {
    if (run && piece === run.first + run.count && run.count < limit) {
      run.count++;
      continue;
    }
    if (run) yield run;
    run = { first: piece, count: 1 };
  }
  if (run) yield run;
}

/** A run holds pieces of the torrent only. */
function pieceAt(run: Run, at: number): Piece {
  return (run.first + at) as Piece;
}

function lengthOf(geometry: Geometry, run: Run): number {
  const last = pieceAt(run, run.count - 1);
  return geometry.offsetOf(last) - geometry.offsetOf(run.first) + geometry.lengthOf(last);
}
