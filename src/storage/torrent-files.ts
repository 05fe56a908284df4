// The files of one torrent as one run of bytes: reads and writes pieces through the layout. Knows neither resume state
// nor peers.

import { join, sep } from 'node:path';
import { TorrentError } from '../torrent/errors.js';
import { Geometry, type Piece } from '../torrent/geometry.js';
import { equalBytes, HASH_LENGTH } from '../torrent/ids.js';
import type { Metainfo, TorrentFile } from '../torrent/metainfo-types.js';
import { diskError, errnoOf } from './disk-error.js';
import type { DiskPart, SystemFault } from './disk-job.js';
import type { FileAccess } from './file-pool.js';
import { Layout } from './layout.js';
import { bytesIn, cut } from './scatter.js';

/** What is needed of a torrent to find its bytes on disk. */
export type FileList = Pick<Metainfo, 'files' | 'length' | 'pieceLength'>;

let owners = 0;

export class TorrentFiles {
  /** A number of its own in this process, by which threads know whose files they hold open. */
  readonly owner = owners++;
  readonly geometry: Geometry;
  readonly layout: Layout;
  readonly #directory: string;
  readonly #list: readonly TorrentFile[];
  readonly #access: FileAccess;

  /**
   * @param directory absolute; the paths of the torrent begin there
   * @throws TorrentError BAD_SOURCE when a path could leave the directory, whoever made the list
   */
  constructor(list: FileList, directory: string, access: FileAccess) {
    this.geometry = new Geometry(list.length, list.pieceLength);
    this.layout = new Layout(list.files, this.geometry);
    this.#directory = directory;
    this.#list = list.files;
    this.#access = access;
    for (const file of list.files) {
      if (!file.pad && (file.path.length === 0 || file.path.some(isUnsafe))) {
        throw new TorrentError('BAD_SOURCE', `placing ${JSON.stringify(file.path)}: the path is unsafe`);
      }
    }
  }

  /** Absolute path of a file. */
  path(file: number): string {
    return join(this.#directory, ...(this.#list[file] as TorrentFile).path);
  }

  /** Absolute paths of all files that are on disk, in torrent order. */
  *paths(): Generator<string> {
    for (let file = 0; file < this.#list.length; file++) if (!this.#list[file]?.pad) yield this.path(file);
  }

  /**
   * Fills `targets` one after the other with the bytes from byte `begin` of a piece on (and of those that follow it, where
   * they are longer), padding as zeros. Returns the path of the first file that is missing or too short, or undefined when all bytes are
   * there.
   * @throws TorrentError DISK_IO
   */
  async read(piece: Piece, begin: number, targets: readonly Uint8Array[]): Promise<string | undefined> {
    for (const segment of this.layout.segmentsOf(piece, begin, bytesIn(targets))) {
      const part = cut(targets, segment.start, segment.length);
      if (this.#list[segment.file]?.pad) {
        for (const bytes of part) bytes.fill(0);
        continue;
      }
      const path = this.path(segment.file);
      try {
        if ((await this.#access.read(path, part, segment.position)) < segment.length) return path;
      } catch (error) {
        const code = errnoOf(error);
        if (code === 'ENOENT' || code === 'ENOTDIR') return path;
        throw diskError(`reading ${path}`, error);
      }
    }
    return undefined;
  }

  /**
   * Writes a whole piece, padding left out.
   * @throws TorrentError DISK_FULL, DISK_IO
   */
  async write(piece: Piece, data: Uint8Array): Promise<void> {
    for (const { file, position, length, start } of this.layout.segmentsOf(piece)) {
      if (this.#list[file]?.pad) continue;
      const path = this.path(file);
      try {
        await this.#access.write(path, data.subarray(start, start + length), position);
      } catch (error) {
        throw diskError(`writing ${path}`, error);
      }
    }
  }

  /** Where `length` bytes from a piece on lie on disk; padding lies nowhere. */
  parts(piece: Piece, length: number): DiskPart[] {
    const parts: DiskPart[] = [];
    for (const { file, position, length: part, start } of this.layout.segmentsOf(piece, 0, length))
      if (!this.#list[file]?.pad) parts.push({ path: this.path(file), position, start, length: part });
    return parts;
  }

  /** What reading this file ended with on another thread: its path where it is missing, else a DISK_IO. */
  readFault(path: string, fault: SystemFault): string | TorrentError {
    if (fault.code === 'ENOENT' || fault.code === 'ENOTDIR') return path;
    return diskError(`reading ${path}`, errorOf(fault));
  }

  /** What writing this file ended with on another thread: DISK_FULL or DISK_IO. */
  writeFault(path: string, fault: SystemFault): TorrentError {
    return diskError(`writing ${path}`, errorOf(fault));
  }

  /** Length of a file on disk, or undefined when there is none. @throws TorrentError DISK_IO */
  async size(file: number): Promise<number | undefined> {
    const path = this.path(file);
    try {
      return await this.#access.size(path);
    } catch (error) {
      throw diskError(`reading ${path}`, error);
    }
  }

  /** Returns when all bytes are on the device. @throws TorrentError DISK_FULL, DISK_IO */
  async sync(): Promise<void> {
    for (const path of this.paths()) {
      try {
        await this.#access.sync(path);
      } catch (error) {
        throw diskError(`writing ${path}`, error);
      }
    }
  }

  close(): Promise<void> {
    return this.#access.close(this.paths());
  }
}

function isUnsafe(component: string): boolean {
  if (component === '' || component === '.' || component === '..') return true;
  return component.includes('/') || component.includes(sep) || component.includes('\0');
}

function errorOf({ message, code, errno }: SystemFault): Error {
  return Object.assign(new Error(message), { code, errno });
}

/** Whether this is the hash that the torrent gives for the piece. @param pieceHashes 20 bytes for each piece */
export function isHashOf(hash: Uint8Array, piece: Piece, pieceHashes: Uint8Array): boolean {
  return equalBytes(hash, pieceHashes.subarray(piece * HASH_LENGTH, (piece + 1) * HASH_LENGTH));
}
