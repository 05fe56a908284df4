// The mainline DHT (BEP 5) as a source of peers: one node for the whole process, on bittorrent-dht behind a guarded
// socket. Owns its socket and timers. Knows torrents by info hash alone. IPv4 only, as the package is (BEP 32 is not there).

import { createSocket, type Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { performance } from 'node:perf_hooks';
import { Client } from 'bittorrent-dht';
import { TorrentError } from '../torrent/errors.js';
import { type InfoHash, toHex } from '../torrent/ids.js';
import { addressBytes, isDialable } from '../torrent/ip.js';
import { LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import { GuardedSocket } from './guarded-socket.js';
import { LookupPace } from './lookup-schedule.js';
import { NodeNames } from './node-names.js';
import { type DhtInterest, Search } from './search.js';

/** Where a node without acquaintances begins; what qBittorrent and Transmission ship. */
const ROUTERS: readonly HostPort[] = [
  { host: 'router.bittorrent.com', port: 6881 },
  { host: 'router.utorrent.com', port: 6881 },
  { host: 'dht.transmissionbt.com', port: 6881 },
  { host: 'dht.libtorrent.org', port: 25401 },
];

/** Nodes of unknown health are pinged so many at a time, so often (ms), until so many are known: dead ones cost a slot each. */
const PINGS = 8;
const PING_EVERY_MS = 500;
const NODES_ENOUGH = 64;

export interface DhtOptions {
  /** Asked first, names or addresses; where empty, the built-in routers. */
  readonly bootstrap: readonly HostPort[];
  /** Nodes of an earlier run, as `nodes()` gave them. */
  readonly remembered: readonly HostPort[];
  /** IPv4 address to listen on; undefined: all. */
  readonly host?: string;
}

/** One torrent's place in the DHT. */
export interface DhtSearch {
  /** Looks and announces no more; what was announced expires with the nodes that hold it. */
  remove(): void;
}

export class DhtDiscovery {
  readonly #options: DhtOptions;
  readonly #names = new NodeNames(new Resolver({ timeout: 2000, tries: 2 }));
  readonly #searches = new Map<string, Search>();
  readonly #pace = new LookupPace(performance.now());
  /** Searches that wait for their lookup, in order. */
  readonly #line = new Set<Search>();
  #lineTimer: NodeJS.Timeout | undefined;
  /** Addresses of nodes that may or may not be there. */
  readonly #unknown: HostPort[];
  #pinging: NodeJS.Timeout | undefined;
  #socket: Socket | undefined;
  #client: Client | undefined;
  #stopped = false;

  constructor(options: DhtOptions) {
    this.#options = options;
    this.#unknown = options.remembered.slice(0, LIMITS.dhtNodesKept);
  }

  /** Binds the UDP port (0: any free one) and joins the DHT; gives the port. Rejects with NETWORK, and may be tried again then. */
  async listen(port: number): Promise<number> {
    const socket = await bound(port, this.#options.host);
    if (this.#stopped) {
      socket.close();
      throw new TorrentError('NETWORK', `listening on UDP port ${port}: stopped meanwhile`);
    }
    this.#socket = socket;
    const bootstrap = this.#options.bootstrap.length > 0 ? this.#options.bootstrap : ROUTERS;
    // Addresses are asked for peers at once in a first lookup; names are pinged when they have become addresses.
    const client = new Client({
      bootstrap: bootstrap.filter(isNode),
      socket: new GuardedSocket(socket, () => performance.now()),
      concurrency: LIMITS.dhtQueriesUnderWay,
      timeout: LIMITS.dhtTimeoutMs,
      maxPeers: LIMITS.dhtPeersStored,
      maxAge: LIMITS.dhtPeersStoredMs,
    });
    this.#client = client;
    client.on('error', () => {});
    client.on('warning', () => {});
    client.on('peer', (peer, infoHash) => this.#peerFound(peer, infoHash));
    client.on('announce', (peer, infoHash) => this.#peerFound(peer, infoHash));
    client.on('node', () => this.#nodeFound());
    client.listen();
    for (const node of bootstrap.filter(node => !isNode(node))) this.#addNamed(node);
    for (const search of this.#searches.values()) this.#due(search);
    this.#pingUnknown();
    return socket.address().port;
  }

  /** Takes part for a torrent until it is removed; adding an info hash again replaces its interest. */
  add(infoHash: InfoHash, interest: DhtInterest): DhtSearch {
    const key = toHex(infoHash);
    const replaced = this.#searches.get(key);
    if (replaced) this.#remove(key, replaced);
    const search = new Search(infoHash, interest);
    this.#searches.set(key, search);
    this.#due(search);
    return { remove: () => this.#remove(key, search) };
  }

  /** A node heard of elsewhere: from a torrent's `nodes`, or a peer's `port` message (BEP 5). */
  addNode(node: HostPort): void {
    if (!isNode(node)) this.#addNamed(node);
    else if (this.#unknown.length < LIMITS.dhtNodesKept) this.#unknown.unshift(node);
    if (this.#pinging === undefined) this.#pingUnknown();
  }

  /** Nodes worth remembering for the next run, at most LIMITS.dhtNodesKept. */
  nodes(): HostPort[] {
    const known = this.#client?.nodes.toArray() ?? [];
    return known
      .filter(isNode)
      .slice(0, LIMITS.dhtNodesKept)
      .map(({ host, port }) => ({ host, port }));
  }

  /** Nodes that have answered or asked us. */
  get nodeCount(): number {
    return this.#client?.nodes.count() ?? 0;
  }

  /** Leaves; fulfilled when no handle is open any more. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#pinging);
    clearTimeout(this.#lineTimer);
    this.#names.close();
    for (const [key, search] of this.#searches) this.#remove(key, search);
    const client = this.#client;
    const socket = this.#socket;
    this.#client = undefined;
    this.#socket = undefined;
    if (client) await new Promise<void>(resolve => client.destroy(resolve));
    if (socket) await new Promise<void>(resolve => socket.close(resolve));
  }

  /** The time for a lookup may have come: looks if there is a reason to, and says when to come back. */
  #due(search: Search): void {
    if (!this.#client) return;
    if (search.isDue(performance.now(), this.nodeCount)) this.#line.add(search);
    this.#comeBack(search);
    this.#lookNext();
  }

  #comeBack(search: Search): void {
    clearTimeout(search.timer);
    search.timer = setTimeout(() => this.#due(search), search.nextMs(performance.now()));
  }

  /** As many lookups as the pace allows; those who never had one go first. */
  #lookNext(): void {
    clearTimeout(this.#lineTimer);
    while (this.#line.size > 0) {
      const waitMs = this.#pace.waitMs(performance.now());
      if (waitMs > 0) {
        this.#lineTimer = setTimeout(() => this.#lookNext(), waitMs);
        return;
      }
      const line = [...this.#line];
      const next = line.find(search => !search.hasLooked) ?? line[0]!;
      this.#line.delete(next);
      this.#look(next);
    }
  }

  #look(search: Search): void {
    this.#pace.spend(this.nodeCount);
    search.lookupBegan(performance.now());
    this.#client?.lookup(search.infoHash, (_error, answered) => {
      search.lookupEnded();
      if (answered > 0 && this.#isCurrent(search)) this.#announce(search);
    });
  }

  #announce(search: Search): void {
    const { port } = search.interest;
    const now = performance.now();
    if (port === undefined || !search.mustAnnounce(now)) return;
    this.#pace.spend(this.nodeCount);
    this.#client?.announce(search.infoHash, port, (_error, nodes) => search.announced(nodes, now));
  }

  #isCurrent(search: Search): boolean {
    return this.#searches.get(toHex(search.infoHash)) === search;
  }

  #remove(key: string, search: Search): void {
    clearTimeout(search.timer);
    this.#line.delete(search);
    if (this.#searches.get(key) === search) this.#searches.delete(key);
  }

  #peerFound(peer: HostPort, infoHash: Uint8Array): void {
    const search = this.#searches.get(toHex(infoHash));
    if (search && isNode(peer) && search.peerFound(peer)) this.#comeBack(search);
  }

  /** The first node that is known makes lookups possible. */
  #nodeFound(): void {
    if (this.nodeCount !== 1) return;
    for (const search of this.#searches.values()) if (!search.isLooking) this.#due(search);
  }

  async #addNamed(node: HostPort): Promise<void> {
    const host = await this.#names.resolve(node.host);
    const found = { host: host ?? '', port: node.port };
    if (isNode(found)) this.#client?.addNode(found);
  }

  #pingUnknown(): void {
    this.#pinging = undefined;
    if (!this.#client || this.nodeCount >= NODES_ENOUGH) return;
    const next = this.#unknown.splice(0, PINGS).filter(isNode);
    for (const { host, port } of next) this.#client.addNode({ host, port });
    if (this.#unknown.length > 0) this.#pinging = setTimeout(() => this.#pingUnknown(), PING_EVERY_MS);
  }
}

/** Whether this is the IPv4 address and port of one machine. */
function isNode({ host, port }: HostPort): boolean {
  const bytes = addressBytes(host);
  return bytes?.length === 4 && isDialable(bytes) && Number.isInteger(port) && port > 0 && port < 65536;
}

function bound(port: number, host: string | undefined): Promise<Socket> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      socket.close();
      const why = cause.code === 'EADDRINUSE' ? 'address in use' : cause.message;
      const hint = 'name a free port with --port, or leave the DHT out with --no-dht';
      reject(new TorrentError('NETWORK', `listening on UDP port ${port}: ${why}`, { hint, cause }));
    });
    socket.bind({ port, exclusive: true, ...(host !== undefined && { address: host }) }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
