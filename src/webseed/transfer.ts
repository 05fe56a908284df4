// One run of blocks on its way from a web seed: asks for its files one after the other, cuts what comes into blocks and
// hands each on at once. Whether to try again, and when, is decided by web-seed.ts.

import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import type { TorrentFile } from '../torrent/metainfo-types.js';
import { printable } from '../torrent/text.js';
import { type Acceptance, type Failure, failed, type HttpAnswer, type HttpFetch, judge } from './answer.js';
import { type FileRange, fileRanges, type WantedBlock } from './ranges.js';

/** What padding consists of. Never written to. */
const ZEROS = new Uint8Array(BLOCK_LENGTH);
/** Characters of what went wrong that are kept: a part of it may come from the server. */
const WHY_CHARS = 200;

export interface TransferOptions {
  readonly files: readonly TorrentFile[];
  readonly urlOf: (file: TorrentFile) => string;
  readonly fetch: HttpFetch;
  readonly now: () => number;
  /** A block is here; its bytes are valid until the call returns. May end the transfer. */
  readonly onBlock: (block: WantedBlock, data: Uint8Array) => void;
}

export class Transfer {
  /** When the last 16 KiB or the last of a file were here. */
  progressAtMs: number;
  /** Whether the server sent a whole file where a part was asked for. */
  lacksRanges = false;
  readonly #options: TransferOptions;
  readonly #run: readonly WantedBlock[];
  readonly #controller = new AbortController();
  /** Blocks that were taken back. */
  readonly #cancelled = new Set<WantedBlock>();
  #answer: HttpAnswer | undefined;
  /** Index of the block that comes next, and how much of it is here. */
  #next = 0;
  #filledBytes = 0;
  /** Where a block is collected that comes in several parts. */
  #buffer: Uint8Array | undefined;
  #sinceProgressBytes = 0;
  #isOver = false;

  /** @param run blocks that continue each other in the torrent, at least one */
  constructor(run: readonly WantedBlock[], options: TransferOptions) {
    this.#run = run;
    this.#options = options;
    this.progressAtMs = options.now();
  }

  /** Fetches all; fulfilled, with what went wrong if anything did, when nothing is under way any more. */
  async fetchAll(): Promise<Failure | undefined> {
    // Whoever ordered the blocks is still at work, and must not be called back within that call.
    await undefined;
    const { files } = this.#options;
    const offset = this.#run[0]?.offset ?? 0;
    const length = this.#run.reduce((sum, block) => sum + block.length, 0);
    for (const range of fileRanges(files, offset, length)) {
      if (this.#isOver) return undefined;
      const file = files[range.file] as TorrentFile;
      if (file.pad) this.#pushZeros(range.length);
      else {
        const failure = await this.#fetchRange(file, range);
        if (failure) return failure;
      }
      this.#progress();
    }
    return undefined;
  }

  /** Ends it at once; nothing is handed on any more. */
  abort(): void {
    this.#isOver = true;
    this.#controller.abort();
    this.#answer?.destroy();
  }

  /** Blocks that are wanted and not here yet. */
  rest(): WantedBlock[] {
    return this.#run.slice(this.#next).filter(block => !this.#cancelled.has(block));
  }

  /** Takes a block back, which comes all the same if others still need the answer; false when it is not to come from here. */
  cancel(piece: number, begin: number): boolean {
    const block = this.#awaited(piece, begin);
    if (block) this.#cancelled.add(block);
    return block !== undefined;
  }

  /** Wants a block again that was taken back; false when it is not to come from here. */
  restore(piece: number, begin: number): boolean {
    if (this.#cancelled.size === 0) return false;
    const block = this.#awaited(piece, begin);
    return block !== undefined && this.#cancelled.delete(block);
  }

  #awaited(piece: number, begin: number): WantedBlock | undefined {
    const at = this.#run.findIndex(block => block.piece === piece && block.begin === begin);
    return at < this.#next ? undefined : this.#run[at];
  }

  async #fetchRange(file: TorrentFile, range: FileRange): Promise<Failure | undefined> {
    const { fetch, urlOf } = this.#options;
    const { position, length } = range;
    let answer: HttpAnswer;
    try {
      answer = await fetch(urlOf(file), {
        headers: { range: `bytes=${position}-${position + length - 1}`, 'accept-encoding': 'identity' },
        timeoutMs: LIMITS.webSeedTimeoutMs,
        signal: this.#controller.signal,
      });
    } catch (error) {
      return failed(reasonOf(error));
    }
    if (this.#isOver) {
      answer.destroy();
      return undefined;
    }
    this.#answer = answer;
    const verdict = judge(answer, range, file.length);
    if (verdict.kind === 'accepted') {
      if (verdict.skipBytes + verdict.restBytes > 0) this.lacksRanges = true;
      const failure = await this.#read(answer.body, verdict, length);
      // What was read to its end is left alone: its connection serves again.
      if (failure || verdict.restBytes > 0) answer.destroy();
      return failure;
    }
    answer.destroy();
    return verdict;
  }

  /** Reads the range out of a body; to the end of the body, unless much follows that is not wanted. */
  async #read(
    body: AsyncIterable<Uint8Array>,
    { skipBytes, restBytes }: Acceptance,
    length: number,
  ): Promise<Failure | undefined> {
    const parts = body[Symbol.asyncIterator]();
    let skip = skipBytes;
    let left = length;
    while (left > 0 || restBytes === 0) {
      let next: IteratorResult<Uint8Array>;
      try {
        next = await parts.next();
      } catch (error) {
        return failed(reasonOf(error));
      }
      if (this.#isOver) return undefined;
      if (next.done) return left > 0 ? failed('the answer is shorter than announced') : undefined;
      const part = next.value;
      this.#received(part.length);
      const from = Math.min(skip, part.length);
      const to = Math.min(from + left, part.length);
      skip -= from;
      left -= to - from;
      this.#push(part.subarray(from, to));
      if (this.#isOver) return undefined;
      if (to < part.length && restBytes === 0) return failed('the answer is longer than announced');
    }
    return undefined;
  }

  #pushZeros(length: number): void {
    for (let left = length; left > 0 && !this.#isOver; left -= ZEROS.length) {
      this.#push(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
    }
  }

  /** The next bytes of the run. A block that lies within one part is handed on without a copy. */
  #push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isOver; ) {
      const block = this.#run[this.#next];
      if (!block) return;
      const part = bytes.subarray(at, at + block.length - this.#filledBytes);
      at += part.length;
      if (part.length === block.length) this.#handOn(block, part);
      else {
        this.#buffer ??= new Uint8Array(BLOCK_LENGTH);
        this.#buffer.set(part, this.#filledBytes);
        this.#filledBytes += part.length;
        if (this.#filledBytes === block.length) this.#handOn(block, this.#buffer.subarray(0, block.length));
      }
    }
  }

  #handOn(block: WantedBlock, data: Uint8Array): void {
    this.#next++;
    this.#filledBytes = 0;
    this.#progress();
    this.#options.onBlock(block, data);
  }

  #received(bytes: number): void {
    this.#sinceProgressBytes += bytes;
    if (this.#sinceProgressBytes >= BLOCK_LENGTH) this.#progress();
  }

  #progress(): void {
    this.#sinceProgressBytes = 0;
    this.progressAtMs = this.#options.now();
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return printable(text.slice(0, WHY_CHARS)) || 'the connection failed';
}
