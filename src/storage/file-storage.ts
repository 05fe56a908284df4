// One torrent's bytes: assembles blocks into pieces, checks and writes them, reads them back for peers. Only what
// matches its hash reaches the files. Decides nothing about peers and knows no wire.

import type { Bitfield } from '../torrent/bitfield.js';
import { TorrentError } from '../torrent/errors.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { BLOCK_LENGTH } from '../torrent/limits.js';
import { Padding } from '../torrent/padding.js';
import type { Layout } from './layout.js';
import { copyInto, type PieceBuffer, type PieceBuffers } from './piece-buffer.js';
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

interface Assembly {
  readonly buffer: PieceBuffer;
  receivedBytes: number;
}

export class FileStorage {
  readonly geometry: Geometry;
  readonly layout: Layout;
  /** Blocks that are zeros by definition (BEP 47): `store` is not to be called for them. */
  readonly padding: Padding;
  /** Verified pieces. Only this class adds to it. */
  readonly have: Bitfield;
  readonly #options: FileStorageOptions;
  readonly #files: TorrentFiles;
  readonly #assemblies = new Map<Piece, Assembly>();
  readonly #checks = new Map<Piece, Promise<void>>();
  readonly #writer: PieceWriter;
  #ended = false;

  constructor(options: FileStorageOptions) {
    this.#options = options;
    this.#files = options.files;
    this.geometry = options.files.geometry;
    this.layout = options.files.layout;
    this.padding = new Padding(this.layout.files, this.geometry);
    this.have = options.have;
    this.#writer = new PieceWriter(options.files, options.pieceHashes);
  }

  /**
   * Copies a block into its piece; the last block of the piece starts the check, which ends in `onPiece` or `onError`.
   * Whoever calls has matched the block with a request: each arrives once for each attempt at the piece.
   * @param begin byte inside the piece
   */
  store(piece: Piece, begin: number, data: Uint8Array): void {
    if (this.#ended || this.have.has(piece) || this.#checks.has(piece)) return;
    const assembly = this.#assemblies.get(piece) ?? this.#assemble(piece);
    copyInto(assembly.buffer, data, begin);
    assembly.receivedBytes += data.length;
    if (assembly.receivedBytes < this.geometry.lengthOf(piece)) return;
    this.#assemblies.delete(piece);
    const { buffer } = assembly;
    this.#checks.set(piece, this.#check(piece, buffer));
  }

  /** Forgets the blocks of a piece that is not complete. */
  discard(piece: Piece): void {
    const assembly = this.#assemblies.get(piece);
    if (!assembly) return;
    this.#assemblies.delete(piece);
    this.#options.buffers.give(assembly.buffer);
  }

  /**
   * Fills `targets` one after the other with bytes of a verified piece; padding (BEP 47) reads as zeros.
   * @param begin byte inside the piece, within which all of it lies
   * @throws TorrentError DISK_IO when the file is short, gone or unreadable
   */
  async read(piece: Piece, begin: number, targets: readonly Uint8Array[]): Promise<void> {
    if (!this.have.has(piece) || !this.geometry.contains(piece, begin, bytesIn(targets))) {
      throw new TorrentError('INTERNAL', `reading piece ${piece} at ${begin}: not verified or out of range`);
    }
    const short = await this.#files.read(piece, begin, targets);
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

  /** Returns when all bytes are on the device. @throws TorrentError DISK_FULL, DISK_IO */
  sync(): Promise<void> {
    return this.#files.sync();
  }

  /** Ends the checks that have begun, drops incomplete pieces and closes the files. */
  async close(): Promise<void> {
    this.#end();
    await this.flush();
    await this.#writer.close();
    await this.#files.close();
  }

  #assemble(piece: Piece): Assembly {
    const assembly = { buffer: this.#options.buffers.take(this.geometry.pieceLength), receivedBytes: 0 };
    for (const block of this.padding.blocksOf(piece)) {
      const begin = block * BLOCK_LENGTH;
      const length = this.geometry.blockLength(piece, block);
      assembly.buffer.fill(0, begin, begin + length);
      assembly.receivedBytes += length;
    }
    this.#assemblies.set(piece, assembly);
    return assembly;
  }

  #end(): void {
    this.#ended = true;
    for (const piece of [...this.#assemblies.keys()]) this.discard(piece);
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
