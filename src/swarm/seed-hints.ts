// How a seed keeps its pieces from leaving it twice, with the hints of BEP 6: it suggests to each peer the pieces it
// gave to fewest, and lets a peer whose turn is over finish the piece it has begun.

import type { Geometry, Piece } from '../torrent/geometry.js';
import { LIMITS } from '../torrent/limits.js';
import { Availability } from './availability.js';
import type { SwarmPeer } from './peer.js';
import type { Random, SwarmPort } from './port.js';

/** Suggestions a peer has at a time: the piece it fetches and the next one. */
const SUGGESTED = 2;
/** Pieces begun by one peer that are kept in mind. */
const BEGUN = 16;

export class SeedHints {
  readonly #geometry: Geometry;
  readonly #port: SwarmPort;
  /** To how many peers each piece was given or promised. */
  readonly #given: Availability;
  /** Pieces suggested to a peer and not asked for yet. */
  readonly #suggested = new WeakMap<SwarmPeer, Set<Piece>>();
  /** Bytes given of the pieces that a peer has begun. */
  readonly #begun = new WeakMap<SwarmPeer, Map<Piece, number>>();

  constructor(geometry: Geometry, port: SwarmPort, random: Random) {
    this.#geometry = geometry;
    this.#port = port;
    this.#given = new Availability(geometry.pieceCount, random);
  }

  /** The peer's turn begins. */
  unchoked(peer: SwarmPeer): void {
    if (peer.facts.fast) this.#suggest(peer);
  }

  /** The peer asked for a block that it will get. */
  requested(peer: SwarmPeer, piece: Piece, length: number): void {
    const suggested = this.#suggested.get(peer);
    const begun = this.#begun.get(peer) ?? new Map<Piece, number>();
    this.#begun.set(peer, begun);
    const before = begun.get(piece) ?? 0;
    if (before === 0 && !suggested?.delete(piece)) this.#given.gained(piece);
    if (before + length < this.#geometry.lengthOf(piece)) begun.set(piece, before + length);
    else begun.delete(piece);
    for (const oldest of begun.keys()) {
      if (begun.size <= BEGUN) break;
      begun.delete(oldest);
    }
    if (before === 0 && suggested) this.#suggest(peer);
  }

  /** The peer has the piece, from us or from others. */
  has(peer: SwarmPeer, piece: Piece): void {
    this.#begun.get(peer)?.delete(piece);
    if (this.#suggested.get(peer)?.delete(piece) && !peer.amChoking) this.#suggest(peer);
  }

  /** The peer's turn is over: what it has begun it may finish, for nobody else has the rest of it. */
  choked(peer: SwarmPeer): void {
    const begun = this.#begun.get(peer);
    if (!peer.facts.fast || !begun || begun.size === 0) return;
    const pieces = [...begun.keys()].slice(-LIMITS.allowedFastPieces);
    peer.fastGranted = new Set([...(peer.fastGranted ?? []), ...pieces]);
    for (const index of pieces) this.#port.send(peer.number, { type: 'allowedFast', index });
  }

  #suggest(peer: SwarmPeer): void {
    const suggested = this.#suggested.get(peer) ?? new Set<Piece>();
    this.#suggested.set(peer, suggested);
    for (let rank = 0; rank < this.#given.size && suggested.size < SUGGESTED; rank++) {
      const piece = this.#given.at(rank);
      if (peer.have.has(piece) || suggested.has(piece) || this.#begun.get(peer)?.has(piece)) continue;
      suggested.add(piece);
      this.#given.gained(piece);
      this.#port.send(peer.number, { type: 'suggest', index: piece });
    }
  }
}
