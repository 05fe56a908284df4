// One multicast group of one address family, on every interface of the machine: hears what neighbours send to it, and sends
// out of each interface under an address of that interface. Where something does not work there is silence, and no error.

import { BlockList } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { equalBytes } from '../torrent/ids.js';
import { addressBytes, isDialable } from '../torrent/ip.js';

export type Family = 'udp4' | 'udp6';
export type Interfaces = NodeJS.Dict<readonly NetworkInterfaceInfo[]>;

/** What is needed of a datagram socket. */
export interface MulticastSocket {
  on(event: 'message', listener: (datagram: Buffer, from: { readonly address: string }) => void): unknown;
  on(event: 'error' | 'listening' | 'close', listener: () => void): unknown;
  bind(options: { port: number; address?: string; exclusive: boolean }): unknown;
  addMembership(group: string, outgoing: string): void;
  dropMembership(group: string, outgoing: string): void;
  setMulticastInterface(outgoing: string): void;
  send(bytes: Uint8Array, port: number, host: string, sent: () => void): void;
  close(): unknown;
}

export interface MulticastOptions {
  readonly family: Family;
  readonly group: string;
  readonly port: number;
  /** The local addresses of the family that are to be used; undefined: every interface. */
  readonly hosts: readonly string[] | undefined;
  /** Sockets share their port with those of other programs. */
  readonly createSocket: (family: Family) => MulticastSocket;
  readonly interfaces: () => Interfaces;
  readonly onDatagram: (datagram: Buffer, from: string) => void;
}

/** One interface, under one of its addresses. */
interface WayOut {
  readonly key: string;
  readonly address: string;
  /** As the system wants the interface named. */
  readonly outgoing: string;
}

interface Outlet {
  readonly outgoing: string;
  readonly socket: MulticastSocket;
}

export class MulticastGroup {
  readonly #options: MulticastOptions;
  #ear: MulticastSocket | undefined;
  readonly #outlets = new Map<string, Outlet>();
  /** For each open socket, its end. */
  readonly #ends = new Set<Promise<void>>();
  /** The networks that we are in. */
  #near = new BlockList();
  #isClosed = false;

  constructor(options: MulticastOptions) {
    this.#options = options;
  }

  /** Whether anybody can be heard or reached. */
  get works(): boolean {
    return this.#ear !== undefined && this.#outlets.size > 0;
  }

  async open(): Promise<void> {
    const { family, port, createSocket, onDatagram } = this.#options;
    const ear = createSocket(family);
    // The port is open to all the internet, where nobody can send to the group, but everybody to us.
    ear.on('message', (datagram, { address }) => {
      if (this.#near.check(address, ipName(family))) onDatagram(datagram, address);
    });
    this.#ear = ear;
    if (!(await this.#bound(ear, port, undefined))) this.#ear = undefined;
    await this.refresh();
  }

  /** Follows the interfaces that came and went. Returns whether there is a new way out. */
  async refresh(): Promise<boolean> {
    const { family, group, hosts, interfaces } = this.#options;
    const ear = this.#ear;
    if (!ear || this.#isClosed) return false;
    let found: Interfaces = {};
    // Some systems do not let everybody ask.
    attempt(() => {
      found = interfaces();
    });
    const present = waysOut(found, family, hosts);
    this.#near = networks(found, family, hosts);
    for (const [key, { socket, outgoing }] of this.#outlets) {
      if (present.some(way => way.key === key)) continue;
      this.#outlets.delete(key);
      attempt(() => ear.dropMembership(group, outgoing));
      attempt(() => socket.close());
    }
    const added = await Promise.all(present.map(way => this.#addOutlet(ear, way)));
    return added.includes(true);
  }

  /** Sends out of every interface; what cannot be sent is lost, as datagrams may be. */
  send(bytes: Uint8Array): void {
    const { port, group } = this.#options;
    for (const { socket } of this.#outlets.values()) attempt(() => socket.send(bytes, port, group, () => {}));
  }

  /** Fulfilled when no socket is open any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { socket } of this.#outlets.values()) attempt(() => socket.close());
    this.#outlets.clear();
    const ear = this.#ear;
    if (ear) attempt(() => ear.close());
    await Promise.all(this.#ends);
  }

  /** Joins the group there and opens a way out. An interface that was away and is back has to be joined again. */
  async #addOutlet(ear: MulticastSocket, { key, address, outgoing }: WayOut): Promise<boolean> {
    const { family, group, createSocket } = this.#options;
    const known = this.#outlets.get(key);
    attempt(() => ear.addMembership(group, outgoing));
    if (known) {
      attempt(() => known.socket.setMulticastInterface(outgoing));
      return false;
    }
    const socket = createSocket(family);
    if (!(await this.#bound(socket, 0, address))) return false;
    if (this.#isClosed || this.#outlets.has(key) || !attempt(() => socket.setMulticastInterface(outgoing))) {
      attempt(() => socket.close());
      return false;
    }
    this.#outlets.set(key, { outgoing, socket });
    return true;
  }

  /** Whether the socket could be bound; one that could not is closed. */
  #bound(socket: MulticastSocket, port: number, address: string | undefined): Promise<boolean> {
    const end = new Promise<void>(resolve => socket.on('close', resolve));
    this.#ends.add(end);
    void end.then(() => this.#ends.delete(end));
    return new Promise(resolve => {
      let isBound = false;
      socket.on('listening', () => {
        isBound = true;
        resolve(true);
      });
      socket.on('close', () => resolve(false));
      // After binding, errors are about one datagram.
      socket.on('error', () => isBound || attempt(() => socket.close()));
      const options = { port, exclusive: true, ...(address !== undefined && { address }) };
      if (!attempt(() => socket.bind(options))) attempt(() => socket.close());
    });
  }
}

/**
 * Every interface of the family with an address that others can dial: the machine's own alone (loopback) where there is no
 * other. Hosts that were given are taken as they are, but for IPv6, where the system wants to know their interface.
 */
function waysOut(interfaces: Interfaces, family: Family, hosts: readonly string[] | undefined): WayOut[] {
  if (hosts !== undefined && family === 'udp4')
    return hosts.map(host => ({ key: host, address: host, outgoing: host }));
  const ways: (WayOut & { readonly internal: boolean })[] = [];
  for (const [name, addresses = []] of Object.entries(interfaces)) {
    const found = addresses.find(({ address }) => isUsable(address, family, hosts));
    if (!found) continue;
    const { address, internal } = found;
    const outgoing = family === 'udp4' ? address : `::%${name}`;
    ways.push({ key: `${name} ${address}`, address, outgoing, internal });
  }
  const outer = ways.filter(({ internal }) => !internal);
  return hosts !== undefined || outer.length === 0 ? ways : outer;
}

/** The networks of all interfaces, or those that the hosts are in. */
function networks(interfaces: Interfaces, family: Family, hosts: readonly string[] | undefined): BlockList {
  const name = ipName(family);
  const all = new BlockList();
  for (const { address, cidr } of Object.values(interfaces).flatMap(addresses => addresses ?? [])) {
    if (cidr === null || addressBytes(address)?.length !== (family === 'udp4' ? 4 : 16)) continue;
    const prefix = Number(cidr.slice(cidr.indexOf('/') + 1));
    const one = new BlockList();
    one.addSubnet(address, prefix, name);
    if (hosts === undefined || hosts.some(host => one.check(host, name)))
      all.addSubnet(address, prefix, name);
  }
  return all;
}

function ipName(family: Family): 'ipv4' | 'ipv6' {
  return family === 'udp4' ? 'ipv4' : 'ipv6';
}

function isUsable(address: string, family: Family, hosts: readonly string[] | undefined): boolean {
  const bytes = addressBytes(address);
  if (bytes?.length !== (family === 'udp4' ? 4 : 16) || !isDialable(bytes)) return false;
  if (hosts === undefined) return true;
  return hosts.some(host => equalBytes(bytes, addressBytes(host) ?? new Uint8Array()));
}

/** Whether it went well. */
function attempt(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}
