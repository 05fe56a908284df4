// Metadata between runs: what was kept of an earlier one, what this run adds, and --save-torrent.

import { readFile, stat } from 'node:fs/promises';
import { findCached } from '../storage/metadata-cache.js';
import { writeTorrent } from '../storage/torrent-output.js';
import { equalBytes, type InfoHash } from '../torrent/ids.js';
import { buildTorrent, parseInfo } from '../torrent/metainfo.js';
import type { Magnet, Metainfo } from '../torrent/metainfo-types.js';
import type { TorrentOptions } from './options.js';

/** The metainfo of an earlier run, with what the magnet link adds to it; undefined when there is none. */
export async function keptMetainfo(
  stateDirectory: string,
  infoHash: InfoHash,
  magnet: Magnet,
): Promise<Metainfo | undefined> {
  const kept = await findCached(stateDirectory, infoHash);
  if (!kept) return undefined;
  const named = new Set(magnet.trackers.flat());
  const others = kept.trackers.filter(tier => !tier.some(url => named.has(url)));
  const webSeeds = [...new Set([...magnet.webSeeds, ...kept.webSeeds])];
  return parseInfo(kept.infoBytes, [...magnet.trackers, ...others], webSeeds);
}

/** With the trackers and web seeds that the user adds. */
export function withAdditions(
  metainfo: Metainfo,
  { trackers, webSeeds }: Pick<TorrentOptions, 'trackers' | 'webSeeds'>,
): Metainfo {
  return {
    ...metainfo,
    trackers: [...metainfo.trackers, ...trackers],
    webSeeds: [...metainfo.webSeeds, ...webSeeds],
  };
}

/**
 * Writes a .torrent. A file that is there already is left alone where it is the same, and overwritten only with `force`.
 * @throws TorrentError EXISTS, DISK_FULL, DISK_IO
 */
export async function saveTorrent(path: string, metainfo: Metainfo, force: boolean): Promise<void> {
  const bytes = buildTorrent(metainfo);
  if (!(await holds(path, bytes))) await writeTorrent(path, bytes, force, '--save-torrent');
}

/** Whether the file has just these bytes; one that cannot be read has not. */
async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const { size } = await stat(path);
    return size === bytes.length && equalBytes(await readFile(path), bytes);
  } catch {
    return false;
  }
}
