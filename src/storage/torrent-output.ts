// The .torrent that is written: whole or not at all, and never over a file that is there, unless that is wanted.

import { randomUUID } from 'node:crypto';
import { link, open, realpath, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TorrentError } from '../torrent/errors.js';
import { diskError, errnoOf } from './disk-error.js';

/** The flag that named the path: what it does is in the messages. */
export type OutputFlag = '-o' | '--save-torrent';
const DOING: Readonly<Record<OutputFlag, string>> = { '-o': 'writing', '--save-torrent': 'saving' };

/** What a file system without hard links answers. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** `special` is a pipe or a device, which is written to and never replaced. */
type Place = 'free' | 'file' | 'folder' | 'special';

/** What is at `path`. */
async function placeOf(path: string, flag: OutputFlag): Promise<Place> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return 'folder';
    return stats.isFile() ? 'file' : 'special';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'free';
    throw diskError(`${DOING[flag]} ${path}`, error);
  }
}

/** Rejects with EXISTS where `path` could not be written later on: worth to know before an hour of hashing. */
export async function refuseExisting(path: string, force: boolean, flag: OutputFlag): Promise<void> {
  refuse(path, await placeOf(path, flag), force, flag);
}

/** Writes `bytes` to `path`. Rejects with EXISTS, where `force` is not given, DISK_FULL or DISK_IO. */
export async function writeTorrent(
  path: string,
  bytes: Uint8Array,
  force: boolean,
  flag: OutputFlag,
): Promise<void> {
  const place = await placeOf(path, flag);
  refuse(path, place, force, flag);
  try {
    if (place === 'special') return await writeFile(path, bytes);
    // what a symbolic link points at is replaced, not the link
    const target = place === 'file' ? await realpath(path) : path;
    await writeWhole(target, bytes, force, flag);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw exists(path, flag);
    throw diskError(`${DOING[flag]} ${path}`, error);
  }
}

async function writeWhole(path: string, bytes: Uint8Array, force: boolean, flag: OutputFlag): Promise<void> {
  const draft = join(dirname(path), `.rarest-${randomUUID()}.tmp`);
  const file = await open(draft, 'wx');
  try {
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    if (force) await rename(draft, path);
    else await linkInPlace(draft, path, flag);
  } finally {
    // gone already where it was renamed
    await unlink(draft).catch(() => {});
  }
}

/** Unlike a renaming, fails where something came to be at `path` meanwhile. */
async function linkInPlace(draft: string, path: string, flag: OutputFlag): Promise<void> {
  try {
    await link(draft, path);
  } catch (error) {
    if (!NO_LINKS.includes(errnoOf(error))) throw error;
    await refuseExisting(path, false, flag);
    await rename(draft, path);
  }
}

/** A folder is in the way whatever is forced. */
function refuse(path: string, place: Place, force: boolean, flag: OutputFlag): void {
  if (place === 'file' && !force) throw exists(path, flag);
  if (place !== 'folder') return;
  throw new TorrentError('EXISTS', `${DOING[flag]} ${path}: it is a folder`, {
    hint: `${flag} FILE writes elsewhere`,
  });
}

function exists(path: string, flag: OutputFlag): TorrentError {
  return new TorrentError('EXISTS', `${DOING[flag]} ${path}: it exists`, {
    hint: `--force overwrites it, ${flag} FILE writes elsewhere`,
  });
}
