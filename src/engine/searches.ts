// Where the addresses of one torrent come from: the command line, the magnet link, trackers, the DHT, the local network.
// A private torrent (BEP 27) takes none but those of its tracker and the user's own.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { PeerSource } from '../swarm/port.js';
import type { Recruiter } from '../swarm/recruiter.js';
import type { InfoHash } from '../torrent/ids.js';
import type { HostPort, Metainfo } from '../torrent/metainfo-types.js';
import { type AnnounceFacts, TorrentTrackers } from '../tracker/torrent-trackers.js';
import type { EngineContext } from './engine-context.js';
import type { TorrentOptions, TorrentSource } from './options.js';

export interface SearchesOptions {
  readonly context: EngineContext;
  readonly infoHash: InfoHash;
  readonly recruiter: Recruiter;
  readonly source: TorrentSource;
  readonly options: TorrentOptions;
  /** What trackers are told of us. */
  readonly facts: () => AnnounceFacts;
  /** A private torrent went on to another tracker: peers of the one before must go. */
  readonly onTrackerChanged: () => void;
}

export class Searches {
  readonly #options: SearchesOptions;
  #trackers: TorrentTrackers | undefined;
  /** Places in the DHT and on the local network. */
  #places: { remove(): void }[] = [];
  #isPrivate = false;
  /** What the last tracker that failed said. */
  #trouble: string | undefined;
  #started = false;
  #stopped = false;

  constructor(options: SearchesOptions) {
    this.#options = options;
  }

  /** From now on only trackers, one at a time, and the user name peers. */
  keepPrivate(): void {
    this.#isPrivate = true;
    this.#leavePlaces();
    this.#trackers?.setPrivate();
  }

  /** Begins to look for peers; further calls change nothing. @param metainfo undefined while it is being fetched */
  start(metainfo: Metainfo | undefined): void {
    if (this.#started) return;
    this.#started = true;
    const { context, infoHash, recruiter, source, options } = this.#options;
    this.#add(options.peers, 'manual');
    this.#startTrackers(metainfo);
    if (this.#isPrivate) return;
    if (source.kind === 'magnet') this.#add(source.magnet.peers, 'magnet');
    for (const node of metainfo?.nodes ?? []) context.dht?.addNode(node);
    const dht = context.dht?.add(infoHash, {
      port: context.network.port,
      needsPeers: () => recruiter.needsPeers,
      onPeer: address => this.#found([address], 'dht'),
    });
    const local = context.lsd?.add(infoHash, address => this.#found([address], 'lsd'));
    for (const place of [dht, local]) if (place) this.#places.push(place);
  }

  /** All that was wanted is here; told at most once, and not where it was here from the start. */
  completed(now: number): void {
    this.#trackers?.completed(now);
  }

  /** Who was asked and what came of it, in words for the error that it was not enough. @param counts of the connections */
  account(counts: string | undefined): string {
    const { context, recruiter } = this.#options;
    const parts = [
      context.dht ? `${context.dht.nodeCount} DHT nodes` : 'no DHT',
      `${recruiter.known} addresses found`,
      counts ?? `${recruiter.connected} connected`,
    ];
    if (this.#trouble !== undefined) parts.push(`tracker ${this.#trouble}`);
    return parts.join(', ');
  }

  /** Does what is due; returns when it wants to be called next. */
  tick(now: number): number {
    return this.#trackers?.tick(now) ?? Number.POSITIVE_INFINITY;
  }

  /** Looks no more. Fulfilled when trackers were told, or did not answer in time. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#leavePlaces();
    await this.#trackers?.stop(this.#options.context.now());
  }

  #startTrackers(metainfo: Metainfo | undefined): void {
    const { context, infoHash, source, options, facts, onTrackerChanged } = this.#options;
    if (!options.useTrackers) return;
    const named = metainfo ?? (source.kind === 'magnet' ? source.magnet : source.metainfo);
    const tiers = [...named.trackers, ...options.trackers];
    if (tiers.length === 0) return;
    this.#trackers = new TorrentTrackers({
      infoHash,
      tiers,
      isPrivate: this.#isPrivate,
      facts,
      identity: context.trackerIdentity,
      edges: context.trackerEdges,
      random: context.random,
      now: () => context.now(),
      onPeers: addresses => this.#found(addresses, 'tracker'),
      onReport: report => {
        this.#trouble = report.error === undefined ? undefined : `${report.url}: ${report.error}`;
        options.onEvent({ event: 'tracker', ...report });
      },
      onTrackerChanged,
      wakeAt: timeMs => context.wakeAt(timeMs),
    });
    context.wakeAt(context.now());
  }

  #leavePlaces(): void {
    for (const place of this.#places) place.remove();
    this.#places = [];
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
    // What was asked for before may be answered after it was given up.
    if (this.#stopped || (this.#isPrivate && source !== 'manual' && source !== 'tracker')) return;
    const { context, recruiter } = this.#options;
    const now = context.now();
    recruiter.addressesFound(addresses, source, now);
    context.wakeAt(now);
  }
}
