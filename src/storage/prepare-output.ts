// Makes the output directory ready for a torrent that is about to be written: there, writable, with room; files of the
// lengths they may have, and in them what was kept in the part file.

import { constants } from 'node:fs';
import { access as checkAccess, statfs, truncate } from 'node:fs/promises';
import type { Bitfield } from '../torrent/bitfield.js';
import { TorrentError } from '../torrent/errors.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import type { Selection } from '../torrent/selection.js';
import { diskError } from './disk-error.js';
import type { FileAccess } from './file-pool.js';
import { overlapOf } from './layout.js';
import { makeDirectory } from './make-directory.js';
import type { PartFile } from './part-file.js';
import type { Survey } from './survey.js';
import type { TorrentFiles } from './torrent-files.js';

/** Makes the output directory; the uppermost one that had to be made for it. @throws TorrentError DISK_FULL, DISK_IO */
export async function makeOutput(directory: string): Promise<string | undefined> {
  try {
    return await makeDirectory(directory);
  } catch (error) {
    throw diskError(`creating ${directory}`, error);
  }
}

/** @throws TorrentError DISK_IO where the directory cannot be written to */
export async function demandWritable(directory: string): Promise<void> {
  try {
    await checkAccess(directory, constants.W_OK);
  } catch (error) {
    throw diskError(`writing to ${directory}`, error);
  }
}

/** Makes sure of room for what is missing of the selected files, and of the part file. @throws TorrentError DISK_FULL */
export async function demandRoom(
  directory: string,
  { name }: Metainfo,
  files: TorrentFiles,
  selection: Selection,
  found: Survey,
  have: Bitfield,
): Promise<void> {
  const { layout } = files;
  let needed = 0;
  layout.files.forEach((file, index) => {
    if (file.pad || !selection.isSelected(index)) return;
    needed += Math.max(0, file.length - (found[index]?.allocatedBytes ?? 0));
  });
  for (const piece of selection.wanted ?? []) {
    if (have.has(piece)) continue;
    for (const { file, length } of layout.segmentsOf(piece))
      if (!layout.files[file]?.pad && !selection.isSelected(file)) needed += length;
  }
  const free = await freeBytes(directory);
  if (needed <= free) return;
  const what = `storing ${name} in ${directory}`;
  throw new TorrentError('DISK_FULL', `${what}: ${needed} bytes are needed, ${free} are free`);
}

/**
 * Creates the selected files that are empty, cuts those that are too long (which takes `force`); whether there were any. The
 * others grow as they are written: cheap on every file system, and what is short tells that something is missing.
 * @throws TorrentError DISK_FULL, DISK_IO
 */
export async function fixLengths(
  files: TorrentFiles,
  selection: Selection,
  found: Survey,
  access: FileAccess,
): Promise<boolean> {
  let isChanged = false;
  for (const [index, file] of files.layout.files.entries()) {
    if (file.pad || !selection.isSelected(index)) continue;
    const size = found[index]?.size;
    const isMissing = size === undefined && file.length === 0;
    const isTooLong = size !== undefined && size > file.length;
    if (!isMissing && !isTooLong) continue;
    isChanged = true;
    const path = files.path(index);
    try {
      if (isMissing) await access.write(path, new Uint8Array(), 0);
      else await truncate(path, file.length);
    } catch (error) {
      throw diskError(`writing ${path}`, error);
    }
  }
  return isChanged;
}

/**
 * Moves what the part file has of selected files to where it belongs, as far as its pieces are verified, and drops the
 * rest of it. The part file is what it was until all of that is on the device: whoever is killed meanwhile does it again.
 * @throws TorrentError DISK_FULL, DISK_IO
 */
export async function importParts(
  files: TorrentFiles,
  partFile: PartFile,
  selection: Selection,
  have: Bitfield,
  access: FileAccess,
): Promise<void> {
  const { layout, geometry } = files;
  const written = new Set<string>();
  for (const kept of partFile) {
    const file = layout.files[kept.file];
    if (!file || !selection.isSelected(kept.file) || !have.has(kept.piece)) continue;
    const path = files.path(kept.file);
    const data = await partFile.read(kept);
    try {
      await access.write(path, data, overlapOf(file, geometry, kept.piece).position);
    } catch (error) {
      throw diskError(`writing ${path}`, error);
    }
    written.add(path);
  }
  for (const path of written) {
    await access.sync(path).catch(error => {
      throw diskError(`writing ${path}`, error);
    });
  }
  await partFile.rewrite(({ piece, file }) => !selection.isSelected(file) && have.has(piece));
}

/** Bytes that we may still write in this directory. Where the system does not tell, there is no limit. */
async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
