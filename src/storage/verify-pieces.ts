// Compares files on disk with the hashes of their torrent.

import { TorrentError } from '../torrent/errors.js';
import type { Piece } from '../torrent/geometry.js';
import { LIMITS } from '../torrent/limits.js';
import { forEachConcurrently } from './concurrency.js';
import { errnoOf } from './disk-error.js';
import { hashPieces } from './piece-hashing.js';
import { isHashOf, type TorrentFiles } from './torrent-files.js';

export interface Verification {
  /** Told of every piece once, in no particular order. */
  readonly onPiece: (piece: Piece, ok: boolean) => void;
  /** Ends the work early; the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Hashes what is on disk. A piece in a missing, short or unreadable (EIO) file is not ok, and costs no read where the
 * file's length tells so already.
 * @throws TorrentError DISK_IO, as when a file may not be read
 */
export async function verifyPieces(
  files: TorrentFiles,
  pieceHashes: Uint8Array,
  pieces: Iterable<Piece>,
  { onPiece, signal }: Verification,
): Promise<void> {
  const { layout } = files;
  const asked = [...pieces];
  const sizes = new Map<number, number>();
  for (const piece of asked) for (const { file } of layout.segmentsOf(piece)) sizes.set(file, 0);
  await forEachConcurrently([...sizes.keys()], LIMITS.fileStats, async file => {
    signal?.throwIfAborted();
    if (!layout.files[file]?.pad) sizes.set(file, (await files.size(file)) ?? 0);
  });
  const there: Piece[] = [];
  for (const piece of asked) {
    if (files.isThere(piece, file => sizes.get(file) ?? 0)) there.push(piece);
    else onPiece(piece, false);
  }
  await hashPieces(files, there, {
    onHash: (piece, hash) => onPiece(piece, isHashOf(hash, piece, pieceHashes)),
    onUnread: (piece, why) => {
      // What lies in the place of a file that nobody selected may be anything.
      const isFatal = why instanceof TorrentError && errnoOf(why.cause) !== 'EIO';
      if (isFatal && !files.hasUnselected(piece)) throw why;
      onPiece(piece, false);
    },
    signal,
  });
}
