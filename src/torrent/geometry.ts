// All piece and block arithmetic of one torrent, and the only place that mints Piece indices: an unchecked number
// from the wire cannot reach the picker or the storage.

import { BLOCK_LENGTH } from './limits.js';

declare const brand: unique symbol;

/** A piece index that exists in this torrent. */
export type Piece = number & { readonly [brand]: 'Piece' };

/** Bytes of one piece: `length` of them, > 0, from byte `begin` of the piece on. */
export interface PiecePart {
  readonly piece: Piece;
  readonly begin: number;
  readonly length: number;
}

export class Geometry {
  /** Bytes of the whole torrent. */
  readonly length: number;
  /** Bytes of every piece but the last. */
  readonly pieceLength: number;
  readonly pieceCount: number;
  /** Blocks of the whole torrent, each piece's last block counted even if short. */
  readonly blockCount: number;
  readonly #blocksPerPiece: number;
  readonly #lastPieceLength: number;

  /** @param length bytes, >= 0 @param pieceLength bytes, > 0 */
  constructor(length: number, pieceLength: number) {
    this.length = length;
    this.pieceLength = pieceLength;
    this.pieceCount = Math.ceil(length / pieceLength);
    this.#blocksPerPiece = Math.ceil(pieceLength / BLOCK_LENGTH);
    this.#lastPieceLength = this.pieceCount === 0 ? 0 : length - (this.pieceCount - 1) * pieceLength;
    this.blockCount =
      this.pieceCount === 0
        ? 0
        : (this.pieceCount - 1) * this.#blocksPerPiece + Math.ceil(this.#lastPieceLength / BLOCK_LENGTH);
  }

  /** The checked index, or undefined when there is no such piece. */
  piece(index: number): Piece | undefined {
    return Number.isInteger(index) && index >= 0 && index < this.pieceCount ? (index as Piece) : undefined;
  }

  lengthOf(piece: Piece): number {
    return piece === this.pieceCount - 1 ? this.#lastPieceLength : this.pieceLength;
  }

  blocksIn(piece: Piece): number {
    return piece === this.pieceCount - 1
      ? Math.ceil(this.#lastPieceLength / BLOCK_LENGTH)
      : this.#blocksPerPiece;
  }

  /** Bytes of block number `block` of this piece: 16 KiB but for the last of a piece. */
  blockLength(piece: Piece, block: number): number {
    return Math.min(BLOCK_LENGTH, this.lengthOf(piece) - block * BLOCK_LENGTH);
  }

  /** Number of this block counted over the whole torrent. */
  blockNumber(piece: Piece, block: number): number {
    return piece * this.#blocksPerPiece + block;
  }

  /** The piece that a number from `blockNumber` lies in. */
  pieceOf(blockNumber: number): Piece {
    return Math.floor(blockNumber / this.#blocksPerPiece) as Piece;
  }

  /** Which block of its piece a number from `blockNumber` is. */
  blockOf(blockNumber: number): number {
    return blockNumber % this.#blocksPerPiece;
  }

  /** Which block of the piece starts at `begin` and has this length, or -1 when none does. */
  blockAt(piece: Piece, begin: number, length: number): number {
    if (begin % BLOCK_LENGTH !== 0) return -1;
    const block = begin / BLOCK_LENGTH;
    return block < this.blocksIn(piece) && length === this.blockLength(piece, block) ? block : -1;
  }

  /** Whether `length` bytes from `begin` lie inside the piece; what a peer may ask us for. */
  contains(piece: Piece, begin: number, length: number): boolean {
    return begin >= 0 && length > 0 && begin + length <= this.lengthOf(piece);
  }

  /** Byte inside the torrent at which the piece begins. */
  offsetOf(piece: Piece): number {
    return piece * this.pieceLength;
  }

  /** What of each piece lies in `length` bytes from `offset` of the torrent, in order. */
  *parts(offset: number, length: number): Generator<PiecePart> {
    const end = Math.min(offset + length, this.length);
    for (let at = offset; at < end; ) {
      const piece = Math.floor(at / this.pieceLength) as Piece;
      const begin = at - this.offsetOf(piece);
      const part = { piece, begin, length: Math.min(this.lengthOf(piece) - begin, end - at) };
      yield part;
      at += part.length;
    }
  }

  /** Every piece in order. */
  *pieces(): Generator<Piece> {
    for (let index = 0; index < this.pieceCount; index++) yield index as Piece;
  }
}
