// The life of one torrent: metadata, data on disk, download, seeding, end. Here is what happens when; how is in the
// rooms below.

import { createHash } from 'node:crypto';
import { FileProgress } from '../storage/layout.js';
import { type OpenTorrent, openTorrent } from '../storage/open.js';
import { MetadataFetch } from '../swarm/metadata-fetch.js';
import { Recruiter } from '../swarm/recruiter.js';
import { Swarm } from '../swarm/swarm.js';
import { allowedFastSet } from '../torrent/allowed-fast.js';
import { Bitfield } from '../torrent/bitfield.js';
import type { Piece } from '../torrent/geometry.js';
import { equalBytes, type InfoHash } from '../torrent/ids.js';
import { addressBytes } from '../torrent/ip.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import { parseInfo } from '../torrent/metainfo.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import { Deadlines } from './deadlines.js';
import type { EngineContext } from './engine-context.js';
import { keptMetainfo, saveTorrent } from './kept-metadata.js';
import type { TorrentHandle, TorrentOptions, TorrentSource } from './options.js';
import { Searches } from './searches.js';
import { SignalLine } from './signal-line.js';
import { bytesHave } from './snapshot.js';
import { TorrentPeers } from './torrent-peers.js';
import { TorrentReport } from './torrent-report.js';

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
  readonly #deadlines: Deadlines;
  readonly #stopped = new AbortController();
  /** What `#run` waits at: the metadata, the last piece, the seeding goal. */
  readonly #waiting = new SignalLine();
  #fetch: MetadataFetch | undefined;
  #opened: OpenTorrent | undefined;
  #swarm: Swarm | undefined;
  /** Told of each piece that is on disk. */
  #pieceDone: (piece: Piece) => void = () => {};
  #seedingSinceMs = -1;
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
    this.peers = new TorrentPeers({
      infoHash,
      network,
      recruiter: this.#recruiter,
      onEvent: options.onEvent,
      onDhtNode: node => dht?.addNode(node),
      onError: error => this.#waiting.wake(error),
      onInput: () => context.wakeAt(context.now()),
    });
    this.#searches = new Searches({ context, infoHash, recruiter: this.#recruiter, source, options });
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
    const phaseAtMs = this.#swarm?.tick(now) ?? this.#fetch?.tick(now) ?? Number.POSITIVE_INFINITY;
    if (now >= this.#progressAtMs) {
      this.#progressAtMs = now + PROGRESS_MS;
      this.#reportProgress(now);
    }
    // While data is being checked or closed nobody waits for peers, so no time runs out.
    if (this.#waiting.isAwaited) this.#watchTime(now);
    return Math.min(phaseAtMs, this.#recruiter.nextDueMs, this.#progressAtMs);
  }

  /** Returns early, without a word, when the torrent is stopped. */
  async #run(source: TorrentSource, onComplete: () => void): Promise<void> {
    const metainfo = await this.#metadata(source);
    if (!metainfo) return;
    this.peers.learn(metainfo);
    const { seed, saveTorrent: path } = this.#options;
    if (path !== undefined) await saveTorrent(path, metainfo);
    const opened = await this.#open(metainfo);
    if (!opened) return;
    const { have } = opened.storage;
    if (!have.full || seed) this.#enterSwarm(metainfo, opened);
    if (!have.full) await this.#wait();
    if (!have.full) return;
    if (seed) await opened.seal();
    else {
      this.#leave();
      await opened.close();
    }
    this.#report.done(metainfo, this.#swarm, this.#context.now());
    onComplete();
    if (!seed || this.#stopped.signal.aborted) return;
    this.#seedingSinceMs = this.#context.now();
    const { formatMagnet } = await import('../torrent/magnet-link.js');
    this.#report.seeding(formatMagnet(metainfo));
    await this.#wait();
  }

  async #wait(): Promise<void> {
    if (!this.#stopped.signal.aborted) await this.#waiting.wait();
  }

  /** Begins nothing any more and parts from everybody. */
  #leave(): void {
    this.#stopped.abort();
    this.#searches.stop();
    this.peers.closeAll();
  }

  async #end(): Promise<void> {
    this.#leave();
    try {
      await this.#opened?.close();
    } finally {
      this.#context.forget(this);
    }
  }

  /** The info dictionary: as given, as kept from an earlier run, or from peers. Undefined when we are stopped first. */
  async #metadata(source: TorrentSource): Promise<Metainfo | undefined> {
    if (source.kind === 'torrent') {
      this.#report.metadata(source.metainfo, 'torrent');
      return source.metainfo;
    }
    const { magnet } = source;
    const kept = await keptMetainfo(this.#context.stateDirectory, this.infoHash, magnet);
    const info = kept?.infoBytes ?? (await this.#fetchMetadata());
    if (!info) return undefined;
    const metainfo = kept ?? parseInfo(info, magnet.trackers, magnet.webSeeds);
    this.#report.metadata(metainfo, kept ? 'cache' : 'peers');
    return metainfo;
  }

  async #fetchMetadata(): Promise<Uint8Array | undefined> {
    let found: Uint8Array | undefined;
    this.#fetch = new MetadataFetch({
      send: (peer, message) => this.peers.send(peer, message),
      close: (peer, reason) => this.peers.close(peer, reason),
      matches: bytes => equalBytes(sha1(bytes), this.infoHash),
      complete: bytes => {
        found = bytes;
        this.#waiting.wake();
      },
    });
    this.peers.fetchMetadata(this.#fetch);
    this.#searches.start(undefined);
    await this.#wait();
    return found;
  }

  async #open(metainfo: Metainfo): Promise<OpenTorrent | undefined> {
    const { output, data, force, trust, recheck } = this.#options;
    const { stateDirectory, bootId, files, buffers } = this.#context;
    const { signal } = this.#stopped;
    const opened = await openTorrent({
      metainfo,
      output,
      stateDirectory,
      bootId: await bootId,
      access: files,
      buffers,
      writes: data === 'fetch',
      force,
      trust,
      recheck,
      signal,
      onPiece: (piece, ok) => this.#pieceChecked(piece, ok),
      onError: error => this.#waiting.wake(error),
    }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    if (!opened) return undefined;
    this.#opened = opened;
    if (signal.aborted) return undefined;
    for (const warning of opened.warnings) this.#report.warning(warning);
    const { have, layout, geometry } = opened.storage;
    if (opened.how !== 'fresh') this.#report.resumed(have.count, bytesHave(geometry, have), opened.how);
    const progress = new FileProgress(layout, have);
    metainfo.files.forEach((file, index) => {
      if (!file.pad && progress.left(index) === 0) this.#report.file(metainfo, index);
    });
    this.#pieceDone = piece => {
      this.#report.piece(piece);
      for (const file of progress.pieceDone(piece)) this.#report.file(metainfo, file);
    };
    return opened;
  }

  #enterSwarm(metainfo: Metainfo, opened: OpenTorrent): void {
    const { geometry, have } = opened.storage;
    const ours = Bitfield.from(have.bytes, geometry.pieceCount) ?? new Bitfield(geometry.pieceCount);
    const settings = {
      unchokeSlots: LIMITS.unchokeSlots,
      optimisticSlots: LIMITS.optimisticSlots,
      bufferedPieceBytes: LIMITS.bufferedPieceBytes,
      sequential: this.#options.sequential,
      // Where nothing is to be fetched, what is here is all there is to want.
      wanted: this.#options.data === 'fetch' ? undefined : new Bitfield(geometry.pieceCount),
      paddingOf: (piece: Piece) => opened.storage.padding.blocksOf(piece),
      allowedFast: (host: string) => this.#allowedFast(host, geometry.pieceCount),
    };
    const swarm = new Swarm(geometry, ours, settings, this.peers, this.#context.random);
    const limitBps = this.#context.maxDownloadBps;
    if (limitBps !== undefined) {
      const blocks = (limitBps * LIMITS.pipelineMs) / 1000 / BLOCK_LENGTH;
      swarm.downloads.outstandingLimit = Math.max(LIMITS.pipelineStart, Math.ceil(blocks));
    }
    this.#swarm = swarm;
    this.#fetch = undefined;
    this.#deadlines.restart(this.#context.now());
    this.peers.enterSwarm(swarm, opened);
    this.#searches.start(metainfo);
    this.#context.wakeAt(this.#context.now());
  }

  #allowedFast(host: string, pieceCount: number): number[] {
    const ip = addressBytes(host);
    if (ip?.length !== 4) return [];
    return allowedFastSet(ip, this.infoHash, pieceCount, LIMITS.allowedFastPieces, sha1);
  }

  #pieceChecked(piece: Piece, ok: boolean): void {
    const swarm = this.#swarm;
    if (!swarm) return;
    const now = this.#context.now();
    if (ok) this.#pieceDone(piece);
    swarm.pieceChecked(piece, ok, now);
    if (!swarm.complete) return;
    this.#report.progress(swarm, now);
    this.#waiting.wake();
  }

  #reportProgress(now: number): void {
    if (this.#swarm) this.#report.progress(this.#swarm, now);
    else if (this.#fetch && this.#context.dht)
      this.#report.dht(this.#context.dht.nodeCount, this.#recruiter.known);
  }

  #watchTime(now: number): void {
    if (this.#seedingSinceMs >= 0) {
      if (this.#seedGoalReached(now)) this.#waiting.wake();
      return;
    }
    const { receivedBytes, wastedBytes } = this.#swarm?.downloads ?? { receivedBytes: 0, wastedBytes: 0 };
    this.#deadlines.received(this.peers.metadataBytes + receivedBytes - wastedBytes, now);
    const error = this.#deadlines.expired(now, !!this.#fetch, () => this.#whyNoMetadata());
    if (error) this.#waiting.wake(error);
  }

  #seedGoalReached(now: number): boolean {
    const { seed } = this.#options;
    const swarm = this.#swarm;
    if (!seed || !swarm) return false;
    if (seed.timeMs !== undefined && now - this.#seedingSinceMs >= seed.timeMs) return true;
    return seed.ratio !== undefined && swarm.uploads.sentBytes >= seed.ratio * swarm.geometry.length;
  }

  #whyNoMetadata(): string {
    const nodes = this.#context.dht?.nodeCount ?? 0;
    const { connected, withoutMetadata } = this.#fetch?.counts ?? { connected: 0, withoutMetadata: 0 };
    const found = this.#recruiter.known;
    return `${nodes} DHT nodes, ${found} addresses found, ${connected} connected, ${withoutMetadata} without ut_metadata`;
  }
}

function sha1(bytes: Uint8Array): Uint8Array {
  return createHash('sha1').update(bytes).digest();
}
