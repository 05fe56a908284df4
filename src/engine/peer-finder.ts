// Who is in a swarm, without joining it: the addresses that a magnet link, trackers, the DHT and the local network name,
// each told once.

import { networkInterfaces } from 'node:os';
import { formatHostPort } from '../torrent/host-port.js';
import type { InfoHash } from '../torrent/ids.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import { scrapeAll, TorrentTrackers, type TrackerReport } from '../tracker/torrent-trackers.js';
import type { EngineContext } from './engine-context.js';
import type { FoundEvent, ProcessEvent } from './events.js';
import type { FindOptions, TorrentSource } from './options.js';

export interface PeerFinderOptions {
  readonly context: EngineContext;
  readonly infoHash: InfoHash;
  readonly source: TorrentSource;
  readonly find: FindOptions;
  readonly onEvent: (event: ProcessEvent) => void;
}

export class PeerFinder {
  readonly #options: PeerFinderOptions;
  readonly #trackers: TorrentTrackers | undefined;
  readonly #told = new Set<string>();

  constructor(options: PeerFinderOptions) {
    this.#options = options;
    if (options.find.useTrackers) this.#trackers = this.#askTrackers();
  }

  /** Does what is due; returns when it wants to be called next. */
  tick(now: number): number {
    return this.#trackers?.tick(now) ?? Number.POSITIVE_INFINITY;
  }

  /** Tells of addresses until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { context, infoHash, source, find } = this.#options;
    for (const peer of find.peers) this.#tell(peer, 'manual');
    if (source.kind === 'magnet') for (const peer of source.magnet.peers) this.#tell(peer, 'magnet');
    const places: ({ remove(): void } | undefined)[] = [];
    if (source.kind === 'magnet' || !source.metainfo.private) {
      const needsPeers = () => true;
      const onPeer = (peer: HostPort) => this.#tell(peer, 'dht');
      places.push(context.dht?.add(infoHash, { port: undefined, needsPeers, onPeer }));
      places.push(context.lsd?.add(infoHash, peer => this.#tell(peer, 'lsd')));
    }
    const scraped = find.useTrackers && find.scrape ? this.#scrape(signal) : undefined;
    context.wakeAt(context.now());
    await aborted(signal);
    for (const place of places) place?.remove();
    await Promise.all([scraped, this.#trackers?.stop(context.now())]);
  }

  #tell({ host, port }: HostPort, from: FoundEvent['from']): void {
    const key = formatHostPort({ host, port });
    // Trackers name us too, for we ask them as a peer.
    if (port === this.#options.context.network.port && isOwnHost(host)) return;
    if (this.#told.has(key) || this.#told.size >= LIMITS.foundAddresses) return;
    this.#told.add(key);
    this.#options.onEvent({ event: 'found', host, port, from });
  }

  get #tiers(): readonly (readonly string[])[] {
    const { source, find } = this.#options;
    const named = source.kind === 'magnet' ? source.magnet : source.metainfo;
    return [...named.trackers, ...find.trackers];
  }

  /** A tracker names peers to a peer alone, so that we come and go like one. */
  #askTrackers(): TorrentTrackers {
    const { context, infoHash, source } = this.#options;
    return new TorrentTrackers({
      infoHash,
      tiers: this.#tiers,
      isPrivate: source.kind === 'torrent' && source.metainfo.private,
      identity: context.trackerIdentity,
      edges: context.trackerEdges,
      facts: () => ({
        port: context.network.port,
        uploaded: 0,
        downloaded: 0,
        left: BLOCK_LENGTH,
        needsPeers: true,
      }),
      now: () => context.now(),
      random: context.random,
      onPeers: peers => {
        for (const peer of peers) this.#tell(peer, 'tracker');
      },
      onReport: report => this.#reported(report),
      onTrackerChanged: () => {},
      wakeAt: timeMs => context.wakeAt(timeMs),
    });
  }

  #scrape(signal: AbortSignal): Promise<void> {
    const { context, infoHash } = this.#options;
    const onReport = (report: TrackerReport) => this.#reported(report);
    return scrapeAll({ infoHash, tiers: this.#tiers, edges: context.trackerEdges, onReport, signal });
  }

  #reported(report: TrackerReport): void {
    this.#options.find.onEvent({ event: 'tracker', ...report });
  }
}

function isOwnHost(host: string): boolean {
  return Object.values(networkInterfaces()).some(addresses =>
    addresses?.some(({ address }) => address === host),
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
