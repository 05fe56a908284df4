// Phase one of a torrent that came as a magnet link: its info dictionary is fetched from peers (BEP 9).

import { MetadataFetch } from '../swarm/metadata-fetch.js';
import { equalBytes, type InfoHash } from '../torrent/ids.js';
import { sha1 } from '../torrent/sha.js';
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
