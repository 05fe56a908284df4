// The demonstration from beginning to end: a private DHT, a seed, leechers that are told a magnet link and one DHT node,
// and what can be said of it afterwards. Cleans up behind itself, however it ends.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { formatBytes, formatPercent, formatRate } from '../src/cli/quantities.js';
import { makeTorrent } from '../src/storage/make-torrent.js';
import { formatHostPort } from '../src/torrent/host-port.js';
import { Client } from './client.js';
import { CONTENT_NAME, fingerprints, writeContent } from './content.js';
import { Ledger, matrix } from './ledger.js';
import { PrivateDht } from './private-dht.js';
import type { Screen } from './screen.js';

const DHT_NODES = 8;
const PIECE_LENGTH = 64 * 1024;
const SEED = 'seed';
/** For how long a process goes on, should nobody be left to stop it. */
const ORPHAN = '10m';

export interface Plan {
  /** Path of the built program. */
  readonly program: string;
  readonly lengthBytes: number;
  /** What the seed gives at most. */
  readonly seedBps: number;
  /** The others, and what each gives at most. */
  readonly leechers: readonly { readonly name: string; readonly giveBps: number }[];
  /** ms from the start of one leecher to that of the next. */
  readonly staggerMs: number;
  /** ms after which it has failed. */
  readonly deadlineMs: number;
}

/** Plays the plan; rejects when anything is not as it should be, or with the reason of `interrupt`. */
export async function play(plan: Plan, screen: Screen, interrupt: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rarest-demo-'));
  const demo = new Demo(plan, screen, folder, interrupt);
  try {
    await demo.play();
  } finally {
    await demo.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

class Demo {
  readonly #plan: Plan;
  readonly #screen: Screen;
  /** Everything on disk is below it. */
  readonly #folder: string;
  readonly #ledger = new Ledger();
  readonly #clients: Client[] = [];
  readonly #failure = new AbortController();
  /** Aborted by the first failure, or from outside. */
  readonly #over: AbortSignal;
  readonly #aborted: Promise<never>;
  #dht: PrivateDht | undefined;

  constructor(plan: Plan, screen: Screen, folder: string, interrupt: AbortSignal) {
    this.#plan = plan;
    this.#screen = screen;
    this.#folder = folder;
    this.#over = AbortSignal.any([interrupt, this.#failure.signal]);
    this.#aborted = new Promise((_, reject) => {
      this.#over.addEventListener('abort', () => reject(this.#over.reason));
    });
    this.#aborted.catch(() => {});
  }

  async play(): Promise<void> {
    const { deadlineMs } = this.#plan;
    const late = new Error(`not done after ${deadlineMs / 1000} s`);
    const deadline = setTimeout(() => this.#failure.abort(late), deadlineMs);
    try {
      await this.#run();
    } catch (error) {
      throw this.#over.aborted ? this.#over.reason : error;
    } finally {
      clearTimeout(deadline);
    }
  }

  async close(): Promise<void> {
    this.#screen.rest();
    await Promise.all([...this.#clients.map(client => client.stop()), this.#dht?.close()]);
  }

  async #run(): Promise<void> {
    const { torrent, original } = await this.#makeContent();
    this.#dht = await PrivateDht.open(DHT_NODES, this.#over);
    const bootstrap = formatHostPort(this.#dht.bootstrap);
    const seed = this.#start(SEED, torrent, bootstrap, this.#plan.seedBps);
    const magnet = await this.#unlessOver(seed.seeding);
    this.#introduce(magnet, bootstrap);
    const seconds = await this.#download(magnet, bootstrap);
    await this.#stopAll();
    await this.#verify(original);
    this.#conclude(seconds);
  }

  async #makeContent(): Promise<{ torrent: string; original: string[] }> {
    const place = this.#placeOf(SEED);
    await writeContent(place, this.#plan.lengthBytes);
    const torrent = join(this.#folder, 'demo.torrent');
    const { bytes } = await makeTorrent([join(place, CONTENT_NAME)], { pieceLength: PIECE_LENGTH });
    await writeFile(torrent, bytes);
    const original = await fingerprints(place);
    this.#over.throwIfAborted();
    return { torrent, original };
  }

  #introduce(magnet: string, bootstrap: string): void {
    const { lengthBytes, leechers, seedBps } = this.#plan;
    const names = leechers.map(({ name }) => name).join(', ');
    const limits = leechers.map(({ giveBps }) => formatRate(giveBps)).join(', ');
    for (const line of [
      `A swarm of ${leechers.length + 1} processes on this machine. Nothing leaves it.`,
      '',
      `  content  ${formatBytes(lengthBytes)}, in ${this.#folder} until the end`,
      `  DHT      ${DHT_NODES} nodes that know nobody else; one of them is ${bootstrap}`,
      `  seed     has everything, gives at most ${formatRate(seedBps)}`,
      `  ${names.padEnd(7)}  join one by one, give at most ${limits}`,
      '',
      'All that these are told of each other:',
      '',
      `rarest download '${magnet}' --dht-bootstrap ${bootstrap}`,
      '',
    ])
      this.#screen.print(line);
  }

  /** Fulfilled when every leecher has everything, with the seconds it took. */
  async #download(magnet: string, bootstrap: string): Promise<number> {
    const { leechers, staggerMs } = this.#plan;
    const startedAt = performance.now();
    const complete: Promise<string>[] = [];
    for (const { name, giveBps } of leechers) {
      if (complete.length > 0) await delay(staggerMs, undefined, { signal: this.#over });
      const leecher = this.#start(name, magnet, bootstrap, giveBps);
      this.#screen.show(name, leecher.view);
      complete.push(leecher.seeding);
    }
    await this.#unlessOver(Promise.all(complete));
    this.#screen.rest();
    return (performance.now() - startedAt) / 1000;
  }

  #start(name: string, source: string, bootstrap: string, giveBps: number): Client {
    const client = new Client({
      name,
      program: this.#plan.program,
      args: [
        ...['download', source, '--output', this.#placeOf(name), '--port', '0', '--json', '-v'],
        ...['--dht-bootstrap', bootstrap, '--no-lsd', '--max-upload', `${giveBps}`],
        ...['--seed-time', ORPHAN, '--timeout', ORPHAN],
      ],
      state: join(this.#folder, 'state', name),
      onEvent: event => this.#ledger.event(name, event),
      onFailure: error => this.#failure.abort(error),
    });
    this.#clients.push(client);
    return client;
  }

  /** Everybody has everything by now, so nobody waits for anybody. */
  async #stopAll(): Promise<void> {
    const stops = this.#clients.map(async client => {
      const how = await client.stop();
      if (how !== 'SIGINT') throw new Error(`${client.name} was told to end, and ended with ${how}`);
    });
    await Promise.all(stops);
  }

  async #verify(original: readonly string[]): Promise<void> {
    for (const { name } of this.#plan.leechers) {
      const copy = await fingerprints(this.#placeOf(name));
      if (copy.join('\n') !== original.join('\n'))
        throw new Error(`the files of ${name} are not those of the seed`);
    }
    this.#over.throwIfAborted();
  }

  #conclude(seconds: number): void {
    const { lengthBytes, leechers, seedBps } = this.#plan;
    const takers = leechers.map(({ name }) => name);
    const everybody = [SEED, ...takers];
    const ledger = this.#ledger;
    const [stranger] = ledger.strangers();
    if (stranger !== undefined) throw new Error(`${stranger} took part, which is none of us`);
    for (const name of takers) {
      const taken = ledger.given(everybody, [name]);
      if (taken < lengthBytes) throw new Error(`${name} has ${lengthBytes} bytes, but was given ${taken}`);
    }
    const bySeed = ledger.given([SEED], takers);
    const byLeechers = ledger.given(takers, takers);
    if (byLeechers === 0) throw new Error('the leechers gave each other nothing');
    const copies = takers.length * lengthBytes;
    const twice = bySeed + byLeechers - copies;
    for (const line of [
      '',
      `All complete after ${seconds.toFixed(1)} s, every file equal to the original.`,
      `The seed alone would have needed ${(copies / seedBps).toFixed(1)} s.`,
      '',
      'Who gave how much to whom:',
      '',
      ...matrix(ledger, everybody, takers).map(row => `  ${row}`),
      '',
      `${formatPercent(byLeechers, bySeed + byLeechers)} came from other leechers rather than the seed.`,
      ...(twice > 0 ? [`${formatBytes(twice)} came twice: the last blocks are asked of several peers.`] : []),
    ])
      this.#screen.print(line);
  }

  /** Settles as the promise does, or rejects when all is over before. */
  #unlessOver<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#aborted]);
  }

  #placeOf(name: string): string {
    return join(this.#folder, name);
  }
}
