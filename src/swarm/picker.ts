// Which blocks to ask of whom. Owns the state of every piece, missing -> partial -> full -> checking -> have, and is
// the only place that moves it. Order: our own piece, partial pieces, rarer, random; then others' pieces, then endgame.

import { Bitfield } from '../torrent/bitfield.js';
import type { BlockList } from '../torrent/block-list.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import { Availability } from './availability.js';
import { PartialPiece } from './partial-piece.js';
import type { SwarmPeer } from './peer.js';
import { PieceChooser } from './piece-chooser.js';
import type { Random } from './port.js';
import { Wants } from './wants.js';

export interface PickerSettings {
  /** Pieces in memory at a time: partial, full or being checked. */
  readonly maxBufferedPieces: number;
  /** Lowest index first instead of rarest first. */
  readonly sequential: boolean;
  /** The pieces to fetch; undefined: all. */
  readonly wanted: Bitfield | undefined;
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
  /** Pieces that we lack and that are not partial. */
  readonly #missing: Bitfield;
  readonly #partials = new Map<Piece, PartialPiece>();
  /** Partial pieces with free blocks. */
  readonly #open: PartialPiece[] = [];
  /** Pieces all of whose blocks are here, until their check ends. */
  readonly #checking = new Map<Piece, PartialPiece>();
  /** Pieces that failed their hash. */
  readonly #failed = new Set<Piece>();

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
    this.wants = new Wants(geometry, have, settings.wanted);
    this.availability = new Availability(geometry.pieceCount, random);
    this.#missing = new Bitfield(geometry.pieceCount);
    for (const piece of geometry.pieces()) {
      if (this.wants.lacks(piece)) this.#missing.add(piece);
      else this.availability.remove(piece);
    }
    this.#chooser = new PieceChooser(geometry, this.#missing, this.availability, settings.sequential, random);
  }

  /** Whether nothing is left to ask for: what peers hold is here, or has been asked for and is waited for. */
  get inEndgame(): boolean {
    for (const { piece } of this.#open) if (this.availability.of(piece) > 0) return false;
    const size = this.availability.size;
    return size === 0 || this.availability.of(this.availability.at(size - 1)) === 0;
  }

  /** The pieces in progress. */
  get partials(): ReadonlyMap<Piece, PartialPiece> {
    return this.#partials;
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
    if (peer.current) this.#take(peer.current, peer, goal, out, now);
    // Pieces in progress first, but not from a peer that could give us what is rarer. A web seed is best asked for much
    // that lies together (BEP 19), not for what others left.
    if (out.count < goal && !peer.facts.webSeed)
      this.#joinOpen(peer, goal, out, now, false, this.#rarityOffered(peer));
    const fewPartials = Math.max(2, Math.ceil(peers * LIMITS.partialPiecesPerPeer));
    while (out.count < goal && this.#open.length < fewPartials && this.#openNew(peer, goal, out, now));
    if (out.count < goal) this.#joinOpen(peer, goal, out, now, false);
    if (out.count < goal) this.#joinOpen(peer, goal, out, now, true);
    while (out.count < goal && this.#openNew(peer, goal, out, now));
    if (peer.outstanding.count === 0 && this.#isFull(peer)) this.#openInstead(peer, goal, out, now);
    if (out.count < goal && this.inEndgame) this.#pickEndgame(peer, goal, out, now);
  }

  /** A request was taken back: its block can be asked of others. */
  release(blockNumber: number): void {
    const partial = this.#partials.get(this.#geometry.pieceOf(blockNumber));
    if (!partial?.release(this.#geometry.blockOf(blockNumber))) return;
    this.#disown(partial);
    if (partial.free === 1) this.#open.push(partial);
  }

  /** The peer cannot deliver for now: the piece it had for itself is open to all. */
  releaseOwned(peer: SwarmPeer): void {
    if (peer.current) this.#disown(peer.current);
  }

  /**
   * A block arrived that was asked for once, and is `expected` unless that was withdrawn. Returns to how many peers a
   * request for it was outstanding, or -1 when it is not needed any more.
   */
  received(piece: Piece, block: number, from: SwarmPeer, expected: boolean): number {
    const partial = this.#partials.get(piece);
    if (!partial || partial.has(block)) return -1;
    // Nobody may slip a block into a piece that one peer is to answer for.
    if (partial.parole && !expected) return -1;
    const wasFree = partial.free;
    const askers = partial.receive(block, from);
    if (wasFree > 0 && partial.free === 0) this.#close(partial);
    if (partial.missing === 0) {
      this.#disown(partial);
      this.#partials.delete(piece);
      this.#checking.set(piece, partial);
    }
    return askers;
  }

  /** The check of a piece ended. Returns everybody who gave a block of it. */
  checked(piece: Piece, ok: boolean): readonly SwarmPeer[] {
    const partial = this.#checking.get(piece);
    this.#checking.delete(piece);
    if (ok) {
      this.#failed.delete(piece);
      this.wants.got(piece);
    } else if (partial) {
      this.#failed.add(piece);
      this.#makeMissing(piece);
    }
    return partial?.contributors ?? [];
  }

  /** Whether the memory for pieces is used up; of web seeds, who have much outstanding, all together: half of it. */
  #isFull(peer: SwarmPeer): boolean {
    const most = this.#settings.maxBufferedPieces;
    const limit = peer.facts.webSeed ? Math.max(2, most >> 1) : most;
    return this.#partials.size + this.#checking.size >= limit;
  }

  #makeMissing(piece: Piece): void {
    this.#missing.add(piece);
    this.availability.insert(piece);
  }

  #disown(partial: PartialPiece): void {
    if (partial.owner?.current === partial) partial.owner.current = undefined;
    partial.owner = undefined;
  }

  #close(partial: PartialPiece): void {
    const at = this.#open.indexOf(partial);
    if (at < 0) return;
    const last = this.#open.pop() as PartialPiece;
    if (last !== partial) this.#open[at] = last;
  }

  /** Asks the peer for free blocks of the piece, in order. */
  #take(partial: PartialPiece, peer: SwarmPeer, goal: number, out: BlockList, now: number): void {
    let block = 0;
    while (out.count < goal && partial.free > 0) {
      block = partial.nextFree(block);
      this.#ask(partial, block, peer, out, now);
    }
    if (partial.free > 0) return;
    this.#close(partial);
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
    for (let i = this.#open.length - 1; i >= 0 && out.count < goal; i--) {
      const partial = this.#open[i] as PartialPiece;
      if (!peer.have.has(partial.piece) || this.availability.of(partial.piece) > holders) continue;
      if (partial.parole) {
        if (partial.owner !== peer && (partial.owner || partial.asked > 0)) continue;
        this.#own(partial, peer);
      } else if (partial.owner && partial.owner !== peer) {
        if (!alsoOwned) continue;
        this.#disown(partial);
      }
      this.#take(partial, peer, goal, out, now);
    }
  }

  #own(partial: PartialPiece, peer: SwarmPeer): void {
    if (peer.current && peer.current !== partial) this.#disown(peer.current);
    partial.owner = peer;
    peer.current = partial;
  }

  /** Begins a new piece with this peer; false when there is none, or no memory for one. */
  #openNew(peer: SwarmPeer, goal: number, out: BlockList, now: number): boolean {
    if (this.#isFull(peer)) return false;
    const piece = this.#chooser.choose(peer, this.wants.have.count + this.#checking.size);
    if (piece === undefined) return false;
    this.#start(piece, peer, goal, out, now);
    return true;
  }

  /** Gives up the blocks of another piece for a new one: worth it only where the peer would have nothing to do. */
  #openInstead(peer: SwarmPeer, goal: number, out: BlockList, now: number): void {
    const piece = this.#chooser.choose(peer, this.wants.have.count + this.#checking.size);
    if (piece !== undefined && this.#evict()) this.#start(piece, peer, goal, out, now);
  }

  #start(piece: Piece, peer: SwarmPeer, goal: number, out: BlockList, now: number): void {
    this.#missing.delete(piece);
    this.availability.remove(piece);
    const partial = new PartialPiece(piece, this.#geometry.blocksIn(piece), this.#failed.has(piece));
    for (const block of this.#settings.paddingOf(piece)) partial.fill(block);
    this.#partials.set(piece, partial);
    this.#open.push(partial);
    // Who is fast enough has the piece to itself: it completes sooner, and blame is certain.
    const wholeMs = (this.#geometry.lengthOf(piece) * 1000) / Math.max(1, peer.pipeline.rateBps);
    if (partial.parole || peer.facts.webSeed || wholeMs <= LIMITS.wholePieceMs) this.#own(partial, peer);
    this.#take(partial, peer, goal, out, now);
  }

  /** Makes room for a new piece by giving up one that nobody is asked for; the one with the least in it. */
  #evict(): boolean {
    let worst: PartialPiece | undefined;
    for (const partial of this.#open) {
      if (partial.asked > 0 || partial.owner) continue;
      if (!worst || partial.missing > worst.missing) worst = partial;
    }
    if (!worst) return false;
    this.#close(worst);
    this.#partials.delete(worst.piece);
    this.#makeMissing(worst.piece);
    this.#discard(worst.piece);
    return true;
  }

  #pickAllowedFast(peer: SwarmPeer, goal: number, out: BlockList, now: number): void {
    for (const piece of peer.allowedFast) {
      if (out.count >= goal) return;
      if (!peer.have.has(piece)) continue;
      const partial = this.#partials.get(piece);
      if (partial && partial.free > 0 && !partial.parole && (!partial.owner || partial.owner === peer)) {
        this.#take(partial, peer, goal, out, now);
      } else if (this.#missing.has(piece) && !this.#failed.has(piece)) {
        if (!this.#isFull(peer)) this.#start(piece, peer, goal, out, now);
      }
    }
  }

  /** Everything left was asked for: ask again for what is late, of few peers and not for much at a time. */
  #pickEndgame(peer: SwarmPeer, goal: number, out: BlockList, now: number): void {
    const duplicates = Math.max(1, peer.pipeline.target >> 2);
    const stop = Math.min(goal, out.count + duplicates - Math.min(duplicates, peer.outstanding.count));
    for (const partial of this.#partials.values()) {
      if (!peer.have.has(partial.piece) || partial.parole) continue;
      // One server is not asked for what lies in the long answer of another; if that fails, it says so.
      if (peer.facts.webSeed && partial.owner?.facts.webSeed) continue;
      while (out.count < stop) {
        const block = partial.leastAsked(
          block => !peer.outstanding.has(this.#geometry.blockNumber(partial.piece, block)),
        );
        if (block < 0) break;
        this.#ask(partial, block, peer, out, now);
      }
      if (out.count >= stop) return;
    }
  }
}
