// Swarms that talk to each other on a virtual clock, without sockets and without bytes: every peer is a real `Swarm`
// behind a fake port with a serial uplink of so many bytes per second. The same seed gives the same log.

import { createHash } from 'node:crypto';
import type { Decision } from '../../src/swarm/choker.js';
import type { PeerNumber, SwarmPort } from '../../src/swarm/port.js';
import type { Reading } from '../../src/swarm/reading.js';
import { Swarm } from '../../src/swarm/swarm.js';
import { Bitfield } from '../../src/torrent/bitfield.js';
import type { BlockList } from '../../src/torrent/block-list.js';
import type { CloseReason } from '../../src/torrent/errors.js';
import type { Geometry, Piece } from '../../src/torrent/geometry.js';
import type { Block, Message } from '../../src/wire/message.js';
import { factsOf, SETTINGS } from './draw.js';
import { seeded } from './random.js';

/** ms that a message travels, and that a piece is checked for. */
const LATENCY_MS = 20;
const CHECK_MS = 5;

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export interface NodeOptions {
  readonly uploadBps: number;
  /** Pieces it starts with: all or none. */
  readonly seed?: boolean;
  readonly fast?: boolean;
  /** Whether a seed is a super-seed. */
  readonly superSeed?: boolean;
  /** Reads what comes, each piece as soon as it is here. */
  readonly reading?: Reading;
}

/** The virtual clock and everybody on it. */
export class World {
  now = 0;
  readonly nodes: VirtualPeer[] = [];
  readonly geometry: Geometry;
  readonly log = createHash('sha256');
  readonly random: () => number;
  #order = 0;
  readonly #queue: Due[] = [];

  constructor(geometry: Geometry, seed: number) {
    this.geometry = geometry;
    this.random = seeded(seed);
  }

  add(options: NodeOptions): VirtualPeer {
    const node = new VirtualPeer(this, this.nodes.length + 1, options);
    this.nodes.push(node);
    return node;
  }

  connect(a: VirtualPeer, b: VirtualPeer): void {
    for (const [here, there] of [
      [a, b],
      [b, a],
    ] as const) {
      here.links.set(there.number, there);
      const fast = (here.options.fast ?? true) && (there.options.fast ?? true);
      here.swarm.peerConnected(there.number, factsOf(there.number, { fast, incoming: here === b }), this.now);
    }
  }

  connectAll(): void {
    for (const [at, node] of this.nodes.entries())
      for (const other of this.nodes.slice(at + 1)) this.connect(node, other);
  }

  after(ms: number, run: () => void): void {
    const due = { atMs: this.now + ms, order: this.#order++, run };
    let at = this.#queue.push(due) - 1;
    // A binary heap: the parent of `at` is half of it.
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(due, this.#queue[parent] as Due)) break;
      this.#queue[at] = this.#queue[parent] as Due;
      at = parent;
    }
    this.#queue[at] = due;
  }

  /** Runs until `done`, or `limitMs` of virtual time; returns whether it was done. */
  run(done: () => boolean, limitMs: number): boolean {
    while (!done()) {
      const due = this.#take();
      if (!due || due.atMs > limitMs) return false;
      this.now = due.atMs;
      due.run();
    }
    return true;
  }

  note(line: string): void {
    this.log.update(`${this.now} ${line}\n`);
  }

  #take(): Due | undefined {
    const first = this.#queue[0];
    const last = this.#queue.pop();
    if (!last || first === last) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const right = this.#queue[child + 1];
      if (right && isBefore(right, this.#queue[child] as Due)) child++;
      const candidate = this.#queue[child];
      if (!candidate || !isBefore(candidate, last)) break;
      this.#queue[at] = candidate;
      at = child;
    }
    this.#queue[at] = last;
    return first;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** One peer: a swarm, its port, and an uplink. */
export class VirtualPeer implements SwarmPort {
  readonly number: PeerNumber;
  readonly options: NodeOptions;
  readonly swarm: Swarm;
  readonly links = new Map<PeerNumber, VirtualPeer>();
  readonly closed: CloseReason[] = [];
  /** Bytes of blocks given, to each peer and in all. */
  readonly given = new Map<PeerNumber, number>();
  givenBytes = 0;
  completedAtMs = -1;
  gone = false;
  readonly #world: World;
  readonly #receivedBytes = new Map<Piece, number>();
  #uplinkFreeAtMs = 0;

  constructor(world: World, number: PeerNumber, options: NodeOptions) {
    this.#world = world;
    this.number = number;
    this.options = options;
    const have = new Bitfield(world.geometry.pieceCount);
    if (options.seed) have.fill();
    const { superSeed = false, reading } = options;
    const settings = { ...SETTINGS, superSeed, reading };
    this.swarm = new Swarm(world.geometry, have, settings, this, world.random);
    world.after(0, () => this.#tick());
  }

  /** Leaves the swarm. */
  leave(): void {
    this.gone = true;
    for (const other of [...this.links.values()]) this.#disconnect(other);
  }

  send(peer: PeerNumber, message: Message): void {
    this.#world.note(`${this.number} to ${peer}: ${message.type}`);
    this.#deliver(peer, message);
  }

  choke({ peer, choke, reason }: Decision): void {
    this.#world.note(`${this.number} ${choke ? 'chokes' : 'unchokes'} ${peer}: ${reason}`);
    this.#deliver(peer, { type: choke ? 'choke' : 'unchoke' });
  }

  request(peer: PeerNumber, blocks: BlockList): void {
    for (let i = 0; i < blocks.count; i++) {
      const [index = 0, begin = 0, length = 0] = [blocks.pieces[i], blocks.begins[i], blocks.lengths[i]];
      this.#world.note(`${this.number} asks ${peer}: ${index}+${begin}`);
      this.#deliver(peer, { type: 'request', index, begin, length });
    }
  }

  close(peer: PeerNumber, reason: CloseReason): void {
    this.#world.note(`${this.number} closes ${peer}: ${reason}`);
    this.closed.push(reason);
    const other = this.links.get(peer);
    this.links.delete(peer);
    if (!other) return;
    other.links.delete(this.number);
    this.#world.after(LATENCY_MS, () => other.swarm.peerClosed(this.number, this.#world.now));
  }

  storeBlock(piece: Piece, _begin: number, block: Block): void {
    const received = (this.#receivedBytes.get(piece) ?? 0) + block.length;
    this.#receivedBytes.set(piece, received);
    if (received < this.#world.geometry.lengthOf(piece)) return;
    this.#receivedBytes.delete(piece);
    this.#world.after(CHECK_MS, () => {
      this.swarm.pieceChecked(piece, true, this.#world.now);
      if (this.swarm.complete) this.completedAtMs = this.#world.now;
      this.#read();
    });
  }

  discard(piece: Piece): void {
    this.#receivedBytes.delete(piece);
  }

  readBlock(peer: PeerNumber, piece: Piece, begin: number, length: number): void {
    const world = this.#world;
    this.#uplinkFreeAtMs =
      Math.max(world.now, this.#uplinkFreeAtMs) + (length * 1000) / this.options.uploadBps;
    world.after(Math.ceil(this.#uplinkFreeAtMs) - world.now, () => {
      this.givenBytes += length;
      this.given.set(peer, (this.given.get(peer) ?? 0) + length);
      this.#deliver(peer, { type: 'piece', index: piece, begin, block: { length } });
      this.swarm.blockSent(peer, length, true, world.now);
    });
  }

  #read(): void {
    const { reading } = this.options;
    if (!reading) return;
    const { have } = this.swarm.picker.wants;
    while (reading.front !== undefined && have.has(reading.front)) this.swarm.pieceRead(this.#world.now);
    if (reading.front === undefined && this.completedAtMs < 0) this.completedAtMs = this.#world.now;
  }

  #deliver(peer: PeerNumber, message: Message): void {
    const other = this.links.get(peer);
    if (!other) return;
    this.#world.after(LATENCY_MS, () => {
      if (this.links.get(peer) === other) other.swarm.message(this.number, message, this.#world.now);
    });
  }

  #disconnect(other: VirtualPeer): void {
    this.links.delete(other.number);
    other.links.delete(this.number);
    this.swarm.peerClosed(other.number, this.#world.now);
    other.swarm.peerClosed(this.number, this.#world.now);
  }

  #tick(): void {
    if (this.gone) return;
    const nextMs = this.swarm.tick(this.#world.now);
    this.#world.after(Math.max(1, nextMs - this.#world.now), () => this.#tick());
  }
}
