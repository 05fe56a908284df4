// Local service discovery (BEP 14) as a source of peers: announces our torrents on the local network by multicast, and hears
// who else has them. One for the whole process. Knows torrents by info hash alone; private ones are not to be added.

import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { performance } from 'node:perf_hooks';
import { familyOf } from '../torrent/binding.js';
import { formatHostPort } from '../torrent/host-port.js';
import type { InfoHash } from '../torrent/ids.js';
import { addressBytes, hostText, isDialable } from '../torrent/ip.js';
import { LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import { encodeAnnounce, parseAnnounce } from './lsd-packet.js';
import { LocalSchedule } from './lsd-schedule.js';
import { type Family, type Interfaces, MulticastGroup, type MulticastSocket } from './multicast-group.js';

/** BEP 14's groups, organization-local and site-local; our datagrams have a TTL of 1 and stay on the link. */
const PORT = 6771;
const GROUPS: Readonly<Record<Family, string>> = { udp4: '239.192.152.143', udp6: 'ff15::efc0:988f' };

const FAMILIES = { udp4: 4, udp6: 6 } as const;

/** ms between two looks for interfaces that came or went. */
const INTERFACES_MS = 60_000;

export interface LocalDiscoveryOptions {
  /** The TCP port to announce; 0 where we do not listen: others are heard, and nothing is said. */
  readonly port: number;
  /** The local addresses to use; undefined: every interface. */
  readonly hosts?: readonly string[];
  /** By which we know our own announces; a random one unless given. */
  readonly cookie?: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** A neighbour has this torrent of ours. It may be told again and again. */
  readonly onPeer: (infoHash: InfoHash, address: HostPort) => void;
  /** Neither IPv4 nor IPv6 multicast works here. Called at most once, by `start`. */
  readonly onWarning?: (warning: string) => void;
  /** In place of the system's, for tests. */
  readonly createSocket?: (family: Family) => MulticastSocket;
  readonly interfaces?: () => Interfaces;
}

/** One torrent's place on the local network. */
export interface LocalSearch {
  /** Announces and hears no more. */
  remove(): void;
}

export class LocalDiscovery {
  readonly #options: LocalDiscoveryOptions;
  readonly #cookie: string;
  readonly #schedule = new LocalSchedule();
  readonly #groups: ReadonlyMap<Family, MulticastGroup>;
  #announcing: NodeJS.Timeout | undefined;
  #watching: NodeJS.Timeout | undefined;
  #state: 'new' | 'started' | 'stopped' = 'new';
  #announcedMs = Number.NEGATIVE_INFINITY;
  /** Datagrams heard since the present second began. */
  #heard = 0;
  #secondBegan = 0;

  constructor(options: LocalDiscoveryOptions) {
    this.#options = options;
    this.#cookie = options.cookie ?? Math.floor(options.random() * 2 ** 48).toString(36);
    const groups = (['udp4', 'udp6'] as const).flatMap(family => {
      const hosts = options.hosts?.filter(host => familyOf(host) === FAMILIES[family]);
      return hosts?.length === 0 ? [] : [[family, this.#group(family, hosts)] as const];
    });
    this.#groups = new Map(groups);
  }

  /** Joins the groups and announces what was added. Never rejects: what does not work on this machine is left out. */
  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    const groups = [...this.#groups.values()];
    await Promise.all(groups.map(group => group.open()));
    // It may have been stopped meanwhile.
    if (this.#state !== 'new') return;
    this.#state = 'started';
    if (!groups.some(({ works }) => works))
      this.#options.onWarning?.(`no local peer discovery: multicast to UDP port ${PORT} does not work here`);
    this.#watching = setInterval(() => void this.#watchInterfaces(), INTERFACES_MS);
    this.#announceSoon();
  }

  /** Takes part for a torrent until it is removed. */
  add(infoHash: InfoHash): LocalSearch {
    this.#schedule.add(infoHash, performance.now());
    this.#announceSoon();
    return { remove: () => this.#schedule.remove(infoHash) };
  }

  /** Fulfilled when no handle is open any more. Safe to call twice, and while it starts. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    clearTimeout(this.#announcing);
    clearInterval(this.#watching);
    await Promise.all([...this.#groups.values()].map(group => group.close()));
  }

  #group(family: Family, hosts: readonly string[] | undefined): MulticastGroup {
    return new MulticastGroup({
      family,
      group: GROUPS[family],
      port: PORT,
      hosts,
      createSocket: this.#options.createSocket ?? sharingSocket,
      interfaces: this.#options.interfaces ?? networkInterfaces,
      onDatagram: (datagram, from) => this.#hear(datagram, from),
    });
  }

  async #watchInterfaces(): Promise<void> {
    const news = await Promise.all([...this.#groups.values()].map(group => group.refresh()));
    if (this.#state !== 'started' || !news.includes(true)) return;
    this.#schedule.hurry(performance.now());
    this.#announceSoon();
  }

  /** Sets the timer for what is due next; torrents that are added in one go share a datagram. */
  #announceSoon(): void {
    if (this.#state !== 'started' || this.#options.port === 0) return;
    clearTimeout(this.#announcing);
    const dueMs = Math.max(this.#schedule.nextMs, this.#announcedMs + LIMITS.lsdPaceMs);
    if (dueMs === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.max(0, Math.ceil(dueMs - performance.now()));
    this.#announcing = setTimeout(() => this.#announce(), waitMs);
  }

  #announce(): void {
    const now = performance.now();
    const infoHashes = this.#schedule.take(now);
    if (infoHashes.length > 0) {
      this.#announcedMs = now;
      const announce = { port: this.#options.port, infoHashes, cookie: this.#cookie };
      for (const [family, group] of this.#groups) {
        group.send(encodeAnnounce(formatHostPort({ host: GROUPS[family], port: PORT }), announce));
      }
    }
    this.#announceSoon();
  }

  #hear(datagram: Buffer, from: string): void {
    const now = performance.now();
    if (this.#state !== 'started' || !this.#hearsOneMore(now)) return;
    const bytes = addressBytes(from);
    const host = bytes && isDialable(bytes) ? hostText(bytes) : undefined;
    const announce = host === undefined ? undefined : parseAnnounce(datagram);
    if (host === undefined || !announce || announce.cookie === this.#cookie) return;
    const address = { host, port: announce.port };
    for (const infoHash of announce.infoHashes) {
      if (this.#schedule.heard(infoHash, formatHostPort(address), now))
        this.#options.onPeer(infoHash, address);
    }
    this.#announceSoon();
  }

  #hearsOneMore(now: number): boolean {
    if (now - this.#secondBegan >= 1000) {
      this.#secondBegan = now;
      this.#heard = 0;
    }
    return this.#heard++ < LIMITS.lsdDatagramsPerSecond;
  }
}

function sharingSocket(type: Family): MulticastSocket {
  return createSocket({ type, reuseAddr: true, ...(type === 'udp6' && { ipv6Only: true }) });
}
