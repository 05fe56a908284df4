// Files that lie on disk under the names of their torrent, though a download would have made those safe: what somebody seeds
// was not named by us.

import { lstat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { LIMITS } from '../torrent/limits.js';
import type { Metainfo, TorrentFile } from '../torrent/metainfo-types.js';
import { forEachConcurrently } from './concurrency.js';

/** The torrent with each file where it is: under its raw name, if that stays in its folder and only that is there. Never rejects. */
export async function asOnDisk(metainfo: Metainfo, output: string): Promise<Metainfo> {
  const files = [...metainfo.files];
  const renamed = [...files.entries()].filter(([, file]) => isPlaceable(file.rawPath));
  if (renamed.length === 0) return metainfo;
  const isThere = (path: readonly string[]) =>
    lstat(join(resolve(output), ...path)).then(
      stats => stats.isFile(),
      () => false,
    );
  await forEachConcurrently(renamed, LIMITS.fileStats, async ([index, file]) => {
    const { rawPath = file.path } = file;
    if (!(await isThere(file.path)) && (await isThere(rawPath))) files[index] = { ...file, path: rawPath };
  });
  return { ...metainfo, files };
}

function isPlaceable(path: TorrentFile['rawPath']): boolean {
  return (
    path?.every(
      name =>
        name !== '' &&
        name !== '.' &&
        name !== '..' &&
        !name.includes('/') &&
        !name.includes(sep) &&
        !name.includes('\0'),
    ) ?? false
  );
}
