// Two ends of a connection on loopback, for the tests of this folder.

import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';
import type { PeerSocket, PeerSocketHandlers } from '../../src/net/peer-socket.js';
import { dial, Listener } from '../../src/net/tcp.js';
import type { CloseReason } from '../../src/torrent/errors.js';

export const LOOPBACK = '127.0.0.1';

/** Remembers what a PeerSocket says, and lets a test wait for it. */
export class Recorder implements PeerSocketHandlers {
  readonly received: Buffer[] = [];
  drains = 0;
  closed: CloseReason | undefined;
  #waiting: { until: () => boolean; resolve: () => void }[] = [];

  onData(chunk: Uint8Array): void {
    this.received.push(Buffer.from(chunk));
    this.#check();
  }
  onDrain(): void {
    this.drains++;
    this.#check();
  }
  onClose(reason: CloseReason): void {
    if (this.closed !== undefined) throw new Error('closed twice');
    this.closed = reason;
    this.#check();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push({ until: condition, resolve });
      this.#check();
    });
  }

  #check(): void {
    for (const waiting of this.#waiting.splice(0))
      if (waiting.until()) waiting.resolve();
      else this.#waiting.push(waiting);
  }
}

export interface End {
  readonly peer: PeerSocket;
  readonly recorder: Recorder;
}

/** A PeerSocket that was dialled, and the bare socket at its other end. */
export async function dialledPair(t: Test): Promise<End & { far: Socket }> {
  const server: Server = createServer({ pauseOnConnect: true });
  await new Promise<void>(resolve => server.listen(0, LOOPBACK, resolve));
  const accepted = new Promise<Socket>(resolve => server.once('connection', resolve));
  const end = await dialled(t, portOf(server));
  const far = await accepted;
  far.on('error', () => {});
  t.teardown(() => {
    far.destroy();
    server.close();
  });
  return { ...end, far };
}

/** A PeerSocket that was accepted, and the bare socket at its other end. */
export async function acceptedPair(t: Test): Promise<End & { far: Socket }> {
  const recorder = new Recorder();
  let accept: (peer: PeerSocket) => void = () => {};
  const accepted = new Promise<PeerSocket>(resolve => {
    accept = resolve;
  });
  const listener = await Listener.open({
    port: 0,
    hosts: [LOOPBACK],
    onAccept: peer => {
      accept(peer);
      return recorder;
    },
  });
  const far = connect(listener.port, LOOPBACK).pause();
  far.on('error', () => {});
  t.teardown(async () => {
    far.destroy();
    await listener.close();
  });
  return { peer: await accepted, recorder, far };
}

/** A PeerSocket connected to a port of loopback. */
export function dialled(t: Test, port: number, host: string = LOOPBACK): Promise<End> {
  const recorder = new Recorder();
  return new Promise((resolve, reject) => {
    dial(
      { host, port },
      { timeoutMs: 10_000 },
      {
        onConnected: peer => {
          t.teardown(() => peer.destroy());
          resolve({ peer, recorder });
          return recorder;
        },
        onFailed: reject,
      },
    );
  });
}

export function portOf(server: Server): number {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

/** All that a bare socket reads until it has so many bytes. */
export function read(socket: Socket, length: number): Promise<Buffer> {
  return new Promise(resolve => {
    const chunks: Buffer[] = [];
    let got = 0;
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      got += chunk.length;
      if (got < length) return;
      socket.removeListener('data', take).pause();
      resolve(Buffer.concat(chunks));
    };
    socket.on('data', take).resume();
  });
}
