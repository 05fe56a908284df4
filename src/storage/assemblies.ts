// Pieces that are being put together of their blocks, in pooled memory. Knows no hashes and no files.

import type { Geometry, Piece } from '../torrent/geometry.js';
import { BLOCK_LENGTH } from '../torrent/limits.js';
import type { Padding } from '../torrent/padding.js';
import { copyInto, type PieceBuffer, type PieceBuffers } from './piece-buffer.js';

interface Assembly {
  readonly buffer: PieceBuffer;
  receivedBytes: number;
}

export class Assemblies {
  readonly #geometry: Geometry;
  readonly #padding: Padding;
  readonly #buffers: PieceBuffers;
  readonly #assemblies = new Map<Piece, Assembly>();

  constructor(geometry: Geometry, padding: Padding, buffers: PieceBuffers) {
    this.#geometry = geometry;
    this.#padding = padding;
    this.#buffers = buffers;
  }

  /** Copies a block into its piece. Returns the memory of the piece, to be given back, once all of it is here. */
  add(piece: Piece, begin: number, data: Uint8Array): PieceBuffer | undefined {
    const assembly = this.#assemblies.get(piece) ?? this.#begin(piece);
    copyInto(assembly.buffer, data, begin);
    assembly.receivedBytes += data.length;
    if (assembly.receivedBytes < this.#geometry.lengthOf(piece)) return undefined;
    this.#assemblies.delete(piece);
    return assembly.buffer;
  }

  /** Forgets the blocks of a piece that is not complete. */
  discard(piece: Piece): void {
    const assembly = this.#assemblies.get(piece);
    if (!assembly) return;
    this.#assemblies.delete(piece);
    this.#buffers.give(assembly.buffer);
  }

  discardAll(): void {
    for (const piece of [...this.#assemblies.keys()]) this.discard(piece);
  }

  #begin(piece: Piece): Assembly {
    const assembly = { buffer: this.#buffers.take(this.#geometry.pieceLength), receivedBytes: 0 };
    for (const block of this.#padding.blocksOf(piece)) {
      const begin = block * BLOCK_LENGTH;
      const length = this.#geometry.blockLength(piece, block);
      assembly.buffer.fill(0, begin, begin + length);
      assembly.receivedBytes += length;
    }
    this.#assemblies.set(piece, assembly);
    return assembly;
  }
}
