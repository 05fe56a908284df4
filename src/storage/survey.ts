// What lies on disk where a torrent's files belong. Looks, hashes nothing, changes nothing; refuses what is in the way.

import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Bitfield } from '../torrent/bitfield.js';
import { TorrentError } from '../torrent/errors.js';
import { LIMITS } from '../torrent/limits.js';
import { forEachConcurrently } from './concurrency.js';
import { diskError, errnoOf } from './disk-error.js';
import type { FileStamp } from './resume.js';
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
  const base = await look(directory, stat);
  if (base && !base.isDirectory()) throw new TorrentError('DISK_IO', `using ${directory}: not a directory`);
  const found = new Array<FoundFile | undefined>(files.layout.files.length).fill(undefined);
  if (!base) return found;

  const folders = new Map<string, Promise<boolean>>([[directory, Promise.resolve(true)]]);
  const isFolder = (path: string): Promise<boolean> => {
    const known = folders.get(path);
    if (known) return known;
    const folder = isFolder(dirname(path)).then(async parentIsThere => {
      const stats = parentIsThere ? await look(path, lstat) : undefined;
      if (stats && !stats.isDirectory())
        throw foreign(path, `${nameOf(stats)} is where a folder belongs`, false);
      return stats !== undefined;
    });
    folders.set(path, folder);
    return folder;
  };
  const find = async (index: number, longest: number): Promise<void> => {
    const path = files.path(index);
    const stats = (await isFolder(dirname(path))) ? await look(path, lstat) : undefined;
    if (!stats) return;
    if (!stats.isFile()) throw foreign(path, `${nameOf(stats)} is where a file belongs`, false);
    const { size, mtimeMs, blocks } = stats;
    if (size > longest && !force) {
      throw foreign(path, `it is longer (${size} bytes) than the torrent's file (${longest})`, true);
    }
    found[index] = { size, mtimeMs, allocatedBytes: blocks * 512 };
  };
  await forEachConcurrently(files.layout.files.entries(), LIMITS.fileStats, async ([index, file]) => {
    if (file.pad) return;
    await find(index, file.length).catch(error => {
      if (isSelected(index) || !(error instanceof TorrentError)) throw error;
    });
  });
  return found;
}

async function look(path: string, how: (path: string) => Promise<Stats>): Promise<Stats | undefined> {
  try {
    return await how(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw diskError(`reading ${path}`, error);
  }
}

function nameOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isDirectory()) return 'a directory';
  return stats.isFile() ? 'a file' : 'a special file';
}
