// Who is in a swarm, without joining it: the addresses that a magnet link and the DHT name, each told once.

import type { DhtDiscovery } from '../discovery/dht.js';
import { formatHostPort } from '../torrent/host-port.js';
import type { InfoHash } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import type { ProcessEvent } from './events.js';
import type { TorrentSource } from './options.js';

export interface PeerSearch {
  readonly infoHash: InfoHash;
  readonly source: TorrentSource;
  /** Addresses that the user named. */
  readonly peers: readonly HostPort[];
  readonly dht: DhtDiscovery | undefined;
}

/** Tells of addresses until `signal` aborts. */
export function findPeers(
  { infoHash, source, peers, dht }: PeerSearch,
  onEvent: (event: ProcessEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set<string>();
  const tell = ({ host, port }: HostPort, from: string) => {
    const key = formatHostPort({ host, port });
    if (told.has(key) || told.size >= LIMITS.foundAddresses) return;
    told.add(key);
    onEvent({ event: 'found', host, port, from });
  };
  for (const peer of peers) tell(peer, 'manual');
  if (source.kind === 'magnet') for (const peer of source.magnet.peers) tell(peer, 'magnet');
  const isPrivate = source.kind === 'torrent' && source.metainfo.private;
  const search = isPrivate
    ? undefined
    : dht?.add(infoHash, { port: undefined, needsPeers: () => true, onPeer: peer => tell(peer, 'dht') });
  return new Promise(resolve => {
    const end = () => {
      search?.remove();
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
