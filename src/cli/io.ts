// The process as the commands see it: streams, environment, clock, signals, the engine. Tests hand in another one.

import type { Bound, EngineHandle, EngineOptions } from '../engine/options.js';

/** stderr and stdout. */
export type OutputStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** stdin. */
export interface InputStream extends AsyncIterable<Uint8Array> {
  destroy(): unknown;
}

/** The part of src/engine/engine.ts that the commands use. */
export interface EngineModule {
  createEngine(options: EngineOptions): EngineHandle;
  defaultStateDirectory(): string;
}

/** How a hook ended: by itself, or by a signal. */
export interface HookEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** The file that stdout is, absolute; undefined where it is none, or where the system does not tell. */
  stdoutPath(): Promise<string | undefined>;
  /** Opened by the first call: a process that never reads stdin does not hold it. */
  stdin(): InputStream;
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once after so long; the result takes that back. */
  after(delayMs: number, callback: () => void): () => void;
  /** Interfaces of the machine and their addresses, as they are now; none where the system does not tell. */
  interfaces(): ReturnType<Bound['interfaces']>;
  /** SIGINT, SIGTERM and SIGUSR2 go to `listener` until the result is called. */
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
  /** What nobody caught goes to `listener`, and then the process ends with exit code 1. */
  onCrash(listener: (error: unknown) => void): void;
  /** Sends ourselves a signal, whose default handler ends the process at once. */
  raise(signal: NodeJS.Signals): void;
  /**
   * Runs `command` by the shell with `input` on its stdin, which it need not read. What it prints goes to our stderr, or
   * line by line to `onLine`.
   * Fulfilled when it has ended; rejects where it cannot be started.
   */
  runHook(
    command: string,
    env: Readonly<Record<string, string | undefined>>,
    input: string,
    onLine?: (line: string) => void,
  ): Promise<HookEnd>;
  /** The engine is loaded only when it is needed: --help and usage errors answer quickly. */
  loadEngine(): Promise<EngineModule>;
}
