// The built program as a child process: what it prints, how it ends. It never outlives its test.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { ROOT } from './root.js';

export const PROGRAM = join(ROOT, 'dist/bin/rarest.js');

/**
 * What `env` runs node with as a shell does: tap has every child load what records it, which takes longer than most
 * commands do.
 */
export const BARE_NODE = ['-u', 'NODE_OPTIONS', process.execPath];

/** What a test of the built program is to be called with. */
export const built = existsSync(PROGRAM) ? {} : { skip: 'not built: npm run build' };

export interface PrintedEvent {
  readonly v: number;
  readonly t: number;
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface End {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Program {
  /** Lines of stdout. */
  readonly lines: string[] = [];
  stderr = '';
  /** The process has ended, and all it printed was read. */
  readonly ended: Promise<End>;
  readonly #child: ChildProcess;
  #hasEnded = false;
  #waiting: (() => void)[] = [];

  /**
   * @param directory working directory and home; the state is kept in `state` below it
   * @param more of the environment
   */
  constructor(
    t: Test,
    directory: string,
    argv: readonly string[],
    more: Readonly<Record<string, string>> = {},
  ) {
    const env = {
      PATH: process.env.PATH,
      HOME: directory,
      XDG_STATE_HOME: join(directory, 'state'),
      LOCALAPPDATA: join(directory, 'state'),
      ...more,
    };
    const child = spawn('env', [...BARE_NODE, PROGRAM, ...argv], {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', line => {
      this.lines.push(line);
      this.#wake();
    });
    child.stderr.on('data', chunk => {
      this.stderr += chunk;
    });
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

  kill(signal: NodeJS.Signals): Promise<End> {
    this.#child.kill(signal);
    return this.ended;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
