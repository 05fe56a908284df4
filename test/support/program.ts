// The built program as a child process: what it prints, how it ends. It never outlives its test.

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Test } from 'tap';
import { LineWatch, type PrintedEvent } from './event-line.js';
import { ROOT } from './root.js';

export const PROGRAM = join(ROOT, 'dist/program/rarest.js');

/**
 * What `env` runs node with as a shell does: tap has every child load what records it, which takes longer than most
 * commands do.
 */
const UNRECORDED = ['-u', 'NODE_OPTIONS'];
export const BARE_NODE = [...UNRECORDED, process.execPath];

/** What a test of the built program is to be called with. */
export const built = existsSync(PROGRAM) ? {} : { skip: 'not built: npm run build' };

export interface End {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  /** All there is to read on stdin; `open`: what `type` is called with, until `endInput`. Nothing by default. */
  readonly stdin?: string | Uint8Array | 'open';
  readonly env?: Readonly<Record<string, string>>;
  /** What starts it: put before the command line. */
  readonly prefix?: readonly string[];
  /** Where stdout goes instead of to `lines`: a file descriptor. */
  readonly stdout?: number;
}

/** Every line of JSON that it prints has to be an event, or the test fails. */
export class Program {
  /** Lines of stdout. */
  readonly lines: string[] = [];
  /** The process has ended, and all it printed was read. */
  readonly ended: Promise<End>;
  readonly #child: ChildProcess;
  readonly #output: Buffer[] = [];
  readonly #errors: Buffer[] = [];
  #hasEnded = false;
  #waiting: (() => void)[] = [];

  /** @param directory working directory and home; the state is kept in `state` below it */
  constructor(t: Test, directory: string, argv: readonly string[], options: ProgramOptions = {}) {
    const { stdin, stdout = 'pipe', prefix = [] } = options;
    const stdio: StdioOptions = [stdin === undefined ? 'ignore' : 'pipe', stdout, 'pipe'];
    const env = { ...environment(directory), ...options.env };
    const child = spawn('env', [...UNRECORDED, ...prefix, process.execPath, PROGRAM, ...argv], {
      cwd: directory,
      env,
      stdio,
    });
    this.#child = child;
    // it may end without reading
    child.stdin?.on('error', () => {});
    if (stdin !== undefined && stdin !== 'open') child.stdin?.end(stdin);
    if (child.stdout !== null) {
      this.#watch(t, child.stdout, this.#output);
      createInterface({ input: child.stdout }).on('line', line => {
        this.lines.push(line);
        this.#wake();
      });
    }
    this.#watch(t, child.stderr!, this.#errors);
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exit, signal) => {
        this.#hasEnded = true;
        this.#wake();
        resolve({ exit, signal });
      });
    });
    t.teardown(() => {
      child.kill('SIGKILL');
      return this.ended;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** All that was printed. */
  get stdout(): string {
    return this.bytes.toString();
  }

  /** The same, where it is no text. */
  get bytes(): Buffer {
    return Buffer.concat(this.#output);
  }

  get stderr(): string {
    return Buffer.concat(this.#errors).toString();
  }

  /** Lines of `--json`. Throws on one that is none. */
  get events(): PrintedEvent[] {
    return this.lines.map(line => JSON.parse(line));
  }

  named(name: string): PrintedEvent[] {
    return this.events.filter(({ event }) => event === name);
  }

  /** The event of this name that is the `count`th, printed or to come; rejects when the program ends before. */
  async until(name: string, count = 1): Promise<PrintedEvent> {
    for (;;) {
      const found = this.named(name)[count - 1];
      if (found) return found;
      if (this.#hasEnded) throw new Error(`the program ended before ${name}: ${this.stderr}`);
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }

  /** Fulfilled once `accept` holds, asked whenever something was printed; rejects when the program ends before. */
  async untilPrinted(accept: () => boolean): Promise<void> {
    while (!accept()) {
      if (this.#hasEnded) throw new Error(`the program ended: ${this.stdout}${this.stderr}`);
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }

  type(text: string | Uint8Array): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Reads its stdout no more: it has nobody to write to. */
  hangUp(): void {
    this.#child.stdout?.destroy();
  }

  kill(signal: NodeJS.Signals): Promise<End> {
    this.#child.kill(signal);
    return this.ended;
  }

  #watch(t: Test, stream: Readable, kept: Buffer[]): void {
    const watch = new LineWatch(why => t.fail(why));
    stream.on('data', (chunk: Buffer) => {
      kept.push(chunk);
      watch.write(chunk.toString('latin1'));
      this.#wake();
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A user's, with nothing of ours in it. */
export function environment(directory: string): Record<string, string> {
  const state = join(directory, 'state');
  return {
    PATH: process.env.PATH ?? '',
    HOME: directory,
    XDG_STATE_HOME: state,
    LOCALAPPDATA: state,
  };
}
