// Runs the tests of a room in one process: to start tap for each file takes longer than most files do.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** These wait for processes of their own, and so run beside the rest of their room; tap is told of them by name. */
const APART = /^(binary|end-to-end)/;

/** Loads the test files of `test/<room>`, one after the other. Their tests share nothing but the process. */
export async function runRoom(room: string): Promise<void> {
  const folder = join(import.meta.dirname, '..', room);
  for (const name of readdirSync(folder).sort()) {
    if (/\.test\.[jt]s$/.test(name) && !APART.test(name))
      await import(pathToFileURL(join(folder, name)).href);
  }
}
