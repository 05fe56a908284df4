// A reusable list of blocks to ask for: filled by the picker, written to the wire in one go, cleared, filled again.

import type { Piece } from './geometry.js';

export class BlockList {
  readonly pieces: Uint32Array;
  readonly begins: Uint32Array;
  readonly lengths: Uint32Array;
  count = 0;

  /** @param capacity the largest number of blocks it can hold */
  constructor(capacity: number) {
    this.pieces = new Uint32Array(capacity);
    this.begins = new Uint32Array(capacity);
    this.lengths = new Uint32Array(capacity);
  }

  get capacity(): number {
    return this.pieces.length;
  }

  /** Adds one block; `begin` and `length` are bytes. The caller keeps within the capacity. */
  push(piece: Piece, begin: number, length: number): void {
    this.pieces[this.count] = piece;
    this.begins[this.count] = begin;
    this.lengths[this.count] = length;
    this.count++;
  }

  clear(): void {
    this.count = 0;
  }
}
