// Each client as the scenarios need it: to fetch once and end, to fetch and go on, to seed.

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { aria2, startAria2Leecher, startAria2Relay } from '../test/interop/support/aria2.js';
import { type Client, COMPLETE_MS, type Order, PEER_PORT } from '../test/interop/support/client.js';
import type { Content } from '../test/interop/support/content.js';
import { Libtorrent, libtorrent } from '../test/interop/support/libtorrent.js';
import { type Cost, measured, usageOf } from '../test/interop/support/measure.js';
import type { Namespace } from '../test/interop/support/namespaces.js';
import { eventually, type Program } from '../test/interop/support/program.js';
import { qbittorrent, startQbittorrent } from '../test/interop/support/qbittorrent.js';
import { rarest, roads, startRarest, waitForEvent } from '../test/interop/support/rarest.js';
import {
  startTransmissionCli,
  startTransmissionSeed,
  transmission,
} from '../test/interop/support/transmission.js';
import { startWebtorrent, webtorrent } from '../test/interop/support/webtorrent.js';
import { startFloorDownload, startFloorSeed } from './floor/programs.js';

const POLL_MS = 5;

/** What there is to fetch, and where to. */
export interface Fetch {
  readonly content: Content;
  /** Parent folder of the data. */
  readonly directory: string;
  /** host:port of those who have it; the tracker of the .torrent names the same. */
  readonly peers: readonly string[];
  /** The Node.js to use. */
  readonly node: string;
  /** How long it may take. */
  readonly timeoutMs: number;
}

export interface BenchClient {
  readonly name: string;
  /** Where it listens. */
  readonly port: number;
  version(): Promise<string>;
  /** Fetches all; the cost is that from the start of the process to its end, or to its word that all is here. */
  fetch(namespace: Namespace, fetch: Fetch): Promise<Cost>;
  /** Starts to fetch, and seeds meanwhile and afterwards. */
  relay?(namespace: Namespace, fetch: Fetch): Program | Promise<Program>;
  /** Starts with all the data; ready once that is verified. */
  seed(namespace: Namespace, order: Order, node: string): Promise<Program>;
}

/** On the clock of `Cost.startedAtSeconds`. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}

/** For clients that stay: they make a file once they are complete. */
async function untilMarked(
  namespace: Namespace,
  timeoutMs: number,
  start: (marker: string) => Promise<Program>,
): Promise<Cost> {
  const marker = join(namespace.directory, 'complete');
  const startedAtSeconds = now();
  const program = await start(marker);
  const complete = (): true | undefined => {
    if (program.hasEnded) throw new Error(`${program.name} ended before it was complete`);
    return existsSync(marker) || undefined;
  };
  await eventually(`${program.name} is complete`, timeoutMs, complete, POLL_MS);
  const wallSeconds = now() - startedAtSeconds;
  return { startedAtSeconds, wallSeconds, ...(await usageOf(program.pid)) };
}

const ours: BenchClient = {
  name: 'rarest',
  port: PEER_PORT,
  version: rarest.version,
  fetch: (namespace, fetch) =>
    measured(namespace, fetch.timeoutMs, prefix =>
      startRarest(namespace, rarestArgs(fetch), { prefix, node: fetch.node }),
    ),
  relay: (namespace, fetch) => startRarest(namespace, [...rarestArgs(fetch), '--seed'], { node: fetch.node }),
  async seed(namespace, order, node) {
    const args = ['seed', order.content.torrent, '--output', order.directory, ...roads(order)];
    const program = startRarest(namespace, args, { node });
    await waitForEvent(program, 'seeding', COMPLETE_MS);
    return program;
  },
};

function rarestArgs({ content, directory, peers }: Fetch): string[] {
  const roads = ['--no-dht', '--no-lsd', '--no-trackers', '--port', `${PEER_PORT}`];
  const known = peers.flatMap(peer => ['--peer', peer]);
  return ['download', content.torrent, '--output', directory, ...roads, ...known];
}

function libtorrentSpec({ content, directory, peers }: Fetch) {
  return { torrents: [{ torrent: content.torrent, directory, peers }] };
}

const foreign: readonly BenchClient[] = [
  {
    ...known(libtorrent),
    fetch: (namespace, fetch) =>
      measured(
        namespace,
        fetch.timeoutMs,
        prefix =>
          new Libtorrent(namespace, { ...libtorrentSpec(fetch), leaveWhenDone: true, prefix }).program,
      ),
    relay: (namespace, fetch) => new Libtorrent(namespace, libtorrentSpec(fetch)).program,
  },
  {
    ...known(aria2),
    fetch: (namespace, { content, directory, timeoutMs }) =>
      measured(namespace, timeoutMs, prefix =>
        startAria2Leecher(namespace, { sources: [content.torrent], directory, prefix }),
      ),
    relay: (namespace, { content, directory }) =>
      startAria2Relay(namespace, { sources: [content.torrent], directory }),
  },
  {
    ...known(webtorrent),
    fetch: (namespace, { content, directory, peers, node, timeoutMs }) => {
      const spec = { source: content.torrent, directory, peers, node, leaveWhenDone: true };
      return measured(namespace, timeoutMs, prefix => startWebtorrent(namespace, { ...spec, prefix }));
    },
    relay: (namespace, { content, directory, peers, node }) =>
      startWebtorrent(namespace, { source: content.torrent, directory, peers, node }),
    async seed(namespace, { content, directory }, node) {
      const program = await startWebtorrent(namespace, { source: content.torrent, directory, node });
      await program.waitForLine('complete', COMPLETE_MS, line => line === 'complete');
      return program;
    },
  },
  {
    ...known(qbittorrent),
    fetch: (namespace, { content, directory, timeoutMs }) =>
      untilMarked(namespace, timeoutMs, marker =>
        startQbittorrent(namespace, content.torrent, { directory }, `touch ${marker}`),
      ),
    relay: (namespace, { content, directory }) => startQbittorrent(namespace, content.torrent, { directory }),
  },
  {
    ...known(transmission),
    port: 51413,
    fetch: (namespace, { content, directory, timeoutMs }) =>
      untilMarked(namespace, timeoutMs, marker =>
        startTransmissionCli(namespace, content.torrent, directory, `touch ${marker}`),
      ),
    relay: (namespace, { content, directory }) =>
      startTransmissionCli(namespace, content.torrent, directory, ':'),
    seed: async (namespace, { content, directory }) =>
      (await startTransmissionSeed(namespace, [content], directory)).program,
  },
];

function known({ name, version, seed }: Client): Pick<BenchClient, 'name' | 'port' | 'version' | 'seed'> {
  return { name, port: PEER_PORT, version, seed: (namespace, order) => seed(namespace, order) };
}

/** No client: what Node.js can do at best. It knows torrents of one file alone. */
function floor(name: string, thread: 'main' | 'worker'): BenchClient {
  return {
    name,
    port: PEER_PORT,
    version: async () => 'of this repository',
    async fetch(namespace, { content, directory, peers, node, timeoutMs }) {
      await mkdir(directory, { recursive: true });
      const options = { torrent: content.torrent, peers, thread, out: join(directory, content.name) };
      return measured(namespace, timeoutMs, prefix => startFloorDownload(namespace, node, options, prefix));
    },
    seed: (namespace, { content, directory }, node) =>
      startFloorSeed(namespace, node, {
        torrent: content.torrent,
        data: join(directory, content.name),
        listen: [`${namespace.address}:${PEER_PORT}`],
      }),
  };
}

export const OURS = ours.name;
export const FLOOR = 'floor';
export const FLOOR_WORKER = 'floor-worker';
export const CLIENTS: readonly BenchClient[] = [
  ours,
  ...foreign,
  floor(FLOOR, 'main'),
  floor(FLOOR_WORKER, 'worker'),
];
export const CLIENT_NAMES = CLIENTS.map(({ name }) => name);
/** Neither ours nor the floor. */
export const PEERS = foreign.map(({ name }) => name);
