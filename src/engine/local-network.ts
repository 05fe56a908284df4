// The local network as a source of peers: one discovery (BEP 14) for the process, its finds handed to whom they concern.

import { LocalDiscovery } from '../discovery/lsd.js';
import type { Random } from '../swarm/port.js';
import { type InfoHash, toHex } from '../torrent/ids.js';
import type { HostPort } from '../torrent/metainfo-types.js';

type OnPeer = (address: HostPort) => void;

export class LocalNetwork {
  readonly #discovery: LocalDiscovery;
  readonly #ears = new Map<string, OnPeer>();

  /** @param port where we listen @param hosts the local addresses to use; undefined: every interface */
  constructor(port: number, hosts: readonly string[] | undefined, random: Random) {
    this.#discovery = new LocalDiscovery({
      port,
      ...(hosts && { hosts }),
      random,
      onPeer: (infoHash, address) => this.#ears.get(toHex(infoHash))?.(address),
    });
  }

  /** Joins in. Never rejects: a machine without a network has no neighbours. */
  start(): Promise<void> {
    return this.#discovery.start();
  }

  /** Takes part for a torrent until it is removed; adding an info hash again replaces its interest. */
  add(infoHash: InfoHash, onPeer: OnPeer): { remove(): void } {
    const key = toHex(infoHash);
    this.#ears.set(key, onPeer);
    const place = this.#discovery.add(infoHash);
    const remove = () => {
      if (this.#ears.get(key) !== onPeer) return;
      this.#ears.delete(key);
      place.remove();
    };
    return { remove };
  }

  stop(): Promise<void> {
    return this.#discovery.stop();
  }
}
