// Makes directories. A loop of our own: Node's `recursive` never ends where the system says of a new entry that its
// parent is missing though it is there, as /proc does.

import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './disk-error.js';

/**
 * Makes a directory and those above it; gives the uppermost one that was made, or undefined when all were there.
 * @param mode of what is made @throws what the system says
 */
export async function makeDirectory(path: string, mode = 0o777): Promise<string | undefined> {
  try {
    return await makeOne(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) !== 'ENOENT' || parent === path) throw error;
    const above = await makeDirectory(parent, mode);
    const made = await makeOne(path, mode);
    return above ?? made;
  }
}

/** The path if it was made, undefined if it is a directory already. */
async function makeOne(path: string, mode: number): Promise<string | undefined> {
  try {
    await mkdir(path, mode);
    return path;
  } catch (error) {
    // Systems differ in what they say of a directory that is there, most of all on a read-only disk.
    if (errnoOf(error) === 'ENOENT') throw error;
    const isThere = await stat(path).then(
      stats => stats.isDirectory(),
      () => false,
    );
    if (!isThere) throw error;
    return undefined;
  }
}
