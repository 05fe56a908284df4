// Finds the files that a torrent is to be made of: what lies at the paths a user gives, and where the torrent's root is.
// Looks at names and lengths, reads no content.

import type { Stats } from 'node:fs';
import { access, constants, lstat, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { TorrentError } from '../torrent/errors.js';
import { LIMITS } from '../torrent/limits.js';
import { decodeStrictUtf8, decodeUtf8 } from '../torrent/text.js';
import { forEachConcurrently } from './concurrency.js';
import { diskError } from './disk-error.js';
import { FileWarnings } from './file-warnings.js';
import { realPath } from './state-file.js';

export interface SourceFile {
  /** Components below the torrent's root; none when the root is this file. */
  readonly path: readonly string[];
  /** Absolute, without symbolic links: where its bytes are. */
  readonly place: string;
  /** For messages: below the path as the user wrote it. */
  readonly shown: string;
  readonly length: number;
  readonly mtimeMs: number;
}

export interface SourceFiles {
  /** What the torrent's root is called on disk; empty when it is the root of the file system. */
  readonly name: string;
  /** The folder that holds the root: relative to the working directory if all paths were. */
  readonly parent: string;
  readonly isFile: boolean;
  /** In the order of the torrent: by the bytes of their paths, `/` between the components. */
  readonly files: readonly SourceFile[];
  /** Whether a path that was given is a symbolic link: it was followed, but will not be when it is seeded from here. */
  readonly hasLink: boolean;
  readonly warnings: readonly string[];
}

/** A path that was given. */
interface Source {
  /** As the user wrote it. */
  readonly given: string;
  /** Absolute, without symbolic links but for the last component. */
  readonly place: string;
  /** Absolute, without symbolic links. */
  readonly real: string;
  readonly stats: Stats;
}

/**
 * - One path is the root itself, a file or a folder; it may be a symbolic link.
 * - Of several, the root is the nearest folder that holds them all, and each file keeps its path below it. Paths that
 *   are the same, or lie in another one, count once; if one is left, it is the root.
 * - Folders are taken with all that is in them, hidden files and empty files too. Symbolic links in them, sockets, pipes
 *   and devices are left out, with a warning; empty folders cannot be said in a torrent.
 * @param exclude the .torrent about to be written, left out wherever it lies
 * @throws TorrentError NOT_FOUND when there is nothing at a path, USAGE, UNSUPPORTED (names that are not UTF-8, too many
 * files), DISK_IO for what cannot be read
 */
export async function findSourceFiles(
  paths: readonly string[],
  exclude: string | undefined,
): Promise<SourceFiles> {
  const excluded = exclude === undefined ? undefined : await placeOf(exclude);
  const given: Source[] = [];
  await forEachConcurrently(paths.entries(), LIMITS.fileStats, async ([at, path]) => {
    given[at] = await openSource(path);
  });
  const sources = outermost(given).filter(({ place }) => place !== excluded);
  const [first] = sources;
  if (!first) throw new TorrentError('USAGE', 'making a torrent: no path is left to make it of');
  const root = sources.length === 1 ? first.place : commonFolder(sources);
  const walk = new Walk(excluded);
  for (const source of sources) await walk.take(source, componentsOf(relative(root, source.place)));
  const parent = dirname(root);
  return {
    name: basename(root),
    parent: paths.some(isAbsolute) ? parent : relative('', parent) || '.',
    isFile: sources.length === 1 && first.stats.isFile(),
    files: walk.files(),
    hasLink: sources.some(({ place, real }) => place !== real),
    warnings: walk.warnings.list(),
  };
}

async function openSource(given: string): Promise<Source> {
  if (given === '') throw new TorrentError('USAGE', 'making a torrent: a path is empty');
  try {
    const real = await realpath(given);
    const isLink = (await lstat(given)).isSymbolicLink();
    return { given, place: isLink ? await placeOf(given) : real, real, stats: await lstat(real) };
  } catch (cause) {
    throw new TorrentError('NOT_FOUND', diskError(`reading ${given}`, cause).message, { cause });
  }
}

/** The absolute path without symbolic links but for the last component, which may not exist. */
async function placeOf(path: string): Promise<string> {
  return join(await realPath(dirname(resolve(path))), basename(resolve(path)));
}

/** Without those that are the same as, or inside, another one. */
function outermost(sources: readonly Source[]): Source[] {
  const places = new Set<string>();
  return [...sources]
    .sort((a, b) => a.place.length - b.place.length)
    .filter(({ place }) => {
      for (let path = place; ; path = dirname(path)) {
        if (places.has(path)) return false;
        if (path === dirname(path)) break;
      }
      places.add(place);
      return true;
    });
}

function commonFolder(sources: readonly Source[]): string {
  return sources
    .map(({ place }) => dirname(place))
    .reduce((common, folder) => {
      let above = common;
      while (above !== folder && !folder.startsWith(above.endsWith(sep) ? above : above + sep))
        above = dirname(above);
      return above;
    });
}

function componentsOf(path: string): string[] {
  return path === '' ? [] : path.split(sep);
}

/** Something found, and where. */
interface Entry {
  readonly path: readonly string[];
  readonly place: string;
  readonly shown: string;
}

/** Collects the files of several sources. */
class Walk {
  readonly warnings = new FileWarnings();
  readonly #excluded: string | undefined;
  readonly #files: SourceFile[] = [];
  readonly #folders: Entry[] = [];

  constructor(excluded: string | undefined) {
    this.#excluded = excluded;
  }

  /** The files found, in order. No locale and no file system has a say in it. */
  files(): SourceFile[] {
    return this.#files
      .map(file => ({ file, key: Buffer.from(file.path.join('/')) }))
      .sort((a, b) => Buffer.compare(a.key, b.key))
      .map(({ file }) => file);
  }

  /** @param path components below the root */
  async take({ given, real, stats }: Source, path: readonly string[]): Promise<void> {
    if (!stats.isFile() && !stats.isDirectory())
      throw new TorrentError('BAD_SOURCE', `making a torrent of ${given}: it is neither a file nor a folder`);
    await this.#note({ path, place: real, shown: given }, stats);
    for (let folder = this.#folders.pop(); folder; folder = this.#folders.pop()) await this.#open(folder);
  }

  async #open(folder: Entry): Promise<void> {
    await forEachConcurrently(await namesIn(folder), LIMITS.fileStats, async name => {
      const place = join(folder.place, name);
      if (place === this.#excluded) return;
      const entry = { path: [...folder.path, name], place, shown: join(folder.shown, name) };
      await this.#note(entry, await lstat(place).catch(refuse(entry.shown)));
    });
  }

  async #note(entry: Entry, stats: Stats): Promise<void> {
    if (stats.isDirectory()) {
      this.#folders.push(entry);
    } else if (stats.isFile()) {
      // What may not be read is told before anything is hashed.
      await access(entry.place, constants.R_OK).catch(refuse(entry.shown));
      this.#files.push({ ...entry, length: stats.size, mtimeMs: stats.mtimeMs });
      if (this.#files.length > LIMITS.files)
        throw new TorrentError(
          'UNSUPPORTED',
          `making a torrent: there are more than ${LIMITS.files} files, the most that one may have`,
        );
    } else {
      this.warnings.add(
        entry.shown,
        stats.isSymbolicLink()
          ? 'a symbolic link in a folder is left out'
          : 'no regular file, so it is left out',
      );
    }
  }
}

/** Names in a folder. A torrent holds UTF-8 text, so that another name could not be found again. */
async function namesIn({ place, shown }: Entry): Promise<string[]> {
  const names = await readdir(place, { encoding: 'buffer' }).catch(refuse(shown));
  return names.map(name => {
    const text = decodeStrictUtf8(name);
    if (text !== undefined) return text;
    throw new TorrentError('UNSUPPORTED', `reading ${join(shown, decodeUtf8(name))}: its name is not UTF-8`, {
      hint: 'rename it first',
    });
  });
}

function refuse(shown: string): (error: unknown) => never {
  return error => {
    throw diskError(`reading ${shown}`, error);
  };
}
