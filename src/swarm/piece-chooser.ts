// Which missing piece to begin with a peer: a suggested one, at random while we have next to nothing, then the rarest.
// Ties are random by the order of the availability bands.

import type { Bitfield } from '../torrent/bitfield.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { LIMITS } from '../torrent/limits.js';
import type { Availability } from './availability.js';
import type { SwarmPeer } from './peer.js';
import type { Random } from './port.js';

/** Missing pieces for each one that a peer could give, above which its few are searched and not the whole order. */
const SPARSE = 64;

export class PieceChooser {
  readonly #geometry: Geometry;
  readonly #missing: Bitfield;
  readonly #availability: Availability;
  readonly #sequential: boolean;
  readonly #random: Random;

  /** @param missing the pieces to choose among, kept up to date by its owner @param sequential lowest index first */
  constructor(
    geometry: Geometry,
    missing: Bitfield,
    availability: Availability,
    sequential: boolean,
    random: Random,
  ) {
    this.#geometry = geometry;
    this.#missing = missing;
    this.#availability = availability;
    this.#sequential = sequential;
    this.#random = random;
  }

  /** @param had pieces we have or are about to have @returns undefined when the peer has none of the missing ones */
  choose(peer: SwarmPeer, had: number): Piece | undefined {
    const piece = this.#choose(peer, had);
    if (piece !== undefined && peer.facts.webSeed) this.#suggestNext(peer, piece);
    return piece;
  }

  #choose(peer: SwarmPeer, had: number): Piece | undefined {
    if (peer.useful === 0 || this.#missing.count === 0) return undefined;
    if (this.#sequential) return this.#first(peer);
    if (peer.useful * SPARSE < this.#missing.count) return this.#rarestOfFew(peer);
    const chosen = this.#rarest(peer, had < LIMITS.randomFirstPieces);
    return chosen === undefined
      ? undefined
      : (this.#suggested(peer, this.#availability.of(chosen)) ?? chosen);
  }

  /** One long request costs a server less than many short ones: go on with what follows, where that is as rare. */
  #suggestNext(peer: SwarmPeer, piece: Piece): void {
    const next = this.#geometry.piece(piece + 1);
    peer.suggested.length = 0;
    if (next !== undefined) peer.suggested.push(next);
  }

  /** The oldest piece that the peer suggested, if it is no commoner than what we would choose ourselves. */
  #suggested(peer: SwarmPeer, rarity: number): Piece | undefined {
    while (peer.suggested.length > 0) {
      const piece = peer.suggested.shift() as Piece;
      if (this.#missing.has(piece) && peer.have.has(piece) && this.#availability.of(piece) <= rarity)
        return piece;
    }
    return undefined;
  }

  #rarest(peer: SwarmPeer, randomly: boolean): Piece | undefined {
    const size = this.#availability.size;
    const start = randomly ? Math.floor(this.#random() * size) : 0;
    for (let i = start; i < start + size; i++) {
      const piece = this.#availability.at(i < size ? i : i - size);
      if (peer.have.has(piece)) return piece;
    }
    return undefined;
  }

  #first(peer: SwarmPeer): Piece | undefined {
    for (const piece of this.#offered(peer)) return piece;
    return undefined;
  }

  #rarestOfFew(peer: SwarmPeer): Piece | undefined {
    let best: Piece | undefined;
    let bestSalt = 0;
    for (const piece of this.#offered(peer)) {
      const rarer = best === undefined ? -1 : this.#availability.of(piece) - this.#availability.of(best);
      const salt = this.#random();
      if (rarer > 0 || (rarer === 0 && salt >= bestSalt)) continue;
      best = piece;
      bestSalt = salt;
    }
    return best;
  }

  /** Pieces that are missing here and held there, in order; byte by byte, so that few are found quickly. */
  *#offered(peer: SwarmPeer): Generator<Piece> {
    const ours = this.#missing.bytes;
    const theirs = peer.have.bytes;
    for (let at = 0; at < ours.length; at++) {
      const both = (ours[at] as number) & (theirs[at] as number);
      if (both === 0) continue;
      for (let bit = 0; bit < 8; bit++) {
        const piece = both & (0x80 >> bit) ? this.#geometry.piece(at * 8 + bit) : undefined;
        if (piece !== undefined) yield piece;
      }
    }
  }
}
