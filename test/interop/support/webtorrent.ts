// WebTorrent in a namespace, from npm packages that lie beside the tests and are none of the product's.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Client, COMPLETE_MS, type Order, PEER_PORT, READY_MS, sourceOf } from './client.js';
import type { Namespace } from './namespaces.js';
import type { Program } from './program.js';
import { inRepository } from './repository.js';

const execute = promisify(execFile);
const FOLDER = inRepository('test/interop/webtorrent');
const MANIFEST = join(FOLDER, 'node_modules/webtorrent/package.json');
const INSTALLED_MS = 300_000;

let installation: Promise<unknown> | undefined;

/** Installs what the lock file says where nobody has; its .npmrc keeps scripts and native packages out. */
async function install(): Promise<void> {
  if (existsSync(MANIFEST)) return;
  installation ??= execute('npm', ['ci', '--no-audit', '--no-fund'], { cwd: FOLDER, timeout: INSTALLED_MS });
  await installation;
}

export interface WebtorrentSpec {
  /** A .torrent file or a magnet link. */
  readonly source: string;
  /** Parent folder of the data. */
  readonly directory: string;
  readonly bootstrap?: readonly string[] | undefined;
  /** host:port of peers to dial. */
  readonly peers?: readonly string[];
  /** The process ends when all is complete and written. */
  readonly leaveWhenDone?: boolean;
  /** Put before the command line, as a measuring program is. */
  readonly prefix?: readonly string[];
  readonly node?: string;
}

/** Prints `metadata` and `complete` once it has them. */
export async function startWebtorrent(namespace: Namespace, spec: WebtorrentSpec): Promise<Program> {
  await install();
  const { prefix = [], node = process.execPath, ...options } = spec;
  const script = [join(FOLDER, 'client.js'), JSON.stringify({ ...options, port: PEER_PORT })];
  return namespace.start('webtorrent', [...prefix, node, ...script]);
}

async function start(
  namespace: Namespace,
  source: string,
  { directory, bootstrap }: Order,
  timeoutMs: number,
): Promise<Program> {
  const program = await startWebtorrent(namespace, { source, directory, bootstrap });
  await program.waitForLine('complete', timeoutMs, line => line === 'complete');
  return program;
}

export const webtorrent: Client = {
  name: 'webtorrent',
  async version() {
    await install();
    return (JSON.parse(await readFile(MANIFEST, 'utf8')) as { version: string }).version;
  },
  seed: (namespace, order) => start(namespace, order.content.torrent, order, READY_MS),
  leech: (namespace, order) => start(namespace, sourceOf(order), order, COMPLETE_MS),
};
