// Where the metadata of a torrent comes from, and phase one of one that came as a magnet link: its info dictionary is
// fetched from peers (BEP 9).

import { MetadataFetch } from '../swarm/metadata-fetch.js';
import { equalBytes, type InfoHash } from '../torrent/ids.js';
import { parseInfo } from '../torrent/metainfo.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import { sha1 } from '../torrent/sha.js';
import { keptMetainfo } from './kept-metadata.js';
import type { TorrentSource } from './options.js';
import type { TorrentPeers } from './torrent-peers.js';

export class MetadataPhase {
  readonly fetch: MetadataFetch;
  /** The info dictionary, once it is here. */
  found: Uint8Array | undefined;

  /** @param onFound called once */
  constructor(infoHash: InfoHash, peers: TorrentPeers, onFound: () => void) {
    this.fetch = new MetadataFetch({
      send: (peer, message) => peers.send(peer, message),
      close: (peer, reason) => peers.close(peer, reason),
      matches: bytes => equalBytes(sha1(bytes), infoHash),
      complete: bytes => {
        this.found = bytes;
        onFound();
      },
    });
  }

  /** In words for the error that nobody gave it. */
  get counts(): string {
    const { connected, withoutMetadata } = this.fetch.counts;
    return `${connected} connected, ${withoutMetadata} without ut_metadata`;
  }
}

export interface FoundMetainfo {
  readonly metainfo: Metainfo;
  readonly from: 'torrent' | 'peers' | 'cache';
}

/**
 * The metadata: as given, as kept from an earlier run, or from peers.
 * @param fetch asks peers for the info dictionary; where it has none we were stopped first
 */
export async function findMetainfo(
  source: TorrentSource,
  infoHash: InfoHash,
  stateDirectory: string,
  fetch: () => Promise<Uint8Array | undefined>,
): Promise<FoundMetainfo | undefined> {
  if (source.kind === 'torrent') return { metainfo: source.metainfo, from: 'torrent' };
  const { magnet } = source;
  const kept = await keptMetainfo(stateDirectory, infoHash, magnet);
  if (kept) return { metainfo: kept, from: 'cache' };
  const info = await fetch();
  return info && { metainfo: parseInfo(info, magnet.trackers, magnet.webSeeds), from: 'peers' };
}
