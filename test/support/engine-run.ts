// An engine of a test: state and output in a folder of their own, no DHT, any free port, and every event on record.

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { createEngine } from '../../src/engine/engine.js';
import type { ProcessEvent, TorrentEvent } from '../../src/engine/events.js';
import type { EngineHandle, EngineOptions, TorrentHandle, TorrentOptions } from '../../src/engine/options.js';
import { formatHostPort } from '../../src/torrent/host-port.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { parseMagnet } from '../../src/torrent/magnet.js';
import type { HostPort } from '../../src/torrent/metainfo-types.js';
import type { Content } from './content.js';

export type EngineEvent = TorrentEvent | ProcessEvent;
type Named<N extends EngineEvent['event']> = Extract<EngineEvent, { event: N }>;

export interface Added extends TorrentHandle {
  /** How often onComplete was called. */
  readonly completed: () => number;
}

export interface Place {
  /** Of state and output. */
  readonly directory: string;
}

export class EngineRun {
  readonly engine: EngineHandle;
  readonly events: EngineEvent[] = [];
  readonly output: string;
  readonly stateDirectory: string;
  #waiting: (() => void)[] = [];

  constructor(t: Test, directory: string, options: Partial<EngineOptions>) {
    this.output = join(directory, 'out');
    this.stateDirectory = options.stateDirectory ?? join(directory, 'state');
    this.engine = createEngine({
      port: 0,
      bound: undefined,
      dht: false,
      dhtBootstrap: [],
      lsd: false,
      pex: false,
      maxDownloadBps: undefined,
      maxUploadBps: undefined,
      maxConnections: LIMITS.connections,
      stateDirectory: this.stateDirectory,
      onEvent: event => this.#note(event),
      ...options,
    });
    t.teardown(() => this.engine.close());
  }

  /** An engine that listens; closed at the end of the test at the latest. */
  static async start(t: Test, directory: string, options: Partial<EngineOptions> = {}): Promise<EngineRun> {
    const run = new EngineRun(t, directory, options);
    await run.engine.start();
    return run;
  }

  get port(): number {
    return this.named('listening')[0]?.port ?? 0;
  }

  /** Adds the torrent, or its magnet link. */
  add(content: Content, from: 'torrent' | 'magnet', options: Partial<TorrentOptions> = {}): Added {
    const source =
      from === 'torrent'
        ? ({ kind: 'torrent', metainfo: content.metainfo } as const)
        : ({ kind: 'magnet', magnet: parseMagnet(content.magnet) } as const);
    let completed = 0;
    const handle = this.engine.add(
      source,
      {
        output: this.output,
        peers: [],
        data: 'fetch',
        stream: undefined,
        select: undefined,
        trackers: [],
        useTrackers: false,
        webSeeds: [],
        superSeed: false,
        maxPeers: LIMITS.peersPerTorrent,
        metadataTimeoutMs: undefined,
        timeoutMs: undefined,
        stallTimeoutMs: undefined,
        seed: undefined,
        recheck: false,
        trust: false,
        force: false,
        saveTorrent: undefined,
        sequential: false,
        ...options,
        onEvent: event => {
          this.#note(event);
          options.onEvent?.(event);
        },
      },
      () => completed++,
    );
    return { finished: handle.finished, stop: () => handle.stop(), completed: () => completed };
  }

  named<N extends EngineEvent['event']>(name: N): Named<N>[] {
    return this.events.filter((event): event is Named<N> => event.event === name);
  }

  /** What was told of a peer, as `how why`. */
  toldOf({ address }: { address: HostPort }): string[] {
    return this.named('peer')
      .filter(event => event.address === formatHostPort(address))
      .map(({ how, why }) => (why === undefined ? how : `${how} ${why}`));
  }

  /** The first event of this name that is accepted, told or to come. */
  async until<N extends EngineEvent['event']>(
    name: N,
    accept: (event: Named<N>) => boolean = () => true,
  ): Promise<Named<N>> {
    for (;;) {
      for (const event of this.named(name)) if (accept(event)) return event;
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }

  /** Waits until a peer was told of with these words. */
  async untilPeer(how: Named<'peer'>['how'], why?: string): Promise<Named<'peer'>> {
    return this.until('peer', event => event.how === how && (why === undefined || event.why === why));
  }

  #note(event: EngineEvent): void {
    this.events.push(event);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/**
 * A folder for one test. tap would remove it before the teardowns that are registered later, in the face of an engine that
 * is still being closed; with one registered before, it removes it after all of them.
 */
export function folder(t: Test, content: Parameters<Test['testdir']>[0] = {}): string {
  t.teardown(() => {});
  return t.testdir(content);
}

/** The files below `output` are those of the content, and nothing lies beside them. */
export function sameFiles(t: Test, output: string, { metainfo, data }: Content): void {
  const wanted = metainfo.files.map(({ path }) => join(...path));
  t.same(filesBelow(output), wanted.sort());
  for (const { path, offset, length } of metainfo.files) {
    const place = join(output, ...path);
    const bytes = existsSync(place) ? readFileSync(place) : undefined;
    t.ok(bytes?.equals(data.subarray(offset, offset + length)), `${join(...path)} is equal`);
  }
}

/** Paths of all files below a directory, sorted. */
export function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

/** Sockets, timers and (on Linux) open files below `directory`: what would keep a process alive, or a file busy. */
export function handlesOpen(directory: string): string[] {
  const resources = process
    .getActiveResourcesInfo()
    .filter(name => /^(TCP|UDP|Timeout|GetAddrInfo|ChannelWrap)/.test(name));
  const descriptors = existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').map(targetOf) : [];
  return [...resources, ...descriptors.filter(target => target.startsWith(directory))].sort();
}

/** Nothing is open but what was before. Node needs a few turns of its loop to forget a handle that is closed. */
export async function nothingOpen(t: Test, directory: string, before: readonly string[]): Promise<void> {
  const isAsBefore = () => handlesOpen(directory).join() === before.join();
  for (let turn = 0; turn < 1000 && !isAsBefore(); turn++)
    await new Promise(resolve => setImmediate(resolve));
  t.same(handlesOpen(directory), before, 'no handle is left open');
}

function targetOf(descriptor: string): string {
  try {
    return readlinkSync(join('/proc/self/fd', descriptor));
  } catch {
    return ''; // that of the listing itself
  }
}

/** Holds this process up for a second, until an engine's timer is due: it fires before anything else that waits. */
export function holdUp(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

/** Lets the clock jump. Engines notice within a second, when their timer fires. */
export function jumpingClock(t: Test): { jump(ms: number): void } {
  let ahead = 0;
  const now = performance.now.bind(performance);
  performance.now = () => now() + ahead;
  t.teardown(() => {
    performance.now = now;
  });
  return {
    jump: ms => {
      ahead += ms;
    },
  };
}
