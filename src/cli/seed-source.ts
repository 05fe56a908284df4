// What `seed` is given: a source of metadata, or data that has none yet. Which one a file is tells its content.

import { lstat, open, realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { TorrentSource } from '../engine/options.js';
import { findValues, scanValue } from '../torrent/bencode-scanner.js';
import { TorrentError } from '../torrent/errors.js';
import { LIMITS } from '../torrent/limits.js';
import { systemReason } from './failure.js';
import { DICTIONARY, type SourceItem } from './source-list.js';
import { isUrl, shownSource } from './source-text.js';
import { type Fetching, parseLink, readRaw, readSource, torrentSource } from './sources.js';

export type SeedSource = TorrentSource | { readonly kind: 'data'; readonly path: string };

/**
 * A folder is data. So is a file, unless it holds a torrent or is called one. Rejects with NOT_FOUND where there is nothing,
 * and as readSource does.
 */
export async function readSeedSource(item: SourceItem, fetching: Fetching): Promise<SeedSource> {
  const { source: path } = item;
  if (item.kind !== 'name' || isUrl(path) || parseLink(path) !== undefined) return readSource(item, fetching);
  const stats = await stat(path).catch((error: unknown) => {
    throw notFound(path, error);
  });
  if (stats.isDirectory()) return dataAt(path);
  const named = /\.torrent$/i.test(path);
  // a pipe can be read only once, and is no data to seed
  if (!stats.isFile() || named) return readSource(item, fetching);
  if (stats.size > LIMITS.torrentFileBytes || !(await beginsLikeTorrent(path))) return dataAt(path);
  const raw = await readRaw(item, fetching);
  if (raw.kind === 'torrent' && !hasInfo(raw.bytes)) return dataAt(path);
  return torrentSource(raw, path);
}

/** Where a link leads: data is seeded under the name that it has itself, for nothing is written through a link. */
async function dataAt(path: string): Promise<SeedSource> {
  const own = resolve(path);
  const isLink = await lstat(own).then(
    stats => stats.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return { kind: 'data', path };
  const target = await realpath(own).catch((error: unknown) => {
    throw notFound(path, error);
  });
  return { kind: 'data', path: target };
}

async function beginsLikeTorrent(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw notFound(path, error);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    return DICTIONARY.test(buffer.toString('latin1', 0, bytesRead));
  } catch (error) {
    throw notFound(path, error);
  } finally {
    await file.close();
  }
}

function hasInfo(bytes: Uint8Array): boolean {
  return !('fault' in scanValue(bytes, 0)) && findValues(bytes, 0, ['info']).has('info');
}

function notFound(path: string, error: unknown): TorrentError {
  return new TorrentError('NOT_FOUND', `reading ${shownSource(path)}: ${systemReason(error)}`, {
    hint: 'rarest seed takes a file, a folder, a .torrent or a magnet link',
    cause: error,
  });
}
