// How many peers hold each piece, and the pieces we could pick in order of rarity. Updated by every HAVE, never
// recomputed: an order array in rarity bands, its inverse, and where each band begins. Seeds are counted apart.

import type { Bitfield } from '../torrent/bitfield.js';
import type { Piece } from '../torrent/geometry.js';
import type { Random } from './port.js';

export class Availability {
  /** Peers that hold the whole torrent; they change no band. */
  seeds = 0;
  readonly #random: Random;
  /** Peers, seeds not counted, that hold each piece. */
  readonly #counts: Uint16Array;
  /** Pickable pieces, rarest band first; what is behind `#size` means nothing. */
  readonly #order: Int32Array;
  /** Where in `#order` each piece is, -1 when it is not pickable. */
  readonly #position: Int32Array;
  /** Index in `#order` of the first piece of each band; the band after the last one begins at `#size`. */
  readonly #bandStart: number[] = [0, 0];
  #size: number;

  /** All pieces start as pickable, held by nobody, in random order. */
  constructor(pieceCount: number, random: Random) {
    this.#random = random;
    this.#counts = new Uint16Array(pieceCount);
    this.#order = new Int32Array(pieceCount);
    this.#position = new Int32Array(pieceCount);
    this.#size = pieceCount;
    for (let i = 0; i < pieceCount; i++) this.#put(i, i);
    for (let i = pieceCount - 1; i > 0; i--) this.#swap(i, Math.floor(random() * (i + 1)));
    this.#bandStart[1] = pieceCount;
  }

  /** How many pieces can be picked. */
  get size(): number {
    return this.#size;
  }

  /** The pickable piece at this rank, 0 the rarest. */
  at(rank: number): Piece {
    return this.#order[rank] as Piece;
  }

  /** Peers that hold the piece, seeds included. */
  of(piece: Piece): number {
    return (this.#counts[piece] as number) + this.seeds;
  }

  /** Copies of the rarest piece of the whole torrent among the peers. */
  rarest(): number {
    let least = this.#counts.length === 0 ? 0 : Number.POSITIVE_INFINITY;
    for (const count of this.#counts) if (count < least) least = count;
    return least + this.seeds;
  }

  /** One more peer holds the piece. */
  gained(piece: Piece): void {
    const band = this.#counts[piece] as number;
    this.#counts[piece] = band + 1;
    this.#ensureBand(band + 1);
    const at = this.#position[piece] as number;
    if (at < 0) return;
    const last = this.#endOf(band) - 1;
    this.#swap(at, last);
    this.#bandStart[band + 1] = last;
    this.#mix(last, band + 1);
  }

  /** One peer less holds the piece. */
  lost(piece: Piece): void {
    const band = this.#counts[piece] as number;
    this.#counts[piece] = band - 1;
    const at = this.#position[piece] as number;
    if (at < 0) return;
    const first = this.#bandStart[band] as number;
    this.#swap(at, first);
    this.#bandStart[band] = first + 1;
    this.#mix(first, band - 1);
  }

  gainedAll(field: Bitfield): void {
    for (const piece of field) this.gained(piece);
  }

  lostAll(field: Bitfield): void {
    for (const piece of field) this.lost(piece);
  }

  /** The piece cannot be picked any more: it is being fetched, or we have it. */
  remove(piece: Piece): void {
    const at = this.#position[piece] as number;
    if (at < 0) return;
    let band = this.#counts[piece] as number;
    let hole = this.#endOf(band) - 1;
    this.#swap(at, hole);
    // Each rarer-to-commoner band hands its last piece down to the hole in front of it.
    for (band++; band < this.#bandStart.length; band++) {
      const last = this.#endOf(band) - 1;
      this.#bandStart[band] = hole;
      if (last > hole) this.#swap(hole, last);
      hole = Math.max(hole, last);
    }
    this.#position[piece] = -1;
    this.#size--;
  }

  /** The piece can be picked again. */
  insert(piece: Piece): void {
    if ((this.#position[piece] as number) >= 0) return;
    const band = this.#counts[piece] as number;
    let hole = this.#size++;
    for (let above = this.#bandStart.length - 1; above > band; above--) {
      const first = this.#bandStart[above] as number;
      if (first < hole) this.#put(hole, this.#order[first] as number);
      this.#bandStart[above] = first + 1;
      hole = first;
    }
    this.#put(hole, piece);
    this.#mix(hole, band);
  }

  #endOf(band: number): number {
    return band + 1 < this.#bandStart.length ? (this.#bandStart[band + 1] as number) : this.#size;
  }

  #ensureBand(band: number): void {
    while (this.#bandStart.length <= band) this.#bandStart.push(this.#size);
  }

  #put(at: number, piece: number): void {
    this.#order[at] = piece;
    this.#position[piece] = at;
  }

  #swap(a: number, b: number): void {
    const piece = this.#order[a] as number;
    this.#put(a, this.#order[b] as number);
    this.#put(b, piece);
  }

  /** Moves a piece that has just entered its band to a random rank of it, so that ties stay random. */
  #mix(at: number, band: number): void {
    const start = this.#bandStart[band] as number;
    const length = this.#endOf(band) - start;
    if (length > 1) this.#swap(at, start + Math.floor(this.#random() * length));
  }
}
