// A process of strings for the commands: streams that are remembered, a clock that is moved by hand, an engine that does
// what the test says.

import { PassThrough, Writable } from 'node:stream';
import t from 'tap';
import type { HookEnd, Io } from '../../src/cli/io.js';
import type { TorrentEvent } from '../../src/engine/events.js';
import type {
  EngineHandle,
  EngineOptions,
  FindOptions,
  TorrentHandle,
  TorrentOptions,
  TorrentSource,
} from '../../src/engine/options.js';
import { toHex } from '../../src/torrent/ids.js';
import { eventOf, LineWatch } from '../support/event-line.js';

/** A stream that keeps what was written to it. Whatever test it belongs to, a line of JSON that is no event is a failure. */
export class Kept extends Writable {
  readonly #watch = new LineWatch(why => t.fail(why));
  text = '';
  /** The same, where it is no text. */
  bytes = Buffer.alloc(0);
  isTTY = false;
  columns = 80;
  rows = 24;
  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.text += chunk.toString();
    this.#watch.write(chunk.toString('latin1'));
    this.bytes = Buffer.concat([this.bytes, chunk]);
    done();
  }
  /** As if its reader had gone away, or its disk were full. */
  fail(code: string): void {
    this.emit('error', Object.assign(new Error(`write ${code}`), { code }));
  }
}

/** One torrent at work in the fake engine. */
export interface FakeTorrent {
  readonly infoHash: string;
  readonly source: TorrentSource;
  readonly options: TorrentOptions;
  readonly emit: (event: TorrentEvent) => void;
  readonly complete: () => void;
  readonly finish: () => void;
  readonly fail: (error: unknown) => void;
}

export class FakeEngine implements EngineHandle {
  readonly options: EngineOptions;
  readonly torrents: FakeTorrent[] = [];
  /** What start() does. */
  onStart = async () => {};
  /** Called with each torrent as it is added. */
  onAdd: (torrent: FakeTorrent) => void = () => {};
  onFind: (signal: AbortSignal, options: FindOptions) => void = () => {};
  closed = 0;

  constructor(options: EngineOptions) {
    this.options = options;
  }

  start(): Promise<void> {
    return this.onStart();
  }

  add(source: TorrentSource, options: TorrentOptions, onComplete: () => void): TorrentHandle {
    const { promise, resolve, reject } = pending();
    const hash = source.kind === 'torrent' ? source.metainfo.infoHash : source.magnet.infoHash;
    const torrent: FakeTorrent = {
      infoHash: hash === undefined ? '' : toHex(hash),
      source,
      options,
      emit: options.onEvent,
      complete: onComplete,
      finish: resolve,
      fail: reject,
    };
    this.torrents.push(torrent);
    this.onAdd(torrent);
    return { finished: promise, stop: async () => resolve() };
  }

  async findPeers(_source: TorrentSource, options: FindOptions, signal: AbortSignal): Promise<void> {
    const ended = new Promise<void>(resolve => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.onFind(signal, options);
    await ended;
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

/** A hook that was started, and runs until the test ends it. */
export interface FakeHook {
  readonly command: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input: string;
  readonly end: (end: HookEnd) => void;
  readonly fail: (error: unknown) => void;
}

export interface FakeIo extends Io {
  loadEngine: Io['loadEngine'];
  stdoutPath: Io['stdoutPath'];
  runHook: Io['runHook'];
  interfaces: Io['interfaces'];
  readonly env: Record<string, string | undefined>;
  readonly stdout: Kept;
  readonly stderr: Kept;
  readonly input: PassThrough;
  /** The engine, once it was made. */
  readonly engine: FakeEngine | undefined;
  /** What the engine says is the default. */
  stateDirectory: string;
  /** Prepares the engine before its start. */
  prepare: (engine: FakeEngine) => void;
  /** Moves the clock and runs what is due. */
  pass(ms: number): void;
  signal(name: NodeJS.Signals): void;
  crash(error: unknown): void;
  readonly raised: NodeJS.Signals[];
  readonly hooks: FakeHook[];
}

export function fakeIo(): FakeIo {
  let now = 0;
  let engine: FakeEngine | undefined;
  let crashed: (error: unknown) => void = () => {};
  const timers = new Set<{ at: number; callback: () => void }>();
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  const input = new PassThrough();
  const io: FakeIo = {
    env: {},
    stdout: new Kept(),
    stderr: new Kept(),
    input,
    raised: [],
    hooks: [],
    prepare: () => {},
    stateDirectory: '/state',
    get engine() {
      return engine;
    },
    stdoutPath: async () => undefined,
    stdin: () => input,
    now: () => now,
    after(delayMs, callback) {
      const timer = { at: now + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pass(ms) {
      now += ms;
      for (const timer of timers) {
        if (timer.at > now) continue;
        timers.delete(timer);
        timer.callback();
      }
    },
    interfaces: () => ({}),
    onSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    signal(name) {
      for (const listener of listeners) listener(name);
    },
    onCrash(listener) {
      crashed = listener;
    },
    crash: error => crashed(error),
    raise(signal) {
      io.raised.push(signal);
    },
    runHook: (command, env, input) =>
      new Promise((end, fail) => {
        eventOf(input.trimEnd());
        io.hooks.push({ command, env, input, end, fail });
      }),
    loadEngine: async () => ({
      createEngine(options) {
        engine = new FakeEngine(options);
        io.prepare(engine);
        return engine;
      },
      defaultStateDirectory: () => io.stateDirectory,
    }),
  };
  return io;
}

/** Lets everything run that is ready to, until `ready` holds; tap's time limit ends a test for which it never does. */
export async function until(ready: () => boolean): Promise<void> {
  while (!ready()) await new Promise(resolve => setImmediate(resolve));
}

/** Lets everything run that is ready to: nothing more is to be expected. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve));
}

function pending() {
  let resolve = () => {};
  let reject = (_error: unknown) => {};
  const promise = new Promise<void>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
