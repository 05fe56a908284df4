// One run of a command: its engine, its exit code, and how it ends, early or late. Knows no command.

import type { ProcessEvent } from '../engine/events.js';
import type { EngineHandle } from '../engine/options.js';
import type { Binding } from '../torrent/binding.js';
import type { TorrentError } from '../torrent/errors.js';
import { type Failure, failureOf } from './failure.js';
import type { Words } from './human-lines.js';
import { plainHuman } from './human-plain.js';
import type { InputStream, Io } from './io.js';
import type { EngineChoices, OutputOptions } from './options.js';
import type { Subject } from './reported.js';
import { type Human, Reporter } from './reporter.js';
import { type Items, jsonResults, plainResults, ResultStream } from './results.js';

/** Exit codes of a death by signal, for a process whose signal is ignored by its parent's wish. */
const SIGNAL_EXIT: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

export interface SessionOptions {
  readonly output: OutputOptions;
  /** More than one source: failures say which. */
  readonly several: boolean;
  /** End when nobody reads stdout any more, rather than go on in silence. */
  readonly endsWithReader: boolean;
  /** What goes to stdout where no JSON is wanted. */
  readonly items: Items;
  /** For people, instead of the usual words. */
  readonly words?: Words;
  /** stdout carries bytes, so that JSON goes to stderr. */
  readonly payload?: boolean;
}

export class Session {
  readonly io: Io;
  readonly reporter: Reporter;
  readonly #bind: string | undefined;
  readonly #stop = new AbortController();
  #engine: Promise<EngineHandle> | undefined;
  #handle: EngineHandle | undefined;
  #binding: Promise<Binding> | undefined;
  #stdin: InputStream | undefined;
  #exitCode = 0;
  readonly #endings: (() => Promise<void>)[] = [];

  readonly #stdout: ResultStream;

  constructor(io: Io, reporter: Reporter, stdout: ResultStream, bind: string | undefined) {
    this.io = io;
    this.#bind = bind;
    this.reporter = reporter;
    this.#stdout = stdout;
  }

  /** Aborted when the command is to end before its time. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /** That of the first failure; 0 without any. */
  get exitCode(): number {
    return this.#exitCode;
  }

  stop(): void {
    this.#stop.abort();
  }

  /** `wait` is called at the end, early or late; what it still waits for has to be short. It never rejects. */
  beforeEnd(wait: () => Promise<void>): void {
    this.#endings.push(wait);
  }

  readonly stdin = (): InputStream => {
    this.#stdin ??= this.io.stdin();
    return this.#stdin;
  };

  /** What every socket is to use; undefined: the system chooses. Rejects with NETWORK where it is not here. */
  async binding(): Promise<Binding | undefined> {
    if (this.#bind !== undefined) this.#binding ??= this.#bindingTo(this.#bind);
    return this.#binding;
  }

  async #bindingTo(name: string): Promise<Binding> {
    const { bindingTo } = await import('../engine/binding.js');
    return bindingTo(name, this.io.interfaces());
  }

  /** Writes to stdout, behind what was written there before; whether it could be. A failure is reported elsewhere. */
  writePayload(bytes: Uint8Array): Promise<boolean> {
    return this.#stdout.writeAll(bytes);
  }

  /** The engine, made and started by the first call. Rejects as its start does. */
  engine(options: EngineChoices, onEvent: (event: ProcessEvent) => void): Promise<EngineHandle> {
    this.#engine ??= this.#start(options, onEvent);
    return this.#engine;
  }

  /** Reports a failure; the first one decides the exit code. What fails because we were stopped is no news. */
  fail(error: unknown, subject?: Subject): void {
    if (!this.stopped.aborted) this.#failed(failureOf(error), subject);
  }

  /** Closes whatever was opened; everything still at work ends. */
  async close(): Promise<void> {
    this.stop();
    this.#stdin?.destroy();
    const endings = Promise.all(this.#endings.map(wait => wait()));
    try {
      await this.#handle?.close();
    } catch (error) {
      this.#failed(failureOf(error));
    }
    await endings;
    this.reporter.close();
  }

  async #start(options: EngineChoices, onEvent: (event: ProcessEvent) => void): Promise<EngineHandle> {
    const { createEngine, defaultStateDirectory } = await this.io.loadEngine();
    const binding = await this.binding();
    this.stopped.throwIfAborted();
    const engine = createEngine({
      ...options,
      bound: binding && { binding, interfaces: this.io.interfaces, onLost: error => this.#lost(error) },
      stateDirectory: defaultStateDirectory(),
      onEvent,
    });
    this.#handle = engine;
    await engine.start();
    return engine;
  }

  /** Whatever failed before, who watches over us is to learn of this. */
  #lost(error: TorrentError): void {
    if (!this.stopped.aborted) this.#exitCode = failureOf(error).exit;
    this.fail(error);
    this.stop();
  }

  #failed(failure: Failure, subject?: Subject): void {
    this.#exitCode ||= failure.exit;
    this.reporter.failure(failure, subject);
  }
}

/**
 * Runs `body` to its end, or to SIGINT or SIGTERM, and closes all behind it. What it throws is the last failure. Fulfilled
 * with the exit code; after a signal it is raised again first, which as a rule ends the process.
 */
export async function runSession(
  io: Io,
  options: SessionOptions,
  bind: string | undefined,
  body: (session: Session) => Promise<void>,
): Promise<number> {
  const stdout = new ResultStream(
    io.stdout,
    () => options.endsWithReader && session.stop(),
    error => session.fail(error),
  );
  const session = new Session(io, await openReporter(io, options, stdout), stdout, bind);
  const { reporter } = session;
  let signal: NodeJS.Signals | undefined;
  const release = io.onSignal(received => {
    if (received === 'SIGUSR2') return reporter.status();
    if (signal !== undefined) {
      reporter.close();
      stdout.flush();
      release();
      return io.raise(received);
    }
    signal = received;
    reporter.note(`${reporter.transfers ? 'saving state' : 'stopping'}; once more to leave at once`);
    session.stop();
  });
  io.onCrash(error => {
    reporter.close();
    reporter.failure(failureOf(error));
    stdout.flush();
  });
  try {
    await Promise.race([body(session).then(() => stdout.flushed()), aborted(session.stopped)]);
  } catch (error) {
    session.fail(error);
  }
  await session.close();
  stdout.flush();
  release();
  if (signal === undefined) return session.exitCode;
  io.raise(signal);
  return SIGNAL_EXIT[signal] ?? session.exitCode;
}

async function openReporter(io: Io, options: SessionOptions, stdout: ResultStream): Promise<Reporter> {
  const { output, several, items, words, payload } = options;
  const results = output.json ? jsonResults(output, io.now(), io.now) : plainResults(output, items);
  // what was said first is read first where both go to one place
  const say = (text: string) => {
    stdout.flush();
    io.stderr.write(text);
  };
  let human: Human = plainHuman(say, io.now);
  let write = (text: string) => (payload ? void io.stderr.write(text) : stdout.gather(text));
  // Bytes on the same terminal would land in the bars.
  const canDraw = io.stderr.isTTY && !(payload && io.stdout.isTTY);
  if (canDraw && io.env.TERM !== 'dumb' && !output.quiet && !output.json) {
    const { openTty } = await import('./human-tty.js');
    const tty = await openTty(io.stderr, output.color);
    human = tty;
    // a path printed on the same terminal must not land in the bars
    if (io.stdout.isTTY) write = text => tty.above(() => stdout.write(text));
  }
  return new Reporter({ output, several, human, results, words, write });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
