// Peer exchange (BEP 11) of one torrent: tells it of links, and its owner of whom they name.

import { PeerExchange } from '../swarm/peer-exchange.js';
import type { Address, PeerNumber } from '../swarm/port.js';
import type { CloseReason } from '../torrent/errors.js';
import type { ExtensionHandshake, PeerExchangeMessage, PexFlags } from '../wire/message.js';
import type { PeerLink } from './peer-link.js';

const UNKNOWN: PexFlags = {
  encryption: false,
  uploadOnly: false,
  utp: false,
  holepunch: false,
  outgoing: false,
};

export class Exchange {
  readonly #exchange: PeerExchange;
  readonly #found: (addresses: readonly Address[], now: number) => void;

  constructor(
    found: (addresses: readonly Address[], now: number) => void,
    send: (peer: PeerNumber, message: PeerExchangeMessage) => void,
  ) {
    this.#found = found;
    this.#exchange = new PeerExchange(send);
  }

  opened({ number, socket }: PeerLink): void {
    const { address, incoming } = socket;
    this.#exchange.connected(number, {
      host: address.host,
      address: incoming ? undefined : address,
      flags: { ...UNKNOWN, outgoing: !incoming },
    });
  }

  /** The peer said of itself where it listens, whether it only gives, and whether it takes part. */
  introduced({ number, socket }: PeerLink, said: ExtensionHandshake, now: number): void {
    const { address, incoming } = socket;
    if (incoming && said.listenPort !== undefined)
      this.#exchange.learned(number, { address: { host: address.host, port: said.listenPort } });
    if (said.uploadOnly !== undefined)
      this.#exchange.learned(number, {
        flags: { ...UNKNOWN, outgoing: !incoming, uploadOnly: said.uploadOnly },
      });
    if (said.utPex !== undefined) this.#exchange.enable(number, said.utPex > 0, now);
  }

  /** Returns why the teller has to be closed, if it has. */
  heard({ number }: PeerLink, message: PeerExchangeMessage, now: number): CloseReason | undefined {
    const { addresses, fault } = this.#exchange.message(number, message, now);
    this.#found(addresses, now);
    return fault;
  }

  closed(number: PeerNumber): void {
    this.#exchange.closed(number);
  }

  /** Tells what is due; returns when it wants to be called next. */
  tick(now: number): number {
    return this.#exchange.tick(now);
  }
}
