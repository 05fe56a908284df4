// Where the sources are: what is no TypeScript (scripts, a client's packages) lies there alone, also for what runs from dist/.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function repository(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

export const REPOSITORY = repository();

/** A path of the repository, such as `test/interop/support/measure.py`. */
export function inRepository(...path: readonly string[]): string {
  return join(REPOSITORY, ...path);
}
