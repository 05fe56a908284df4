// The pieces written since the resume record was saved, one small append each: a killed process loses none of them.
//
// 16 bytes of header (8 of mark, 8 of nonce), then 8 bytes a piece, all big-endian: its index, and the index xor the
// nonce's first half, so that neither a torn tail nor one of zeros passes for a piece. The record names the nonce: a
// journal of an older record is ignored.

import { type FileHandle, lstat, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Bitfield } from '../torrent/bitfield.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { diskError } from './disk-error.js';
import type { PieceLog } from './file-storage.js';
import { makeDirectory } from './make-directory.js';

const MARK = Buffer.from('rarestj1');
const HEADER_LENGTH = 16;
const ENTRY_LENGTH = 8;

/** Hex digits of a nonce. */
export const NONCE_DIGITS = 16;

export class Journal implements PieceLog {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #key: number;
  #length = HEADER_LENGTH;
  #waiting: Piece[] = [];
  /** The write that takes what waits, and the one before it. */
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(path: string, handle: FileHandle, key: number) {
    this.#path = path;
    this.#handle = handle;
    this.#key = key;
  }

  /** Begins an empty journal in place of an older one. @throws TorrentError DISK_FULL, DISK_IO */
  static async create(path: string, nonce: string): Promise<Journal> {
    try {
      await makeDirectory(dirname(path), 0o700);
      const handle = await open(path, 'w', 0o600);
      const header = headerOf(nonce);
      await handle.write(header, 0, header.length, 0);
      return new Journal(path, handle, keyOf(header));
    } catch (error) {
      throw diskError(`writing ${path}`, error);
    }
  }

  /**
   * Returns once the entry is with the operating system. Entries that come while one is being written go together.
   * @throws TorrentError DISK_FULL, DISK_IO
   */
  append(piece: Piece): Promise<void> {
    this.#waiting.push(piece);
    if (this.#next) return this.#next;
    const next = this.#last.then(() => {
      const pieces = this.#waiting;
      this.#waiting = [];
      this.#next = undefined;
      return this.#write(pieces);
    });
    this.#next = next;
    this.#last = next.catch(() => undefined);
    return next;
  }

  /** Closes it after the last write; safe to call twice. */
  close(): Promise<void> {
    this.#closed ??= this.#last.then(() => this.#handle.close());
    return this.#closed;
  }

  async #write(pieces: readonly Piece[]): Promise<void> {
    const bytes = Buffer.alloc(pieces.length * ENTRY_LENGTH);
    pieces.forEach((piece, at) => {
      bytes.writeUInt32BE(piece, at * ENTRY_LENGTH);
      bytes.writeUInt32BE((piece ^ this.#key) >>> 0, at * ENTRY_LENGTH + 4);
    });
    try {
      for (let done = 0; done < bytes.length; ) {
        // Positioned, so that what a failed write left behind is overwritten.
        const { bytesWritten } = await this.#handle.write(
          bytes,
          done,
          bytes.length - done,
          this.#length + done,
        );
        done += bytesWritten;
      }
      this.#length += bytes.length;
    } catch (error) {
      throw diskError(`writing ${this.#path}`, error);
    }
  }
}

/** Adds the pieces of this journal to `have`, up to the first damaged entry. A journal of another nonce says nothing. */
export async function readJournal(
  path: string,
  nonce: string,
  geometry: Geometry,
  have: Bitfield,
): Promise<void> {
  // A piece is written once while a journal is open.
  const bytes = await readHead(path, HEADER_LENGTH + geometry.pieceCount * ENTRY_LENGTH);
  const header = headerOf(nonce);
  if (!bytes || Buffer.compare(bytes.subarray(0, HEADER_LENGTH), header) !== 0) return;
  const key = keyOf(header);
  for (let at = HEADER_LENGTH; at + ENTRY_LENGTH <= bytes.length; at += ENTRY_LENGTH) {
    const index = bytes.readUInt32BE(at);
    const piece = geometry.piece(index);
    if (piece === undefined || (index ^ key) >>> 0 !== bytes.readUInt32BE(at + 4)) return;
    have.add(piece);
  }
}

function headerOf(nonce: string): Buffer {
  return Buffer.concat([MARK, Buffer.from(nonce, 'hex')]);
}

function keyOf(header: Buffer): number {
  return header.readUInt32BE(MARK.length);
}

/** The first bytes of a regular file, or undefined when there is none that can be read. */
async function readHead(path: string, maxBytes: number): Promise<Buffer | undefined> {
  try {
    if (!(await lstat(path)).isFile()) return undefined;
    const handle = await open(path, 'r');
    try {
      const bytes = Buffer.alloc(Math.min(maxBytes, (await handle.stat()).size));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
      return bytes.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}
