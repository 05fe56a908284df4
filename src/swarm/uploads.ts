// What peers ask of us: which requests are served, refused or dropped, and how much is read for each peer at a time.
// A choke or a cancel removes a request before its block is read.

import type { Bitfield } from '../torrent/bitfield.js';
import type { CloseReason } from '../torrent/errors.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import type { SwarmPeer, Upload } from './peer.js';
import type { Random, SwarmPort } from './port.js';
import { Rate } from './rate.js';
import { SeedHints } from './seed-hints.js';
import type { SuperSeed } from './super-seed.js';

/** Blocks being read for one peer: at least, at most; in between one second of its rate. */
const MIN_READING_BYTES = 4 * BLOCK_LENGTH;

export class Uploads {
  /** Bytes of blocks sent to all peers. */
  sentBytes = 0;
  readonly rate = new Rate(LIMITS.rateWindowMs);
  readonly #geometry: Geometry;
  readonly #port: SwarmPort;
  readonly #have: Bitfield;
  readonly #superSeed: SuperSeed | undefined;
  /** Made once we are a seed. */
  #hints: SeedHints | undefined;

  /**
   * @param have the pieces we have, kept up to date by its owner
   * @param superSeed who says which of them a peer may ask for
   */
  constructor(geometry: Geometry, port: SwarmPort, have: Bitfield, superSeed?: SuperSeed) {
    this.#geometry = geometry;
    this.#port = port;
    this.#have = have;
    this.#superSeed = superSeed;
  }

  /** We only give from now on. */
  becomeSeed(random: Random): void {
    // A suggestion would give away what a super-seed hides.
    if (this.#have.full && !this.#superSeed)
      this.#hints ??= new SeedHints(this.#geometry, this.#port, random);
  }

  /** The peer's turn begins. */
  unchoked(peer: SwarmPeer): void {
    peer.refusals = 0;
    this.#hints?.unchoked(peer);
  }

  /** The peer has gone. */
  left(peer: SwarmPeer): void {
    this.#hints?.left(peer);
  }

  /** The peer has a piece more. */
  peerHas(peer: SwarmPeer, piece: Piece): void {
    this.#hints?.has(peer, piece);
  }

  /** A peer asks for a block; returns why it has to be closed, if it has. */
  requested(
    peer: SwarmPeer,
    index: number,
    begin: number,
    length: number,
    now: number,
  ): CloseReason | undefined {
    const piece = this.#geometry.piece(index);
    if (piece === undefined) return 'bad-index';
    if (length > LIMITS.requestBytes || !this.#geometry.contains(piece, begin, length)) return 'bad-request';
    const waiting = peer.uploads.length >= LIMITS.incomingRequests;
    if (!this.#offers(peer, piece) || waiting || (peer.amChoking && !this.#isFree(peer, piece, length))) {
      // A choke crosses requests on their way, so refusals are no fault until there are very many in one turn.
      if (++peer.refusals > 10 * LIMITS.incomingRequests) return 'request-flood';
      if (peer.facts.fast) this.#port.send(peer.number, { type: 'reject', index, begin, length });
      return undefined;
    }
    if (!peer.amChoking) this.#hints?.requested(peer, piece);
    peer.uploads.push({ piece, begin, length });
    this.pump(peer, now);
    return undefined;
  }

  /** The peer changed its mind. */
  cancelled(peer: SwarmPeer, index: number, begin: number, length: number): void {
    const at = peer.uploads.findIndex(up => up.piece === index && up.begin === begin && up.length === length);
    if (at < 0) return;
    peer.uploads.splice(at, 1);
    // BEP 6: every request is answered, a cancelled one too.
    if (peer.facts.fast) this.#port.send(peer.number, { type: 'reject', index, begin, length });
  }

  /** We choke the peer: what it waits for is refused, but for the pieces it may have all the same (BEP 6). */
  choked(peer: SwarmPeer): void {
    this.#hints?.choked(peer);
    this.#refuse(peer, up => !this.#isFree(peer, up.piece, up.length));
  }

  /** We have the piece no more: who waits for it is refused. */
  dropped(piece: Piece, peers: Iterable<SwarmPeer>): void {
    for (const peer of peers) this.#refuse(peer, up => up.piece === piece);
  }

  /** A block ordered by `readBlock` was handed to the network, or could not be read. */
  blockSent(peer: SwarmPeer, length: number, ok: boolean, now: number): void {
    peer.readingBytes -= length;
    if (ok) {
      peer.up.add(length, now);
      this.sentBytes += length;
      this.rate.add(length, now);
    }
    this.pump(peer, now);
  }

  /** Orders reads for what the peer waits for, as far ahead as its rate asks for. */
  pump(peer: SwarmPeer, now: number): void {
    if (peer.uploads.length === 0 || peer.readingBytes >= LIMITS.sendBufferBytes) return;
    const window = Math.min(Math.max(peer.up.bps(now), MIN_READING_BYTES), LIMITS.sendBufferBytes);
    while (peer.readingBytes < window) {
      const up = peer.uploads.shift();
      if (!up) return;
      peer.readingBytes += up.length;
      this.#hints?.given(peer, up.piece, up.length);
      this.#port.readBlock(peer.number, up.piece, up.begin, up.length);
    }
  }

  #refuse(peer: SwarmPeer, isRefused: (up: Upload) => boolean): void {
    const kept = peer.uploads.filter(up => {
      if (!isRefused(up)) return true;
      if (peer.facts.fast) {
        this.#port.send(peer.number, { type: 'reject', index: up.piece, begin: up.begin, length: up.length });
      }
      return false;
    });
    peer.uploads.length = 0;
    peer.uploads.push(...kept);
  }

  #offers(peer: SwarmPeer, piece: Piece): boolean {
    return this.#have.has(piece) && (this.#superSeed?.isShown(peer, piece) ?? true);
  }

  /** Whether a choked peer may have this all the same (BEP 6); if so, it counts as taken. */
  #isFree(peer: SwarmPeer, piece: Piece, length: number): boolean {
    if (this.#hints?.finishes(peer, piece, length)) return true;
    if (!peer.fastGranted?.has(piece)) return false;
    // Twice the granted pieces is generous for retries, and ends what a choked peer can take for nothing.
    if (peer.fastServedBytes + length > 2 * peer.fastGranted.size * this.#geometry.pieceLength) return false;
    peer.fastServedBytes += length;
    return true;
  }
}
