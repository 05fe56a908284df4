// The life of one torrent: metadata, data on disk, download, seeding, end. Here is what happens when; how is in the
// rooms below.

import type { OpenedData } from '../storage/piece-storage.js';
import { Recruiter } from '../swarm/recruiter.js';
import { Swarm } from '../swarm/swarm.js';
import { Bitfield } from '../torrent/bitfield.js';
import type { Piece } from '../torrent/geometry.js';
import type { InfoHash } from '../torrent/ids.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import type { Selection } from '../torrent/selection.js';
import { Deadlines } from './deadlines.js';
import type { EngineContext } from './engine-context.js';
import { saveTorrent, withAdditions } from './kept-metadata.js';
import { findMetainfo, MetadataPhase } from './metadata-phase.js';
import { openData } from './open-data.js';
import type { StreamOptions, TorrentHandle, TorrentOptions, TorrentSource } from './options.js';
import { Searches } from './searches.js';
import { demand, goalReached } from './seeding.js';
import { select } from './select.js';
import { SignalLine } from './signal-line.js';
import { announceFacts } from './snapshot.js';
import { openInMemory, Stream } from './stream.js';
import { SwarmOrders } from './swarm-orders.js';
import { outstandingWithin, swarmSettings } from './swarm-settings.js';
import { TorrentPeers } from './torrent-peers.js';
import { TorrentReport } from './torrent-report.js';
import { WebSeeds } from './web-seeds.js';

/** ms between two progress events. */
const PROGRESS_MS = 1000;

export class Torrent implements TorrentHandle {
  readonly infoHash: InfoHash;
  readonly finished: Promise<void>;
  readonly peers: TorrentPeers;
  readonly #context: EngineContext;
  readonly #options: TorrentOptions;
  readonly #report: TorrentReport;
  readonly #recruiter: Recruiter;
  readonly #searches: Searches;
  readonly #webSeeds: WebSeeds;
  readonly #deadlines: Deadlines;
  readonly #stopped = new AbortController();
  /** What `#run` waits at: the metadata, the last piece, the seeding goal. */
  readonly #waiting = new SignalLine();
  #fetch: MetadataPhase | undefined;
  #selection: Selection | undefined;
  #opened: OpenedData | undefined;
  #swarm: Swarm | undefined;
  #stream: Stream | undefined;
  /** Told of each piece that is here. */
  #pieceDone: (piece: Piece) => void = piece => this.#report.piece(piece);
  #seedingSinceMs = -1;
  /** When `tick` wants to be called next; kept by whoever calls it. */
  dueMs = 0;
  #progressAtMs = 0;

  /** @param onComplete called at 100 %, before any seeding */
  constructor(
    context: EngineContext,
    infoHash: InfoHash,
    source: TorrentSource,
    options: TorrentOptions,
    onComplete: () => void,
  ) {
    const now = context.now();
    const { network, dht } = context;
    this.infoHash = infoHash;
    this.#context = context;
    this.#options = options;
    this.#report = new TorrentReport(options.output, options.onEvent, now);
    this.#recruiter = new Recruiter(network.peerId, options.maxPeers, context.random);
    this.#deadlines = new Deadlines(options, now);
    this.#webSeeds = new WebSeeds({ context, onEvent: options.onEvent });
    this.peers = new TorrentPeers({
      infoHash,
      network,
      recruiter: this.#recruiter,
      pex: context.pex,
      onEvent: options.onEvent,
      onDhtNode: node => dht?.addNode(node),
      onError: error => this.#waiting.wake(error),
      onInput: () => context.wakeAt(context.now()),
    });
    this.#searches = new Searches({
      context,
      infoHash,
      recruiter: this.#recruiter,
      source,
      options,
      facts: () =>
        announceFacts(network.port, this.#recruiter.needsPeers, this.#swarm, this.#opened?.storage),
      onTrackerChanged: () => this.peers.keepOnly(['manual']),
    });
    this.finished = this.#run(source, onComplete).finally(() => this.#end());
    // Whoever holds the handle hears of a failure; that nobody does is no crash.
    this.finished.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#waiting.wake();
    await this.finished.catch(() => {});
  }

  /** Does what is due; returns when it wants to be called next. */
  tick(now: number): number {
    if (this.#stopped.signal.aborted) return Number.POSITIVE_INFINITY;
    for (let address = this.#recruiter.next(now); address; address = this.#recruiter.next(now)) {
      this.#context.network.dial(this.peers, address);
    }
    const phaseAtMs = this.#swarm?.tick(now) ?? this.#fetch?.fetch.tick(now) ?? Number.POSITIVE_INFINITY;
    if (now >= this.#progressAtMs) {
      this.#progressAtMs = now + PROGRESS_MS;
      this.#reportProgress(now);
    }
    // While data is being checked or closed nobody waits for peers, so no time runs out.
    if (this.#waiting.isAwaited) this.#watchTime(now);
    const othersAtMs = [this.#searches, this.#webSeeds, this.peers].map(part => part.tick(now));
    return Math.min(phaseAtMs, this.#recruiter.nextDueMs, this.#progressAtMs, ...othersAtMs);
  }

  /** Returns early, without a word, when the torrent is stopped. */
  async #run(source: TorrentSource, onComplete: () => void): Promise<void> {
    const { stateDirectory } = this.#context;
    const found = await findMetainfo(source, this.infoHash, stateDirectory, () => this.#fetchMetadata());
    if (!found) return;
    const { metainfo: named, from } = found;
    const { selection, warnings } = select(named, this.#options.select);
    this.#selection = selection;
    // What the user adds is for this run alone: it is not kept with what the torrent itself names.
    const metainfo = withAdditions(named, this.#options);
    this.#report.metadata(metainfo, selection, from);
    for (const warning of warnings) this.#report.warning(warning);
    this.peers.learn(metainfo);
    if (metainfo.private) this.#keepPrivate(metainfo);
    const { data, seed, stream, saveTorrent: path } = this.#options;
    if (path !== undefined) await saveTorrent(path, metainfo, this.#options.force);
    if (data === 'none') return;
    if (stream) return await this.#read(stream, named, selection, onComplete);
    const opened = await this.#open(named, selection);
    if (!opened) return;
    const { have } = opened.storage;
    if (data !== 'fetch') demand(data, metainfo, have, this.#options.output);
    const isMissing = data === 'fetch' && !selection.isComplete(have);
    if (isMissing || seed) this.#enterSwarm(metainfo, opened, selection);
    if (isMissing) await this.#wait();
    if (isMissing && !selection.isComplete(have)) return;
    if (seed) await opened.seal();
    else {
      void this.#leave();
      await opened.close();
    }
    if (data === 'fetch') this.#report.done(metainfo, selection, this.#swarm, this.#context.now());
    onComplete();
    if (!seed || this.#stopped.signal.aborted) return;
    this.#seedingSinceMs = this.#context.now();
    const { formatMagnet } = await import('../torrent/magnet-link.js');
    this.#report.seeding(formatMagnet(metainfo));
    await this.#wait();
    if (data !== 'fetch') this.#report.done(metainfo, selection, this.#swarm, this.#context.now());
  }

  /** Hands the bytes to their reader as they come; ends with the last of them, or with the reader. */
  async #read(
    { open, keep }: StreamOptions,
    metainfo: Metainfo,
    selection: Selection,
    onComplete: () => void,
  ): Promise<void> {
    const plan = open(metainfo);
    const onPiece = (piece: Piece, ok: boolean) => this.#pieceChecked(piece, ok);
    const memory = keep ? undefined : openInMemory(metainfo, onPiece);
    const opened = memory ?? (await this.#open(metainfo, selection));
    if (!opened) return;
    this.#opened = opened;
    const stream = new Stream(plan, opened.storage, memory);
    this.#stream = stream;
    if (!stream.isHere) this.#enterSwarm(withAdditions(metainfo, this.#options), opened, selection);
    stream.start(this.#swarm, () => this.#context.now(), this.#waiting);
    await this.#wait().finally(() => stream.stop());
    if (!stream.isDone) return;
    void this.#leave();
    await opened.close();
    this.#report.read(plan.files, stream.length, this.#swarm, this.#context.now());
    onComplete();
  }

  /** BEP 27: peers of a private torrent come from its tracker alone, or from the user. */
  #keepPrivate({ trackers }: Metainfo): void {
    if (trackers.length === 0)
      this.#report.warning('the torrent is private and names no tracker, so that nobody can be found');
    this.#searches.keepPrivate();
    this.peers.keepOnly(['manual', 'tracker']);
  }

  async #wait(): Promise<void> {
    if (!this.#stopped.signal.aborted) await this.#waiting.wait();
  }

  /** Begins nothing any more and parts from everybody. Fulfilled when trackers know, or have had time enough to hear of it. */
  #leave(): Promise<void> {
    this.#stopped.abort();
    this.#webSeeds.stop();
    this.peers.closeAll();
    return this.#searches.stop();
  }

  async #end(): Promise<void> {
    const left = this.#leave();
    try {
      await this.#opened?.close();
    } finally {
      await left;
      this.#context.forget(this);
    }
  }

  async #fetchMetadata(): Promise<Uint8Array | undefined> {
    this.#fetch = new MetadataPhase(this.infoHash, this.peers, () => this.#waiting.wake());
    this.peers.fetchMetadata(this.#fetch.fetch);
    this.#searches.start(undefined);
    await this.#wait();
    return this.#fetch.found;
  }

  async #open(metainfo: Metainfo, selection: Selection): Promise<OpenedData | undefined> {
    const { signal } = this.#stopped;
    const data = await openData(this.#context, this.#options, metainfo, selection, {
      signal,
      onPiece: (piece, ok) => this.#pieceChecked(piece, ok),
      onError: error => this.#waiting.wake(error),
    });
    if (!data) return undefined;
    this.#opened = data.opened;
    if (signal.aborted) return undefined;
    this.#pieceDone = this.#report.opened(data.placed, data.opened, selection);
    return data.opened;
  }

  #enterSwarm(metainfo: Metainfo, opened: OpenedData, selection: Selection): void {
    const { geometry, have } = opened.storage;
    const ours = Bitfield.from(have.bytes, geometry.pieceCount) ?? new Bitfield(geometry.pieceCount);
    const reading = this.#stream?.reading;
    const settings = swarmSettings(this.infoHash, this.#options, opened.storage, selection, reading);
    const { random, maxDownloadBps } = this.#context;
    const orders = new SwarmOrders(this.peers, this.#webSeeds, opened.storage);
    const swarm = new Swarm(geometry, ours, settings, orders, random);
    if (maxDownloadBps !== undefined) swarm.downloads.outstandingLimit = outstandingWithin(maxDownloadBps);
    this.#swarm = swarm;
    this.#fetch = undefined;
    this.#deadlines.restart(this.#context.now());
    this.peers.enterSwarm(swarm, opened.storage);
    if (!swarm.complete) this.#webSeeds.enterSwarm(swarm, metainfo);
    this.#searches.start(metainfo);
    this.#context.wakeAt(this.#context.now());
  }

  #pieceChecked(piece: Piece, ok: boolean): void {
    const swarm = this.#swarm;
    if (!swarm) return;
    const now = this.#context.now();
    if (ok) this.#pieceDone(piece);
    swarm.pieceChecked(piece, ok, now);
    if (ok) this.#stream?.pieceArrived(piece);
    if (!swarm.complete) return;
    this.#report.progress(swarm, this.#stream, now);
    this.#searches.completed(now);
    this.#waiting.wake();
  }

  #reportProgress(now: number): void {
    if (this.#swarm) this.#report.progress(this.#swarm, this.#stream, now);
    else if (this.#fetch && this.#context.dht)
      this.#report.dht(this.#context.dht.nodeCount, this.#recruiter.known);
  }

  #watchTime(now: number): void {
    if (this.#seedingSinceMs >= 0) {
      const { seed } = this.#options;
      const length = this.#selection?.length ?? 0;
      if (seed && this.#swarm && goalReached(seed, this.#swarm, length, now - this.#seedingSinceMs))
        this.#waiting.wake();
      return;
    }
    // Who reads slowly, or not at all, does not wait for us.
    if (this.#stream && !this.#stream.isAwaited) this.#deadlines.restart(now);
    const { receivedBytes, wastedBytes } = this.#swarm?.downloads ?? { receivedBytes: 0, wastedBytes: 0 };
    this.#deadlines.received(this.peers.metadataBytes + receivedBytes - wastedBytes, now);
    const error = this.#deadlines.expired(now, !!this.#fetch, () =>
      this.#searches.account(this.#fetch?.counts),
    );
    if (error) this.#waiting.wake(error);
  }
}
