// The part file of a torrent: bytes of wanted pieces that belong to files nobody selected. It lies in the output directory
// and is ours alone, so that those files are neither created nor grown.
//
// 28 bytes of header (mark with version, info hash), then records, one for each file that a piece has such bytes of: 16
// bytes of header, four numbers big-endian (piece, file, length, and those three xor a constant, so that zeros are none),
// then the bytes. It is only appended to, a record's header behind its bytes, and rewritten as a whole: what is cut
// off or damaged costs the records from there on, and so their pieces, which are fetched again.

import { type FileHandle, lstat, open, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { Geometry, type Piece } from '../torrent/geometry.js';
import { toHex } from '../torrent/ids.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import { diskError } from './disk-error.js';
import type { FileAccess } from './file-pool.js';
import { type LayoutFile, overlapOf } from './layout.js';
import type { FileStamp } from './resume.js';
import { isAbsent } from './system-fault.js';

const MARK = Buffer.from('rarestp1');
const HEADER_LENGTH = 28;
const RECORD_HEADER_LENGTH = 16;
const CHECK = 0x72617265;
/** Bytes read at a time to find the headers of records. */
const LOOK_BYTES = 4096;

/** Bytes of a piece that are kept for a file. */
export interface Kept {
  readonly piece: Piece;
  readonly file: number;
}

export class PartFile {
  /** Absolute. */
  readonly path: string;
  /** How it was when it was loaded. */
  stamp: FileStamp | undefined;
  readonly #header: Buffer;
  readonly #files: readonly LayoutFile[];
  readonly #geometry: Geometry;
  readonly #access: FileAccess;
  /** By `keyOf`: the byte of the part file at which the bytes begin. */
  #positions = new Map<number, number>();
  /** Where the next record goes. */
  #end = 0;
  /** There is something behind the last record, which must not be taken for one later on. */
  #hasTail = false;
  #last: Promise<void> = Promise.resolve();

  /** @param directory absolute path of the output directory */
  constructor(
    { infoHash, files, length, pieceLength }: Pick<Metainfo, 'infoHash' | 'files' | 'length' | 'pieceLength'>,
    directory: string,
    access: FileAccess,
  ) {
    this.path = join(directory, `.${toHex(infoHash)}.rarest-parts`);
    this.#header = Buffer.concat([MARK, infoHash]);
    this.#files = files;
    this.#geometry = new Geometry(length, pieceLength);
    this.#access = access;
  }

  /** Finds what is in it, up to what is no record. What is there and no regular file counts as nothing. @throws TorrentError DISK_IO */
  async load(): Promise<void> {
    try {
      this.stamp = await stampOf(this.path);
      if (this.stamp === undefined) return;
      const handle = await open(this.path, 'r');
      try {
        await this.#scan(handle, this.stamp.size);
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw diskError(`reading ${this.path}`, error);
    }
  }

  /** Whether nothing is kept in it. */
  get isEmpty(): boolean {
    return this.#positions.size === 0;
  }

  /** Whether it has the bytes of this piece that belong to this file. */
  has(piece: Piece, file: number): boolean {
    return this.#positions.has(this.#keyOf(piece, file));
  }

  /** The byte of the part file at which these bytes begin; undefined where it has them not. */
  positionOf(piece: Piece, file: number): number | undefined {
    return this.#positions.get(this.#keyOf(piece, file));
  }

  /** All that is kept, in no particular order. */
  *[Symbol.iterator](): Generator<Kept> {
    for (const key of this.#positions.keys()) {
      const file = key % this.#files.length;
      yield { piece: ((key - file) / this.#files.length) as Piece, file };
    }
  }

  /** How it is now, to be recognized later; undefined where there is none. @throws TorrentError DISK_IO */
  async look(): Promise<FileStamp | undefined> {
    return stampOf(this.path).catch(error => {
      throw diskError(`reading ${this.path}`, error);
    });
  }

  /**
   * Keeps the bytes of a verified piece that belong to a file; they can be read once this is fulfilled.
   * @throws TorrentError DISK_FULL, DISK_IO
   */
  append(piece: Piece, file: number, data: Uint8Array): Promise<void> {
    const appended = this.#last.then(() => this.#append(piece, file, data));
    this.#last = appended.catch(() => undefined);
    return appended;
  }

  /** The bytes kept for a file. @throws TorrentError DISK_IO, as when the part file is shorter than it was */
  async read({ piece, file }: Kept): Promise<Uint8Array> {
    const { length } = overlapOf(this.#files[file] as LayoutFile, this.#geometry, piece);
    const bytes = new Uint8Array(length);
    try {
      if ((await this.#access.read(this.path, [bytes], this.positionOf(piece, file) ?? 0)) === length)
        return bytes;
    } catch (error) {
      throw diskError(`reading ${this.path}`, error);
    }
    throw diskError(`reading ${this.path}`, new Error('it is shorter than it was'));
  }

  /**
   * Forgets what is not to be kept, in one step that also survives a power cut; with nothing left the file is removed.
   * @throws TorrentError DISK_FULL, DISK_IO
   */
  async rewrite(isKept: (kept: Kept) => boolean): Promise<void> {
    const kept = [...this].filter(isKept);
    const draft = `${this.path}.tmp`;
    try {
      await rm(draft, { force: true });
      const copied = kept.length > 0 ? await this.#copy(kept, draft) : undefined;
      await this.#access.close([this.path]);
      if (copied) await rename(draft, this.path);
      else await rm(this.path, { force: true });
      this.#positions = copied?.positions ?? new Map();
      this.#end = copied?.end ?? 0;
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {});
      throw diskError(`writing ${this.path}`, error);
    }
    this.#hasTail = false;
  }

  async #copy(
    kept: readonly Kept[],
    draft: string,
  ): Promise<{ positions: Map<number, number>; end: number }> {
    const positions = new Map<number, number>();
    let end = HEADER_LENGTH;
    const handle = await open(draft, 'wx', 0o666);
    try {
      await handle.writeFile(this.#header);
      for (const { piece, file } of kept) {
        const data = await this.read({ piece, file });
        await handle.writeFile(headerOf(piece, file, data.length));
        await handle.writeFile(data);
        positions.set(this.#keyOf(piece, file), end + RECORD_HEADER_LENGTH);
        end += RECORD_HEADER_LENGTH + data.length;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    return { positions, end };
  }

  async #append(piece: Piece, file: number, data: Uint8Array): Promise<void> {
    try {
      if (this.#hasTail) await truncate(this.path, this.#end);
      // until all is written there is one again
      this.#hasTail = true;
      if (this.isEmpty) {
        this.#end = HEADER_LENGTH;
        await this.#access.write(this.path, this.#header, 0);
      }
      const position = this.#end + RECORD_HEADER_LENGTH;
      await this.#access.write(this.path, data, position);
      await this.#access.write(this.path, headerOf(piece, file, data.length), this.#end);
      this.#end = position + data.length;
      this.#positions.set(this.#keyOf(piece, file), position);
      this.#hasTail = false;
    } catch (error) {
      throw diskError(`writing ${this.path}`, error);
    }
  }

  async #scan(handle: FileHandle, size: number): Promise<void> {
    const looked = new Looked(handle);
    const header = await looked.bytes(0, HEADER_LENGTH);
    if (Buffer.compare(header, this.#header) === 0) this.#end = HEADER_LENGTH;
    while (this.#end > 0 && this.#end < size) {
      const record = this.#parse(await looked.bytes(this.#end, RECORD_HEADER_LENGTH));
      if (!record || this.#end + RECORD_HEADER_LENGTH + record.length > size) break;
      this.#positions.set(record.key, this.#end + RECORD_HEADER_LENGTH);
      this.#end += RECORD_HEADER_LENGTH + record.length;
    }
    this.#hasTail = this.#end < size;
  }

  /** A record is believed where its piece has just so many bytes in its file. */
  #parse(bytes: Buffer): { key: number; length: number } | undefined {
    if (bytes.length < RECORD_HEADER_LENGTH) return undefined;
    const [index, file, length] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4), bytes.readUInt32BE(8)];
    if (bytes.compare(headerOf(index, file, length)) !== 0) return undefined;
    const piece = this.#geometry.piece(index);
    const place = this.#files[file];
    if (piece === undefined || !place || place.pad || length === 0) return undefined;
    if (overlapOf(place, this.#geometry, piece).length !== length) return undefined;
    return { key: this.#keyOf(piece, file), length };
  }

  #keyOf(piece: Piece, file: number): number {
    return piece * this.#files.length + file;
  }
}

/** A file in small reads, of which the last one is kept: headers often lie close together. */
class Looked {
  readonly #handle: FileHandle;
  readonly #buffer = Buffer.alloc(LOOK_BYTES);
  #start = 0;
  #length = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** As many of these bytes as there are. @param length not above `LOOK_BYTES` */
  async bytes(position: number, length: number): Promise<Buffer> {
    if (position < this.#start || position + length > this.#start + this.#length) {
      this.#start = position;
      this.#length = (await this.#handle.read(this.#buffer, 0, LOOK_BYTES, position)).bytesRead;
    }
    const from = position - this.#start;
    return this.#buffer.subarray(from, Math.min(from + length, this.#length));
  }
}

function headerOf(piece: number, file: number, length: number): Buffer {
  const header = Buffer.alloc(RECORD_HEADER_LENGTH);
  header.writeUInt32BE(piece, 0);
  header.writeUInt32BE(file, 4);
  header.writeUInt32BE(length, 8);
  header.writeUInt32BE((piece ^ file ^ length ^ CHECK) >>> 0, 12);
  return header;
}

/** Of a regular file; undefined for anything else. */
async function stampOf(path: string): Promise<FileStamp | undefined> {
  try {
    const stats = await lstat(path);
    return stats.isFile() ? { size: stats.size, mtimeMs: stats.mtimeMs } : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
