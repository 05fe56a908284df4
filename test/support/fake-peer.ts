// A scripted BitTorrent peer on 127.0.0.1, one that listens and one that dials.

import { connect, createServer, type Server } from 'node:net';
import type { Test } from 'tap';
import type { HostPort } from '../../src/torrent/metainfo-types.js';
import type { Content } from './content.js';
import { FakeWire, type Script } from './fake-wire.js';

const LOOPBACK = '127.0.0.1';

/** A peer that listens. */
export class FakePeer {
  /** All connections so far. */
  readonly wires: FakeWire[] = [];
  readonly address: HostPort;
  readonly #server: Server;
  #waiting: (() => void)[] = [];

  private constructor(server: Server) {
    const bound = server.address();
    this.address = { host: LOOPBACK, port: typeof bound === 'object' && bound ? bound.port : 0 };
    this.#server = server;
  }

  static async listen(t: Test, content: Content, script: Script = {}): Promise<FakePeer> {
    const server = createServer(socket => {
      peer.wires.push(new FakeWire(socket, content, script));
      for (const resolve of peer.#waiting.splice(0)) resolve();
    });
    await new Promise<void>(resolve => server.listen(0, LOOPBACK, resolve));
    const peer = new FakePeer(server);
    t.teardown(() => peer.close());
    return peer;
  }

  /** Hangs up and listens no more. */
  async close(): Promise<void> {
    for (const wire of this.wires) wire.hangUp();
    await new Promise(resolve => this.#server.close(resolve));
  }

  /** Dials, as a peer does that heard of us. */
  static async dial(t: Test, port: number, content: Content, script: Script = {}): Promise<FakeWire> {
    const socket = connect(port, LOOPBACK);
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    t.teardown(() => socket.destroy());
    return new FakeWire(socket, content, script);
  }

  /** Blocks sent on all connections. */
  get served(): string[] {
    return this.wires.flatMap(wire => wire.served);
  }

  get complaints(): string[] {
    return this.wires.flatMap(wire => wire.complaints);
  }

  /** The connection of this number, made or to come. */
  async wire(at = 0): Promise<FakeWire> {
    for (;;) {
      const wire = this.wires[at];
      if (wire) return wire;
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }
}
