// Draws a swarm as strings: `swarmOf('A: ##..#', 'B: .####', 'we: #....')`. One column a piece, `#` where it is held.

import type { Decision } from '../../src/swarm/choker.js';
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
  allowedFast: () => [],
};

export function factsOf(number: PeerNumber, options: { fast?: boolean; incoming?: boolean } = {}): PeerFacts {
  const id = peerId(new Uint8Array(20).fill(number));
  if (!id) throw new RangeError('unreachable');
  const address = { host: `10.0.${number >> 8}.${number & 255}`, port: 6881 };
  return {
    address,
    incoming: options.incoming ?? false,
    peerId: id,
    fast: options.fast ?? true,
    extended: true,
    greeted: false,
  };
}

export class DrawnSwarm {
  readonly port = new RecordingPort();
  readonly swarm: Swarm;
  readonly names = new Map<string, PeerNumber>();
  readonly #blocksPerPiece: number;

  constructor(rows: readonly string[], drawing: Drawing) {
    const fields = rows.map(row => {
      const [name = '', field = ''] = row.split(':').map(part => part.trim());
      return { name, field };
    });
    const pieces = fields[0]?.field.length ?? 0;
    this.#blocksPerPiece = drawing.blocksPerPiece ?? 1;
    const pieceLength = this.#blocksPerPiece * BLOCK_LENGTH;
    const geometry = new Geometry(
      (pieces - 1) * pieceLength + (drawing.lastPieceLength ?? pieceLength),
      pieceLength,
    );
    const ours = this.field(fields.find(({ name }) => name === 'we')?.field ?? '', geometry);
    const settings = { ...SETTINGS, ...drawing.settings };
    this.swarm = new Swarm(geometry, ours, settings, this.port, seeded(drawing.seed ?? 1));
    for (const { name, field } of fields) {
      if (name === 'we') continue;
      this.names.set(name, this.names.size + 1);
      this.join(name, field, drawing);
    }
  }

  field(drawn: string, geometry = this.swarm.geometry): Bitfield {
    const field = new Bitfield(geometry.pieceCount);
    for (const piece of geometry.pieces()) if (drawn[piece] === '#') field.add(piece);
    return field;
  }

  join(name: string, drawn: string, drawing: Drawing): void {
    const number = this.number(name);
    this.swarm.peerConnected(number, factsOf(number, drawing), 0);
    this.swarm.message(number, { type: 'bitfield', bits: this.field(drawn).bytes }, 0);
    if (drawing.unchoked ?? true) this.swarm.message(number, { type: 'unchoke' }, 0);
  }

  number(name: string): PeerNumber {
    const number = this.names.get(name);
    if (number === undefined) throw new RangeError(`nobody is called ${name}`);
    return number;
  }

  /** What was asked of this peer so far, as `piece.block`. */
  asked(name: string): string[] {
    return this.port.requests
      .filter(request => request.peer === this.number(name))
      .map(request => `${request.piece}.${request.begin / BLOCK_LENGTH}`);
  }

  /** The peer sends a block, `piece.block`. */
  gives(name: string, block: string, now = 0): void {
    const [piece = 0, number = 0] = block.split('.').map(Number);
    const length = this.swarm.geometry.blockLength(piece as Piece, number);
    const begin = number * BLOCK_LENGTH;
    this.swarm.message(this.number(name), { type: 'piece', index: piece, begin, block: { length } }, now);
  }

  says(name: string, message: Message, now = 0): void {
    this.swarm.message(this.number(name), message, now);
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
}

/** Draws a swarm: one `name: pieces` row a peer, `we` is us. */
export function swarmOf(...args: (string | Drawing)[]): DrawnSwarm {
  const rows = args.filter(arg => typeof arg === 'string');
  const drawing = args.find(arg => typeof arg !== 'string') ?? {};
  return new DrawnSwarm(rows, drawing);
}
