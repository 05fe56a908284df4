// Draws a swarm as strings: `swarmOf('A: ##..#', 'B: .####', 'we: #....')`. One column a piece, `#` where it is held.

import type { Decision } from '../../src/swarm/choker.js';
import type { SwarmPeer } from '../../src/swarm/peer.js';
import type { PeerFacts, PeerNumber, SwarmPort } from '../../src/swarm/port.js';
import { Swarm, type SwarmSettings } from '../../src/swarm/swarm.js';
import { Bitfield } from '../../src/torrent/bitfield.js';
import type { BlockList } from '../../src/torrent/block-list.js';
import type { CloseReason } from '../../src/torrent/errors.js';
import { Geometry, type Piece } from '../../src/torrent/geometry.js';
import { peerId } from '../../src/torrent/ids.js';
import { BLOCK_LENGTH } from '../../src/torrent/limits.js';
import type { Block, Message } from '../../src/wire/message.js';
import { seeded } from './random.js';

export interface Drawing {
  readonly blocksPerPiece?: number;
  /** Bytes of the last piece; a whole piece unless said. */
  readonly lastPieceLength?: number;
  readonly seed?: number;
  readonly settings?: Partial<SwarmSettings>;
  readonly fast?: boolean;
  /** Whether the peers were met before the metadata was here. */
  readonly greeted?: boolean;
  /** Whether the peers are web seeds. */
  readonly webSeed?: boolean;
  /** Whether the peers let us download from the start; yes unless said. */
  readonly unchoked?: boolean;
}

/** Everything a swarm ordered, in order, as short strings for comparison, and the same by kind. */
export class RecordingPort implements SwarmPort {
  readonly log: string[] = [];
  readonly sent: { peer: PeerNumber; message: Message }[] = [];
  readonly requests: { peer: PeerNumber; piece: number; begin: number; length: number }[] = [];
  readonly closed: { peer: PeerNumber; reason: CloseReason }[] = [];
  readonly stored: { piece: number; begin: number; length: number }[] = [];
  readonly reads: { peer: PeerNumber; piece: number; begin: number; length: number }[] = [];
  readonly discarded: number[] = [];

  send(peer: PeerNumber, message: Message): void {
    this.sent.push({ peer, message });
    this.log.push(`send ${peer} ${message.type}`);
  }
  choke({ peer, choke, reason }: Decision): void {
    this.log.push(`${choke ? 'choke' : 'unchoke'} ${peer} ${reason}`);
  }
  request(peer: PeerNumber, blocks: BlockList): void {
    for (let i = 0; i < blocks.count; i++) {
      const [piece, begin, length] = [
        blocks.pieces[i] ?? -1,
        blocks.begins[i] ?? -1,
        blocks.lengths[i] ?? -1,
      ];
      this.requests.push({ peer, piece, begin, length });
      this.log.push(`request ${peer} ${piece}+${begin}`);
    }
  }
  close(peer: PeerNumber, reason: CloseReason): void {
    this.closed.push({ peer, reason });
    this.log.push(`close ${peer} ${reason}`);
  }
  storeBlock(piece: Piece, begin: number, block: Block): void {
    this.stored.push({ piece, begin, length: block.length });
    this.log.push(`store ${piece}+${begin}`);
  }
  readBlock(peer: PeerNumber, piece: Piece, begin: number, length: number): void {
    this.reads.push({ peer, piece, begin, length });
    this.log.push(`read ${peer} ${piece}+${begin}`);
  }
  discard(piece: Piece): void {
    this.discarded.push(piece);
    this.log.push(`discard ${piece}`);
  }
}

export const SETTINGS: SwarmSettings = {
  unchokeSlots: 4,
  optimisticSlots: 1,
  bufferedPieceBytes: 2 ** 30,
  sequential: false,
  superSeed: false,
  wanted: undefined,
  reading: undefined,
  paddingOf: () => [],
  allowedFast: () => [],
};

export function factsOf(
  number: PeerNumber,
  options: { fast?: boolean; incoming?: boolean; greeted?: boolean; webSeed?: boolean } = {},
): PeerFacts {
  const id = peerId(new Uint8Array(20).fill(number));
  if (!id) throw new RangeError('unreachable');
  const address = { host: `10.0.${number >> 8}.${number & 255}`, port: 6881 };
  return {
    address,
    incoming: options.incoming ?? false,
    peerId: id,
    fast: options.fast ?? true,
    extended: true,
    greeted: options.greeted ?? false,
    webSeed: options.webSeed ?? false,
  };
}

export class DrawnSwarm {
  readonly port = new RecordingPort();
  readonly swarm: Swarm;
  readonly names = new Map<string, PeerNumber>();
  #tickedMs = 0;
  #flushed = 0;

  constructor(rows: readonly string[], drawing: Drawing) {
    const fields = rows.map(row => {
      const [name = '', field = ''] = row.split(':').map(part => part.trim());
      return { name, field };
    });
    const pieces = fields[0]?.field.length ?? 0;
    const pieceLength = (drawing.blocksPerPiece ?? 1) * BLOCK_LENGTH;
    const geometry = new Geometry(
      (pieces - 1) * pieceLength + (drawing.lastPieceLength ?? pieceLength),
      pieceLength,
    );
    const ours = this.field(fields.find(({ name }) => name === 'we')?.field ?? '', geometry);
    const settings = { ...SETTINGS, ...drawing.settings };
    this.swarm = new Swarm(geometry, ours, settings, this.port, seeded(drawing.seed ?? 1));
    for (const { name, field } of fields) if (name !== 'we') this.join(name, field, drawing);
  }

  field(drawn: string, geometry = this.swarm.geometry): Bitfield {
    const field = new Bitfield(geometry.pieceCount);
    for (const piece of geometry.pieces()) if (drawn[piece] === '#') field.add(piece);
    return field;
  }

  join(name: string, drawn: string, drawing: Drawing = {}, now = 0): void {
    const number = this.connect(name, drawing, now);
    this.swarm.message(number, { type: 'bitfield', bits: this.field(drawn).bytes }, now);
    if (drawing.unchoked ?? true) this.swarm.message(number, { type: 'unchoke' }, now);
  }

  /** A peer that has said nothing yet. Who comes again has its number again. */
  connect(name: string, drawing: Drawing = {}, now = 0): PeerNumber {
    const number = this.names.get(name) ?? this.names.size + 1;
    this.names.set(name, number);
    this.swarm.peerConnected(number, factsOf(number, drawing), now);
    return number;
  }

  number(name: string): PeerNumber {
    const number = this.names.get(name);
    if (number === undefined) throw new RangeError(`nobody is called ${name}`);
    return number;
  }

  /** What the swarm knows of a peer that is here. */
  peer(name: string): SwarmPeer {
    const peer = this.swarm.peers.get(this.number(name));
    if (!peer) throw new RangeError(`${name} has left`);
    return peer;
  }

  /** What was asked of this peer so far, as `piece.block`. */
  asked(name: string): string[] {
    return this.port.requests.filter(({ peer }) => peer === this.number(name)).map(blockName);
  }

  /** What of it is waited for still. */
  awaited(name: string): string[] {
    const { geometry } = this.swarm;
    return this.peer(name)
      .outstanding.toArray()
      .map(number => `${geometry.pieceOf(number)}.${geometry.blockOf(number)}`);
  }

  /** The blocks that were read for this peer so far. */
  served(name: string): string[] {
    return this.port.reads.filter(({ peer }) => peer === this.number(name)).map(blockName);
  }

  /** The peer sends blocks, `piece.block`. */
  gives(name: string, blocks: string | readonly string[], now = 0): void {
    for (const block of [blocks].flat()) {
      const { index, begin, length } = this.block(block);
      this.says(name, { type: 'piece', index, begin, block: { length } }, now);
    }
  }

  /** All peers give what they are asked for, a block each in turn, until nothing is awaited. */
  exhaust(now = 0): void {
    for (let given = true; given; ) {
      given = false;
      for (const [name, number] of this.names) {
        const [block] = this.swarm.peers.has(number) ? this.awaited(name) : [];
        if (block === undefined) continue;
        this.gives(name, block, now);
        given = true;
      }
    }
  }

  /** The peer asks for blocks, takes that back, or refuses ours. */
  asks(name: string, blocks: string | readonly string[], now = 0): void {
    for (const block of [blocks].flat()) this.says(name, { type: 'request', ...this.block(block) }, now);
  }

  cancels(name: string, block: string, now = 0): void {
    this.says(name, { type: 'cancel', ...this.block(block) }, now);
  }

  rejects(name: string, blocks: string | readonly string[], now = 0): void {
    for (const block of [blocks].flat()) this.says(name, { type: 'reject', ...this.block(block) }, now);
  }

  /** Bytes of the block `piece.block`, as messages name them. */
  block(name: string): { index: number; begin: number; length: number } {
    const [index = 0, block = 0] = name.split('.').map(Number);
    const length = this.swarm.geometry.blockLength(index as Piece, block);
    return { index, begin: block * BLOCK_LENGTH, length };
  }

  /** The network has taken all that was read, or the reads failed. */
  flushes(ok = true, now = 0): void {
    const read = this.port.reads.slice(this.#flushed);
    this.#flushed += read.length;
    for (const { peer, length } of read) this.swarm.blockSent(peer, length, ok, now);
  }

  says(name: string, message: Message, now = 0): void {
    this.swarm.message(this.number(name), message, now);
  }

  leaves(name: string, now = 0): void {
    this.swarm.peerClosed(this.number(name), now);
  }

  /** Time passes, with all ticks that are due. */
  passes(toMs: number): void {
    for (let now = this.swarm.tick(this.#tickedMs); now <= toMs; now = this.swarm.tick(now)) {
      this.#tickedMs = now;
    }
    this.#tickedMs = toMs;
  }

  /** The storage found the piece right or wrong. */
  checked(piece: number, ok: boolean, now = 0): void {
    this.swarm.pieceChecked(piece as Piece, ok, now);
  }

  /** Why the peer was closed, if it was. */
  closedFor(name: string): CloseReason | undefined {
    return this.port.closed.find(({ peer }) => peer === this.number(name))?.reason;
  }

  /** The types of all messages the peer was sent. */
  told(name: string): string[] {
    return this.port.sent.filter(({ peer }) => peer === this.number(name)).map(({ message }) => message.type);
  }

  /** The messages of one type that the peer was sent, as the piece or `piece.block` they name. */
  toldOf(name: string, type: Message['type']): (number | string)[] {
    return this.port.sent.flatMap(({ peer, message }) => {
      if (peer !== this.number(name) || message.type !== type || !('index' in message)) return [];
      return 'begin' in message ? blockName({ piece: message.index, begin: message.begin }) : message.index;
    });
  }
}

function blockName({ piece, begin }: { piece: number; begin: number }): string {
  return `${piece}.${begin / BLOCK_LENGTH}`;
}

/** Draws a swarm: one `name: pieces` row a peer, `we` is us. */
export function swarmOf(...args: (string | Drawing)[]): DrawnSwarm {
  const rows = args.filter(arg => typeof arg === 'string');
  const drawing = args.find(arg => typeof arg !== 'string') ?? {};
  return new DrawnSwarm(rows, drawing);
}
