// What the engine needs of the bytes of a torrent, wherever they are kept.

import type { Bitfield } from '../torrent/bitfield.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import type { Padding } from '../torrent/padding.js';
import type { Layout } from './layout.js';

export interface PieceStorage {
  readonly geometry: Geometry;
  readonly layout: Layout;
  /** Blocks that are zeros by definition (BEP 47): `store` is not to be called for them. */
  readonly padding: Padding;
  /** Verified pieces that can be read. Only the storage changes it. */
  readonly have: Bitfield;
  /**
   * Copies a block into its piece; the last block of the piece starts the check, whose end is told to the owner of the
   * storage. Whoever calls has matched the block with a request: each arrives once for each attempt at the piece.
   * @param begin byte inside the piece
   */
  store(piece: Piece, begin: number, data: Uint8Array): void;
  /** Forgets the blocks of a piece that is not complete. */
  discard(piece: Piece): void;
  /**
   * Fills `targets` one after the other with bytes of a verified piece; padding (BEP 47) reads as zeros.
   * @param begin byte inside the piece, within which all of it lies
   * @throws TorrentError DISK_IO when the file is short, gone or unreadable; INTERNAL for what is not in `have`
   */
  read(piece: Piece, begin: number, targets: readonly Uint8Array[]): Promise<void>;
}

/** Where the verified pieces come from: our record, hashing, or there were none. */
export type HowOpened = 'resume' | 'recheck' | 'fresh';

/** The data of one torrent, ours until it is closed. */
export interface OpenedData {
  readonly storage: PieceStorage;
  readonly how: HowOpened;
  /** In words for the user. */
  readonly warnings: readonly string[];
  /** Call when the torrent is complete and goes on being seeded. @throws TorrentError DISK_FULL, DISK_IO */
  seal(): Promise<void>;
  /** Ends what is being written and records the state; safe to call twice. @throws TorrentError DISK_FULL, DISK_IO */
  close(): Promise<void>;
}
