// One scenario's surroundings: a network in memory, who takes part, and what all downloads have in common.

import { join } from 'node:path';
import { fixedTrackerUrl, startFixedTracker } from '../test/interop/support/aria2.js';
import { type Content, type ContentPlan, hashesOf, makeContent } from '../test/interop/support/content.js';
import { type Namespace, Network } from '../test/interop/support/namespaces.js';
import { eventually } from '../test/interop/support/program.js';
import { outputOf } from '../test/interop/support/rarest.js';
import { type BenchClient, CLIENTS, type Fetch } from './clients.js';
import type { BenchOptions, Size } from './options.js';
import type { Contestant, Sample } from './scenario.js';

const MTU = 9000;
/** How long a client that says that it is complete may take to write the last bytes. */
const WRITTEN_MS = 10_000;
const WRITTEN_POLL_MS = 100;

/** What went wrong is no fault of a client: the bytes differ. */
export class WrongBytes extends Error {}

export class Bench {
  readonly network: Network;
  readonly options: BenchOptions;
  /** Where the client that is measured runs; emptied before the next one. */
  readonly place: Namespace;
  /** Versions of the clients that are here. */
  readonly versions: ReadonlyMap<string, string>;
  readonly #hashes = new Map<Content, Promise<Record<string, string>>>();

  private constructor(
    options: BenchOptions,
    versions: ReadonlyMap<string, string>,
    network: Network,
    place: Namespace,
  ) {
    this.options = options;
    this.versions = versions;
    this.network = network;
    this.place = place;
  }

  /** Makes the surroundings, runs `work` in them, and removes them. */
  static async with<T>(
    options: BenchOptions,
    versions: ReadonlyMap<string, string>,
    work: (bench: Bench) => Promise<T>,
  ): Promise<T> {
    let failed = true;
    const life = { teardown: () => {}, passing: () => !failed };
    const network = await Network.create(life, { mtu: MTU, parent: options.scratch });
    try {
      const result = await work(new Bench(options, versions, network, await network.add('client')));
      failed = false;
      return result;
    } finally {
      await network.close();
    }
  }

  pick<T>(values: Readonly<Record<Size, T>>): T {
    return values[this.options.size];
  }

  /** How long a run may take. */
  get timeoutMs(): number {
    return this.pick({ full: 600_000, medium: 600_000, small: 60_000 });
  }

  /** Where the data of the seeds lies. */
  get shared(): string {
    return join(this.network.directory, 'shared');
  }

  /** Whether a client takes part: it is here, and it was not left out. */
  has(name: string): boolean {
    return this.versions.has(name) && (this.options.clients?.includes(name) ?? true);
  }

  /** One contestant for each client that takes part; `run` is given an empty place, which is cleared afterwards. */
  contestants(
    names: readonly string[],
    run: (client: BenchClient) => Promise<Sample>,
    ...others: readonly Namespace[]
  ): Contestant[] {
    const clients = CLIENTS.filter(({ name }) => names.includes(name) && this.has(name));
    return clients.map(client => this.contestant(client.name, () => run(client), ...others));
  }

  /** Clears `others` too, where the run has started something in them. */
  contestant(name: string, run: () => Promise<Sample>, ...others: readonly Namespace[]): Contestant {
    const clear = (): void => {
      for (const place of [this.place, ...others]) place.clear();
    };
    return { name, run: () => run().finally(clear) };
  }

  /** Data and its .torrent, whose tracker names `peers` (host:port) to all: some clients can be told of nobody. */
  async shareAt(plan: ContentPlan, peers: readonly string[]): Promise<Content> {
    const tracker = await this.network.add(`tracker-${plan.name}`);
    const content = await makeContent({ ...plan, trackers: [fixedTrackerUrl(tracker)] }, this.shared);
    await startFixedTracker(tracker, ...peers);
    return content;
  }

  order(content: Content, directory: string, peers: readonly string[]): Fetch {
    return { content, directory, peers, node: this.options.node, timeoutMs: this.timeoutMs };
  }

  /** One client's download of all, from the start of its process, with the bytes compared. */
  async fetch(client: BenchClient, content: Content, peers: readonly string[]): Promise<Sample> {
    const directory = outputOf(this.place);
    const cost = await client.fetch(this.place, this.order(content, directory, peers));
    await this.expectBytes(content, directory);
    return { ...cost, bytes: content.length };
  }

  /** The files below `directory` are those of the content; empty ones some clients leave out. */
  async expectBytes(content: Content, directory: string): Promise<void> {
    const original = this.#hashes.get(content) ?? hashesOf(content);
    this.#hashes.set(content, original);
    const expected = await original;
    const filled = content.files.filter(({ length }) => length > 0).map(({ path }) => path);
    const same = async (): Promise<true | undefined> => {
      const copy = await hashesOf(content, directory).catch(() => ({}) as Record<string, string>);
      return filled.every(path => copy[path] === expected[path]) || undefined;
    };
    await eventually('the bytes on disk', WRITTEN_MS, same, WRITTEN_POLL_MS).catch(() => {
      throw new WrongBytes('the files differ from those of the seed');
    });
  }

  /** A line for the person who waits. */
  say(text: string): void {
    process.stderr.write(`${text}\n`);
  }
}
