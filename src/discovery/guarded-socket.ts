// The UDP socket as the DHT package sees it: what could harm the package does not come in, what could harm others does
// not go out, and nothing throws. It is a view of a bound socket whose owner binds and closes it: other protocols can
// listen on the same one, and see what is not KRPC.

import type { RemoteInfo, Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { addressBytes, isDialable } from '../torrent/ip.js';
import { LIMITS } from '../torrent/limits.js';
import { krpcKind, trimReply } from './krpc-guard.js';

export class GuardedSocket extends EventEmitter {
  readonly #socket: Socket;
  readonly #now: () => number;
  #open = true;
  /** Queries let in since the present second began. */
  #queries = 0;
  #secondBegan: number;
  readonly #receive = (datagram: Buffer, from: RemoteInfo): void => {
    if (this.#admits(datagram, from)) this.emit('message', datagram, from);
  };

  /** @param now monotonic milliseconds */
  constructor(socket: Socket, now: () => number) {
    super();
    this.#socket = socket;
    this.#now = now;
    this.#secondBegan = now();
    socket.on('message', this.#receive);
    // Errors after binding are about one datagram ("port unreachable"); its query times out.
    socket.on('error', () => {});
  }

  /** The port is bound already; only says so. */
  bind(): void {
    process.nextTick(() => this.emit('listening'));
  }

  address(): AddressInfo {
    return this.#socket.address();
  }

  /** Sends to the IPv4 address of one machine; what cannot be sent is lost, as datagrams may be. */
  send(bytes: Uint8Array, _offset: number, _length: number, port: number, host: string): void {
    const to = addressBytes(host);
    if (!this.#open || to?.length !== 4 || !isDialable(to) || !(port > 0 && port < 65536)) return;
    const datagram = trimReply(bytes);
    if (datagram.length > LIMITS.dhtReplyBytes) return;
    try {
      this.#socket.send(datagram, port, host, () => {});
    } catch {
      // The owner closed the socket first.
    }
  }

  /** Hears and sends no more; the socket itself stays with its owner. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.removeListener('message', this.#receive);
    process.nextTick(() => this.emit('close'));
  }

  #admits(datagram: Uint8Array, from: RemoteInfo): boolean {
    const kind = from.port === 0 ? undefined : krpcKind(datagram);
    return kind === 'query' ? this.#answersOneMore() : kind !== undefined;
  }

  #answersOneMore(): boolean {
    const now = this.#now();
    if (now - this.#secondBegan >= 1000) {
      this.#secondBegan = now;
      this.#queries = 0;
    }
    return this.#queries++ < LIMITS.dhtQueriesPerSecond;
  }
}
