// Metadata kept from earlier runs, one file for each info hash, so that a magnet link that was resolved once works
// offline. Apart from the resume records: it is large, never changes, and is the same wherever the data lies.

import { join } from 'node:path';
import { equalBytes, type InfoHash, toHex } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import { sha1 } from '../torrent/sha.js';
import { loadState, saveState } from './state-file.js';

/** What is needed to build the metainfo again. */
export interface CachedMetadata {
  /** The info dictionary; its SHA-1 is the info hash that was asked for. */
  readonly infoBytes: Uint8Array;
  /** Tiers (BEP 12). */
  readonly trackers: readonly (readonly string[])[];
  /** BEP 19. */
  readonly webSeeds: readonly string[];
}

const VERSION = 1;

function pathOf(stateDirectory: string, infoHash: InfoHash): string {
  return join(stateDirectory, 'metadata', `${toHex(infoHash)}.json`);
}

/** @throws TorrentError DISK_FULL, DISK_IO */
export async function saveMetadata(stateDirectory: string, metainfo: Metainfo): Promise<void> {
  await saveState(pathOf(stateDirectory, metainfo.infoHash), {
    version: VERSION,
    name: metainfo.name, // for people who look at the file
    trackers: metainfo.trackers,
    webSeeds: metainfo.webSeeds,
    info: Buffer.from(metainfo.infoBytes).toString('base64'),
  });
}

/** Metadata of this torrent from an earlier run, or undefined when there is none or it is damaged. */
export async function findCached(
  stateDirectory: string,
  infoHash: InfoHash,
): Promise<CachedMetadata | undefined> {
  const state = await loadState(pathOf(stateDirectory, infoHash));
  if (typeof state === 'string' || typeof state.value !== 'object' || state.value === null) return undefined;
  const saved: { version?: unknown; trackers?: unknown; webSeeds?: unknown; info?: unknown } = state.value;
  if (saved.version !== VERSION || typeof saved.info !== 'string') return undefined;
  if (!isStrings(saved.webSeeds) || !Array.isArray(saved.trackers) || !saved.trackers.every(isStrings)) {
    return undefined;
  }
  const infoBytes = new Uint8Array(Buffer.from(saved.info, 'base64'));
  if (infoBytes.length > LIMITS.metadataBytes) return undefined;
  if (!equalBytes(sha1(infoBytes), infoHash)) return undefined;
  return { infoBytes, trackers: saved.trackers, webSeeds: saved.webSeeds };
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string');
}
