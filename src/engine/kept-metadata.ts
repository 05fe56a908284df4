// Metadata between runs: what was kept of an earlier one, and --save-torrent.

import { writeFile } from 'node:fs/promises';
import { diskError } from '../storage/disk-error.js';
import { findCached } from '../storage/metadata-cache.js';
import type { InfoHash } from '../torrent/ids.js';
import { buildTorrent, parseInfo } from '../torrent/metainfo.js';
import type { Magnet, Metainfo } from '../torrent/metainfo-types.js';

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

/** Writes a .torrent. @throws TorrentError DISK_FULL, DISK_IO */
export async function saveTorrent(path: string, metainfo: Metainfo): Promise<void> {
  try {
    await writeFile(path, buildTorrent(metainfo));
  } catch (error) {
    throw diskError(`saving ${path}`, error);
  }
}
