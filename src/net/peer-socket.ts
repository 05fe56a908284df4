// One TCP connection to a peer: bytes in, bytes out, and why it ended. Knows nothing of messages, and buffers without
// bound only what its owner writes without looking at `bufferedBytes`.
// Dialled sockets read into one buffer that all of them share (see `receiveBuffer`); accepted ones, for which Node has
// no such option, get a buffer per read.

import type { Socket } from 'node:net';
import type { CloseReason } from '../torrent/errors.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';

/** What the owner of a connection is told. None of these is called after `destroy()`, nor after `onClose`. */
export interface PeerSocketHandlers {
  /** Bytes as they arrive; a view that is valid only during the call. */
  onData(chunk: Uint8Array): void;
  /** The kernel has taken all that was written, after more than a block of it had to wait. */
  onDrain(): void;
  /** The connection is gone: 'remote-closed' (ended or reset by the peer) or 'socket-error'. */
  onClose(reason: CloseReason): void;
}

/** Bytes of a message that is collected with others, and of all that are collected. */
const SMALL_BYTES = 512;
const COLLECTED_BYTES = 2048;

/** Memory that is used again once nobody holds it. */
export interface SharedMemory {
  retain(): void;
  release(): void;
}

/** Memory that the kernel has not taken all of, until so many bytes have been written in all. */
interface Held {
  readonly memory: SharedMemory;
  end: number;
}

let shared: Uint8Array | undefined;

/**
 * The buffer a dialled socket reads into, at most LIMITS.receiveBytes long. On POSIX libuv asks for the buffer, reads
 * and calls back in one go, and whoever gets the bytes copies what it keeps: so all sockets share one. Windows hands
 * the buffer to the kernel before there is anything to read: there each socket has its own, and a smaller one.
 */
export function receiveBuffer(lengthBytes: number): Uint8Array {
  if (process.platform === 'win32') return new Uint8Array(Math.min(lengthBytes, 4 * BLOCK_LENGTH));
  shared ??= new Uint8Array(LIMITS.receiveBytes);
  return shared.subarray(0, lengthBytes);
}

export class PeerSocket {
  /** Where the peer is: the address dialled, or the peer's own (ephemeral) port when `incoming`. */
  readonly address: HostPort;
  readonly incoming: boolean;
  /** Those that wrote in this turn of the event loop. */
  static #corkedNow: PeerSocket[] = [];
  readonly #socket: Socket;
  #handlers: PeerSocketHandlers | undefined;
  #open = true;
  #corked = false;
  #bytesRead = 0;
  #bytesWritten = 0;
  /** Small messages of this turn that the socket does not know of yet. */
  #small: Buffer | undefined;
  #smallBytes = 0;
  /** In the order of writing. */
  readonly #held: Held[] = [];

  /** Takes over a socket; for an incoming one also its reading, a dialled one's reads come through `received`. */
  constructor(socket: Socket, address: HostPort, incoming: boolean) {
    this.#socket = socket;
    this.address = address;
    this.incoming = incoming;
    if (incoming) socket.on('data', (chunk: Buffer) => this.received(chunk));
    socket.on('drain', () => {
      this.#releaseTaken();
      if (this.#open) this.#handlers?.onDrain();
    });
    socket.on('end', () => this.#ended('remote-closed'));
    socket.on('close', () => {
      // Not earlier: a write may be under way until then.
      for (const { memory } of this.#held.splice(0)) memory.release();
      this.#ended('remote-closed');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const byPeer = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      this.#ended(byPeer ? 'remote-closed' : 'socket-error');
    });
  }

  /** Names the owner; to be called in the same turn of the event loop in which the connection came about. */
  attach(handlers: PeerSocketHandlers): void {
    this.#handlers = handlers;
  }

  /** Bytes came in. Returns whether to go on reading. */
  received(chunk: Uint8Array): boolean {
    this.#bytesRead += chunk.length;
    if (this.#open) this.#handlers?.onData(chunk);
    return this.#open;
  }

  /** Bytes received since the connection was made. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Bytes written since the connection was made; `bufferedBytes` of them are still here. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Bytes written that the kernel has not taken yet. Who writes blocks stops above LIMITS.sendBufferBytes. */
  get bufferedBytes(): number {
    return this.#socket.writableLength + this.#smallBytes;
  }

  /**
   * Sends bytes, which must not be changed afterwards. What all writes of one turn of the event loop amount to leaves
   * in one system call: setImmediate comes after the reads of all sockets, so that the HAVEs, requests and blocks which
   * they caused go out together; nextTick would come after each single read.
   */
  write(bytes: Uint8Array): void {
    if (!this.#open) return;
    this.#cork();
    this.#bytesWritten += bytes.length;
    if (bytes.length <= SMALL_BYTES) this.#collect(bytes);
    else {
      this.#flushSmall();
      this.#socket.write(bytes);
    }
  }

  /** Sends bytes of memory that is held until the kernel has taken them, which is noticed with the writes that follow. */
  writeShared(bytes: Uint8Array, memory: SharedMemory): void {
    if (!this.#open) return;
    this.#releaseTaken();
    this.write(bytes);
    const last = this.#held.at(-1);
    if (last?.memory === memory) last.end = this.#bytesWritten;
    else {
      memory.retain();
      this.#held.push({ memory, end: this.#bytesWritten });
    }
  }

  /** The header of a piece message and its block, without joining them. */
  writeBlock(header: Uint8Array, block: Uint8Array): void {
    this.write(header);
    this.write(block);
  }

  /** Reads no more, so that the peer must slow down; what was read already may still arrive. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#open) this.#socket.resume();
  }

  /** Hangs up at once; what was written and not sent is lost. Safe to call twice. */
  destroy(): void {
    this.#open = false;
    this.#socket.destroy();
  }

  /** Small messages of one turn become one write: each costs more as a write of its own than as bytes. */
  #collect(bytes: Uint8Array): void {
    if (this.#smallBytes + bytes.length > COLLECTED_BYTES) this.#flushSmall();
    this.#small ??= Buffer.allocUnsafe(COLLECTED_BYTES);
    this.#small.set(bytes, this.#smallBytes);
    this.#smallBytes += bytes.length;
  }

  #flushSmall(): void {
    if (this.#small === undefined) return;
    const bytes = this.#small.subarray(0, this.#smallBytes);
    this.#small = undefined;
    this.#smallBytes = 0;
    this.#socket.write(bytes);
  }

  #releaseTaken(): void {
    const takenBytes = this.#bytesWritten - this.bufferedBytes;
    for (let first = this.#held[0]; first && first.end <= takenBytes; first = this.#held[0]) {
      this.#held.shift();
      first.memory.release();
    }
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    if (PeerSocket.#corkedNow.push(this) === 1) setImmediate(PeerSocket.#uncorkAll);
  }

  static #uncorkAll(): void {
    const sockets = PeerSocket.#corkedNow;
    PeerSocket.#corkedNow = [];
    for (const peer of sockets) {
      peer.#corked = false;
      if (peer.#open) peer.#flushSmall();
      peer.#socket.uncork();
    }
  }

  #ended(reason: CloseReason): void {
    if (!this.#open) return;
    this.destroy();
    this.#handlers?.onClose(reason);
  }
}
