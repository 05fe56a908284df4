// One running program of a test: its lines, its log, its end. Knows nothing of namespaces or of BitTorrent.
// Programs die with the test process (PR_SET_PDEATHSIG), even when that one is killed.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const LOG_LINES = 200;
const POLL_MS = 20;
const GRACE_MS = 3000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From start to end of the process. */
  readonly seconds: number;
}

export interface ProgramOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Called for each line of stdout as it arrives. */
  readonly onLine?: (line: string) => void;
}

/** Tries `probe` each `intervalMs` until it gives a value; the error after `timeoutMs` names `what`. */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  probe: () => T | undefined | Promise<T | undefined>,
  intervalMs = POLL_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await pause(intervalMs);
  }
}

export class Program {
  readonly name: string;
  /** Complete lines of stdout so far. */
  readonly lines: string[] = [];
  /** Fulfilled when the process has ended and all its output was read. */
  readonly ended: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #log: string[] = [];
  #exit: Exit | undefined;

  /** Starts `argv` at once. `prefix` is put before the guard that ties its life to ours. */
  constructor(name: string, prefix: readonly string[], argv: readonly string[], options: ProgramOptions) {
    this.name = name;
    const [command = '', ...args] = [...prefix, 'setpriv', '--pdeathsig', 'KILL', '--', ...argv];
    const startedAt = performance.now();
    const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: 'pipe' });
    this.#child = child;
    child.stdin.on('error', () => {}); // It may end before it has read our last command.
    createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', line => {
      this.lines.push(line);
      this.#remember(line);
      options.onLine?.(line);
    });
    createInterface({ input: child.stderr }).on('line', line => this.#remember(line));
    let seconds = 0;
    child.on('exit', () => {
      seconds = (performance.now() - startedAt) / 1000;
    });
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        this.#exit = { code, signal, seconds };
        resolve(this.#exit);
      });
    });
    this.ended.catch(error => this.#remember(String(error)));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#exit !== undefined;
  }

  /** The last lines of stdout and stderr, for a person who looks into a failure. */
  get log(): string {
    return [`--- ${this.name}`, ...this.#log, ''].join('\n');
  }

  send(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** The first line of stdout, from line number `from` on, that is accepted; fails when the program ends before. */
  waitForLine(what: string, timeoutMs: number, accept: (line: string) => boolean, from = 0): Promise<string> {
    let next = from;
    return eventually(`${this.name}: ${what}`, timeoutMs, () => {
      const exit = this.#exit;
      while (next < this.lines.length) {
        const line = this.lines[next++];
        if (line !== undefined && accept(line)) return line;
      }
      if (exit) throw new Error(`${this.name} ended (${exit.code ?? exit.signal}) before: ${what}`);
      return undefined;
    });
  }

  waitForEnd(timeoutMs: number): Promise<Exit> {
    return eventually(`${this.name}: end of the process`, timeoutMs, () => this.#exit);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end, then ends it. */
  async stop(): Promise<void> {
    if (this.#exit) return;
    this.#child.kill('SIGTERM');
    const mercy = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MS);
    await this.ended.catch(() => {});
    clearTimeout(mercy);
  }

  #remember(line: string): void {
    this.#log.push(line);
    if (this.#log.length > LOG_LINES) this.#log.shift();
  }
}
