// The least that a download can cost in Node: handshake, requests far ahead, one copy for each block, hash, write.
// It decides nothing: pieces are asked for in the order in which peers show them, of whoever has room.
//
//   download.js '{"torrent": "x.torrent", "peers": ["10.77.0.2:6881"], "out": "x.bin", "thread": "main"}'
//
// Prints {"seconds", "waited"} at the end: since the start, and until the first block. A peer that is not there yet is
// dialled again; one that leaves, or sends what does not match its hash, ends the process with an error.

import { connect, type Socket } from 'node:net';
import { mainThreadSink, type PieceSink, workerSink } from './piece-sink.js';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  bare,
  HANDSHAKE_BYTES,
  handshake,
  hostAndPort,
  ID,
  pieceBytes,
  REQUEST_BYTES,
  readTorrent,
} from './torrent.js';

export interface FloorDownload {
  readonly torrent: string;
  /** Each has all pieces, or there is one alone, which may be fetching them. */
  readonly peers: readonly string[];
  /** The address to dial from. */
  readonly from?: string;
  readonly out?: string | undefined;
  /** Blocks asked for ahead of each peer; 500 over all where nothing is said. */
  readonly ahead?: number;
  readonly thread: 'main' | 'worker';
}

const RECEIVE_BYTES = 256 * 1024;
/** Blocks asked for ahead: of one peer, and never fewer of many. */
const AHEAD = 500;
const LEAST_AHEAD = 64;
const REDIAL_MS = 20;

const options: FloorDownload = JSON.parse(process.argv[2] ?? '{}');
const torrent = readTorrent(options.torrent);
const sink: PieceSink = (options.thread === 'worker' ? workerSink : mainThreadSink)(options);
const ahead = options.ahead ?? Math.max(LEAST_AHEAD, Math.floor(AHEAD / options.peers.length));
const receiveBuffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);

const shown = new Uint8Array(torrent.pieces);
const queue: number[] = [];
let nextInQueue = 0;
let finished = 0;
let waited: number | undefined;
const free: Buffer[] = [];
const memoryOf: (Buffer | undefined)[] = new Array(torrent.pieces);
const blocksLeft = new Int32Array(torrent.pieces);

function show(index: number): void {
  if (shown[index] === 1) return;
  shown[index] = 1;
  queue.push(index);
}

function openPiece(index: number): void {
  memoryOf[index] = free.pop() ?? Buffer.from(new SharedArrayBuffer(torrent.pieceLength));
  blocksLeft[index] = Math.ceil(pieceBytes(torrent, index) / BLOCK_BYTES);
}

function blockArrived(index: number): void {
  waited ??= process.uptime();
  blocksLeft[index]!--;
  const memory = memoryOf[index];
  if (blocksLeft[index]! > 0 || memory === undefined) return;
  memoryOf[index] = undefined;
  sink(index, memory, pieceFinished);
}

function pieceFinished(memory: Buffer): void {
  free.push(memory);
  if (++finished < torrent.pieces) return;
  process.stdout.write(`${JSON.stringify({ seconds: process.uptime(), waited })}\n`, () => process.exit(0));
}

class Connection {
  readonly #socket: Socket;
  readonly #header = Buffer.alloc(BLOCK_HEADER_BYTES);
  #headerBytes = 0;
  /** Where the bytes of the message in hand go, and how many are to come. */
  #target: Buffer = Buffer.alloc(HANDSHAKE_BYTES);
  #targetAt = 0;
  #left = HANDSHAKE_BYTES;
  #inHand: 'handshake' | 'block' | 'message' = 'handshake';
  #greeted = false;
  #unchoked = false;
  #outstanding = 0;
  /** The piece that is being asked for, and its next block. */
  #asking = -1;
  #begin = 0;

  constructor(address: string) {
    const onread = {
      buffer: receiveBuffer,
      callback: (bytes: number, buffer: Uint8Array) => this.#receive(buffer, bytes),
    };
    const { host, port } = hostAndPort(address);
    const from = options.from === undefined ? {} : { localAddress: options.from };
    this.#socket = connect({ host, port, ...from, onread, noDelay: true });
    this.#socket.on('connect', () => this.#socket.write(handshake(torrent)));
    this.#socket.on('error', error => {
      if (this.#greeted) throw error;
    });
    this.#socket.on('close', () => {
      if (this.#greeted) throw new Error(`${address} left`);
      setTimeout(() => new Connection(address), REDIAL_MS);
    });
  }

  #receive(buffer: Uint8Array, end: number): boolean {
    let at = 0;
    while (at < end) {
      if (this.#left === 0) {
        at = this.#readHeader(buffer, at, end);
        continue;
      }
      const bytes = Math.min(this.#left, end - at);
      this.#target.set(buffer.subarray(at, at + bytes), this.#targetAt);
      this.#targetAt += bytes;
      this.#left -= bytes;
      at += bytes;
      if (this.#left === 0) this.#messageArrived();
    }
    return true;
  }

  /** Collects the header: four bytes of a keep-alive, 13 of a block, five of all else. */
  #readHeader(buffer: Uint8Array, from: number, end: number): number {
    const header = this.#header;
    let at = from;
    while (at < end) {
      header[this.#headerBytes++] = buffer[at++]!;
      if (this.#headerBytes < 4) continue;
      const length = header.readUInt32BE(0);
      if (length === 0) this.#headerBytes = 0;
      else if (header[4] === ID.piece && this.#headerBytes === BLOCK_HEADER_BYTES) {
        this.#target = memoryOf[header.readUInt32BE(5)] ?? Buffer.alloc(torrent.pieceLength);
        this.#targetAt = header.readUInt32BE(9);
        return this.#expect('block', length - 9, at);
      } else if (this.#headerBytes === 5 && header[4] !== ID.piece) {
        this.#target = Buffer.alloc(length - 1);
        this.#targetAt = 0;
        this.#expect('message', length - 1, at);
        if (length === 1) this.#messageArrived();
        return at;
      }
    }
    return at;
  }

  #expect(kind: 'block' | 'message', bytes: number, at: number): number {
    this.#inHand = kind;
    this.#left = bytes;
    this.#headerBytes = 0;
    return at;
  }

  #messageArrived(): void {
    if (this.#inHand === 'handshake') {
      if (!this.#target.subarray(28, 48).equals(torrent.infoHash)) throw new Error('another torrent');
      this.#greeted = true;
      this.#socket.write(bare(ID.interested));
    } else if (this.#inHand === 'block') {
      this.#outstanding--;
      blockArrived(this.#header.readUInt32BE(5));
      if (this.#outstanding <= ahead * 0.8) this.#fill();
    } else this.#told(this.#header[4] ?? 0, this.#target);
  }

  #told(id: number, body: Buffer): void {
    if (id === ID.unchoke) this.#unchoked = true;
    else if (id === ID.have) show(body.readUInt32BE(0));
    else if (id === ID.bitfield) {
      for (let index = 0; index < torrent.pieces; index++) {
        if ((body[index >> 3]! >> (7 - (index & 7))) & 1) show(index);
      }
    } else return;
    this.#fill();
  }

  /** Asks for as many blocks as there is room for, in one write. */
  #fill(): void {
    if (!this.#unchoked) return;
    const requests = Buffer.allocUnsafe((ahead - this.#outstanding) * REQUEST_BYTES);
    let at = 0;
    while (at < requests.length && this.#nextBlock()) {
      const length = Math.min(BLOCK_BYTES, pieceBytes(torrent, this.#asking) - this.#begin);
      requests.writeUInt32BE(REQUEST_BYTES - 4, at);
      requests[at + 4] = ID.request;
      requests.writeUInt32BE(this.#asking, at + 5);
      requests.writeUInt32BE(this.#begin, at + 9);
      requests.writeUInt32BE(length, at + 13);
      this.#begin += length;
      this.#outstanding++;
      at += REQUEST_BYTES;
    }
    if (at > 0) this.#socket.write(requests.subarray(0, at));
  }

  #nextBlock(): boolean {
    if (this.#asking >= 0 && this.#begin < pieceBytes(torrent, this.#asking)) return true;
    const index = queue[nextInQueue];
    if (index === undefined) return false;
    nextInQueue++;
    openPiece(index);
    this.#asking = index;
    this.#begin = 0;
    return true;
  }
}

for (const peer of options.peers) new Connection(peer);
