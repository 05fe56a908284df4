// Who is in a swarm, without taking part in it: the addresses that a magnet link, trackers, the DHT, the local network and peers
// name, each told once. Peers are asked whom they know, and nothing else.

import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Recruiter } from '../swarm/recruiter.js';
import { formatHostPort } from '../torrent/host-port.js';
import type { InfoHash } from '../torrent/ids.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import { scrapeAll, TorrentTrackers, type TrackerReport } from '../tracker/torrent-trackers.js';
import type { EngineContext } from './engine-context.js';
import type { FoundEvent, ProcessEvent } from './events.js';
import type { FindOptions, TorrentSource } from './options.js';
import { TorrentPeers } from './torrent-peers.js';

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
  readonly #recruiter: Recruiter;
  /** Those who are asked by peer exchange (BEP 11). */
  readonly peers: TorrentPeers;
  readonly #told = new Set<string>();
  /** When `tick` wants to be called next; kept by whoever calls it. */
  dueMs = 0;

  constructor(options: PeerFinderOptions) {
    this.#options = options;
    const { context } = options;
    this.#recruiter = new Recruiter(context.network.peerId, LIMITS.peersPerTorrent, context.random);
    this.peers = new TorrentPeers({
      infoHash: options.infoHash,
      network: context.network,
      recruiter: this.#recruiter,
      pex: this.#asksPeers,
      onExchanged: addresses => {
        for (const peer of addresses) this.#tell(peer, 'pex');
      },
      onEvent: options.find.onEvent,
      onDhtNode: node => context.dht?.addNode(node),
      onError: () => {},
      onInput: () => context.wakeAt(context.now()),
    });
    if (!this.#asksPeers) this.peers.closeAll();
    if (options.find.useTrackers) this.#trackers = this.#askTrackers();
  }

  /** Does what is due; returns when it wants to be called next. */
  tick(now: number): number {
    const dueMs = this.#trackers?.tick(now) ?? Number.POSITIVE_INFINITY;
    if (this.peers.isClosed) return dueMs;
    for (let address = this.#recruiter.next(now); address; address = this.#recruiter.next(now))
      this.#options.context.network.dial(this.peers, address);
    return Math.min(dueMs, this.#recruiter.nextDueMs, this.peers.tick(now));
  }

  /** Not with --no-pex, and not of a private torrent (BEP 27). */
  get #asksPeers(): boolean {
    return this.#options.context.pex && !this.#isPrivate;
  }

  get #isPrivate(): boolean {
    const { source } = this.#options;
    return source.kind === 'torrent' && source.metainfo.private;
  }

  /** Tells of addresses until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { context, infoHash, source, find } = this.#options;
    for (const peer of find.peers) this.#tell(peer, 'manual');
    if (source.kind === 'magnet') for (const peer of source.magnet.peers) this.#tell(peer, 'magnet');
    const places: ({ remove(): void } | undefined)[] = [];
    if (!this.#isPrivate) {
      const needsPeers = () => true;
      const onPeer = (peer: HostPort) => this.#tell(peer, 'dht');
      places.push(context.dht?.add(infoHash, { port: undefined, needsPeers, onPeer }));
      places.push(context.lsd?.add(infoHash, peer => this.#tell(peer, 'lsd')));
    }
    const scraped = find.useTrackers && find.scrape ? this.#scrape(signal) : undefined;
    context.wakeAt(context.now());
    await aborted(signal);
    this.peers.closeAll();
    for (const place of places) place?.remove();
    await Promise.all([scraped, this.#trackers?.stop(context.now())]);
  }

  #tell({ host, port }: HostPort, from: FoundEvent['from']): void {
    const key = formatHostPort({ host, port });
    // Trackers name us too, for we ask them as a peer.
    if (port === this.#options.context.network.port && isOwnHost(host)) return;
    if (this.#told.has(key) || this.#told.size >= LIMITS.foundAddresses) return;
    this.#told.add(key);
    if (from !== 'pex' && isIP(host)) {
      const { context } = this.#options;
      this.#recruiter.addressesFound([{ host, port }], from, context.now());
      context.wakeAt(context.now());
    }
    this.#options.onEvent({ event: 'found', host, port, from });
  }

  get #tiers(): readonly (readonly string[])[] {
    const { source, find } = this.#options;
    const named = source.kind === 'magnet' ? source.magnet : source.metainfo;
    return [...named.trackers, ...find.trackers];
  }

  /** A tracker names peers to a peer alone, so that we come and go like one. */
  #askTrackers(): TorrentTrackers {
    const { context, infoHash } = this.#options;
    return new TorrentTrackers({
      infoHash,
      tiers: this.#tiers,
      isPrivate: this.#isPrivate,
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
