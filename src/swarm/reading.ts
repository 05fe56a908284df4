// A torrent that is read while it comes: the pieces in the order of the reader, and the window of them that is wanted
// now. It moves on as pieces are read, so that a slow reader slows the swarm. Knows no peers.

import type { Piece } from '../torrent/geometry.js';

export interface ReadingOptions {
  /** Every piece to read, in order; one that is read twice stands there twice. Taken from as the window moves. */
  readonly order: Iterator<Piece>;
  /** Pieces that are wanted at a time, at least one. */
  readonly windowPieces: number;
  /** Of these, how many are asked for in order; beyond them the rarest goes first. */
  readonly nearPieces: number;
  /** ms that the reader waits for a piece before others are asked for it too. */
  readonly lateMs: number;
  /** What was read is not kept: peers must not count on it. */
  readonly forgets: boolean;
}

export class Reading {
  readonly forgets: boolean;
  readonly #order: Iterator<Piece>;
  readonly #nearPieces: number;
  readonly #lateMs: number;
  readonly #window: Piece[] = [];
  /** Since when the front is asked about, or -1. */
  #frontSinceMs = -1;

  constructor({ order, windowPieces, nearPieces, lateMs, forgets }: ReadingOptions) {
    this.forgets = forgets;
    this.#order = order;
    this.#nearPieces = nearPieces;
    this.#lateMs = lateMs;
    while (this.#window.length < windowPieces && this.#enter() !== undefined);
  }

  /** The pieces from the one being read on. */
  get window(): readonly Piece[] {
    return this.#window;
  }

  /** The piece that is being read, or waited for; undefined when all was read. */
  get front(): Piece | undefined {
    return this.#window[0];
  }

  /** How many pieces of the window are asked for in order. */
  get near(): number {
    return Math.min(this.#nearPieces, this.#window.length);
  }

  /** Whether the piece is being read or will be soon. */
  includes(piece: Piece): boolean {
    return this.#window.includes(piece);
  }

  /** The front was read. Returns the piece that enters the window, or undefined where no other one follows. */
  advance(): Piece | undefined {
    this.#window.shift();
    this.#frontSinceMs = -1;
    return this.#enter();
  }

  /** Whether the front is late in coming; the time counts from the first time that this is asked of it. */
  isLate(now: number): boolean {
    if (this.#frontSinceMs < 0) this.#frontSinceMs = now;
    return now - this.#frontSinceMs >= this.#lateMs;
  }

  #enter(): Piece | undefined {
    const next = this.#order.next();
    if (next.done) return undefined;
    this.#window.push(next.value);
    return next.value;
  }
}
