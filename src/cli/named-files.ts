// Which files of a torrent are meant: those that a command line names, or the only one there is.

import { join } from 'node:path';
import type { Selectable, SelectableFile } from '../engine/options.js';
import { TorrentError } from '../torrent/errors.js';
import { usageError } from './failure.js';
import { nearest } from './nearest.js';
import { shownSource } from './source-text.js';

/** Files that are looked through for the one that was probably meant. */
const LOOKED_AT = 10_000;

/**
 * The indices of these files, in the order of their names: a path as `info` prints it, the path below the torrent's root, or
 * an index; a number is always an index.
 * @throws TorrentError SELECT_EMPTY where there is no such file
 */
export function namedFiles({ name, files }: Selectable, names: readonly string[]): number[] {
  const byName = new Map<string, number>();
  files.forEach((file, index) => {
    if (file.pad) return;
    byName.set(join(...file.path), index);
    byName.set(belowRoot(file), index);
  });
  return names.map(word => {
    const index = /^\d+$/.test(word) ? Number(word) : byName.get(word);
    if (index !== undefined && files[index]?.pad === false) return index;
    throw new TorrentError('SELECT_EMPTY', `finding ${shownSource(word)}: ${name} has no such file`, {
      hint: hintFor(word, files),
    });
  });
}

/** All files that hold more than padding. */
export function allFiles({ files }: Selectable): number[] {
  return files.flatMap(({ pad }, index) => (pad ? [] : [index]));
}

/** The only file. @throws TorrentError USAGE where there are several */
export function onlyFile(metainfo: Selectable): number {
  const [only, ...others] = allFiles(metainfo);
  if (only !== undefined && others.length === 0) return only;
  throw usageError(
    shownSource(metainfo.name),
    `it has ${others.length + 1} files, and none was named`,
    'rarest info lists them with their indices; --tar takes all',
  );
}

/** As it lies inside of the torrent's folder; the name where the torrent is one file. */
function belowRoot({ path }: SelectableFile): string {
  return path.length > 1 ? join(...path.slice(1)) : join(...path);
}

function hintFor(word: string, files: readonly SelectableFile[]): string {
  const known = files.filter(({ pad }) => !pad).slice(0, LOOKED_AT);
  const last = known.find(({ path }) => path.at(-1) === word);
  const meant = last ? belowRoot(last) : nearest(word, known.map(belowRoot));
  if (meant !== undefined) return `did you mean ${shownSource(meant)}?`;
  return 'rarest info lists the files with their indices';
}
