// A DHT of its own: nodes that know nobody but each other, on loopback.

import { setTimeout as delay } from 'node:timers/promises';
import { DhtDiscovery } from '../src/discovery/dht.js';
import type { HostPort } from '../src/torrent/metainfo-types.js';

const LOOPBACK = '127.0.0.1';
/** The first node has nobody to ask; without any address it would ask the routers of the public DHT. */
const NOBODY: HostPort = { host: LOOPBACK, port: 1 };
const LOOK_EVERY_MS = 20;

export class PrivateDht {
  /** Where a newcomer begins: the first node. */
  readonly bootstrap: HostPort;
  readonly #nodes: readonly DhtDiscovery[];

  private constructor(bootstrap: HostPort, nodes: readonly DhtDiscovery[]) {
    this.bootstrap = bootstrap;
    this.#nodes = nodes;
  }

  /** Fulfilled when the first of the nodes, at least 3, knows most of the others. Rejects when `signal` aborts. */
  static async open(count: number, signal: AbortSignal): Promise<PrivateDht> {
    const nodes: DhtDiscovery[] = [];
    const join = async (bootstrap: HostPort): Promise<HostPort> => {
      const node = new DhtDiscovery({ bootstrap: [bootstrap], remembered: [], host: LOOPBACK });
      nodes.push(node);
      return { host: LOOPBACK, port: await node.listen(0) };
    };
    try {
      const bootstrap = await join(NOBODY);
      while (nodes.length < count) await join(bootstrap);
      while ((nodes[0]?.nodeCount ?? 0) <= count / 2) await delay(LOOK_EVERY_MS, undefined, { signal });
      return new PrivateDht(bootstrap, nodes);
    } catch (error) {
      await Promise.all(nodes.map(node => node.stop()));
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map(node => node.stop()));
  }
}
