// Which files of a torrent are wanted, and so which of its pieces. Pure arithmetic; who chose them, and how, is not known here.

import { Bitfield } from './bitfield.js';
import { Geometry, type Piece } from './geometry.js';
import type { Metainfo } from './metainfo-types.js';

export class Selection {
  /** The pieces with bytes of a selected file; undefined: all there are. */
  readonly wanted: Bitfield | undefined;
  /** How many files are selected; padding is no file. */
  readonly fileCount: number;
  /** Bytes of the selected files; of a torrent that is wanted as a whole its padding counts too. */
  readonly length: number;
  /** 1 for each file that is selected; undefined: all. */
  readonly #selected: Uint8Array | undefined;

  /** @param chosen indices of files, of which those of padding count for nothing; undefined: all */
  constructor(
    { files, length, pieceLength }: Pick<Metainfo, 'files' | 'length' | 'pieceLength'>,
    chosen?: Iterable<number>,
  ) {
    const selected = new Uint8Array(files.length).fill(chosen ? 0 : 1);
    for (const file of chosen ?? []) if (files[file]?.pad === false) selected[file] = 1;
    const isChosen = (index: number) => selected[index] === 1;
    const real = [...files.keys()].filter(index => !files[index]?.pad);
    this.fileCount = real.filter(isChosen).length;
    this.length = length;
    if (this.fileCount === real.length) return;
    this.#selected = selected;
    const geometry = new Geometry(length, pieceLength);
    this.wanted = new Bitfield(geometry.pieceCount);
    this.length = 0;
    for (const [index, file] of files.entries()) {
      if (!isChosen(index)) continue;
      this.length += file.length;
      const end = Math.ceil((file.offset + file.length) / pieceLength);
      const first = file.length === 0 ? end : Math.floor(file.offset / pieceLength);
      for (let piece = first; piece < end; piece++) this.wanted.add(piece as Piece);
    }
  }

  /** Whether this file is wanted. Padding is, where all is. */
  isSelected(file: number): boolean {
    return this.#selected?.[file] !== 0;
  }

  /** Whether all that is wanted is among these pieces. */
  isComplete(have: Bitfield): boolean {
    const { wanted } = this;
    return wanted ? wanted.bytes.every((byte, at) => (byte & ~(have.bytes[at] as number)) === 0) : have.full;
  }

  /** How many of these pieces are wanted. */
  countOf(have: Bitfield): number {
    const { wanted } = this;
    if (!wanted) return have.count;
    let count = 0;
    for (const piece of wanted) if (have.has(piece)) count++;
    return count;
  }
}
