// The files of one torrent as one run of bytes: reads and writes pieces through the layout. Knows neither resume state
// nor peers.

import { join, sep } from 'node:path';
import type { Bitfield } from '../torrent/bitfield.js';
import { TorrentError } from '../torrent/errors.js';
import { Geometry, type Piece } from '../torrent/geometry.js';
import { equalBytes, HASH_LENGTH } from '../torrent/ids.js';
import type { Metainfo, TorrentFile } from '../torrent/metainfo-types.js';
import { diskError } from './disk-error.js';
import type { DiskPart } from './disk-job.js';
import type { FileAccess } from './file-pool.js';
import { Layout, overlapOf } from './layout.js';
import type { PartFile } from './part-file.js';
import { bytesIn, cut } from './scatter.js';
import { errorOf, isAbsent, type SystemFault } from './system-fault.js';

/** What is needed of a torrent to find its bytes on disk. */
export type FileList = Pick<Metainfo, 'files' | 'length' | 'pieceLength'>;

/** Files that are not written, and where bytes of pieces lie that belong to them. */
export interface Unselected {
  isSelected(file: number): boolean;
  readonly partFile: PartFile;
}

let owners = 0;

export class TorrentFiles {
  /** A number of its own in this process, by which threads know whose files they hold open. */
  readonly owner = owners++;
  readonly geometry: Geometry;
  readonly layout: Layout;
  readonly #directory: string;
  readonly #list: readonly TorrentFile[];
  readonly #access: FileAccess;
  readonly #unselected: Unselected | undefined;

  /**
   * @param directory absolute; the paths of the torrent begin there @param unselected where there is a part file, or may be
   * @throws TorrentError BAD_SOURCE when a path could leave the directory, whoever made the list
   */
  constructor(list: FileList, directory: string, access: FileAccess, unselected?: Unselected) {
    this.geometry = new Geometry(list.length, list.pieceLength);
    this.layout = new Layout(list.files, this.geometry);
    this.#directory = directory;
    this.#list = list.files;
    this.#access = access;
    this.#unselected = unselected;
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

  /**
   * Fills `targets` one after the other with the bytes from byte `begin` of a piece on (and of those that follow it, where
   * they are longer), padding as zeros. Returns the path of the first file that is missing or too short, or undefined when all bytes are
   * there.
   * @throws TorrentError DISK_IO
   */
  async read(piece: Piece, begin: number, targets: readonly Uint8Array[]): Promise<string | undefined> {
    let filled = 0;
    const fill = (end: number) => {
      for (const bytes of cut(targets, filled, end - filled)) bytes.fill(0);
    };
    for (const { path, position, start, length } of this.parts(piece, bytesIn(targets), begin)) {
      fill(start);
      filled = start + length;
      try {
        if ((await this.#access.read(path, cut(targets, start, length), position)) < length) return path;
      } catch (error) {
        if (isAbsent(error)) return path;
        throw diskError(`reading ${path}`, error);
      }
    }
    fill(bytesIn(targets));
    return undefined;
  }

  /**
   * Writes a whole piece to the files that are selected, padding left out.
   * @throws TorrentError DISK_FULL, DISK_IO
   */
  async write(piece: Piece, data: Uint8Array): Promise<void> {
    for (const { path, position, length, start } of this.partsToWrite(piece)) {
      try {
        await this.#access.write(path, data.subarray(start, start + length), position);
      } catch (error) {
        throw diskError(`writing ${path}`, error);
      }
    }
  }

  /**
   * Keeps what a verified piece has of files that are not selected.
   * @throws TorrentError DISK_FULL, DISK_IO
   */
  async writeUnselected(piece: Piece, data: Uint8Array): Promise<void> {
    const unselected = this.#unselected;
    if (!unselected) return;
    for (const { file, start, length } of this.layout.segmentsOf(piece)) {
      if (this.#list[file]?.pad || unselected.isSelected(file)) continue;
      await unselected.partFile.append(piece, file, data.subarray(start, start + length));
    }
  }

  /**
   * Where `length` bytes from byte `begin` of a piece on lie on disk: in the part file where that has them, else in their
   * files. Padding lies nowhere.
   */
  parts(piece: Piece, length: number, begin = 0): DiskPart[] {
    const kept = this.#unselected?.partFile;
    if (kept && !kept.isEmpty) return this.#partsKept(kept, piece, length, begin);
    return this.#partsOfFiles(piece, begin, length, () => true);
  }

  /** Where a piece is to be written: in the files that are selected. */
  partsToWrite(piece: Piece): DiskPart[] {
    const isSelected = (file: number) => this.#unselected?.isSelected(file) !== false;
    return this.#partsOfFiles(piece, 0, this.geometry.lengthOf(piece), isSelected);
  }

  /** Whether the piece has bytes of a file that is not selected. */
  hasUnselected(piece: Piece): boolean {
    const unselected = this.#unselected;
    return (
      unselected !== undefined &&
      this.layout.segmentsOf(piece).some(({ file }) => !unselected.isSelected(file))
    );
  }

  /** Whether all of the piece may be there. @param sizeOf bytes of a file on disk, 0 where there is none */
  isThere(piece: Piece, sizeOf: (file: number) => number): boolean {
    return this.layout.isThere(piece, sizeOf, this.#unselected?.partFile);
  }

  /** Whether one of these pieces has bytes in the file itself. */
  holds(file: number, have: Bitfield): boolean {
    const { first, end } = this.layout.piecesOf(file);
    for (let piece = first as Piece; piece < end; piece++)
      if (have.has(piece) && !this.#unselected?.partFile.has(piece, file)) return true;
    return false;
  }

  #partsOfFiles(piece: Piece, begin: number, length: number, isMeant: (file: number) => boolean): DiskPart[] {
    const parts: DiskPart[] = [];
    for (const { file, position, start, length: part } of this.layout.segmentsOf(piece, begin, length))
      if (!this.#list[file]?.pad && isMeant(file))
        parts.push({ path: this.path(file), position, start, length: part });
    return parts;
  }

  /** Piece by piece, as the part file keeps them. */
  #partsKept(kept: PartFile, first: Piece, length: number, begin: number): DiskPart[] {
    const parts: DiskPart[] = [];
    const { geometry, layout } = this;
    let from = begin;
    for (let piece: Piece | undefined = first, start = 0; piece !== undefined && start < length; ) {
      const here = Math.min(length - start, geometry.lengthOf(piece) - from);
      for (const segment of layout.segmentsOf(piece, from, here)) {
        const file = this.#list[segment.file] as TorrentFile;
        if (file.pad) continue;
        const place = { start: start + segment.start, length: segment.length };
        const keptAt = kept.positionOf(piece, segment.file);
        if (keptAt === undefined)
          parts.push({ ...place, path: this.path(segment.file), position: segment.position });
        else {
          const into = segment.position - overlapOf(file, geometry, piece).position;
          parts.push({ ...place, path: kept.path, position: keptAt + into });
        }
      }
      start += here;
      from = 0;
      piece = geometry.piece(piece + 1);
    }
    return parts;
  }

  /** What reading this file ended with on another thread: its path where it is missing or too short, else a DISK_IO. */
  readFault(path: string, fault: SystemFault | undefined): string | TorrentError {
    if (!fault || isAbsent(fault)) return path;
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
    const kept = this.#unselected?.partFile;
    for (let file = 0; file < this.#list.length; file++)
      if (!this.#list[file]?.pad && this.#unselected?.isSelected(file) !== false)
        await this.#sync(this.path(file));
    if (kept && !kept.isEmpty) await this.#sync(kept.path);
  }

  close(): Promise<void> {
    return this.#access.close(this.#paths());
  }

  /** Of all files that may be open. */
  *#paths(): Generator<string> {
    for (let file = 0; file < this.#list.length; file++) if (!this.#list[file]?.pad) yield this.path(file);
    if (this.#unselected) yield this.#unselected.partFile.path;
  }

  async #sync(path: string): Promise<void> {
    try {
      await this.#access.sync(path);
    } catch (error) {
      throw diskError(`writing ${path}`, error);
    }
  }
}

function isUnsafe(component: string): boolean {
  if (component === '' || component === '.' || component === '..') return true;
  return component.includes('/') || component.includes(sep) || component.includes('\0');
}

/** Whether this is the hash that the torrent gives for the piece. @param pieceHashes 20 bytes for each piece */
export function isHashOf(hash: Uint8Array, piece: Piece, pieceHashes: Uint8Array): boolean {
  return equalBytes(hash, pieceHashes.subarray(piece * HASH_LENGTH, (piece + 1) * HASH_LENGTH));
}
