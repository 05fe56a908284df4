// What we have and what we are after: the pieces on disk, those to fetch, and so those we lack.

import type { Bitfield } from '../torrent/bitfield.js';
import type { Geometry, Piece } from '../torrent/geometry.js';

export class Wants {
  /** Pieces on disk; only `got` adds to it. */
  readonly have: Bitfield;
  readonly #wanted: Bitfield | undefined;
  /** Other pieces will be wanted later on. */
  readonly moves: boolean;
  #lacking = 0;

  /** @param wanted the pieces to fetch; undefined: all @param moves see `moves` */
  constructor(geometry: Geometry, have: Bitfield, wanted: Bitfield | undefined, moves = false) {
    this.have = have;
    this.#wanted = wanted;
    this.moves = moves;
    for (const piece of geometry.pieces()) if (this.lacks(piece)) this.#lacking++;
  }

  /** Whether all that is wanted, now or later on, is here. */
  get complete(): boolean {
    return this.#lacking === 0 && !this.moves;
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

  /** The piece begins to be wanted; whether we lack it now and did not before. */
  want(piece: Piece): boolean {
    if (!this.#wanted?.add(piece) || !this.lacks(piece)) return false;
    this.#lacking++;
    return true;
  }

  /** The piece, which we have, is wanted no more: it may be lost. */
  unwant(piece: Piece): void {
    this.#wanted?.delete(piece);
  }

  /** The piece, which is not wanted, is here no more. */
  lost(piece: Piece): void {
    this.have.delete(piece);
  }
}
