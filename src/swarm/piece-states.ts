// The state of every piece, missing -> partial -> full -> checking -> have, and who has which one for himself. Moved by
// picker.ts alone, which decides what to ask of whom.

import { Bitfield } from '../torrent/bitfield.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { Availability } from './availability.js';
import { PartialPiece } from './partial-piece.js';
import type { SwarmPeer } from './peer.js';
import type { PickerSettings } from './picker.js';
import type { Random } from './port.js';
import { Wants } from './wants.js';

export class PieceStates {
  readonly wants: Wants;
  readonly availability: Availability;
  /** Pieces that we lack and that are not partial. */
  readonly missing: Bitfield;
  /** The pieces in progress. */
  readonly partials = new Map<Piece, PartialPiece>();
  /** Of these, the ones with free blocks. */
  readonly open: PartialPiece[] = [];
  readonly #geometry: Geometry;
  readonly #paddingOf: PickerSettings['paddingOf'];
  /** Pieces all of whose blocks are here, until their check ends. */
  readonly #checking = new Map<Piece, PartialPiece>();
  /** Pieces that failed their hash. */
  readonly #failed = new Set<Piece>();

  /** @param have what is on disk already; kept up to date */
  constructor(geometry: Geometry, have: Bitfield, settings: PickerSettings, random: Random) {
    const { reading, paddingOf } = settings;
    this.#geometry = geometry;
    this.#paddingOf = paddingOf;
    const wanted = reading ? Bitfield.of(reading.window, geometry.pieceCount) : settings.wanted;
    this.wants = new Wants(geometry, have, wanted, reading !== undefined);
    this.availability = new Availability(geometry.pieceCount, random);
    this.missing = new Bitfield(geometry.pieceCount);
    for (const piece of geometry.pieces()) {
      if (this.wants.lacks(piece)) this.missing.add(piece);
      else this.availability.remove(piece);
    }
  }

  /** Pieces in memory: partial, full or being checked. */
  get inMemory(): number {
    return this.partials.size + this.#checking.size;
  }

  /** Pieces that we have, or are about to have. */
  get had(): number {
    return this.wants.have.count + this.#checking.size;
  }

  /** Whether an earlier attempt at the piece failed its hash. */
  hasFailed(piece: Piece): boolean {
    return this.#failed.has(piece);
  }

  /** A missing piece is begun. */
  start(piece: Piece): PartialPiece {
    this.missing.delete(piece);
    this.availability.remove(piece);
    const partial = new PartialPiece(piece, this.#geometry.blocksIn(piece), this.#failed.has(piece));
    for (const block of this.#paddingOf(piece)) partial.fill(block);
    this.partials.set(piece, partial);
    this.open.push(partial);
    return partial;
  }

  /** The piece can be begun, for the first time or anew. */
  makeMissing(piece: Piece): void {
    this.missing.add(piece);
    this.availability.insert(piece);
  }

  /** A piece in progress is given up. */
  giveUp(partial: PartialPiece): void {
    this.close(partial);
    this.partials.delete(partial.piece);
    this.makeMissing(partial.piece);
  }

  /** No block of the piece is free any more. */
  close(partial: PartialPiece): void {
    const at = this.open.indexOf(partial);
    if (at < 0) return;
    const last = this.open.pop() as PartialPiece;
    if (last !== partial) this.open[at] = last;
  }

  /** See Picker. */
  release(blockNumber: number): void {
    const partial = this.partials.get(this.#geometry.pieceOf(blockNumber));
    if (!partial?.release(this.#geometry.blockOf(blockNumber))) return;
    this.disown(partial);
    if (partial.free === 1) this.open.push(partial);
  }

  /** See Picker. */
  received(piece: Piece, block: number, from: SwarmPeer, expected: boolean): number {
    const partial = this.partials.get(piece);
    if (!partial || partial.has(block)) return -1;
    // Nobody may slip a block into a piece that one peer is to answer for.
    if (partial.parole && !expected) return -1;
    const wasFree = partial.free;
    const askers = partial.receive(block, from);
    if (wasFree > 0 && partial.free === 0) this.close(partial);
    if (partial.missing === 0) {
      this.disown(partial);
      this.partials.delete(piece);
      this.#checking.set(piece, partial);
    }
    return askers;
  }

  /** See Picker. */
  checked(piece: Piece, ok: boolean): readonly SwarmPeer[] {
    const partial = this.#checking.get(piece);
    this.#checking.delete(piece);
    if (ok) {
      this.#failed.delete(piece);
      this.wants.got(piece);
    } else if (partial) {
      this.#failed.add(piece);
      this.makeMissing(piece);
    }
    return partial?.contributors ?? [];
  }

  /** The peer has the piece for itself, and no other one. */
  own(partial: PartialPiece, peer: SwarmPeer): void {
    if (peer.current && peer.current !== partial) this.disown(peer.current);
    partial.owner = peer;
    peer.current = partial;
  }

  /** The piece is open to all. */
  disown(partial: PartialPiece): void {
    if (partial.owner?.current === partial) partial.owner.current = undefined;
    partial.owner = undefined;
  }
}
