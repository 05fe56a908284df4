// The recipes of docs/scripting.md, and a place where one is run: a folder of its own that is its home too, a seed on
// loopback, our built program and stand-ins for those of others on its path.

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Content, contentOf } from './content.js';
import { folder } from './engine-run.js';
import { type End, environment, Program } from './program.js';
import { ROOT } from './root.js';
import { ALONE, RAREST, writeData } from './runs.js';

export interface Recipe {
  /** Of the fence: `sh`, `make` or `crontab`. */
  readonly language: string;
  readonly text: string;
}

/** Larger than 1 MiB. */
export const FILM = contentOf(1_100_000, { name: 'film.mkv' });
export const SHOW = contentOf(
  {
    'episode 1.mkv': 200_000,
    'episode 2.mkv': 150_001,
    'extras/bloopers.mkv': 120_000,
    'sample.mkv': 50_000,
    'theme song.flac': 90_000,
    'extras/outtake.flac': 33_000,
  },
  { name: 'show', seed: 2 },
);
/** What `rarest download -o library` prints of SHOW, sorted. */
export const SHOW_PATHS = SHOW.metainfo.files.map(({ path }) => join('library', ...path)).sort();
/** What all of a recipe's processes hold open, so that we know when the last one has ended. */
const HELD = 4;

/** All recipes by their headings. Throws for code without a heading, and for a heading that has not one block of it. */
export function recipes(): Map<string, Recipe> {
  const [intro = '', ...sections] = readFileSync(join(ROOT, 'docs/scripting.md'), 'utf8').split(/^## /m);
  if (intro.includes('```')) throw new Error('code without a heading is run by nobody');
  const found = sections.map(section => {
    const title = section.slice(0, section.indexOf('\n'));
    const blocks = [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
    const [, language = '', text = ''] = blocks[0] ?? [];
    if (blocks.length !== 1 || section.split('```').length !== 3) throw new Error(`${title}: not one block`);
    return [title, { language, text }] as const;
  });
  const byTitle = new Map(found);
  if (byTitle.size !== found.length) throw new Error('two recipes have the same heading');
  return byTitle;
}

/** Whether a recipe takes programs that may be missing where the other tests run. */
export function isForeign({ language, text }: Recipe): boolean {
  return language === 'make' || /\bjq\b/.test(text);
}

/** Seeds FILM and SHOW until the test ends. Fulfilled with its address. */
export async function startSeed(t: Test): Promise<string> {
  const directory = folder(t);
  for (const content of [FILM, SHOW]) {
    writeData(directory, content);
    writeFileSync(join(directory, `${content.metainfo.name}.torrent`), content.torrentFile);
  }
  const argv = ['film.mkv.torrent', 'show.torrent', '--json', ...ALONE];
  const seed = new Program(t, directory, ['seed', ...argv]);
  const { port } = await seed.until('listening');
  await seed.until('seeding', 2);
  return `127.0.0.1:${port}`;
}

/** The bytes of one file of a torrent. */
export function bytesOf({ metainfo, data }: Content, path: string): Buffer {
  const file = metainfo.files.find(file => file.path.join('/') === path);
  if (file === undefined) throw new Error(`${path}: no such file`);
  return data.subarray(file.offset, file.offset + file.length);
}

type Environment = Readonly<Record<string, string>>;

/** Where one recipe is run. */
export class RecipePlace {
  readonly t: Test;
  readonly directory: string;
  readonly #recipe: Recipe;
  /** Address of the one peer that there is. */
  readonly peer: string;
  readonly #bin: string;

  constructor(t: Test, recipe: Recipe, peer: string) {
    this.t = t;
    this.directory = folder(t, { '.bin': {} });
    this.#recipe = recipe;
    this.peer = peer;
    this.#bin = join(this.directory, '.bin');
    this.program('rarest', `exec ${RAREST} "$@"`);
  }

  /** Puts a shell script on the path, under the name of a program. */
  program(name: string, script: string): void {
    const path = join(this.#bin, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }

  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(this.path(name), content);
  }

  makeFolder(...names: string[]): string {
    const path = this.path(...names);
    mkdirSync(path, { recursive: true });
    return path;
  }

  bytes(...names: string[]): Buffer {
    return readFileSync(this.path(...names));
  }

  text(...names: string[]): string {
    return this.bytes(...names).toString();
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  /** Runs it to its end, which is that of the last of its processes; `expected` is how the first one ends. */
  async ends(expected: End, more: Environment = {}): Promise<RecipeRun> {
    const run = this.start(more);
    this.t.same(await run.ended, expected, run.stderr);
    return run;
  }

  start(more: Environment = {}): RecipeRun {
    const env = {
      ...environment(this.directory),
      PATH: `${this.#bin}:${process.env.PATH}`,
      LC_ALL: 'C.UTF-8',
      RAREST_NO_DHT: '1',
      RAREST_NO_LSD: '1',
      RAREST_PORT: '0',
      RAREST_PEER: this.peer,
      ...more,
    };
    return new RecipeRun(this.t, commandOf(this.#recipe), this.directory, env);
  }
}

/** How who copied it has it run. */
function commandOf({ language, text }: Recipe): string[] {
  switch (language) {
    case 'sh':
      return ['bash', '-euo', 'pipefail', '-c', text];
    case 'make':
      return ['bash', '-c', 'make -f - <<< "$1"', 'bash', text];
    case 'crontab':
      // five fields, then a line for sh
      return ['sh', '-c', text.trim().split(/\s+/).slice(5).join(' ')];
    default:
      throw new Error(`nothing runs ${language}`);
  }
}

/** One run of a recipe. */
export class RecipeRun {
  stdout = '';
  stderr = '';
  /** All its processes have ended: how the first one did. */
  readonly ended: Promise<End>;
  readonly #child: ChildProcess;
  #hasEnded = false;
  #waiting: (() => void)[] = [];

  constructor(t: Test, [file = '', ...argv]: readonly string[], cwd: string, env: Environment) {
    const stdio = ['ignore', 'pipe', 'pipe', 'ignore', 'pipe'] as const;
    // a group of its own, as a shell makes it for who types it
    const child = spawn(file, argv, { cwd, env, stdio: [...stdio], detached: true });
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#wake();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    const held = child.stdio[HELD];
    if (held && 'resume' in held) held.resume();
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exit, signal) => {
        this.#hasEnded = true;
        this.#wake();
        resolve({ exit, signal });
      });
    });
    t.teardown(() => {
      this.#signal('SIGKILL');
      return this.ended;
    });
  }

  /** Whole lines of stdout, sorted. */
  get lines(): string[] {
    return this.stdout.split('\n').slice(0, -1).sort();
  }

  /** Waits until stdout has so many lines; rejects when it ends before. */
  async untilLines(count: number): Promise<void> {
    while (this.lines.length < count) {
      if (this.#hasEnded) throw new Error(`it ended before line ${count}: ${this.stderr}`);
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }

  /** What a terminal does for Ctrl-C. */
  async interrupt(): Promise<End> {
    this.#signal('SIGINT');
    return this.ended;
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#hasEnded) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // the group has ended, and we are about to hear of it
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
