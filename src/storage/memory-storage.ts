// Pieces of a torrent that are kept in memory alone, until they are let go: for who reads it as it comes. Nothing of it
// touches the disk. How many pieces there may be is the business of who lets them go.

import { Bitfield } from '../torrent/bitfield.js';
import { TorrentError } from '../torrent/errors.js';
import { Geometry, type Piece } from '../torrent/geometry.js';
import { Padding } from '../torrent/padding.js';
import { Assemblies } from './assemblies.js';
import { Layout } from './layout.js';
import { copyFrom, type PieceBuffer, PieceBuffers } from './piece-buffer.js';
import type { OpenedData, PieceStorage } from './piece-storage.js';
import { PieceWriter, type WrittenFiles } from './piece-writer.js';
import { bytesIn } from './scatter.js';
import type { FileList } from './torrent-files.js';

/** No file is held open for these. */
const NOBODY = -1;

export interface MemoryStorageOptions {
  readonly list: FileList;
  /** 20 bytes for each piece. */
  readonly pieceHashes: Uint8Array;
  /** Bytes of memory that are used again rather than let go. */
  readonly pooledBytes: number;
  /** A piece has been checked; when `ok`, it can be read. */
  readonly onPiece: (piece: Piece, ok: boolean) => void;
}

export class MemoryStorage implements PieceStorage, OpenedData {
  readonly geometry: Geometry;
  readonly layout: Layout;
  readonly padding: Padding;
  readonly have: Bitfield;
  readonly how = 'fresh';
  readonly warnings = [];
  readonly #options: MemoryStorageOptions;
  readonly #buffers: PieceBuffers;
  readonly #assemblies: Assemblies;
  readonly #pieces = new Map<Piece, PieceBuffer>();
  readonly #checks = new Map<Piece, Promise<void>>();
  readonly #checker: PieceWriter;
  #ended = false;

  constructor(options: MemoryStorageOptions) {
    const { list, pooledBytes } = options;
    this.#options = options;
    this.geometry = new Geometry(list.length, list.pieceLength);
    this.layout = new Layout(list.files, this.geometry);
    this.padding = new Padding(list.files, this.geometry);
    this.have = new Bitfield(this.geometry.pieceCount);
    this.#buffers = new PieceBuffers(pooledBytes);
    this.#assemblies = new Assemblies(this.geometry, this.padding, this.#buffers);
    this.#checker = new PieceWriter(nowhere(this.geometry), options.pieceHashes);
  }

  get storage(): PieceStorage {
    return this;
  }

  /** Bytes of memory that are in use. */
  get usedBytes(): number {
    return this.#buffers.usedBytes;
  }

  store(piece: Piece, begin: number, data: Uint8Array): void {
    if (this.#ended || this.have.has(piece) || this.#checks.has(piece)) return;
    const buffer = this.#assemblies.add(piece, begin, data);
    if (buffer) this.#checks.set(piece, this.#check(piece, buffer));
  }

  discard(piece: Piece): void {
    this.#assemblies.discard(piece);
  }

  async read(piece: Piece, begin: number, targets: readonly Uint8Array[]): Promise<void> {
    const memory = this.#pieces.get(piece);
    if (!memory || !this.geometry.contains(piece, begin, bytesIn(targets)))
      throw new TorrentError('INTERNAL', `reading piece ${piece} at ${begin}: not here or out of range`);
    let at = begin;
    for (const target of targets) {
      copyFrom(memory, target, at);
      at += target.length;
    }
  }

  /** Lets a piece go, whose memory is used for others then. */
  drop(piece: Piece): void {
    const buffer = this.#pieces.get(piece);
    if (!buffer) return;
    this.#pieces.delete(piece);
    this.have.delete(piece);
    this.#buffers.give(buffer);
  }

  /** There is nothing to record. */
  async seal(): Promise<void> {}

  /** Ends the checks that have begun and lets everything go. */
  async close(): Promise<void> {
    this.#ended = true;
    this.#assemblies.discardAll();
    while (this.#checks.size > 0) await Promise.all(this.#checks.values());
    await this.#checker.close();
    for (const piece of [...this.#pieces.keys()]) this.drop(piece);
    this.#buffers.letGo();
  }

  async #check(piece: Piece, buffer: PieceBuffer): Promise<void> {
    const { onPiece } = this.#options;
    const ok = await this.#checker.write(piece, buffer);
    this.#checks.delete(piece);
    if (ok) {
      this.#pieces.set(piece, buffer);
      this.have.add(piece);
    } else this.#buffers.give(buffer);
    onPiece(piece, ok);
  }
}

/** Pieces are checked and written nowhere. */
function nowhere(geometry: Geometry): WrittenFiles {
  return {
    owner: NOBODY,
    geometry,
    partsToWrite: () => [],
    write: async () => {},
    hasUnselected: () => false,
    writeUnselected: async () => {},
    writeFault: path => new TorrentError('INTERNAL', `writing ${path}: it was not to be written`),
  };
}
