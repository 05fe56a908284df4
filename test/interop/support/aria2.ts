// aria2 in a namespace: seeds, leechers, and the tracker that tells them of a peer.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Client, COMPLETE_MS, type Order, PEER_PORT, READY_MS, sourceOf, versionIn } from './client.js';
import { PYTHON } from './content.js';
import type { Namespace } from './namespaces.js';
import type { Program } from './program.js';
import { inRepository } from './repository.js';

const execute = promisify(execFile);
const TRACKER_PORT = 6969;
const TRACKER_SCRIPT = inRepository('test/interop/support/fixed-tracker.py');

export interface Aria2Spec {
  /** .torrent files or magnet links. */
  readonly sources: readonly string[];
  /** Parent folder of the data. */
  readonly directory: string;
  readonly port?: number;
  /** A node of the private DHT; nodes are unknown where absent. */
  readonly bootstrap?: string | undefined;
  /** Takes part in a DHT, though there be no node: aria2 asks UDP trackers through the socket of its DHT. */
  readonly dht?: boolean;
  /** An announce URL besides those of the torrent: aria2 cannot be given the address of a peer. */
  readonly tracker?: string;
  /** Put before the command line, as a measuring program is. */
  readonly prefix?: readonly string[];
}

function start(namespace: Namespace, spec: Aria2Spec, more: readonly string[]): Program {
  const port = spec.port ?? PEER_PORT;
  const dht = spec.dht ?? spec.bootstrap !== undefined;
  return namespace.start('aria2', [
    ...(spec.prefix ?? []),
    'aria2c',
    '--no-conf',
    `--enable-dht=${dht}`,
    '--enable-dht6=false',
    `--dht-listen-port=${port}`,
    ...(spec.bootstrap === undefined ? [] : [`--dht-entry-point=${spec.bootstrap}`]),
    ...(spec.tracker === undefined ? [] : [`--bt-tracker=${spec.tracker}`]),
    `--dht-file-path=${join(namespace.directory, 'aria2-dht.dat')}`,
    '--bt-enable-lpd=false',
    `--listen-port=${port}`,
    `--dir=${spec.directory}`,
    '--file-allocation=none',
    '--enable-color=false',
    '--console-log-level=notice',
    ...more,
    ...spec.sources,
  ]);
}

/** The announce URL of a tracker there, before it runs. */
export function fixedTrackerUrl(namespace: Namespace): string {
  return `http://${namespace.address}:${TRACKER_PORT}/announce`;
}

/** A tracker in `namespace` that names `peers` (host:port) to all; its announce URL. */
export async function startFixedTracker(namespace: Namespace, ...peers: readonly string[]): Promise<string> {
  const listen = `${namespace.address}:${TRACKER_PORT}`;
  const program = namespace.start('tracker', [PYTHON, TRACKER_SCRIPT, listen, ...peers]);
  await program.waitForLine('listening', READY_MS, line => line === 'listening');
  return fixedTrackerUrl(namespace);
}

/** Seeds .torrent files for ever, ready once aria2 says SEED of each. */
export async function startAria2Seed(namespace: Namespace, spec: Aria2Spec): Promise<Program> {
  const program = start(namespace, spec, [
    '--seed-ratio=0',
    '--check-integrity=true',
    '--summary-interval=1',
  ]);
  const seeding = new Set<string>();
  await program.waitForLine('seeding', READY_MS, line => {
    const download = /^\[#([0-9a-f]+) SEED/.exec(line)?.[1];
    if (download) seeding.add(download);
    return seeding.size === spec.sources.length;
  });
  return program;
}

/** Fetches and ends. */
export function startAria2Leecher(namespace: Namespace, spec: Aria2Spec): Program {
  return start(namespace, spec, ['--seed-time=0', '--summary-interval=0']);
}

/** Fetches and seeds for ever. */
export function startAria2Relay(namespace: Namespace, spec: Aria2Spec): Program {
  return start(namespace, spec, ['--seed-ratio=0', '--summary-interval=0']);
}

function specOf(source: string, { content, directory, bootstrap }: Order): Aria2Spec {
  const [node] = bootstrap ?? [];
  const udp = content.trackers?.some(url => url.startsWith('udp:')) ?? false;
  return { sources: [source], directory, bootstrap: node, dht: udp || node !== undefined };
}

export const aria2: Client = {
  name: 'aria2',
  version: () => versionIn(execute('aria2c', ['--version'])),
  seed: (namespace, order) => startAria2Seed(namespace, specOf(order.content.torrent, order)),
  async leech(namespace, order) {
    const program = startAria2Leecher(namespace, specOf(sourceOf(order), order));
    const { code, signal } = await program.waitForEnd(COMPLETE_MS);
    if (code !== 0) throw new Error(`aria2 ended with ${code ?? signal}`);
    return program;
  },
};
