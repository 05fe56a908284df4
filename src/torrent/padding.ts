// Which blocks of a torrent are nothing but padding (BEP 47), so that nobody need be asked for them. Pure arithmetic.

import type { Geometry, Piece } from './geometry.js';
import { BLOCK_LENGTH } from './limits.js';
import type { TorrentFile } from './metainfo-types.js';

export class Padding {
  readonly #geometry: Geometry;
  /** Offsets at which padding begins and ends, in order. */
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;

  /** @param files of the torrent, in order */
  constructor(files: readonly Pick<TorrentFile, 'offset' | 'length' | 'pad'>[], geometry: Geometry) {
    const pads = files.filter(({ pad, length }) => pad && length > 0);
    this.#geometry = geometry;
    this.#starts = Float64Array.from(pads, ({ offset }) => offset);
    this.#ends = Float64Array.from(pads, ({ offset, length }) => offset + length);
  }

  /** The blocks of a piece that one pad file covers whole, in order; none where that would leave nothing to ask for. */
  blocksOf(piece: Piece): readonly number[] {
    const start = this.#geometry.offsetOf(piece);
    const length = this.#geometry.lengthOf(piece);
    const blocks: number[] = [];
    for (let at = this.#firstEndingBehind(start); at < this.#starts.length; at++) {
      const from = (this.#starts[at] as number) - start;
      const to = Math.min((this.#ends[at] as number) - start, length);
      if (from >= length) break;
      for (let block = Math.ceil(Math.max(0, from) / BLOCK_LENGTH); ; block++) {
        const end = Math.min((block + 1) * BLOCK_LENGTH, length);
        if (end > to || block * BLOCK_LENGTH >= length) break;
        blocks.push(block);
      }
    }
    return blocks.length < this.#geometry.blocksIn(piece) ? blocks : [];
  }

  #firstEndingBehind(offset: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
