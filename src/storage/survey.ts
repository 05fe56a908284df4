// What lies on disk where a torrent's files belong. Looks, hashes nothing, changes nothing; refuses what is in the way.

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Bitfield } from '../torrent/bitfield.js';
import { TorrentError } from '../torrent/errors.js';
import { diskError } from './disk-error.js';
import { type DiskThreads, withDiskThreads } from './disk-threads.js';
import { type Look, lookAt } from './look.js';
import type { Seen } from './look-job.js';
import type { FileStamp } from './resume.js';
import { isAbsent } from './system-fault.js';
import type { TorrentFiles } from './torrent-files.js';

export interface FoundFile extends FileStamp {
  /** Bytes that the file occupies, holes left out. */
  readonly allocatedBytes: number;
}

/** One entry for each file of the torrent, undefined where nothing is there; pad files never are. */
export type Survey = readonly (FoundFile | undefined)[];

const HINT = 'move it away, or choose another output directory';
const FORCE_HINT = `${HINT}, or overwrite it with --force`;

/** Refuses a path that is taken by something that is not ours. */
function foreign(path: string, why: string, forceable: boolean): TorrentError {
  return new TorrentError('EXISTS', `using ${path}: ${why}`, { hint: forceable ? FORCE_HINT : HINT });
}

/** A file with content of which nothing matches, and which we did not write, is somebody else's. @throws TorrentError EXISTS */
export function refuseForeign(
  files: TorrentFiles,
  found: Survey,
  have: Bitfield,
  isInTheWay: (file: number) => boolean,
): void {
  found.forEach((file, index) => {
    if (!file || file.size === 0 || !isInTheWay(index) || files.holds(index, have)) return;
    throw foreign(files.path(index), 'no piece of the torrent is in it', true);
  });
}

/**
 * Looks at every file of the torrent. Below the output directory (which may be a link itself) no symbolic link is
 * followed: it could lead outside, or make two files one.
 * @param directory absolute path of the output directory
 * @param force accept files that are too long @param isSelected of any other file nothing is refused: it counts as missing
 * @throws TorrentError EXISTS when something else than a file, or a file that is too long, is in the way; DISK_IO
 */
export async function survey(
  files: TorrentFiles,
  directory: string,
  force: boolean,
  isSelected: (file: number) => boolean,
): Promise<Survey> {
  const list = files.layout.files;
  const found = new Array<FoundFile | undefined>(list.length).fill(undefined);
  if (!(await isDirectory(directory))) return found;
  const paths = list.map(({ pad }, file) => (pad ? undefined : files.path(file)));
  const looks = await withDiskThreads(threads => lookAtFiles(paths, directory, threads));
  for (const [file, path] of paths.entries()) {
    if (path === undefined) continue;
    const here = fileOf(looks[file], path, force ? undefined : list[file]?.length);
    if (!(here instanceof TorrentError)) found[file] = here;
    else if (isSelected(file)) throw here;
  }
  return found;
}

/** What is at each path; nothing where it is undefined. */
async function lookAtFiles(
  paths: readonly (string | undefined)[],
  directory: string,
  threads: DiskThreads,
): Promise<Look[]> {
  const folders = await lookAtFolders(paths, directory, threads);
  const looks = new Array<Look>(paths.length).fill(undefined);
  const within: number[] = [];
  const places: string[] = [];
  for (const [file, path] of paths.entries()) {
    const folder = path === undefined ? false : folders.get(dirname(path));
    if (folder instanceof TorrentError) looks[file] = folder;
    if (path === undefined || folder !== true) continue;
    within.push(file);
    places.push(path);
  }
  const found = await lookAt(places, threads);
  within.forEach((file, index) => {
    looks[file] = found[index];
  });
  return looks;
}

/** Whether it is there. @throws TorrentError DISK_IO when it is something else */
async function isDirectory(directory: string): Promise<boolean> {
  try {
    if ((await stat(directory)).isDirectory()) return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw diskError(`reading ${directory}`, error);
  }
  throw new TorrentError('DISK_IO', `using ${directory}: not a directory`);
}

/** Of each folder on the way to these files whether it is there, or why nothing can be below it. */
async function lookAtFolders(
  paths: readonly (string | undefined)[],
  directory: string,
  threads: DiskThreads,
): Promise<ReadonlyMap<string, boolean | TorrentError>> {
  const folders = new Map<string, boolean | TorrentError>([[directory, true]]);
  for (const level of levelsOf(paths, directory)) {
    const within: string[] = [];
    for (const path of level) {
      const above = folders.get(dirname(path)) ?? false;
      if (above === true) within.push(path);
      else folders.set(path, above);
    }
    const looks = await lookAt(within, threads);
    for (const [index, path] of within.entries()) folders.set(path, folderOf(looks[index], path));
  }
  return folders;
}

/** The folders between the directory and these files, those above first. */
function levelsOf(paths: readonly (string | undefined)[], directory: string): string[][] {
  const levels: string[][] = [];
  const depths = new Map<string, number>([[directory, -1]]);
  const depthOf = (folder: string): number => {
    const known = depths.get(folder);
    if (known !== undefined) return known;
    const depth = depthOf(dirname(folder)) + 1;
    depths.set(folder, depth);
    const level = levels[depth];
    if (level) level.push(folder);
    else levels[depth] = [folder];
    return depth;
  };
  for (const path of paths) if (path !== undefined) depthOf(dirname(path));
  return levels;
}

function folderOf(look: Look, path: string): boolean | TorrentError {
  if (look === undefined || look instanceof TorrentError) return look ?? false;
  return look.kind === 'folder' || foreign(path, `${NAMES[look.kind]} is where a folder belongs`, false);
}

/** @param longest bytes that it may have; undefined: any */
function fileOf(look: Look, path: string, longest: number | undefined): FoundFile | undefined | TorrentError {
  if (look === undefined || look instanceof TorrentError) return look;
  const { kind, size, mtimeMs, allocatedBytes } = look;
  if (kind !== 'file') return foreign(path, `${NAMES[kind]} is where a file belongs`, false);
  if (longest !== undefined && size > longest)
    return foreign(path, `it is longer (${size} bytes) than the torrent's file (${longest})`, true);
  return { size, mtimeMs, allocatedBytes };
}

const NAMES: Readonly<Record<Seen['kind'], string>> = {
  link: 'a symbolic link',
  folder: 'a directory',
  file: 'a file',
  special: 'a special file',
};
