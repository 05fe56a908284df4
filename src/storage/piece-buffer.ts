// Memory for pieces that are being assembled or checked: used again instead of allocated again. The disk
// threads share it, so that nothing is copied. One for all torrents; knows lengths, not pieces.

import { LIMITS } from '../torrent/limits.js';

/** Memory of a piece, perhaps beside that of others. */
export type PieceBuffer = Buffer<SharedArrayBuffer>;

export class PieceBuffers {
  readonly #cap: number;
  readonly #slabBytes: number;
  /** Unused buffers by their length. */
  readonly #free = new Map<number, PieceBuffer[]>();
  #freeBytes = 0;
  #usedBytes = 0;

  /** @param capBytes unused memory is let go rather than held beyond this, the used counted in; two of a length may be held
   * @param slabBytes memory of small pieces is made so many bytes at a time */
  constructor(capBytes: number = LIMITS.bufferedPieceBytes, slabBytes: number = LIMITS.pieceSlabBytes) {
    this.#cap = capBytes;
    this.#slabBytes = slabBytes;
  }

  /** Bytes handed out now. Whoever opens new pieces keeps this under the cap: a block that is here must have a place. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes held, handed out or not. */
  get heldBytes(): number {
    return this.#usedBytes + this.#freeBytes;
  }

  /** A buffer of this length with unspecified content. Never refused. */
  take(length: number): PieceBuffer {
    this.#usedBytes += length;
    const known = this.#free.get(length)?.pop();
    if (known) {
      this.#freeBytes -= length;
      return known;
    }
    if (this.heldBytes > this.#cap) this.letGo();
    const count = Math.max(1, Math.floor(this.#slabBytes / length));
    const slab = new SharedArrayBuffer(count * length);
    for (let at = 1; at < count; at++) this.#keep(Buffer.from(slab, at * length, length));
    return Buffer.from(slab, 0, length);
  }

  /**
   * Takes back what `take` gave. It is kept for the next piece also where no other is in use: what a thread has seen is
   * freed only by that thread's garbage collector, and so would pile up.
   */
  give(buffer: PieceBuffer): void {
    const { length } = buffer;
    this.#usedBytes -= length;
    if (this.heldBytes + length > Math.max(this.#cap, 2 * length)) return;
    this.#keep(buffer);
  }

  #keep(buffer: PieceBuffer): void {
    const { length } = buffer;
    const list = this.#free.get(length);
    if (list) list.push(buffer);
    else this.#free.set(length, [buffer]);
    this.#freeBytes += length;
  }

  /** Lets go of what is not in use. */
  letGo(): void {
    this.#free.clear();
    this.#freeBytes = 0;
  }
}

/**
 * Copies `data` into the memory from byte `at` on. `fill` is the one native copy there is into shared memory: `set` goes word
 * by word, which takes twice as long.
 */
export function copyInto(memory: PieceBuffer, data: Uint8Array, at: number): void {
  if (data.length > 0) memory.fill(data, at, at + data.length);
}

/** Fills the target with what is in the memory from byte `at` on; natively too. */
export function copyFrom(memory: PieceBuffer, target: Uint8Array, at: number): void {
  const { buffer, byteOffset, length } = target;
  if (length > 0) Buffer.from(buffer, byteOffset, length).fill(memory.subarray(at, at + length));
}
