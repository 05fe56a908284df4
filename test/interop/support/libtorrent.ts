// libtorrent in a namespace: bare DHT nodes, seeds and leechers, each driven by libtorrent-client.py.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Client, COMPLETE_MS, type Order, PEER_PORT, READY_MS, versionIn } from './client.js';
import { LIBTORRENT_SCRIPT, PYTHON } from './content.js';
import type { Namespace } from './namespaces.js';
import { eventually, type Program } from './program.js';

const execute = promisify(execFile);
const ANSWER_MS = 10_000;
/** A client announces itself again at intervals of its own; aria2's first try may come before its bootstrap is over. */
const ANNOUNCED_MS = 90_000;
const LOOKUP_INTERVAL_MS = 250;
/** Linux takes 128 KiB in one. */
const ARGUMENT_BYTES = 100_000;

export interface TorrentSpec {
  readonly torrent?: string;
  readonly magnet?: string;
  /** Parent folder of the data. */
  readonly directory: string;
  readonly peers?: readonly string[];
  /** Bytes per second. */
  readonly uploadLimit?: number;
}

export interface SessionSpec {
  /** Nodes of the private DHT; no DHT where absent. */
  readonly bootstrap?: readonly string[];
  readonly torrents: readonly TorrentSpec[];
  /** The process ends when all torrents are complete and written. */
  readonly leaveWhenDone?: boolean;
  /** Put before the command line, as a measuring program is. */
  readonly prefix?: readonly string[];
}

interface Found {
  readonly event: string;
  readonly infoHash: string;
  readonly peers: readonly string[];
}

interface ScriptEvent {
  readonly event: string;
  readonly torrent?: number;
}

function isEvent(line: string, name: string, torrent?: number): boolean {
  if (!line.startsWith('{')) return false;
  const event: ScriptEvent = JSON.parse(line);
  return event.event === name && event.torrent === torrent;
}

/** Options as an argument, or in a file if they are too long for one. */
function argument(namespace: Namespace, options: object): string {
  const text = JSON.stringify(options);
  if (text.length <= ARGUMENT_BYTES) return text;
  const path = join(namespace.directory, 'libtorrent.json');
  writeFileSync(path, text);
  return `@${path}`;
}

/** One session that seeds or fetches. */
export class Libtorrent {
  readonly program: Program;
  /** host:port it listens on. */
  readonly peer: string;

  constructor(namespace: Namespace, spec: SessionSpec) {
    this.peer = `${namespace.address}:${PEER_PORT}`;
    const options = {
      listen: [this.peer],
      dht: spec.bootstrap !== undefined,
      bootstrap: spec.bootstrap ?? [],
      torrents: spec.torrents,
      leaveWhenDone: spec.leaveWhenDone ?? false,
    };
    const argv = [...(spec.prefix ?? []), PYTHON, LIBTORRENT_SCRIPT, 'run', argument(namespace, options)];
    this.program = namespace.start('libtorrent', argv);
  }

  /** Until it has all of a torrent, checked on disk or fetched. */
  async complete(torrent = 0, timeoutMs = READY_MS): Promise<void> {
    await this.program.waitForLine(`torrent ${torrent} complete`, timeoutMs, line =>
      isEvent(line, 'done', torrent),
    );
  }
}

/** A seed of all these torrents, ready. */
export async function startLibtorrentSeed(namespace: Namespace, spec: SessionSpec): Promise<Libtorrent> {
  const seed = new Libtorrent(namespace, spec);
  for (const torrent of spec.torrents.keys()) await seed.complete(torrent);
  return seed;
}

/** A private DHT: several nodes without torrents, in one namespace, at addresses of their own. */
export class PrivateDht {
  /** host:port of each node. */
  readonly nodes: readonly string[];
  readonly #program: Program;

  private constructor(namespace: Namespace, addresses: readonly string[]) {
    this.nodes = addresses.map(address => `${address}:${PEER_PORT}`);
    const options = { listen: this.nodes, dht: true, bootstrap: this.nodes };
    this.#program = namespace.start('DHT nodes', [PYTHON, LIBTORRENT_SCRIPT, 'run', JSON.stringify(options)]);
  }

  /** Ready when each node knows all others. */
  static async start(namespace: Namespace, count = 8): Promise<PrivateDht> {
    const dht = new PrivateDht(namespace, await namespace.addAddresses(count));
    await eventually('nodes of the DHT know each other', READY_MS, async () => {
      const answer: { nodes: number[] } = JSON.parse(await dht.#ask({ command: 'nodes' }, 'nodes'));
      return answer.nodes.every(known => known === count - 1) ? true : undefined;
    });
    return dht;
  }

  /** Until a lookup of `infoHash` finds `peer` (host:port): only then can others be asked to find it. */
  async announced(infoHash: string, peer: string): Promise<void> {
    const from = this.#program.lines.length;
    const isFound = (line: string): boolean => {
      const answer: Found = JSON.parse(line);
      return answer.event === 'found' && answer.infoHash === infoHash && answer.peers.includes(peer);
    };
    const look = (): true | undefined => {
      // A lookup that finds nothing gives no answer at all: ask again rather than wait.
      this.#program.send(JSON.stringify({ command: 'lookup', infoHash }));
      return this.#program.lines.slice(from).some(isFound) || undefined;
    };
    await eventually(`${peer} in the DHT`, ANNOUNCED_MS, look, LOOKUP_INTERVAL_MS);
  }

  #ask(command: object, answer: string): Promise<string> {
    const from = this.#program.lines.length;
    this.#program.send(JSON.stringify(command));
    return this.#program.waitForLine(answer, ANSWER_MS, line => isEvent(line, answer), from);
  }
}

function specOf(torrent: TorrentSpec, { bootstrap }: Order): SessionSpec {
  return { torrents: [torrent], ...(bootstrap && { bootstrap }) };
}

export const libtorrent: Client = {
  name: 'libtorrent',
  version: () => versionIn(execute(PYTHON, ['-c', 'import libtorrent; print(libtorrent.__version__)'])),
  async seed(namespace, order) {
    const torrent = { torrent: order.content.torrent, directory: order.directory };
    return (await startLibtorrentSeed(namespace, specOf(torrent, order))).program;
  },
  async leech(namespace, order) {
    const { content, directory, bootstrap } = order;
    const source = bootstrap ? { magnet: content.magnet } : { torrent: content.torrent };
    const leecher = new Libtorrent(namespace, specOf({ ...source, directory }, order));
    await leecher.complete(0, COMPLETE_MS);
    return leecher.program;
  },
};
