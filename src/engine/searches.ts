// Where the addresses of one torrent come from: the command line, the magnet link, the DHT. A private torrent (BEP 27)
// takes none but the user's own.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { DhtSearch } from '../discovery/dht.js';
import type { PeerSource } from '../swarm/port.js';
import type { Recruiter } from '../swarm/recruiter.js';
import type { InfoHash } from '../torrent/ids.js';
import type { HostPort, Metainfo } from '../torrent/metainfo-types.js';
import type { EngineContext } from './engine-context.js';
import type { TorrentOptions, TorrentSource } from './options.js';

export interface SearchesOptions {
  readonly context: EngineContext;
  readonly infoHash: InfoHash;
  readonly recruiter: Recruiter;
  readonly source: TorrentSource;
  readonly options: TorrentOptions;
}

export class Searches {
  readonly #options: SearchesOptions;
  #dht: DhtSearch | undefined;
  #started = false;
  #stopped = false;

  constructor(options: SearchesOptions) {
    this.#options = options;
  }

  /** Begins to look for peers. @param metainfo once it is known; a private torrent ends what it must not use */
  start(metainfo: Metainfo | undefined): void {
    const { context, infoHash, recruiter, source, options } = this.#options;
    const isPrivate = metainfo?.private ?? false;
    if (isPrivate) this.#leaveDht();
    if (this.#started) return;
    this.#started = true;
    this.#add(options.peers, 'manual');
    if (isPrivate) return;
    if (source.kind === 'magnet') this.#add(source.magnet.peers, 'magnet');
    for (const node of metainfo?.nodes ?? []) context.dht?.addNode(node);
    this.#dht = context.dht?.add(infoHash, {
      port: context.network.port,
      needsPeers: () => recruiter.needsPeers,
      onPeer: address => this.#found([address], 'dht'),
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#leaveDht();
  }

  #leaveDht(): void {
    this.#dht?.remove();
    this.#dht = undefined;
  }

  #add(places: readonly HostPort[], source: PeerSource): void {
    for (const place of places) {
      if (isIP(place.host)) this.#found([place], source);
      else this.#resolve(place, source);
    }
  }

  async #resolve({ host, port }: HostPort, source: PeerSource): Promise<void> {
    try {
      const found = await lookup(host, { all: true });
      if (!this.#stopped)
        this.#found(
          found.map(({ address }) => ({ host: address, port })),
          source,
        );
    } catch {
      const message = `looking up ${host}: no address found`;
      if (!this.#stopped) this.#options.options.onEvent({ event: 'warning', message });
    }
  }

  #found(addresses: readonly HostPort[], source: PeerSource): void {
    const { context, recruiter } = this.#options;
    const now = context.now();
    recruiter.addressesFound(addresses, source, now);
    context.wakeAt(now);
  }
}
