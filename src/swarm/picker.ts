// Which blocks to ask of whom. Owns the state of every piece (piece-states.ts) and is the only place that moves it. Order: our own piece, partial pieces, rarer, random; then others' pieces, then endgame.

import type { Bitfield } from '../torrent/bitfield.js';
import type { BlockList } from '../torrent/block-list.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import type { Availability } from './availability.js';
import type { PartialPiece } from './partial-piece.js';
import type { SwarmPeer } from './peer.js';
import { PieceChooser } from './piece-chooser.js';
import { PieceStates } from './piece-states.js';
import type { Random } from './port.js';
import type { Reading } from './reading.js';
import type { Wants } from './wants.js';

export interface PickerSettings {
  /** Pieces in memory at a time: partial, full or being checked. */
  readonly maxBufferedPieces: number;
  /** Lowest index first instead of rarest first. */
  readonly sequential: boolean;
  /** The pieces to fetch; undefined: all. */
  readonly wanted: Bitfield | undefined;
  /** Who reads what comes; it alone says what is wanted then. */
  readonly reading: Reading | undefined;
  /** Blocks of a piece that need not be fetched (BEP 47). */
  readonly paddingOf: (piece: Piece) => readonly number[];
}

export class Picker {
  readonly wants: Wants;
  readonly availability: Availability;
  readonly #geometry: Geometry;
  readonly #settings: PickerSettings;
  readonly #chooser: PieceChooser;
  readonly #discard: (piece: Piece) => void;
  /** Somebody got less than there was room for, for lack of memory; set back when all are fed. */
  isStarved = false;
  readonly #states: PieceStates;

  /** @param have what is on disk already; the picker keeps it up to date @param discard tells the storage to forget blocks */
  constructor(
    geometry: Geometry,
    have: Bitfield,
    settings: PickerSettings,
    random: Random,
    discard: (piece: Piece) => void,
  ) {
    this.#geometry = geometry;
    this.#settings = settings;
    this.#discard = discard;
    this.#states = new PieceStates(geometry, have, settings, random);
    const { wants, availability, missing } = this.#states;
    this.wants = wants;
    this.availability = availability;
    this.#chooser = new PieceChooser(geometry, missing, availability, settings.sequential, random);
  }

  /** Whether nothing is left to ask for: what peers hold is here, or has been asked for and is waited for. */
  get inEndgame(): boolean {
    for (const { piece } of this.#states.open) if (this.availability.of(piece) > 0) return false;
    const size = this.availability.size;
    return size === 0 || this.availability.of(this.availability.at(size - 1)) === 0;
  }

  /** The pieces in progress. */
  get partials(): ReadonlyMap<Piece, PartialPiece> {
    return this.#states.partials;
  }

  /**
   * Fills `out` with up to `room` blocks to ask this peer for, and books them as asked.
   * @param peers how many peers we download from, which bounds the number of partial pieces
   */
  pick(peer: SwarmPeer, room: number, peers: number, out: BlockList, now: number): void {
    const goal = out.count + Math.min(room, out.capacity - out.count);
    if (peer.peerChoking) {
      this.#pickAllowedFast(peer, goal, out, now);
      return;
    }
    const { reading } = this.#settings;
    if (reading) this.#pickNear(reading, peer, goal, out, now);
    if (peer.current) this.#take(peer.current, peer, goal, out, now);
    // Pieces in progress first, but not from a peer that could give us what is rarer. A web seed is best asked for much
    // that lies together (BEP 19), not for what others left.
    if (out.count < goal && !peer.facts.webSeed)
      this.#joinOpen(peer, goal, out, now, false, this.#rarityOffered(peer));
    const fewPartials = Math.max(2, Math.ceil(peers * LIMITS.partialPiecesPerPeer));
    while (out.count < goal && this.#states.open.length < fewPartials && this.#openNew(peer, goal, out, now));
    if (out.count < goal) this.#joinOpen(peer, goal, out, now, false);
    if (out.count < goal) this.#joinOpen(peer, goal, out, now, true);
    while (out.count < goal && this.#openNew(peer, goal, out, now));
    if (peer.outstanding.count === 0 && this.#isFull(peer)) this.#openInstead(peer, goal, out, now);
    if (out.count < goal && (reading || this.inEndgame)) this.#pickEndgame(reading, peer, goal, out, now);
  }

  /** The piece begins to be wanted; whether it is missing. */
  want(piece: Piece): boolean {
    if (!this.wants.want(piece)) return false;
    this.#states.makeMissing(piece);
    return true;
  }

  /** A request was taken back: its block can be asked of others. */
  release(blockNumber: number): void {
    this.#states.release(blockNumber);
  }

  /** The peer cannot deliver for now: the piece it had for itself is open to all. */
  releaseOwned(peer: SwarmPeer): void {
    if (peer.current) this.#states.disown(peer.current);
  }

  /**
   * A block arrived that was asked for once, and is `expected` unless that was withdrawn. Returns to how many peers a
   * request for it was outstanding, or -1 when it is not needed any more.
   */
  received(piece: Piece, block: number, from: SwarmPeer, expected: boolean): number {
    return this.#states.received(piece, block, from, expected);
  }

  /** The check of a piece ended. Returns everybody who gave a block of it. */
  checked(piece: Piece, ok: boolean): readonly SwarmPeer[] {
    return this.#states.checked(piece, ok);
  }

  /** Whether the memory for pieces is used up; of web seeds, who have much outstanding, all together: half of it. */
  #isFull(peer: SwarmPeer): boolean {
    const most = this.#settings.maxBufferedPieces;
    const limit = peer.facts.webSeed ? Math.max(2, most >> 1) : most;
    const isFull = this.#states.inMemory >= limit;
    if (isFull) this.isStarved = true;
    return isFull;
  }

  /** Asks the peer for free blocks of the piece, in order. */
  #take(partial: PartialPiece, peer: SwarmPeer, goal: number, out: BlockList, now: number): void {
    let block = 0;
    while (out.count < goal && partial.free > 0) {
      block = partial.nextFree(block);
      this.#ask(partial, block, peer, out, now);
    }
    if (partial.free > 0) return;
    this.#states.close(partial);
    if (peer.current === partial) peer.current = undefined;
  }

  #ask(partial: PartialPiece, block: number, peer: SwarmPeer, out: BlockList, now: number): void {
    const number = this.#geometry.blockNumber(partial.piece, block);
    partial.ask(block);
    peer.outstanding.push(number, now);
    peer.asked.add(number);
    out.push(partial.piece, block * BLOCK_LENGTH, this.#geometry.blockLength(partial.piece, block));
  }

  /** How many hold the rarest missing piece, where this peer is one of them. */
  #rarityOffered(peer: SwarmPeer): number {
    const rarest = this.availability.size > 0 ? this.availability.at(0) : undefined;
    return rarest !== undefined && peer.have.has(rarest) ? this.availability.of(rarest) : Infinity;
  }

  /** Helps with pieces in progress that at most so many hold: those nobody owns, or, as a last resort, also those of others. */
  #joinOpen(
    peer: SwarmPeer,
    goal: number,
    out: BlockList,
    now: number,
    alsoOwned: boolean,
    holders = Number.POSITIVE_INFINITY,
  ): void {
    for (let i = this.#states.open.length - 1; i >= 0 && out.count < goal; i--) {
      const partial = this.#states.open[i] as PartialPiece;
      if (!peer.have.has(partial.piece) || this.availability.of(partial.piece) > holders) continue;
      if (this.#joins(partial, peer, alsoOwned)) this.#take(partial, peer, goal, out, now);
    }
  }

  /** Settles whether the peer may help with the piece, and whose it is then. */
  #joins(partial: PartialPiece, peer: SwarmPeer, alsoOwned: boolean): boolean {
    if (partial.parole) {
      if (partial.owner !== peer && (partial.owner || partial.asked > 0)) return false;
      this.#states.own(partial, peer);
    } else if (partial.owner && partial.owner !== peer) {
      if (!alsoOwned) return false;
      this.#states.disown(partial);
    }
    return true;
  }

  /**
   * What is read next, in order: a piece in progress is everybody's, for the reader waits for the slowest of its blocks. A
   * web seed is best asked for what lies together (BEP 19).
   */
  #pickNear(reading: Reading, peer: SwarmPeer, goal: number, out: BlockList, now: number): void {
    for (let at = 0; at < reading.near && out.count < goal; at++) {
      const piece = reading.window[at] as Piece;
      if (!peer.have.has(piece)) continue;
      const partial = this.#states.partials.get(piece);
      if (!partial) {
        if (this.#states.missing.has(piece) && !this.#isFull(peer)) this.#start(piece, peer, goal, out, now);
      } else if (partial.free === 0) {
        const stop = Math.min(goal, out.count + duplicates(peer));
        if (at === 0 && reading.isLate(now)) this.#askAgain(partial, peer, stop, out, now);
      } else if (this.#joins(partial, peer, !peer.facts.webSeed)) this.#take(partial, peer, goal, out, now);
    }
  }

  /** Begins a new piece with this peer; false when there is none, or no memory for one. */
  #openNew(peer: SwarmPeer, goal: number, out: BlockList, now: number): boolean {
    if (this.#isFull(peer)) return false;
    const piece = this.#chooser.choose(peer, this.#states.had);
    if (piece === undefined) return false;
    this.#start(piece, peer, goal, out, now);
    return true;
  }

  /** Gives up the blocks of another piece for a new one: worth it only where the peer would have nothing to do. */
  #openInstead(peer: SwarmPeer, goal: number, out: BlockList, now: number): void {
    const piece = this.#chooser.choose(peer, this.#states.had);
    if (piece !== undefined && this.#evict()) this.#start(piece, peer, goal, out, now);
  }

  #start(piece: Piece, peer: SwarmPeer, goal: number, out: BlockList, now: number): void {
    const partial = this.#states.start(piece);
    // Who is fast enough has the piece to itself: it completes sooner, and blame is certain.
    const wholeMs = (this.#geometry.lengthOf(piece) * 1000) / Math.max(1, peer.pipeline.rateBps);
    if (partial.parole || peer.facts.webSeed || wholeMs <= LIMITS.wholePieceMs)
      this.#states.own(partial, peer);
    this.#take(partial, peer, goal, out, now);
  }

  /** Makes room for a new piece by giving up one that nobody is asked for; the one with the least in it. */
  #evict(): boolean {
    let worst: PartialPiece | undefined;
    for (const partial of this.#states.open) {
      if (partial.asked > 0 || partial.owner) continue;
      if (!worst || partial.missing > worst.missing) worst = partial;
    }
    if (!worst) return false;
    this.#states.giveUp(worst);
    this.#discard(worst.piece);
    return true;
  }

  #pickAllowedFast(peer: SwarmPeer, goal: number, out: BlockList, now: number): void {
    for (const piece of peer.allowedFast) {
      if (out.count >= goal) return;
      if (!peer.have.has(piece)) continue;
      const partial = this.#states.partials.get(piece);
      if (partial && partial.free > 0 && !partial.parole && (!partial.owner || partial.owner === peer)) {
        this.#take(partial, peer, goal, out, now);
      } else if (this.#states.missing.has(piece) && !this.#states.hasFailed(piece)) {
        if (!this.#isFull(peer)) this.#start(piece, peer, goal, out, now);
      }
    }
  }

  /**
   * Everything left was asked for: ask again for what is late, of few peers and not for much at a time. For a reader that is
   * the piece it waits for, and nothing that it does not need yet.
   */
  #pickEndgame(
    reading: Reading | undefined,
    peer: SwarmPeer,
    goal: number,
    out: BlockList,
    now: number,
  ): void {
    const most = duplicates(peer);
    const stop = Math.min(goal, out.count + most - Math.min(most, peer.outstanding.count));
    for (const partial of this.#states.partials.values()) {
      if (out.count >= stop) return;
      if (!reading || partial.piece === reading.front) this.#askAgain(partial, peer, stop, out, now);
    }
  }

  /** Asks for blocks that others were asked for already. */
  #askAgain(partial: PartialPiece, peer: SwarmPeer, stop: number, out: BlockList, now: number): void {
    if (!peer.have.has(partial.piece) || partial.parole || partial.free > 0) return;
    // One server is not asked for what lies in the long answer of another; if that fails, it says so.
    if (peer.facts.webSeed && partial.owner?.facts.webSeed) return;
    while (out.count < stop) {
      const block = partial.leastAsked(
        block => !peer.outstanding.has(this.#geometry.blockNumber(partial.piece, block)),
      );
      if (block < 0) return;
      this.#ask(partial, block, peer, out, now);
    }
  }
}

/** Blocks that a peer is asked for besides another one at a time. */
function duplicates(peer: SwarmPeer): number {
  return Math.max(1, peer.pipeline.target >> 2);
}
