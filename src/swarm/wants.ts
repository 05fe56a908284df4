// What we have and what we are after: the pieces on disk, those to fetch, and so those we lack.

import type { Bitfield } from '../torrent/bitfield.js';
import type { Geometry, Piece } from '../torrent/geometry.js';

export class Wants {
  /** Pieces on disk; only `got` adds to it. */
  readonly have: Bitfield;
  readonly #wanted: Bitfield | undefined;
  #lacking = 0;

  /** @param wanted the pieces to fetch; undefined: all */
  constructor(geometry: Geometry, have: Bitfield, wanted: Bitfield | undefined) {
    this.have = have;
    this.#wanted = wanted;
    for (const piece of geometry.pieces()) if (this.lacks(piece)) this.#lacking++;
  }

  /** Whether all that is wanted is here. */
  get complete(): boolean {
    return this.#lacking === 0;
  }

  /** Whether we want this piece and do not have it. */
  lacks(piece: Piece): boolean {
    return !this.have.has(piece) && this.#wanted?.has(piece) !== false;
  }

  /** How many of these pieces we lack. */
  lackingOf(field: Bitfield): number {
    let lacking = 0;
    for (const piece of field) if (this.lacks(piece)) lacking++;
    return lacking;
  }

  /** The piece is on disk. */
  got(piece: Piece): void {
    if (this.lacks(piece)) this.#lacking--;
    this.have.add(piece);
  }
}
