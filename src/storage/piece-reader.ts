// Reads parts of verified pieces: straight from a file or a few, through a disk thread where a run lies in many. What three calls
// for each small file cost, by way of the thread pool, is ten times what they take.

import { TorrentError } from '../torrent/errors.js';
import type { Piece } from '../torrent/geometry.js';
import { LIMITS } from '../torrent/limits.js';
import { DiskThreadsLease } from './disk-threads.js';
import { bytesIn } from './scatter.js';
import type { TorrentFiles } from './torrent-files.js';

export class PieceReader {
  readonly #files: TorrentFiles;
  #lease: DiskThreadsLease | undefined;
  #isClosed = false;

  constructor(files: TorrentFiles) {
    this.#files = files;
  }

  /** As TorrentFiles.read. */
  async read(piece: Piece, begin: number, targets: readonly Uint8Array[]): Promise<string | undefined> {
    const files = this.#files;
    const length = bytesIn(targets);
    const parts = files.parts(piece, length, begin);
    if (this.#isClosed || parts.length < LIMITS.threadReadFiles) return files.read(piece, begin, targets);
    this.#lease ??= new DiskThreadsLease();
    const { threads } = this.#lease;
    if (threads.isSmall(length + parts.length * LIMITS.inPlaceFileBytes))
      return files.read(piece, begin, targets);
    const { owner } = files;
    const job = { kind: 'read', owner, length, parts } as const;
    const answer = await threads.run(job, length, LIMITS.readAheadBytes);
    if (answer.kind === 'read') {
      let at = 0;
      for (const target of targets) {
        target.set(answer.bytes.subarray(at, at + target.length));
        at += target.length;
      }
      return undefined;
    }
    if (answer.kind !== 'unread') throw new TorrentError('INTERNAL', `reading: answered ${answer.kind}`);
    const why = files.readFault(answer.path, answer.fault);
    if (why instanceof TorrentError) throw why;
    return why;
  }

  /** Closes the files that threads hold open, and lets the threads go, once what they read has come. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.threads.closeFiles(this.#files.owner);
    await lease?.give();
  }
}
