// A set of pieces as bits, high bit first, the way BEP 3 sends it.

import type { Piece } from './geometry.js';

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1;
  return count;
});

export class Bitfield {
  /** ceil(size / 8) bytes; the spare bits of the last one are zero. */
  readonly bytes: Uint8Array;
  readonly size: number;
  #count = 0;

  constructor(size: number) {
    this.size = size;
    this.bytes = new Uint8Array(Math.ceil(size / 8));
  }

  /** A copy of what a peer or a file holds, or undefined when its length is wrong or a spare bit is set (BEP 3). */
  static from(bytes: Uint8Array, size: number): Bitfield | undefined {
    const field = new Bitfield(size);
    if (bytes.length !== field.bytes.length) return undefined;
    const spare = size % 8;
    if (spare !== 0 && ((bytes[bytes.length - 1] ?? 0) & (0xff >> spare)) !== 0) return undefined;
    field.bytes.set(bytes);
    for (const byte of bytes) field.#count += ONES[byte] ?? 0;
    return field;
  }

  /** The field of these pieces. */
  static of(pieces: Iterable<Piece>, size: number): Bitfield {
    const field = new Bitfield(size);
    for (const piece of pieces) field.add(piece);
    return field;
  }

  /** All pieces, or none. */
  static uniform(size: number, all: boolean): Bitfield {
    const field = new Bitfield(size);
    if (all) field.fill();
    return field;
  }

  /** How many bits are set. */
  get count(): number {
    return this.#count;
  }

  /** Whether every piece is here. A field of no pieces is full. */
  get full(): boolean {
    return this.#count === this.size;
  }

  has(piece: Piece): boolean {
    return ((this.bytes[piece >> 3] as number) & (0x80 >> (piece & 7))) !== 0;
  }

  /** Sets the bit; false when it was set already. */
  add(piece: Piece): boolean {
    if (this.has(piece)) return false;
    this.bytes[piece >> 3] = (this.bytes[piece >> 3] as number) | (0x80 >> (piece & 7));
    this.#count++;
    return true;
  }

  /** Clears the bit; false when it was clear already. */
  delete(piece: Piece): boolean {
    if (!this.has(piece)) return false;
    this.bytes[piece >> 3] = (this.bytes[piece >> 3] as number) & ~(0x80 >> (piece & 7));
    this.#count--;
    return true;
  }

  fill(): void {
    this.bytes.fill(0xff);
    const spare = this.size % 8;
    if (spare !== 0) this.bytes[this.bytes.length - 1] = (0xff << (8 - spare)) & 0xff;
    this.#count = this.size;
  }

  clear(): void {
    this.bytes.fill(0);
    this.#count = 0;
  }

  /** The pieces whose bit is set, in order. */
  *[Symbol.iterator](): Generator<Piece> {
    for (let at = 0; at < this.bytes.length; at++) {
      const byte = this.bytes[at] as number;
      if (byte === 0) continue;
      for (let bit = 0; bit < 8; bit++) if (byte & (0x80 >> bit)) yield (at * 8 + bit) as Piece;
    }
  }
}
