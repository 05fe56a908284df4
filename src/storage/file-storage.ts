// One torrent's bytes: assembles blocks into pieces, checks and writes them, reads them back for peers. Only what
// matches its hash reaches the files. Decides nothing about peers and knows no wire.

import type { Bitfield } from '../torrent/bitfield.js';
import { TorrentError } from '../torrent/errors.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { Padding } from '../torrent/padding.js';
import { Assemblies } from './assemblies.js';
import type { Layout } from './layout.js';
import type { PieceBuffer, PieceBuffers } from './piece-buffer.js';
import { PieceReader } from './piece-reader.js';
import type { PieceStorage } from './piece-storage.js';
import { PieceWriter } from './piece-writer.js';
import { bytesIn } from './scatter.js';
import type { TorrentFiles } from './torrent-files.js';
import { type Verification, verifyPieces } from './verify-pieces.js';

/** Remembers pieces that are written, so that a killed process loses none. */
export interface PieceLog {
  append(piece: Piece): Promise<void>;
}

export interface FileStorageOptions {
  readonly files: TorrentFiles;
  /** 20 bytes for each piece. */
  readonly pieceHashes: Uint8Array;
  /** The verified pieces; the storage adds to it. */
  readonly have: Bitfield;
  readonly buffers: PieceBuffers;
  readonly log: PieceLog;
  /** A piece has been checked; when `ok`, it is written, remembered and in `have`. */
  readonly onPiece: (piece: Piece, ok: boolean) => void;
  /** A piece could not be stored (DISK_FULL, DISK_IO); told once, further blocks are ignored. */
  readonly onError: (error: TorrentError) => void;
}

export class FileStorage implements PieceStorage {
  readonly geometry: Geometry;
  readonly layout: Layout;
  readonly padding: Padding;
  readonly have: Bitfield;
  readonly #options: FileStorageOptions;
  readonly #files: TorrentFiles;
  readonly #assemblies: Assemblies;
  readonly #checks = new Map<Piece, Promise<void>>();
  readonly #writer: PieceWriter;
  readonly #reader: PieceReader;
  #ended = false;

  constructor(options: FileStorageOptions) {
    this.#options = options;
    this.#files = options.files;
    this.geometry = options.files.geometry;
    this.layout = options.files.layout;
    this.padding = new Padding(this.layout.files, this.geometry);
    this.have = options.have;
    this.#assemblies = new Assemblies(this.geometry, this.padding, options.buffers);
    this.#reader = new PieceReader(options.files);
    this.#writer = new PieceWriter(options.files, options.pieceHashes);
  }

  /** Ends in `onPiece` or `onError`. */
  store(piece: Piece, begin: number, data: Uint8Array): void {
    if (this.#ended || this.have.has(piece) || this.#checks.has(piece)) return;
    const buffer = this.#assemblies.add(piece, begin, data);
    if (buffer) this.#checks.set(piece, this.#check(piece, buffer));
  }

  discard(piece: Piece): void {
    this.#assemblies.discard(piece);
  }

  async read(piece: Piece, begin: number, targets: readonly Uint8Array[]): Promise<void> {
    if (!this.have.has(piece) || !this.geometry.contains(piece, begin, bytesIn(targets))) {
      throw new TorrentError('INTERNAL', `reading piece ${piece} at ${begin}: not verified or out of range`);
    }
    const short = await this.#reader.read(piece, begin, targets);
    if (short !== undefined)
      throw new TorrentError('DISK_IO', `reading ${short}: the file is gone or shorter than it was`);
  }

  /** Hashes pieces on disk and tells of each; `have` stays as it is. @throws TorrentError DISK_IO */
  verify(pieces: Iterable<Piece>, verification: Verification): Promise<void> {
    return verifyPieces(this.#files, this.#options.pieceHashes, pieces, verification);
  }

  /** Fulfilled when the checks that have begun are over. */
  async flush(): Promise<void> {
    while (this.#checks.size > 0) await Promise.all(this.#checks.values());
  }

  /** All that was wanted is here: lets the threads and the memory go. */
  async rest(): Promise<void> {
    await this.flush();
    await this.#writer.close();
    this.#options.buffers.letGo();
  }

  /** Returns when all bytes are on the device. @throws TorrentError DISK_FULL, DISK_IO */
  sync(): Promise<void> {
    return this.#files.sync();
  }

  /** Ends the checks that have begun, drops incomplete pieces and closes the files. */
  async close(): Promise<void> {
    this.#end();
    await this.rest();
    await this.#reader.close();
    await this.#files.close();
  }

  #end(): void {
    this.#ended = true;
    this.#assemblies.discardAll();
  }

  async #check(piece: Piece, buffer: PieceBuffer): Promise<void> {
    const { buffers, log, onPiece, onError } = this.#options;
    let ok = false;
    let failure: unknown;
    try {
      ok = await this.#writer.write(piece, buffer);
      if (ok) {
        await log.append(piece);
        this.have.add(piece);
      }
    } catch (error) {
      failure = error;
    }
    buffers.give(buffer);
    this.#checks.delete(piece);
    if (failure === undefined) return onPiece(piece, ok);
    if (!(failure instanceof TorrentError)) throw failure;
    if (this.#ended) return;
    this.#end();
    onError(failure);
  }
}
