// One connection of a scripted peer, made of a socket and the codecs of src/wire: honest unless its script says otherwise,
// and strict: what the other side does that it must not is noted in `complaints`.

import type { Socket } from 'node:net';
import { Bitfield } from '../../src/torrent/bitfield.js';
import { BLOCK_LENGTH } from '../../src/torrent/limits.js';
import { Decoder } from '../../src/wire/decoder.js';
import { encode, pieceHeader } from '../../src/wire/encode.js';
import {
  ExtensionCodec,
  encodeExtensionHandshake,
  LOCAL_IDS,
  parseExtended,
} from '../../src/wire/extension.js';
import {
  encodeHandshake,
  HANDSHAKE_LENGTH,
  type Handshake,
  HandshakeDecoder,
  makePeerId,
} from '../../src/wire/handshake.js';
import type { Message, WireMessage } from '../../src/wire/message.js';

import type { Content } from './content.js';

/** What the peer does unlike an honest seed. */
export interface Script {
  /** Bits of the handshake: the first two are set, the third is not, unless told otherwise. */
  readonly fast?: boolean;
  readonly extended?: boolean;
  readonly dht?: boolean;
  /** Pieces it has: all, or these. */
  readonly have?: readonly number[];
  /** 12 characters that make the peer id. */
  readonly id?: string;
  /** The connection is made: in place of the handshake. */
  readonly greet?: (wire: FakeWire) => void;
  /** Both handshakes are done: in place of extension handshake and bitfield. */
  readonly opened?: (wire: FakeWire) => void;
  /** In place of the honest answer to a message; `honest` gives that. */
  readonly answer?: (wire: FakeWire, message: Message, honest: () => void) => void;
}

/** The ids under which a fake peer wants extended messages: not those of the other side. */
const FAKE_IDS = { utMetadata: 7, dontHave: 8, utPex: 9 } as const;

let peers = 0;

/** One connection. */
export class FakeWire {
  readonly content: Content;
  /** All messages of the other side, keep-alives left out. */
  readonly received: Message[] = [];
  /** Blocks sent, as `piece+begin`. */
  readonly served: string[] = [];
  /** Port messages of the other side (BEP 5). */
  readonly ports: number[] = [];
  keepAlives = 0;
  readonly complaints: string[] = [];
  /** The other side's handshake. */
  theirs: Handshake | undefined;
  /** The connection is over. */
  readonly closed: Promise<void>;
  isClosed = false;
  readonly socket: Socket;
  readonly #script: Script;
  readonly #peerId;
  readonly #codec = new ExtensionCodec();
  readonly #greeting = new HandshakeDecoder();
  #decoder: Decoder | undefined;
  #hasUnchoked = false;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket, content: Content, script: Script) {
    this.socket = socket;
    this.content = content;
    this.#script = script;
    const id = script.id ?? `${++peers}`.padStart(12, '.');
    this.#peerId = makePeerId('9.9.9', Buffer.from(id, 'latin1'));
    socket.on('error', () => {});
    socket.on('data', chunk => this.#onData(chunk));
    this.closed = new Promise(resolve =>
      socket.once('close', () => {
        this.isClosed = true;
        this.#wake();
        resolve();
      }),
    );
    if (script.greet) script.greet(this);
    else this.sendHandshake();
  }

  /** @param length bytes of it that are sent */
  sendHandshake(infoHash = this.content.metainfo.infoHash, length = HANDSHAKE_LENGTH): void {
    const { fast = true, extended = true, dht = false } = this.#script;
    const bytes = encodeHandshake({ infoHash, peerId: this.#peerId, fast, extended, dht });
    this.sendBytes(bytes.subarray(0, length));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  send(message: Message): void {
    if (message.type === 'piece') {
      const data = message.block.data ?? new Uint8Array(message.block.length);
      this.sendBytes(pieceHeader(message.index, message.begin, data.length));
      this.sendBytes(data);
      return;
    }
    const wire = this.#toWire(message);
    if (wire) this.sendBytes(encode(wire));
  }

  /** The true bytes of a block, or others of the same length. */
  sendBlock(index: number, begin: number, length: number, spoil = false): void {
    const piece = this.content.geometry.piece(index);
    if (piece === undefined) throw new RangeError(`no piece ${index}`);
    const at = this.content.geometry.offsetOf(piece) + begin;
    const data = Uint8Array.from(this.content.data.subarray(at, at + length));
    if (spoil) data[0] = ~(data[0] ?? 0);
    this.served.push(`${index}+${begin}`);
    this.send({ type: 'piece', index, begin, block: { length, data } });
  }

  hangUp(): void {
    this.socket.destroy();
  }

  /** Extension handshake and what it has, as an honest peer opens. */
  introduce(metadataSize = this.content.metainfo.infoBytes.length): void {
    const { fast = true, extended = true, have } = this.#script;
    if (extended) this.send({ type: 'extensionHandshake', ...FAKE_IDS, metadataSize });
    const field = new Bitfield(this.content.geometry.pieceCount);
    for (const piece of this.content.geometry.pieces()) if (have?.includes(piece) ?? true) field.add(piece);
    if (!fast) this.send({ type: 'bitfield', bits: field.bytes });
    else if (field.full) this.send({ type: 'haveAll' });
    else if (field.count === 0) this.send({ type: 'haveNone' });
    else this.send({ type: 'bitfield', bits: field.bytes });
  }

  /** The first message of this type, arrived or to come; rejects when the connection ends before. */
  async until<T extends Message['type']>(
    type: T,
    accept: (message: Extract<Message, { type: T }>) => boolean = () => true,
  ): Promise<Extract<Message, { type: T }>> {
    for (;;) {
      for (const message of this.received) if (isOf(message, type) && accept(message)) return message;
      if (this.isClosed) throw new Error(`the connection ended before ${type}`);
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }

  /** Waits until this holds, which is asked after all that comes. */
  async untilTrue(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>(resolve => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #onData(chunk: Uint8Array): void {
    let rest = chunk;
    if (!this.#decoder) {
      const progress = this.#greeting.push(chunk);
      if (progress.state === 'fatal') this.complaints.push('bad handshake');
      if (progress.state !== 'done') return;
      this.theirs = progress.handshake;
      this.#decoder = new Decoder({ fast: this.#script.fast ?? true });
      rest = progress.rest;
      if (this.#script.opened) this.#script.opened(this);
      else this.introduce();
    }
    const fault = this.#decoder.push(rest, message => this.#onMessage(message));
    if (fault) this.complaints.push(fault);
    this.#wake();
  }

  #onMessage(wire: WireMessage): void {
    if (wire.type === 'keepAlive') this.keepAlives++;
    if (wire.type === 'port') this.ports.push(wire.port);
    const message = this.#resolve(wire);
    if (!message) return;
    this.received.push(message);
    this.#judge(message);
    const honest = () => this.#answer(message);
    if (this.#script.answer) this.#script.answer(this, message, honest);
    else honest();
  }

  /** A message with bytes of its own (the slice of a Buffer would be a view), or undefined where there is nothing to hear. */
  #resolve(wire: WireMessage): Message | undefined {
    switch (wire.type) {
      case 'extended':
        return this.#resolveExtended(wire.id, Uint8Array.from(wire.payload));
      case 'piece':
        return {
          ...wire,
          block: { length: wire.block.length, data: Uint8Array.from(wire.block.data ?? []) },
        };
      case 'bitfield':
        return { type: 'bitfield', bits: Uint8Array.from(wire.bits) };
      case 'keepAlive':
      case 'port':
        return undefined;
      case 'unknown':
        this.complaints.push(`unknown message ${wire.id}`);
        return undefined;
      default:
        return wire;
    }
  }

  #resolveExtended(id: number, payload: Uint8Array): Message | undefined {
    if (this.#script.extended === false) this.complaints.push('an extended message, which was not agreed on');
    const local = {
      0: 0,
      [FAKE_IDS.utMetadata]: LOCAL_IDS.utMetadata,
      [FAKE_IDS.dontHave]: LOCAL_IDS.dontHave,
      [FAKE_IDS.utPex]: LOCAL_IDS.utPex,
    }[id];
    const message = local === 0 ? this.#codec.decode(0, payload) : parseExtended(local ?? 255, payload);
    if (typeof message === 'object') return message;
    this.complaints.push(`extended message ${id}: ${message ?? 'an id nobody announced'}`);
    return undefined;
  }

  #toWire(message: Message) {
    switch (message.type) {
      case 'extensionHandshake':
        return { type: 'extended', id: 0, payload: encodeExtensionHandshake(message) } as const;
      case 'metadataRequest':
      case 'metadataData':
      case 'metadataReject':
      case 'peerExchange':
      case 'dontHave':
        return this.#codec.encode(message);
      case 'piece':
        return undefined;
      default:
        return message;
    }
  }

  #judge(message: Message): void {
    if (message.type !== 'request') return;
    const { index, begin, length } = message;
    const piece = this.content.geometry.piece(index);
    const name = `${index}+${begin}`;
    if (piece === undefined || this.content.geometry.blockAt(piece, begin, length) < 0)
      this.complaints.push(`asked for ${name}, ${length} bytes: no such block`);
    if (!this.#hasUnchoked) this.complaints.push(`asked for ${name} while choked`);
    if (this.#script.have && !this.#script.have.includes(index))
      this.complaints.push(`asked for ${name}, which is not here`);
  }

  #answer(message: Message): void {
    switch (message.type) {
      case 'interested':
        this.unchoke();
        return;
      case 'request':
        this.sendBlock(message.index, message.begin, message.length);
        return;
      case 'metadataRequest': {
        const { infoBytes } = this.content.metainfo;
        const begin = message.piece * BLOCK_LENGTH;
        const data = infoBytes.subarray(begin, begin + BLOCK_LENGTH);
        this.send({ type: 'metadataData', piece: message.piece, totalSize: infoBytes.length, data });
        return;
      }
      default:
    }
  }

  unchoke(): void {
    this.#hasUnchoked = true;
    this.send({ type: 'unchoke' });
  }
}

function isOf<T extends Message['type']>(
  message: Message,
  type: T,
): message is Extract<Message, { type: T }> {
  return message.type === type;
}
