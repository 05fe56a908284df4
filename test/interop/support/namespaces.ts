// A private network of namespaces: a hub with a bridge, and one namespace for each client, joined by veth pairs.
// Nothing in it has a way out: the hub has no link but the bridge. Needs root, and fails clearly without.

import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Program, type ProgramOptions } from './program.js';

const execute = promisify(execFile);
const PREFIX = 'rarest';
const HUB_ADDRESS = '10.77.0.1';
const CLIENTS_PER_BYTE = 250;
const FIRST_FURTHER_NET = 101;
const KILLED_WITHIN_MS = 2000;
const COMMAND_MS = 10_000;
const OUTPUT_BYTES = 2 ** 26;

/** What a network needs of its test: a hook for the end, and whether to show logs there. */
export interface TestLife {
  teardown(end: () => Promise<void>): unknown;
  passing(): boolean;
}

let networks = 0;
const open = new Set<Network>();
process.once('exit', () => {
  for (const network of open) network.remove(true);
});

/** One client's place: an address of its own, an empty folder of its own. */
export class Namespace {
  readonly name: string;
  readonly address: string;
  /** Home, configuration and data of whatever runs here. */
  readonly directory: string;
  readonly #programs: Program[];

  constructor(name: string, address: string, directory: string, programs: Program[]) {
    this.name = name;
    this.address = address;
    this.directory = directory;
    this.#programs = programs;
    mkdirSync(directory, { recursive: true });
  }

  /** Starts a program here; the network ends it. Only what is set here reaches its environment: no proxies, no locale. */
  start(name: string, argv: readonly string[], options: Partial<ProgramOptions> = {}): Program {
    const program = new Program(name, ['ip', 'netns', 'exec', this.name], argv, {
      cwd: this.directory,
      ...options,
      env: { ...this.#env, ...options.env },
    });
    this.#programs.push(program);
    return program;
  }

  /** Further addresses of its own, no two in one /24: a DHT trusts no crowd of neighbours. */
  async addAddresses(count: number): Promise<string[]> {
    const host = this.address.split('.')[3];
    const addresses = Array.from(
      { length: count },
      (_, index) => `10.77.${FIRST_FURTHER_NET + index}.${host}`,
    );
    for (const address of addresses)
      await ip('-n', this.name, 'address', 'add', `${address}/16`, 'dev', 'eth0');
    return addresses;
  }

  /** Runs a short command here and gives its stdout; fails when it fails, or is at it for too long. */
  async output(argv: readonly string[]): Promise<Buffer> {
    const args = ['netns', 'exec', this.name, ...argv];
    const options = {
      encoding: 'buffer',
      timeout: COMMAND_MS,
      maxBuffer: OUTPUT_BYTES,
      env: this.#env,
    } as const;
    const { stdout } = await execute('ip', args, options);
    return stdout;
  }

  /** Ends whatever runs here, and empties the folder: the next client finds no trace of this one. */
  clear(): void {
    killAll(this.name);
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory);
  }

  get #env(): Record<string, string> {
    return { PATH: process.env.PATH ?? '', HOME: this.directory, LANG: 'C.UTF-8' };
  }
}

export class Network {
  /** Temporary files of this network; removed with it. */
  readonly directory: string;
  readonly #test: TestLife;
  readonly #prefix: string;
  readonly #mtu: number;
  readonly #names: string[] = [];
  readonly #programs: Program[] = [];
  readonly #mounts: string[] = [];
  #clients = 0;
  #closed = false;

  private constructor(test: TestLife, mtu: number, parent: string) {
    this.#test = test;
    this.#mtu = mtu;
    this.#prefix = `${PREFIX}-${process.pid}-${networks++}`;
    this.directory = mkdtempSync(join(parent, `${this.#prefix}-`));
  }

  /**
   * Makes the hub; all goes at the end of the test, or when the process exits, or when the next one starts. Its files lie
   * in a new folder in `parent`.
   */
  static async create(test: TestLife, options: { mtu?: number; parent?: string } = {}): Promise<Network> {
    if (process.getuid?.() !== 0) throw new Error('network namespaces need root');
    const parent = options.parent ?? tmpdir();
    if (networks === 0) removeLeftovers(parent);
    const network = new Network(test, options.mtu ?? 1500, parent);
    test.teardown(() => network.close());
    open.add(network);
    await network.#makeHub();
    return network;
  }

  get #hub(): string {
    return `${this.#prefix}-hub`;
  }

  async #makeHub(): Promise<void> {
    const hub = this.#hub;
    await this.#makeNamespace(hub);
    await ip('-n', hub, 'link', 'add', 'hub0', 'type', 'bridge');
    await ip('-n', hub, 'link', 'set', 'hub0', 'mtu', `${this.#mtu}`, 'up');
    await ip('-n', hub, 'address', 'add', `${HUB_ADDRESS}/16`, 'dev', 'hub0');
  }

  async #makeNamespace(name: string): Promise<void> {
    await ip('netns', 'add', name);
    this.#names.push(name);
    await ip('-n', name, 'link', 'set', 'lo', 'up');
  }

  /** A new namespace. Its default route ends at the hub: some clients do nothing without one. */
  async add(label: string): Promise<Namespace> {
    const number = this.#clients++;
    const name = `${this.#prefix}-${label}`;
    const port = `client${number}`;
    const address = `10.77.${1 + Math.floor(number / CLIENTS_PER_BYTE)}.${1 + (number % CLIENTS_PER_BYTE)}`;
    const mtu = `${this.#mtu}`;
    const pair = ['type', 'veth', 'peer', 'name', port, 'mtu', mtu, 'netns', this.#hub];
    await this.#makeNamespace(name);
    await ip('-n', name, 'link', 'add', 'eth0', 'mtu', mtu, ...pair);
    await ip('-n', this.#hub, 'link', 'set', port, 'master', 'hub0', 'up');
    await ip('-n', name, 'address', 'add', `${address}/16`, 'dev', 'eth0');
    await ip('-n', name, 'link', 'set', 'eth0', 'up');
    await ip('-n', name, 'route', 'add', 'default', 'via', HUB_ADDRESS);
    return new Namespace(name, address, join(this.directory, label), this.#programs);
  }

  /** A folder in memory that claims to have room for `bytes`, be that more than there is. */
  async addMemory(label: string, bytes: number): Promise<string> {
    const folder = join(this.directory, label);
    mkdirSync(folder);
    await execute('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
    this.#mounts.push(folder);
    return folder;
  }

  /** Ends all programs, removes all namespaces and files; shows the logs if the test failed. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await Promise.all(this.#programs.map(program => program.stop()));
    this.remove(!this.#test.passing());
  }

  /** Synchronous, so that it can run while the process exits: before `close` that means that something was thrown. */
  remove(showLogs: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    open.delete(this);
    if (showLogs) for (const program of this.#programs) process.stderr.write(program.log);
    for (const name of this.#names) removeNamespace(name);
    for (const folder of this.#mounts) spawnSync('umount', ['--lazy', folder]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function ip(...args: string[]): Promise<void> {
  await execute('ip', args);
}

/** A namespace with a process in it would live on without a name. */
function removeNamespace(name: string): void {
  killAll(name);
  spawnSync('ip', ['netns', 'delete', name]);
}

/** Kills what still runs there and waits for it. */
function killAll(name: string): void {
  const deadline = performance.now() + KILLED_WITHIN_MS;
  for (;;) {
    const pids = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter(Boolean);
    if (pids.length === 0 || performance.now() > deadline) break;
    for (const pid of pids) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
  }
}

/** Removes the namespaces and folders of test processes that were killed before they could. */
function removeLeftovers(parent: string): void {
  const namespaces = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout.split('\n');
  for (const line of namespaces) {
    const name = line.split(' ')[0] ?? '';
    if (isLeftover(name)) removeNamespace(name);
  }
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  for (const name of readdirSync(parent).filter(isLeftover)) {
    const folder = join(parent, name);
    const below = mounts.map(line => line.split(' ')[1] ?? '').filter(path => path.startsWith(`${folder}/`));
    for (const path of below) spawnSync('umount', ['--lazy', path]);
    rmSync(folder, { recursive: true, force: true });
  }
}

function isLeftover(name: string): boolean {
  const pid = Number(new RegExp(`^${PREFIX}-(\\d+)-\\d+-`).exec(name)?.[1]);
  if (Number.isNaN(pid)) return false;
  if (pid === process.pid) return true; // An earlier owner of our number.
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
