// One process of the built program, known by its command-line contract alone: arguments, events on stdout, signals.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ReportedEvent } from '../src/cli/reported.js';
import { TorrentView } from '../src/cli/torrent-view.js';

/** ms from SIGINT to SIGKILL. */
const PATIENCE_MS = 10_000;
/** Characters of the last words of a process that are kept. */
const LAST_WORDS = 2000;

export interface ClientOptions {
  readonly name: string;
  /** Path of the built program. */
  readonly program: string;
  readonly args: readonly string[];
  /** Folder for its state; nothing of the user's own is read or written. */
  readonly state: string;
  readonly onEvent: (event: ReportedEvent) => void;
  /** It ended though nobody asked it to. */
  readonly onFailure: (error: Error) => void;
}

export class Client {
  readonly name: string;
  /** How far it is. */
  readonly view: TorrentView;
  /** Fulfilled with the magnet link when all is here, verified, and given to others; for ever pending if it fails. */
  readonly seeding: Promise<string>;
  readonly #child: ChildProcess;
  /** Fulfilled with the signal or exit code. */
  readonly #ended: Promise<string>;
  #stopping = false;
  #lastWords = '';

  constructor({ name, program, args, state, onEvent, onFailure }: ClientOptions) {
    this.name = name;
    this.view = new TorrentView(name);
    const child = spawn(process.execPath, [program, ...args], {
      env: environment(state),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.seeding = new Promise(resolve => {
      createInterface({ input: child.stdout }).on('line', line => {
        const event: ReportedEvent = JSON.parse(line);
        if (event.event === 'seeding') resolve(event.magnet);
        this.view.update(event);
        onEvent(event);
      });
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS);
    });
    this.#ended = new Promise(resolve => {
      const end = (how: string) => {
        resolve(how);
        if (!this.#stopping)
          onFailure(new Error(`${name} ended early, ${how}\n${this.#lastWords}`.trimEnd()));
      };
      child.once('error', error => end(error.message));
      child.once('close', (code, signal) => end(signal ?? `exit code ${code}`));
    });
  }

  /** Asks it to end, and insists after a while. Fulfilled with the signal or exit code that it ended with. */
  async stop(): Promise<string> {
    this.#stopping = true;
    this.#child.kill('SIGINT');
    const insisting = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    const how = await this.#ended;
    clearTimeout(insisting);
    return how;
  }
}

/** Ours, without the user's wishes for the program, and with a place for state as Unix and Windows name it. */
function environment(state: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('RAREST_'));
  return { ...Object.fromEntries(own), XDG_STATE_HOME: state, LOCALAPPDATA: state };
}
