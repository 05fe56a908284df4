// Looks at many places of a disk: by itself where they are few, on a disk thread where they are many, which takes a tenth of
// the time.

import { lstat } from 'node:fs/promises';
import { TorrentError } from '../torrent/errors.js';
import { LIMITS } from '../torrent/limits.js';
import { forEachConcurrently } from './concurrency.js';
import { diskError } from './disk-error.js';
import type { DiskThreads } from './disk-threads.js';
import { type Seen, seenOf, unpackLooks } from './look-job.js';
import { errorOf, isAbsent } from './system-fault.js';

/** What is in one place, undefined where nothing is, or why nobody can say (DISK_IO). */
export type Look = Seen | undefined | TorrentError;

/** Looks at these absolute paths, in their order. A link is seen as a link. */
export async function lookAt(paths: readonly string[], threads: DiskThreads): Promise<Look[]> {
  if (threads.isSmall(paths.length * LIMITS.inPlaceFileBytes)) return lookHere(paths);
  const looks: Look[] = [];
  for (let at = 0; at < paths.length; at += LIMITS.lookPaths)
    looks.push(...(await lookThere(paths.slice(at, at + LIMITS.lookPaths), threads)));
  return looks;
}

async function lookHere(paths: readonly string[]): Promise<Look[]> {
  const looks = new Array<Look>(paths.length).fill(undefined);
  await forEachConcurrently(paths.entries(), LIMITS.fileStats, async ([index, path]) => {
    looks[index] = await lstat(path).then(seenOf, error => {
      return isAbsent(error) ? undefined : unseen(path, error);
    });
  });
  return looks;
}

/** One thread is enough: the system does one thing at a time in a folder. */
async function lookThere(paths: readonly string[], threads: DiskThreads): Promise<Look[]> {
  const answer = await threads.run({ kind: 'look', paths }, 0, Number.POSITIVE_INFINITY);
  if (answer.kind !== 'looked') throw new TorrentError('INTERNAL', `looking: answered ${answer.kind}`);
  return Array.from(unpackLooks(answer), (seen, index) => {
    return seen && 'message' in seen ? unseen(paths[index] ?? '', errorOf(seen)) : seen;
  });
}

function unseen(path: string, error: unknown): TorrentError {
  return diskError(`reading ${path}`, error);
}
