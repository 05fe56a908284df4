// Where things lie that tests read. They run from their sources and from below dist, so paths start at the root.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const rootAbove = (directory: string): string =>
  existsSync(join(directory, 'package.json')) ? directory : rootAbove(dirname(directory));

/** The repository. */
export const ROOT = rootAbove(import.meta.dirname);
/** Torrents, bencode cases and vectors of others, which may be absent. */
export const CORPUS = join(ROOT, '../shared/corpus');
