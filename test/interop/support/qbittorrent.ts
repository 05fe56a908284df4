// qbittorrent-nox in a namespace: configured by its profile, given torrents on its command line, asked by its web API.

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Client, COMPLETE_MS, type Order, PEER_PORT, READY_MS, sourceOf, versionIn } from './client.js';
import type { Namespace } from './namespaces.js';
import { eventually, type Program } from './program.js';

const execute = promisify(execFile);
const POLL_MS = 250;
/** What its DHT begins with, by name: all are looked up, one after the other, so none may be missing. */
const ROUTERS = [
  'dht.libtorrent.org',
  'router.bittorrent.com',
  'router.utorrent.com',
  'dht.transmissionbt.com',
  'dht.aelitis.com',
];
const API = 'http://127.0.0.1:8080/api/v2';
/** Of a torrent that has all its data and has verified it. */
const COMPLETE_STATES = ['uploading', 'stalledUP', 'forcedUP', 'queuedUP'];

/** Encryption 0 allows it and does not need it; a BTProtocol of TCP knows no uTP. */
function configuration(dht: boolean, onComplete: string): string {
  return `[AutoRun]
enabled=${onComplete !== ''}
program=${onComplete}

[LegalNotice]
Accepted=true

[BitTorrent]
Session\\AddTorrentPaused=false
Session\\BTProtocol=TCP
Session\\ConnectionSpeed=100
Session\\DHTEnabled=${dht}
Session\\DisableAutoTMMByDefault=true
Session\\Encryption=0
Session\\LSDEnabled=false
Session\\PeXEnabled=false
Session\\QueueingSystemEnabled=false
Session\\StopTrackerTimeout=2

[Network]
PortForwardingEnabled=false

[Preferences]
General\\Locale=en
WebUI\\Address=127.0.0.1
WebUI\\CSRFProtection=false
WebUI\\LocalHostAuth=false
WebUI\\UseUPnP=false
`;
}

async function ask(namespace: Namespace, path: string): Promise<unknown> {
  const answer = await namespace.output(['curl', '--silent', '--fail', `${API}/${path}`]);
  return JSON.parse(answer.toString());
}

/** What puts its routers' names where the nodes of `bootstrap` are, for this process alone: namespaces have own mounts. */
async function withRouters(folder: string, bootstrap: readonly string[]): Promise<string[]> {
  const hosts = join(folder, 'hosts');
  const lines = bootstrap.map(node => `${node.split(':')[0]} ${ROUTERS.join(' ')}\n`);
  await writeFile(hosts, lines.join(''));
  return ['sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', hosts];
}

/** Fetches and seeds; `onComplete`, a command without quotes, is run once a torrent is complete. */
export async function startQbittorrent(
  namespace: Namespace,
  source: string,
  { directory, bootstrap }: Pick<Order, 'directory' | 'bootstrap'>,
  onComplete = '',
): Promise<Program> {
  const profile = join(namespace.directory, 'qbittorrent');
  const folder = join(profile, 'qBittorrent/config');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'qBittorrent.conf'), configuration(bootstrap !== undefined, onComplete));
  return namespace.start('qbittorrent', [
    ...(bootstrap ? await withRouters(profile, bootstrap) : []),
    'qbittorrent-nox',
    `--profile=${profile}`,
    `--torrenting-port=${PEER_PORT}`,
    `--save-path=${directory}`,
    source,
  ]);
}

async function start(
  namespace: Namespace,
  source: string,
  order: Order,
  timeoutMs: number,
): Promise<Program> {
  const program = await startQbittorrent(namespace, source, order);
  const complete = async (): Promise<true | undefined> => {
    if (program.hasEnded) throw new Error('qbittorrent ended before it was complete');
    const torrents = (await ask(namespace, 'torrents/info').catch(() => [])) as { state: string }[];
    return torrents.some(({ state }) => COMPLETE_STATES.includes(state)) || undefined;
  };
  await eventually('qbittorrent is complete', timeoutMs, complete, POLL_MS);
  return program;
}

export const qbittorrent: Client = {
  name: 'qbittorrent',
  version: () => versionIn(execute('qbittorrent-nox', ['--version'])),
  seed: (namespace, order) => start(namespace, order.content.torrent, order, READY_MS),
  leech: (namespace, order) => start(namespace, sourceOf(order), order, COMPLETE_MS),
};
