// A torrent, an HTTP server that has its files and answers as scripted, and a web seed that asks it, on a virtual clock.

import { setImmediate as turn } from 'node:timers/promises';
import { BlockList } from '../../src/torrent/block-list.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { BLOCK_LENGTH } from '../../src/torrent/limits.js';
import type { HttpAnswer } from '../../src/webseed/answer.js';
import { WebSeed } from '../../src/webseed/web-seed.js';
import type { Message } from '../../src/wire/message.js';

export const PIECE = 2 * BLOCK_LENGTH;

export interface File {
  readonly name: string;
  readonly length: number;
  readonly pad?: boolean;
}

/** How the server answers one request; what is not said is as it should be. */
export interface Script {
  readonly status?: number;
  readonly headers?: Record<string, string | undefined>;
  /** Bytes of the body in parts, or how to change the right ones. */
  readonly body?: (right: () => Uint8Array) => Uint8Array[];
  /** The connection fails after the body. */
  readonly breaks?: string;
  /** No answer, or no end of the body, until it is given up. */
  readonly hangs?: 'before' | 'after';
  /** No connection at all. */
  readonly refuses?: string;
  /** The whole file with status 200. */
  readonly ignoresRange?: boolean;
}

interface Asked {
  readonly url: string;
  readonly range: string;
}

export interface BenchOptions {
  readonly url?: string;
  readonly pieceLength?: number;
  readonly random?: number;
  readonly single?: boolean;
}

/** A torrent of these files, a server that has them, and a web seed that asks it. */
export class Bench {
  readonly files: { path: string[]; length: number; offset: number; pad: boolean }[] = [];
  readonly asked: Asked[] = [];
  readonly said: Message[] = [];
  /** Blocks that came, `piece.block`, in order. */
  readonly blocks: string[] = [];
  readonly wrong: string[] = [];
  readonly warnings: string[] = [];
  gone: string | undefined;
  now = 1000;
  wakeAtMs = Number.POSITIVE_INFINITY;
  /** Requests not answered in full, or not given up. */
  pending = 0;
  /** Bytes that the reader took of bodies. */
  readBytes = 0;
  readonly seed: WebSeed;
  readonly length: number;
  readonly pieceLength: number;
  #scripts: Script[] = [];
  /** Called with each message before it is noted. */
  onMessage: (message: Message) => void = () => {};

  constructor(files: readonly File[], options: BenchOptions = {}) {
    this.pieceLength = options.pieceLength ?? PIECE;
    let offset = 0;
    for (const { name, length, pad = false } of files) {
      const singleFile = options.single ?? false;
      this.files.push({ path: singleFile ? [name] : ['torrent', ...name.split('/')], length, offset, pad });
      offset += length;
    }
    this.length = offset;
    this.seed = new WebSeed({
      url: options.url ?? 'http://host/pub/',
      metainfo: {
        files: this.files,
        pieceLength: this.pieceLength,
        singleFile: options.single ?? false,
      },
      fetch: (url, { headers, signal }) => this.#fetch(url, headers.range ?? '', signal),
      now: () => this.now,
      wakeAt: ms => {
        this.wakeAtMs = Math.min(this.wakeAtMs, ms);
      },
      random: () => options.random ?? 0,
      onMessage: message => this.#heard(message),
      onGone: reason => {
        this.gone = reason;
      },
      onWarning: text => this.warnings.push(text),
    });
    this.seed.start();
  }

  /** How the next requests are answered, in the order they are made. */
  answers(...scripts: Script[]): this {
    this.#scripts.push(...scripts);
    return this;
  }

  /** The swarm asks for blocks, `piece.block`. */
  request(...names: string[]): this {
    const list = new BlockList(names.length);
    for (const { piece, begin, length } of names.map(name => this.block(name)))
      list.push(piece, begin, length);
    this.seed.request(list);
    return this;
  }

  /** All blocks of these pieces. */
  pieces(...indices: number[]): string[] {
    return indices.flatMap(index => {
      const length = Math.min(this.pieceLength, this.length - index * this.pieceLength);
      return Array.from({ length: Math.ceil(length / BLOCK_LENGTH) }, (_, block) => `${index}.${block}`);
    });
  }

  block(name: string): { piece: Piece; begin: number; length: number } {
    const [piece = 0, block = 0] = name.split('.').map(Number);
    const begin = block * BLOCK_LENGTH;
    const inPiece = Math.min(this.pieceLength, this.length - piece * this.pieceLength);
    return { piece: piece as Piece, begin, length: Math.min(BLOCK_LENGTH, inPiece - begin) };
  }

  /** Everything that can happen without time passing. */
  async settled(): Promise<this> {
    for (let i = 0; i < 20; i++) await turn();
    return this;
  }

  /** Time passes, with a tick at the end. */
  async after(ms: number): Promise<this> {
    this.now += ms;
    this.wakeAtMs = this.seed.tick(this.now);
    return this.settled();
  }

  /** Types of all messages but blocks. */
  told(): string[] {
    return this.said.flatMap(message => {
      if (message.type === 'piece') return [];
      return 'index' in message ? `${message.type} ${message.index}` : message.type;
    });
  }

  #heard(message: Message): void {
    this.onMessage(message);
    this.said.push(message);
    if (message.type !== 'piece') return;
    const { index, begin, block } = message;
    const name = `${index}.${begin / BLOCK_LENGTH}`;
    this.blocks.push(name);
    const offset = index * this.pieceLength + begin;
    const right = this.#bytes(offset, this.block(name).length);
    if (Buffer.compare(right, block.data ?? new Uint8Array()) !== 0) this.wrong.push(name);
  }

  #bytes(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = (offset + at) * 7 + ((offset + at) >> 8);
    for (const file of this.files) {
      const from = Math.max(file.offset, offset) - offset;
      const to = Math.min(file.offset + file.length, offset + length) - offset;
      if (file.pad && to > from) bytes.fill(0, from, to);
    }
    return bytes;
  }

  async #fetch(url: string, range: string, signal: AbortSignal): Promise<HttpAnswer> {
    this.asked.push({ url, range: range.replace('bytes=', '') });
    const script = this.#scripts.shift() ?? {};
    let over = false;
    let wakeUp = () => {};
    const end = () => {
      if (!over) this.pending--;
      over = true;
      wakeUp();
    };
    const given = () =>
      new Promise<void>(resolve => {
        wakeUp = resolve;
        if (over) resolve();
      });
    this.pending++;
    signal.addEventListener('abort', end);
    if (script.hangs === 'before') {
      await given();
      throw new Error('given up');
    }
    if (script.refuses !== undefined) {
      end();
      throw new Error(script.refuses);
    }
    const path = decodeURIComponent(new URL(url).pathname);
    const file = this.files.find(file => path.endsWith(`/${file.path.join('/')}`)) ?? this.files[0];
    if (!file) throw new RangeError('no files');
    const [first = 0, last = 0] = range.replace('bytes=', '').split('-').map(Number);
    const whole = script.ignoresRange ?? false;
    const [from, length] = whole ? [0, file.length] : [first, last - first + 1];
    const headers = whole
      ? { 'content-length': `${length}` }
      : { 'content-length': `${length}`, 'content-range': `bytes ${first}-${last}/${file.length}` };
    // Long files are not made where the script does without them.
    const right = () => this.#bytes(file.offset + from, length);
    const parts = script.body?.(right) ?? [right()];
    const bench = this;
    return {
      status: script.status ?? (whole ? 200 : 206),
      headers: { ...headers, ...script.headers },
      destroy: end,
      body: (async function* () {
        for (const part of parts) {
          if (over) return;
          bench.readBytes += part.length;
          yield part;
        }
        if (script.hangs === 'after') await given();
        if (script.breaks !== undefined) {
          end();
          throw new Error(script.breaks);
        }
        end();
      })(),
    };
  }
}
