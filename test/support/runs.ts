// What tests of the built program need around it: data, torrents, a terminal, a tracker.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import bencode from 'bencode';
import type { Test } from 'tap';
import type { Content } from './content.js';
import type { FakePeer } from './fake-peer.js';
import { BARE_NODE, built, type End, environment, PROGRAM, Program, type ProgramOptions } from './program.js';

/** Nobody is asked but those who are named. */
export const ALONE = ['--no-dht', '--no-lsd', '--port', '0'];

/** What a test at a terminal is to be called with. */
export const atTerminal =
  process.platform === 'linux' && existsSync('/usr/bin/script') ? built : { skip: 'no script(1)' };

/** Flags that lead to these peers. */
export function towards(...peers: readonly FakePeer[]): string[] {
  return peers.flatMap(({ address }) => ['--peer', `${address.host}:${address.port}`]);
}

/** Runs the program to its end. */
export async function ran(
  t: Test,
  directory: string,
  argv: readonly string[],
  options: ProgramOptions = {},
): Promise<Program & End> {
  const program = new Program(t, directory, argv, options);
  return Object.assign(program, await program.ended);
}

/** Writes the files of a torrent below `directory`, as a finished download would leave them. */
export function writeData(directory: string, { metainfo, data }: Content): void {
  for (const { path, offset, length } of metainfo.files) {
    mkdirSync(join(directory, ...path.slice(0, -1)), { recursive: true });
    writeFileSync(join(directory, ...path), data.subarray(offset, offset + length));
  }
}

/** The built program, in a command for a shell. */
export const RAREST = ['env', ...BARE_NODE, PROGRAM].map(word => `'${word}'`).join(' ');

/** A shell command at a terminal. */
export class Terminal {
  /** All that was shown. */
  text = '';
  readonly ended: Promise<number | null>;
  readonly #child;
  #hasEnded = false;
  #waiting: (() => void)[] = [];

  constructor(t: Test, directory: string, command: string) {
    const env = { ...environment(directory), TERM: 'xterm', SHELL: '/bin/bash' };
    const argv = ['-qefc', command, '/dev/null'];
    const child = spawn('script', argv, { cwd: directory, env, stdio: 'pipe' });
    this.#child = child;
    child.stdin.on('error', () => {});
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
      this.#wake();
    });
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', exit => {
        this.#hasEnded = true;
        this.#wake();
        resolve(exit);
      });
    });
    t.teardown(() => {
      child.kill('SIGKILL');
      return this.ended;
    });
  }

  /** As keys are pressed: \x03 is Ctrl-C. */
  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** Fulfilled once this was shown; rejects when the command ends before. */
  shows(what: string | RegExp): Promise<void> {
    return this.showsAfter(0, what);
  }

  /** The same, behind so many characters. */
  async showsAfter(begin: number, what: string | RegExp): Promise<void> {
    while (this.text.slice(begin).search(what) < 0) {
      if (this.#hasEnded) throw new Error(`ended before it showed ${what}: ${this.text}`);
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** An HTTP server on 127.0.0.1; the result is its URL, without a slash at the end. */
export async function serveHttp(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const bound = server.address();
  return `http://127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`;
}

/** An HTTP tracker that names `peers` and remembers what it was told. */
export class FakeTracker {
  readonly url: string;
  readonly announces: URLSearchParams[];

  private constructor(url: string, announces: URLSearchParams[]) {
    this.url = url;
    this.announces = announces;
  }

  /** @param answers whether an announce of this event is answered */
  static async start(
    t: Test,
    peers: readonly FakePeer[] = [],
    answers: (event: string | null) => boolean = () => true,
  ): Promise<FakeTracker> {
    const announces: URLSearchParams[] = [];
    const list = peers.map(({ address }) => ({ ip: address.host, port: address.port }));
    const url = await serveHttp(t, (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://tracker');
      if (pathname === '/scrape') {
        // the key is raw bytes
        const hash = Buffer.from(/info_hash=([^&]*)/.exec(request.url ?? '')?.[1] ?? '', 'latin1');
        return void response.end(scraped(unescaped(hash.toString('latin1'))));
      }
      announces.push(searchParams);
      if (!answers(searchParams.get('event'))) return;
      response.end(Buffer.from(bencode.encode({ interval: 1800, complete: 3, incomplete: 1, peers: list })));
    });
    return new FakeTracker(`${url}/announce`, announces);
  }

  get events(): (string | null)[] {
    return this.announces.map(query => query.get('event'));
  }
}

function unescaped(text: string): Buffer {
  return Buffer.from(
    text.replace(/%(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

/** BEP 48. */
function scraped(infoHash: Buffer): Buffer {
  const figures = bencode.encode({ complete: 7, downloaded: 0, incomplete: 2 });
  return Buffer.concat([Buffer.from('d5:filesd20:'), infoHash, Buffer.from(figures), Buffer.from('ee')]);
}
