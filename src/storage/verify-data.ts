// Checks data that lies anywhere against its torrent, without a record of it. Finds where the data is, looks at its
// files and hashes what is there; writes nothing.

import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Bitfield } from '../torrent/bitfield.js';
import { TorrentError } from '../torrent/errors.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { LIMITS } from '../torrent/limits.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import type { Selection } from '../torrent/selection.js';
import { forEachConcurrently } from './concurrency.js';
import { diskError } from './disk-error.js';
import { FilePool } from './file-pool.js';
import { FileWarnings } from './file-warnings.js';
import { PartFile } from './part-file.js';
import { byteProgress } from './piece-hashing.js';
import type { FileStamp } from './resume.js';
import { isAbsent } from './system-fault.js';
import { TorrentFiles } from './torrent-files.js';
import { verifyPieces } from './verify-pieces.js';

/** Where the data of a torrent lies. */
export interface DataPlace {
  /** The torrent's root, as a shell would use it: the path that was given, joined. */
  readonly shown: string;
  /** The folder that holds the root, in the same form. */
  readonly output: string;
  /** Absolute path of the root, without symbolic links. */
  readonly root: string;
  /** Whether a download to `output` would use exactly these files. */
  readonly isUsual: boolean;
  /** One for each file of the torrent; undefined where none is, and for padding. */
  readonly found: readonly (FileStamp | undefined)[];
  /** What is wrong with the files, in words. */
  readonly warnings: readonly string[];
}

/**
 * Finds the data at `path`, which is the folder that holds the torrent's root, or the root itself under whatever name.
 * Where it could be both, the one with more of the torrent's files is meant. Warns of selected files alone.
 * @throws TorrentError NOT_FOUND where there is nothing of it, DISK_IO
 */
export async function findData(metainfo: Metainfo, path: string, selection: Selection): Promise<DataPlace> {
  const inside = await lookAt(metainfo, join(path, metainfo.name), path, selection);
  const isAll = inside && metainfo.files.every((file, index) => file.pad || inside.found[index]);
  const itself = isAll ? undefined : await lookAt(metainfo, path, undefined, selection);
  const best = count(itself) > count(inside) ? itself : (inside ?? itself);
  if (best && count(best) > 0) return best;
  const [reason, hint] = (await kindOf(path))
    ? ['nothing of the torrent is there', `give the folder that holds ${metainfo.name}, or the data itself`]
    : ['no such file or directory', undefined];
  throw new TorrentError('NOT_FOUND', `verifying ${path}: ${reason}`, hint === undefined ? {} : { hint });
}

/** @param output the folder that holds the root, where it was given @returns undefined where no such root can be */
async function lookAt(
  metainfo: Metainfo,
  shown: string,
  output: string | undefined,
  selection: Selection,
): Promise<DataPlace | undefined> {
  if ((await kindOf(shown)) !== (metainfo.singleFile ? 'file' : 'folder')) return undefined;
  const root = await realpath(shown).catch(refuse(shown));
  const isLink = (await lstat(shown).catch(refuse(shown))).isSymbolicLink();
  // The last component of `.` and `a/..` is no name: there the real path has to do.
  const isNamed = basename(shown) === basename(root) && !isLink;
  const warnings = new FileWarnings();
  const found = new Array<FileStamp | undefined>(metainfo.files.length).fill(undefined);
  await forEachConcurrently(metainfo.files.entries(), LIMITS.fileStats, async ([index, file]) => {
    if (file.pad) return;
    const below = file.path.slice(1);
    const stats = await look(join(root, ...below), join(shown, ...below));
    const what = stats?.isFile()
      ? wrongLength(stats.size, file.length)
      : stats
        ? 'no regular file'
        : 'missing';
    if (what !== undefined && selection.isSelected(index)) warnings.add(join(shown, ...below), what);
    if (stats?.isFile()) found[index] = { size: stats.size, mtimeMs: stats.mtimeMs };
  });
  return {
    shown,
    output: output ?? (isNamed ? dirname(shown) : dirname(root)),
    root,
    isUsual: output === undefined ? basename(root) === metainfo.name : !isLink,
    found,
    warnings: warnings.list(),
  };
}

function wrongLength(size: number, length: number): string | undefined {
  if (size === length) return undefined;
  return size < length
    ? `${size} of ${length} bytes`
    : `${size - length} bytes more than the ${length} of the torrent`;
}

function count(place: DataPlace | undefined): number {
  return place?.found.filter(file => file !== undefined).length ?? 0;
}

/** What is at this path, the path itself may be a link. */
async function kindOf(path: string): Promise<'file' | 'folder' | 'other' | undefined> {
  const real = await realpath(path).catch(error => {
    if (isAbsent(error)) return undefined;
    throw diskError(`reading ${path}`, error);
  });
  const stats = real === undefined ? undefined : await look(real, path);
  if (!stats) return undefined;
  return stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
}

async function look(path: string, shown: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw diskError(`reading ${shown}`, error);
  }
}

function refuse(shown: string): (error: unknown) => never {
  return error => {
    throw diskError(`reading ${shown}`, error);
  };
}

export interface DataVerification {
  /** Told of each bad piece, in ascending order, and the files with bytes in it, as printed. */
  readonly onBad: (piece: Piece, files: readonly string[]) => void;
  readonly onProgress: (hashedBytes: number, lengthBytes: number) => void;
  readonly signal: AbortSignal;
}

/** Hashes the pieces of selected files; returns those that match. @throws TorrentError DISK_IO for what may not be read */
export async function checkData(
  metainfo: Metainfo,
  place: DataPlace,
  selection: Selection,
  { onBad, onProgress, signal }: DataVerification,
): Promise<Bitfield> {
  // The root may have another name than the torrent.
  const list = metainfo.files.map(file => ({ ...file, path: [basename(place.root), ...file.path.slice(1)] }));
  const pool = new FilePool();
  const directory = dirname(place.root);
  const partFile = new PartFile(metainfo, directory, pool);
  await partFile.load();
  const isSelected = (file: number) => selection.isSelected(file);
  const files = new TorrentFiles({ ...metainfo, files: list }, directory, pool, { isSelected, partFile });
  const { geometry, layout } = files;
  const have = new Bitfield(geometry.pieceCount);
  const checked = new Bitfield(geometry.pieceCount);
  const asked = [...(selection.wanted ?? geometry.pieces())];
  const progress = byteProgress(bytesOf(asked, geometry), onProgress);
  let told = 0;
  const onPiece = (piece: Piece, ok: boolean) => {
    checked.add(piece);
    if (ok) have.add(piece);
    progress(geometry.lengthOf(piece));
    for (let next = asked[told]; next !== undefined && checked.has(next); next = asked[++told])
      if (!have.has(next)) onBad(next, filesOf(next));
  };
  const filesOf = (piece: Piece) =>
    layout
      .segmentsOf(piece)
      .filter(({ file }) => !layout.files[file]?.pad && isSelected(file))
      .map(({ file }) => join(place.shown, ...(metainfo.files[file]?.path.slice(1) ?? [])));
  const there: Piece[] = [];
  for (const piece of asked) {
    if (files.isThere(piece, file => place.found[file]?.size ?? 0)) there.push(piece);
    else onPiece(piece, false);
  }
  try {
    await verifyPieces(files, metainfo.pieceHashes, there, {
      onPiece,
      signal,
    });
  } finally {
    await pool.closeAll();
  }
  return have;
}

function bytesOf(pieces: readonly Piece[], geometry: Geometry): number {
  return pieces.reduce((sum, piece) => sum + geometry.lengthOf(piece), 0);
}
