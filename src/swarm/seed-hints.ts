// How a seed keeps its pieces from leaving it twice, with the hints of BEP 6: it suggests to each peer the pieces it
// gave to fewest, and lets a peer whose turn is over finish the piece it has begun.

import type { Geometry, Piece } from '../torrent/geometry.js';
import { Availability } from './availability.js';
import type { SwarmPeer } from './peer.js';
import type { Random, SwarmPort } from './port.js';

/** Suggestions a peer has at a time: the piece it fetches and the next one. */
const SUGGESTED = 2;
/** Pieces that a peer may finish after its turn: blocks go out in the order asked for, so honest peers have no more. */
const FINISHED = 2;
/** Pieces asked for by one peer that are kept in mind. */
const BEGUN = 256;

/** What passed between us and one peer. */
interface Dealings {
  /** Pieces suggested and not asked for yet. */
  readonly suggested: Set<Piece>;
  /** Pieces asked for and not complete: the bytes given. */
  readonly begun: Map<Piece, number>;
  /** Pieces it may finish while choked: the bytes it may still ask for. */
  readonly rest: Map<Piece, number>;
}

export class SeedHints {
  readonly #geometry: Geometry;
  readonly #port: SwarmPort;
  /** To how many peers each piece was given or promised. */
  readonly #given: Availability;
  readonly #dealings = new WeakMap<SwarmPeer, Dealings>();

  constructor(geometry: Geometry, port: SwarmPort, random: Random) {
    this.#geometry = geometry;
    this.#port = port;
    this.#given = new Availability(geometry.pieceCount, random);
  }

  /** The peer's turn begins. */
  unchoked(peer: SwarmPeer): void {
    this.#suggest(peer);
  }

  /** The peer asked in its turn for a block that it will get. */
  requested(peer: SwarmPeer, piece: Piece): void {
    const { suggested, begun } = this.#with(peer);
    if (begun.has(piece)) return;
    begun.set(piece, 0);
    for (const oldest of begun.keys()) {
      if (begun.size <= BEGUN) break;
      begun.delete(oldest);
    }
    if (!suggested.delete(piece)) this.#given.gained(piece);
    this.#suggest(peer);
  }

  /** The peer is given a block. */
  given(peer: SwarmPeer, piece: Piece, length: number): void {
    const { begun } = this.#with(peer);
    const bytes = begun.get(piece);
    if (bytes === undefined) return;
    if (bytes + length < this.#geometry.lengthOf(piece)) begun.set(piece, bytes + length);
    else begun.delete(piece);
  }

  /** The peer has the piece, from us or from others. */
  has(peer: SwarmPeer, piece: Piece): void {
    const { suggested, begun } = this.#with(peer);
    begun.delete(piece);
    if (suggested.delete(piece) && !peer.amChoking) this.#suggest(peer);
  }

  /** The peer's turn is over: what it has begun it may finish, for nobody else has the rest of it. */
  choked(peer: SwarmPeer): void {
    if (!peer.facts.fast) return;
    const { begun, rest } = this.#with(peer);
    const unfinished = [...begun].filter(([, bytes]) => bytes > 0).slice(-FINISHED);
    begun.clear();
    rest.clear();
    for (const [piece, bytes] of unfinished) {
      begun.set(piece, bytes);
      rest.set(piece, this.#geometry.lengthOf(piece) - bytes);
      this.#port.send(peer.number, { type: 'allowedFast', index: piece });
    }
  }

  /** Whether the choked peer asks for what it may finish; each byte of that once. */
  finishes(peer: SwarmPeer, piece: Piece, length: number): boolean {
    const { rest } = this.#with(peer);
    const bytes = rest.get(piece) ?? 0;
    if (length > bytes) return false;
    rest.set(piece, bytes - length);
    return true;
  }

  /** The peer has gone, and with it what it was promised. */
  left(peer: SwarmPeer): void {
    for (const piece of this.#with(peer).suggested) this.#given.lost(piece);
  }

  #with(peer: SwarmPeer): Dealings {
    let dealings = this.#dealings.get(peer);
    if (!dealings) {
      dealings = { suggested: new Set(), begun: new Map(), rest: new Map() };
      this.#dealings.set(peer, dealings);
    }
    return dealings;
  }

  #suggest(peer: SwarmPeer): void {
    if (!peer.facts.fast) return;
    const { suggested, begun } = this.#with(peer);
    for (let rank = 0; rank < this.#given.size && suggested.size < SUGGESTED; ) {
      const piece = this.#given.at(rank);
      if (peer.have.has(piece) || suggested.has(piece) || begun.has(piece)) {
        rank++;
        continue;
      }
      suggested.add(piece);
      // Another piece takes its rank.
      this.#given.gained(piece);
      this.#port.send(peer.number, { type: 'suggest', index: piece });
    }
  }
}
