// WebTorrent in a namespace, from npm packages that lie beside the tests and are none of the product's.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Client, COMPLETE_MS, type Order, PEER_PORT, READY_MS, sourceOf } from './client.js';
import type { Namespace } from './namespaces.js';
import type { Program } from './program.js';

const execute = promisify(execFile);
const FOLDER = fileURLToPath(new URL('../webtorrent', import.meta.url));
const MANIFEST = join(FOLDER, 'node_modules/webtorrent/package.json');
const INSTALLED_MS = 300_000;

let installation: Promise<unknown> | undefined;

/** Installs what the lock file says where nobody has; its .npmrc keeps scripts and native packages out. */
async function install(): Promise<void> {
  if (existsSync(MANIFEST)) return;
  installation ??= execute('npm', ['ci', '--no-audit', '--no-fund'], { cwd: FOLDER, timeout: INSTALLED_MS });
  await installation;
}

async function start(
  namespace: Namespace,
  source: string,
  { directory, bootstrap }: Order,
  timeoutMs: number,
): Promise<Program> {
  await install();
  const options = { source, directory, port: PEER_PORT, bootstrap };
  const argv = [process.execPath, join(FOLDER, 'client.js'), JSON.stringify(options)];
  const program = namespace.start('webtorrent', argv);
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
