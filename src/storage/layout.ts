// Where the bytes of a torrent lie: ranges and pieces to files and back. Pure arithmetic; knows no paths and no disk.

import type { Bitfield } from '../torrent/bitfield.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import type { TorrentFile } from '../torrent/metainfo-types.js';

/** The part of a byte range that lies in one file. All in bytes. */
export interface Segment {
  /** Index of the file in the torrent. */
  readonly file: number;
  /** Byte inside the file. */
  readonly position: number;
  readonly length: number;
  /** Byte inside the range at which the segment begins. */
  readonly start: number;
}

/** Pieces from `first` up to, not including, `end`. */
export interface PieceRange {
  readonly first: number;
  readonly end: number;
}

/** What lies elsewhere than in its file: see part-file.ts. */
export interface PartsKept {
  /** Whether the bytes of this piece that belong to this file are kept there. */
  has(piece: Piece, file: number): boolean;
}

export type LayoutFile = Pick<TorrentFile, 'offset' | 'length' | 'pad'>;

/** The bytes of a piece that lie in this file: where in the file they begin, and how many there are, which may be none. */
export function overlapOf(
  file: LayoutFile,
  geometry: Geometry,
  piece: Piece,
): { readonly position: number; readonly length: number } {
  const offset = geometry.offsetOf(piece);
  const from = Math.max(file.offset, offset);
  const end = Math.min(file.offset + file.length, offset + geometry.lengthOf(piece));
  return { position: from - file.offset, length: Math.max(0, end - from) };
}

export class Layout {
  readonly files: readonly LayoutFile[];
  readonly geometry: Geometry;
  /** The files that hold bytes, in order: a million empty ones cost a lookup nothing. */
  readonly #filled: Uint32Array;

  /** @param files contiguous from offset 0 and together as long as the geometry */
  constructor(files: readonly LayoutFile[], geometry: Geometry) {
    this.files = files;
    this.geometry = geometry;
    const filled: number[] = [];
    files.forEach((file, index) => {
      if (file.length > 0) filled.push(index);
    });
    this.#filled = Uint32Array.from(filled);
  }

  /** The files of `length` bytes from `offset` of the torrent, in order, pad files included, empty files left out. */
  segments(offset: number, length: number): Segment[] {
    const segments: Segment[] = [];
    const end = Math.min(offset + length, this.geometry.length);
    for (let at = this.#filledAt(offset), from = offset; from < end; at++) {
      const index = this.#filled[at] as number;
      const file = this.files[index] as LayoutFile;
      const position = from - file.offset;
      const part = Math.min(file.length - position, end - from);
      segments.push({ file: index, position, length: part, start: from - offset });
      from += part;
    }
    return segments;
  }

  /** The files of `length` bytes from byte `begin` of a piece. */
  segmentsOf(piece: Piece, begin = 0, length = this.geometry.lengthOf(piece) - begin): Segment[] {
    return this.segments(this.geometry.offsetOf(piece) + begin, length);
  }

  /**
   * Whether the files are long enough to hold all of the piece.
   * @param sizeOf bytes of a file on disk, 0 where there is none @param parts has bytes of pieces in place of files
   */
  isThere(piece: Piece, sizeOf: (file: number) => number, parts?: PartsKept): boolean {
    return this.segmentsOf(piece).every(
      ({ file, position, length }) =>
        this.files[file]?.pad || parts?.has(piece, file) || sizeOf(file) >= position + length,
    );
  }

  /** The pieces that hold bytes of this file; an empty file has none. */
  piecesOf(index: number): PieceRange {
    const file = this.files[index] as LayoutFile;
    const { pieceLength } = this.geometry;
    const first = Math.floor(file.offset / pieceLength);
    if (file.length === 0) return { first, end: first };
    return { first, end: Math.floor((file.offset + file.length - 1) / pieceLength) + 1 };
  }

  /** Where in `#filled` the file stands that holds this byte. */
  #filledAt(offset: number): number {
    let low = 0;
    let high = this.#filled.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const file = this.files[this.#filled[middle] as number] as LayoutFile;
      if (file.offset + file.length <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** How many pieces each file still lacks, so that its completion is noticed at the cost of the piece alone. */
export class FileProgress {
  readonly #layout: Layout;
  readonly #left: Uint32Array;

  constructor(layout: Layout, have: Bitfield) {
    this.#layout = layout;
    this.#left = new Uint32Array(layout.files.length);
    layout.files.forEach((_, index) => {
      const { first, end } = layout.piecesOf(index);
      this.#left[index] = end - first;
    });
    for (const piece of have) this.pieceDone(piece);
  }

  /** Pieces this file still lacks; an empty file lacks none. */
  left(file: number): number {
    return this.#left[file] as number;
  }

  /** Counts a piece (once) and returns the files that it made complete, pad files left out. */
  pieceDone(piece: Piece): number[] {
    const complete: number[] = [];
    for (const { file } of this.#layout.segmentsOf(piece)) {
      const left = (this.#left[file] as number) - 1;
      this.#left[file] = left;
      if (left === 0 && !this.#layout.files[file]?.pad) complete.push(file);
    }
    return complete;
  }
}
