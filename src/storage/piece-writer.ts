// Checks pieces that are complete in memory, and writes those that match: on a disk thread, which shares
// the memory, or in place while there was little so far.

import { TorrentError } from '../torrent/errors.js';
import type { Piece } from '../torrent/geometry.js';
import { equalBytes, HASH_LENGTH } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import type { DiskPart } from './disk-job.js';
import { type DiskThreads, DiskThreadsLease } from './disk-threads.js';
import { hashRun } from './hash-run.js';
import type { PieceBuffer } from './piece-buffer.js';
import type { TorrentFiles } from './torrent-files.js';

/** Where the pieces go. */
export type WrittenFiles = Pick<
  TorrentFiles,
  'owner' | 'geometry' | 'partsToWrite' | 'write' | 'hasUnselected' | 'writeUnselected' | 'writeFault'
>;

export class PieceWriter {
  readonly #files: WrittenFiles;
  /** 20 bytes for each piece. */
  readonly #pieceHashes: Uint8Array;
  #lease: DiskThreadsLease | undefined;

  constructor(files: WrittenFiles, pieceHashes: Uint8Array) {
    this.#files = files;
    this.#pieceHashes = pieceHashes;
  }

  /**
   * Writes the piece if its hash is right, which is the result. The memory must stay as it is until then.
   * @throws TorrentError DISK_FULL, DISK_IO
   */
  async write(piece: Piece, memory: PieceBuffer): Promise<boolean> {
    this.#lease ??= new DiskThreadsLease();
    const { threads } = this.#lease;
    const length = this.#files.geometry.lengthOf(piece);
    const hash = this.#pieceHashes.subarray(piece * HASH_LENGTH, (piece + 1) * HASH_LENGTH);
    const data = memory.subarray(0, length);
    const parts = this.#files.partsToWrite(piece);
    if (threads.isSmall(length + parts.length * LIMITS.inPlaceFileBytes)) {
      if (!equalBytes(hashRun(data, length), hash)) return false;
      await this.#files.write(piece, data);
    } else if (!(await this.#writeThere(piece, memory, hash, parts, threads))) return false;
    if (this.#files.hasUnselected(piece)) await this.#files.writeUnselected(piece, data);
    return true;
  }

  /** Closes the files that threads hold open, and lets the threads go. */
  async close(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.threads.closeFiles(this.#files.owner);
    await lease?.give();
  }

  async #writeThere(
    piece: Piece,
    { buffer: memory, byteOffset: offset }: PieceBuffer,
    hash: Uint8Array,
    parts: readonly DiskPart[],
    threads: DiskThreads,
  ): Promise<boolean> {
    const { owner, geometry } = this.#files;
    const length = geometry.lengthOf(piece);
    const job = { kind: 'store', owner, memory, offset, length, hash, parts } as const;
    const answer = await threads.run(job, length, LIMITS.writeAheadBytes);
    if (answer.kind === 'stored') return answer.ok;
    if (answer.kind === 'unwritten') throw this.#files.writeFault(answer.path, answer.fault);
    throw new TorrentError('INTERNAL', `storing piece ${piece}: answered ${answer.kind}`);
  }
}
