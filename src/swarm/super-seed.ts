// Super-seeding (BEP 16): the first seed of a torrent poses as a peer without pieces and shows each peer one at a time, the
// next when another peer was seen to have that one. So hardly a piece leaves it twice, and those who pass on are served.

import { Bitfield } from '../torrent/bitfield.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { Availability } from './availability.js';
import type { SwarmPeer } from './peer.js';
import type { Random, SwarmPort } from './port.js';

/** ms without a block after which a peer that could fetch its piece is shown another one, and others the same. */
const FETCH_MS = 20_000;
/** ms that a peer with nothing to fetch waits for its piece to be passed on, or for one that nobody has. */
const WAIT_MS = 60_000;
/** The same while nobody at all fetches from us. */
const IDLE_MS = 2_000;

/** The piece a peer was shown last. */
interface Offer {
  readonly piece: Piece;
  /** Bytes that the peer had been sent before. */
  readonly sentBefore: number;
  /** It has the piece, or was sent all of it. */
  fetched: boolean;
}

interface Dealings {
  /** What it may ask for. */
  readonly shown: Set<Piece>;
  /** What it counts for: the pieces it has, and the one it is to fetch. */
  readonly counted: Bitfield;
  offer: Offer | undefined;
  /** Since when nothing happened: it fetches nothing though it could, or there is nothing for it to fetch. */
  quietSinceMs: number;
  /** What it had been sent by then. */
  sentBytes: number;
}

export class SuperSeed {
  readonly #geometry: Geometry;
  readonly #port: SwarmPort;
  /** How many peers have each piece, or are to fetch it. */
  readonly #copies: Availability;
  readonly #dealings = new Map<SwarmPeer, Dealings>();
  /** A peer of ours has become a seed and left, so that no piece is in need of us. */
  #isSpread = false;

  constructor(geometry: Geometry, port: SwarmPort, random: Random) {
    this.#geometry = geometry;
    this.#port = port;
    this.#copies = new Availability(geometry.pieceCount, random);
  }

  /** Greets a peer. It is shown a piece when it has said what it has, or at the next tick. */
  connected(peer: SwarmPeer, now: number): void {
    const { fast, greeted } = peer.facts;
    if (fast && !greeted) this.#port.send(peer.number, { type: 'haveNone' });
    this.#dealings.set(peer, {
      shown: new Set(),
      counted: new Bitfield(this.#geometry.pieceCount),
      offer: undefined,
      quietSinceMs: now,
      sentBytes: 0,
    });
  }

  /** The peer said what it has, all at once. */
  fieldArrived(peer: SwarmPeer, now: number): void {
    const dealings = this.#dealings.get(peer);
    if (!dealings) return;
    for (const piece of peer.have) this.has(peer, piece, now);
    if (!dealings.offer) this.#show(peer, dealings, now, false);
  }

  /** The peer has the piece. Whoever was to pass that on has done so. */
  has(peer: SwarmPeer, piece: Piece, now: number): void {
    const dealings = this.#dealings.get(peer);
    if (!dealings) return;
    if (dealings.counted.add(piece)) this.#copies.gained(piece);
    for (const [other, theirs] of this.#dealings)
      if (other !== peer && theirs.offer?.piece === piece) this.#show(other, theirs, now, false);
    const { offer } = dealings;
    if (offer?.piece !== piece || offer.fetched) return;
    offer.fetched = true;
    dealings.quietSinceMs = now;
    // There is nobody to pass it on to, or it had left us before.
    if (this.#dealings.size === 1 || this.#copies.of(piece) > 1) this.#show(peer, dealings, now, false);
  }

  /** The peer wants nothing of us: it has its piece, though some never say so of what they know us to have. */
  uninterested(peer: SwarmPeer, now: number): void {
    const offer = this.#dealings.get(peer)?.offer;
    if (offer && this.#wasSent(peer, offer)) this.has(peer, offer.piece, now);
  }

  /** The peer has the piece no more (BEP 54). */
  lost(peer: SwarmPeer, piece: Piece): void {
    if (this.#dealings.get(peer)?.counted.delete(piece)) this.#copies.lost(piece);
  }

  /** The peer has gone; to be told while it is known what it had. */
  left(peer: SwarmPeer): void {
    const dealings = this.#dealings.get(peer);
    if (!dealings) return;
    this.#dealings.delete(peer);
    this.#copies.lostAll(dealings.counted);
    // Who came as a seed says nothing of what we gave, and may be none.
    this.#isSpread ||= peer.isSeed && dealings.shown.size > 0;
  }

  /** Whether the peer was told that we have the piece. */
  isShown(peer: SwarmPeer, piece: Piece): boolean {
    return this.#dealings.get(peer)?.shown.has(piece) ?? false;
  }

  /** Looks after those who fetch nothing, or have nothing to fetch; to be called every second or so. */
  tick(now: number): void {
    let isIdle = true;
    for (const { uploads, readingBytes } of this.#dealings.keys())
      if (uploads.length > 0 || readingBytes > 0) isIdle = false;
    for (const [peer, dealings] of this.#dealings) {
      const { offer } = dealings;
      if (offer && !offer.fetched) this.#watch(peer, dealings, offer, now);
      else {
        const waitMs = isIdle ? IDLE_MS : WAIT_MS;
        if (!offer) this.#show(peer, dealings, now, false);
        if (dealings.offer === offer && now - dealings.quietSinceMs >= waitMs)
          this.#show(peer, dealings, now, true);
      }
    }
  }

  /** Whether it was sent the whole piece: it may ask for nothing else. */
  #wasSent(peer: SwarmPeer, { piece, sentBefore }: Offer): boolean {
    return peer.up.totalBytes - sentBefore >= this.#geometry.lengthOf(piece);
  }

  #watch(peer: SwarmPeer, dealings: Dealings, offer: Offer, now: number): void {
    const sentBytes = peer.up.totalBytes;
    const isInLine = peer.amChoking && peer.peerInterested;
    if (isInLine || sentBytes > dealings.sentBytes) dealings.quietSinceMs = now;
    else if (now - dealings.quietSinceMs >= FETCH_MS) {
      this.lost(peer, offer.piece);
      this.#show(peer, dealings, now, true);
    }
    dealings.sentBytes = sentBytes;
  }

  /**
   * Shows the peer the piece that fewest have; one that somebody has, or is to fetch, only if `anyPiece`, as it need not
   * leave us again.
   */
  #show(peer: SwarmPeer, dealings: Dealings, now: number, anyPiece: boolean): void {
    const { shown, counted } = dealings;
    for (let rank = 0; rank < this.#copies.size; rank++) {
      const piece = this.#copies.at(rank);
      if (!anyPiece && (this.#isSpread || this.#copies.of(piece) > 0)) break;
      if (peer.have.has(piece) || shown.has(piece)) continue;
      shown.add(piece);
      counted.add(piece);
      this.#copies.gained(piece);
      dealings.offer = { piece, sentBefore: peer.up.totalBytes, fetched: false };
      dealings.quietSinceMs = now;
      this.#port.send(peer.number, { type: 'have', index: piece });
      return;
    }
    if (dealings.offer) dealings.quietSinceMs = now;
    dealings.offer = undefined;
  }
}
