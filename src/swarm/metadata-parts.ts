// The parts of an info dictionary of one claimed size (BEP 9), as far as they came, and who gave them. Must not know
// who is asked for what.

import { BLOCK_LENGTH } from '../torrent/limits.js';

/** @typeParam Giver whatever names a peer */
export class MetadataParts<Giver> {
  /** Bytes of the whole. */
  readonly size: number;
  readonly count: number;
  readonly #parts: (Uint8Array | undefined)[];
  readonly #givers: (Giver | undefined)[];
  #arrived = 0;
  #bytes = 0;

  /** @param size 1 to LIMITS.metadataBytes; nothing of that length is set aside before it has arrived */
  constructor(size: number) {
    this.size = size;
    this.count = Math.ceil(size / BLOCK_LENGTH);
    this.#parts = new Array(this.count);
    this.#givers = new Array(this.count);
  }

  /** Parts that came, and their bytes. */
  get arrived(): number {
    return this.#arrived;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get complete(): boolean {
    return this.#arrived === this.count;
  }

  has(part: number): boolean {
    return this.#parts[part] !== undefined;
  }

  /** Whether a part may have this length: 16 KiB but for the last one. */
  fits(part: number, length: number): boolean {
    return part < this.count && length === Math.min(BLOCK_LENGTH, this.size - part * BLOCK_LENGTH);
  }

  /** Copies a part that fits and is missing. */
  put(part: number, data: Uint8Array, giver: Giver): void {
    this.#parts[part] = data.slice();
    this.#givers[part] = giver;
    this.#arrived++;
    this.#bytes += data.length;
  }

  /** The whole, once complete. */
  assemble(): Uint8Array {
    const whole = new Uint8Array(this.size);
    for (const [part, data] of this.#parts.entries()) if (data) whole.set(data, part * BLOCK_LENGTH);
    return whole;
  }

  /** Everybody who gave a part that is kept. */
  givers(): Set<Giver> {
    const givers = new Set<Giver>();
    for (const giver of this.#givers) if (giver !== undefined) givers.add(giver);
    return givers;
  }

  clear(): void {
    this.#parts.fill(undefined);
    this.#givers.fill(undefined);
    this.#arrived = 0;
    this.#bytes = 0;
  }
}
