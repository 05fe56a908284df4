// `peer` and `choke` events: who came, who went, who was given a turn.

import type { Decision } from '../swarm/choker.js';
import type { SwarmPeer } from '../swarm/peer.js';
import type { CloseReason } from '../torrent/errors.js';
import { formatHostPort } from '../torrent/host-port.js';
import type { TorrentEvent } from './events.js';
import type { PeerLink } from './peer-link.js';

export class PeerReport {
  readonly #onEvent: (event: TorrentEvent) => void;

  constructor(onEvent: (event: TorrentEvent) => void) {
    this.#onEvent = onEvent;
  }

  opened(link: PeerLink): void {
    const how = link.socket.incoming ? 'incoming' : 'dialled';
    this.#onEvent({ event: 'peer', address: addressOf(link), how });
  }

  /** A web seed, by its URL, is asked from now on. */
  found(url: string): void {
    this.#onEvent({ event: 'peer', address: url, how: 'dialled' });
  }

  /** No connection came about, or it was turned away. */
  failed(address: string, why: string): void {
    this.#onEvent({ event: 'peer', address, how: 'failed', why });
  }

  /** @param peer what a swarm knew of it */
  closed(address: string, banned: boolean, why: CloseReason, peer: SwarmPeer | undefined): void {
    this.#onEvent({
      event: 'peer',
      address,
      how: banned ? 'banned' : 'closed',
      why,
      received: peer?.down.totalBytes ?? 0,
      sent: peer?.up.totalBytes ?? 0,
    });
  }

  choked(link: PeerLink, { choke, reason }: Decision): void {
    this.#onEvent({
      event: 'choke',
      address: addressOf(link),
      decision: choke ? 'choke' : 'unchoke',
      reason,
    });
  }
}

export function addressOf({ socket }: PeerLink): string {
  return formatHostPort(socket.address);
}
