// The composition root: owns clock, randomness and the one timer, and puts network, DHT, storage and torrents together.

import { randomInt } from 'node:crypto';
import { DhtDiscovery } from '../discovery/dht.js';
import type { HttpClient } from '../net/http.js';
import { bootId } from '../storage/boot.js';
import { FilePool } from '../storage/file-pool.js';
import { PieceBuffers } from '../storage/piece-buffer.js';
import { stateDirectory } from '../storage/state-directory.js';
import { boundAddress } from '../torrent/binding.js';
import { TorrentError } from '../torrent/errors.js';
import { type InfoHash, toHex } from '../torrent/ids.js';
import type { TrackerEdges, TrackerIdentity } from '../tracker/torrent-trackers.js';
import { isHeld, lostBinding } from './binding.js';
import { monotonicMs } from './clock.js';
import { rememberedNodes, rememberNodes } from './dht-memory.js';
import type { EngineContext } from './engine-context.js';
import { httpClient } from './http-client.js';
import { LocalNetwork } from './local-network.js';
import { Network } from './network.js';
import type {
  EngineHandle,
  EngineOptions,
  FindOptions,
  TorrentHandle,
  TorrentOptions,
  TorrentSource,
} from './options.js';
import { PeerFinder } from './peer-finder.js';
import { Torrent } from './torrent.js';
import type { TorrentPeers } from './torrent-peers.js';
import { trackerEdges } from './tracker-access.js';

/** The timer sleeps no longer than this, so that a clock that stood still (a laptop asleep) is noticed. ms */
const LONGEST_SLEEP_MS = 1000;
/** What becomes due within this time is done together: a thousand torrents have something due in each millisecond. */
const COALESCE_MS = 25;
/** ms between two looks at the addresses that we are bound to. */
const BOUND_MS = 1000;

export function createEngine(options: EngineOptions): EngineHandle {
  return new Engine(options);
}

/** Where state is kept unless the caller says otherwise. */
export function defaultStateDirectory(): string {
  return stateDirectory();
}

class Engine implements EngineHandle, EngineContext {
  readonly network: Network;
  readonly http: HttpClient;
  readonly trackerEdges: TrackerEdges;
  readonly trackerIdentity: TrackerIdentity;
  readonly pex: boolean;
  readonly files = new FilePool();
  readonly buffers = new PieceBuffers();
  readonly stateDirectory: string;
  readonly bootId = bootId();
  readonly random = Math.random;
  readonly maxDownloadBps: number | undefined;
  dht: DhtDiscovery | undefined;
  lsd: LocalNetwork | undefined;
  readonly #options: EngineOptions;
  readonly #torrents = new Map<string, Torrent>();
  readonly #finders = new Set<PeerFinder>();
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  /** When something that asked to be woken is due. */
  #pokedAtMs = Number.POSITIVE_INFINITY;
  #boundAtMs = 0;
  #starting: Promise<void> | undefined;
  #leaving: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.stateDirectory = options.stateDirectory;
    this.maxDownloadBps = options.maxDownloadBps;
    this.pex = options.pex;
    const binding = options.bound?.binding;
    this.http = httpClient(binding);
    this.trackerEdges = trackerEdges(this.http, monotonicMs, binding);
    this.network = new Network({
      dht: this.#hasDht,
      binding,
      maxConnections: options.maxConnections,
      maxDownloadBps: options.maxDownloadBps,
      maxUploadBps: options.maxUploadBps,
      ownerOf: infoHash => this.#ownerOf(infoHash),
      wakeAt: timeMs => this.wakeAt(timeMs),
    });
    this.trackerIdentity = { peerId: this.network.peerId, key: randomInt(2 ** 32) };
  }

  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  add(source: TorrentSource, options: TorrentOptions, onComplete: () => void): TorrentHandle {
    const infoHash = infoHashOf(source);
    const key = toHex(infoHash);
    if (this.#closing) throw new TorrentError('INTERNAL', `adding ${key}: the engine is closed`);
    if (this.#torrents.has(key)) {
      throw new TorrentError('LOCKED', `adding ${key}: this torrent is at work already`, {
        hint: 'name it once',
      });
    }
    const torrent = new Torrent(this, infoHash, source, options, onComplete);
    this.#torrents.set(key, torrent);
    this.wakeAt(this.now());
    return torrent;
  }

  findPeers(source: TorrentSource, options: FindOptions, signal: AbortSignal): Promise<void> {
    const { onEvent } = this.#options;
    const finder = new PeerFinder({
      context: this,
      infoHash: infoHashOf(source),
      source,
      find: options,
      onEvent,
    });
    this.#finders.add(finder);
    return finder.run(signal).finally(() => this.#finders.delete(finder));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  now(): number {
    return monotonicMs();
  }

  wakeAt(timeMs: number): void {
    this.#pokedAtMs = Math.min(this.#pokedAtMs, timeMs);
    this.#sleepUntil(timeMs);
  }

  #sleepUntil(timeMs: number): void {
    if (timeMs >= this.#timerAtMs || this.#closing) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = timeMs;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, timeMs - this.now()));
  }

  forget(torrent: Torrent): void {
    const key = toHex(torrent.infoHash);
    if (this.#torrents.get(key) === torrent) this.#torrents.delete(key);
  }

  /** The DHT is one of IPv4 addresses, and has to do without us where none is bound. */
  get #hasDht(): boolean {
    const { dht, bound } = this.#options;
    return dht && (!bound || boundAddress(bound.binding, 4) !== undefined);
  }

  async #start(): Promise<void> {
    const { lsd, port, bound, onEvent } = this.#options;
    const node = await this.#dhtNode();
    const bindDht = node && (async (udpPort: number) => void (await node.listen(udpPort)));
    const listener = await this.network.listen(port, bindDht);
    this.dht = node;
    if (lsd) {
      this.lsd = new LocalNetwork(listener.port, bound?.binding.addresses, this.random);
      await this.lsd.start();
    }
    for (const [at, host] of listener.hosts.entries()) {
      const dhtPort = node && at === 0 ? listener.port : null;
      onEvent({ event: 'listening', host, port: listener.port, dhtPort });
    }
    this.wakeAt(this.now());
  }

  async #dhtNode(): Promise<DhtDiscovery | undefined> {
    const { dht, dhtBootstrap, bound, onEvent } = this.#options;
    if (!this.#hasDht) {
      if (dht) onEvent({ event: 'warning', message: 'no DHT: it needs an IPv4 address, and none is bound' });
      return undefined;
    }
    const host = bound && boundAddress(bound.binding, 4);
    const remembered = await rememberedNodes(this.stateDirectory);
    return new DhtDiscovery({ bootstrap: dhtBootstrap, remembered, ...(host !== undefined && { host }) });
  }

  #ownerOf(infoHash: InfoHash): TorrentPeers | undefined {
    const key = toHex(infoHash);
    const finder = [...this.#finders].find(({ peers }) => toHex(peers.infoHash) === key);
    const peers = this.#torrents.get(key)?.peers ?? finder?.peers;
    return peers?.isClosed ? undefined : peers;
  }

  #tick(): void {
    const now = this.now();
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#watchBound(now);
    if (this.#leaving) return;
    const dueMs = Math.max(this.#tickParts(now), now + COALESCE_MS);
    this.#sleepUntil(Math.max(Math.min(dueMs, this.network.tick(now), this.#pokedAtMs), now + 1));
  }

  /** Does what is due in torrents and searches, in all of them where one asked for it. Returns when something is due next. */
  #tickParts(now: number): number {
    const isPoked = now >= this.#pokedAtMs;
    if (isPoked) this.#pokedAtMs = Number.POSITIVE_INFINITY;
    let dueMs = now + LONGEST_SLEEP_MS;
    for (const part of [...this.#torrents.values(), ...this.#finders]) {
      if (isPoked || now >= part.dueMs) part.dueMs = part.tick(now);
      dueMs = Math.min(dueMs, part.dueMs);
    }
    return dueMs;
  }

  #watchBound(now: number): void {
    const { bound } = this.#options;
    if (!bound || now < this.#boundAtMs) return;
    this.#boundAtMs = now + BOUND_MS;
    if (isHeld(bound.binding, bound.interfaces())) return;
    // First the sockets: nobody can be told that we stop, and nothing may leave by another way.
    void this.#leave();
    bound.onLost(lostBinding(bound.binding));
    void this.close();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#torrents.values()].map(torrent => torrent.stop()));
    // What was about to be opened must be closed too.
    await this.#starting?.catch(() => {});
    clearTimeout(this.#timer);
    await this.#leave();
  }

  /** Fulfilled when no socket is open any more. */
  #leave(): Promise<void> {
    this.#leaving ??= this.#closeSockets();
    return this.#leaving;
  }

  async #closeSockets(): Promise<void> {
    const nodes = this.dht?.nodes() ?? [];
    this.http.close();
    this.trackerEdges.udp.close();
    await Promise.all([this.network.close(), this.dht?.stop(), this.lsd?.stop()]);
    await rememberNodes(this.stateDirectory, nodes);
  }
}

function infoHashOf(source: TorrentSource): InfoHash {
  if (source.kind === 'torrent') return source.metainfo.infoHash;
  if (source.magnet.infoHash) return source.magnet.infoHash;
  throw new TorrentError('UNSUPPORTED', 'reading the magnet link: it names a v2-only torrent', {
    hint: 'v2-only torrents cannot be downloaded yet; v1 and hybrid ones can',
  });
}
