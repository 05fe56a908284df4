// The least that seeding can cost in Node: a piece is read at once and kept for the requests that follow, headers and
// slices of it leave corked. It decides nothing: whoever is interested is unchoked.
//
//   seed.js '{"torrent": "x.torrent", "data": "x.bin", "listen": ["10.77.0.2:6881"]}'
//
// Prints "listening" once it listens at all addresses. What does not begin with a plain handshake is closed.

import { openSync, readSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import {
  BLOCK_HEADER_BYTES,
  bare,
  HANDSHAKE_BYTES,
  handshake,
  hostAndPort,
  ID,
  pieceBytes,
  readTorrent,
} from './torrent.js';

export interface FloorSeed {
  readonly torrent: string;
  readonly data: string;
  readonly listen: readonly string[];
}

/** How much leaves in one write. */
const CORKED_BYTES = 512 * 1024;

const options: FloorSeed = JSON.parse(process.argv[2] ?? '{}');
const torrent = readTorrent(options.torrent);
const file = openSync(options.data, 'r');
const HELLO = handshake(torrent);

/** That we have all pieces; spare bits are zero. */
function bitfield(): Buffer {
  const body = Buffer.alloc(Math.ceil(torrent.pieces / 8), 0xff);
  const spare = body.length * 8 - torrent.pieces;
  body[body.length - 1] = (0xff << spare) & 0xff;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + body.length);
  head[4] = ID.bitfield;
  return Buffer.concat([head, body]);
}

const WELCOME = Buffer.concat([HELLO, bitfield()]);
const UNCHOKE = bare(ID.unchoke);

class Connection {
  readonly #socket: Socket;
  #greeted = false;
  #rest: Buffer = Buffer.alloc(0);
  #piece = -1;
  #data: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', bytes => this.#receive(bytes));
    socket.on('drain', () => this.#answer());
    socket.on('error', () => socket.destroy());
  }

  /** Requests are small and few bytes are left over: joining them costs nothing. */
  #receive(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#answer();
  }

  #answer(): void {
    if (!this.#greeted && !this.#greet()) return;
    const rest = this.#rest;
    let at = 0;
    this.#socket.cork();
    while (rest.length - at >= 4 && !this.#socket.writableNeedDrain) {
      const end = at + 4 + rest.readUInt32BE(at);
      if (end > rest.length) break;
      const id = rest[at + 4];
      if (id === ID.interested) this.#socket.write(UNCHOKE);
      else if (id === ID.request) {
        this.#sendBlock(rest.readUInt32BE(at + 5), rest.readUInt32BE(at + 9), rest.readUInt32BE(at + 13));
      }
      at = end;
    }
    this.#socket.uncork();
    this.#rest = rest.subarray(at);
  }

  #greet(): boolean {
    const rest = this.#rest;
    const known = Math.min(rest.length, 20);
    if (!rest.subarray(0, known).equals(HELLO.subarray(0, known))) this.#socket.destroy();
    if (rest.length < HANDSHAKE_BYTES || this.#socket.destroyed) return false;
    this.#rest = rest.subarray(HANDSHAKE_BYTES);
    this.#greeted = true;
    this.#socket.write(WELCOME);
    return true;
  }

  #sendBlock(index: number, begin: number, length: number): void {
    if (index !== this.#piece) {
      this.#data = Buffer.allocUnsafeSlow(pieceBytes(torrent, index));
      readSync(file, this.#data, 0, this.#data.length, index * torrent.pieceLength);
      this.#piece = index;
    }
    const header = Buffer.allocUnsafe(BLOCK_HEADER_BYTES);
    header.writeUInt32BE(9 + length);
    header[4] = ID.piece;
    header.writeUInt32BE(index, 5);
    header.writeUInt32BE(begin, 9);
    this.#socket.write(header);
    this.#socket.write(this.#data.subarray(begin, begin + length));
  }
}

let listening = 0;
for (const address of options.listen) {
  const { host, port } = hostAndPort(address);
  createServer({ highWaterMark: CORKED_BYTES }, socket => new Connection(socket)).listen(port, host, () => {
    if (++listening === options.listen.length) process.stdout.write('listening\n');
  });
}
