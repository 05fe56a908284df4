// Blocks on their way from the disk to one peer: reads them, sends them, keeps to the upload limit, and says when the
// network has taken them.

import type { RateConsumer, RateLimiter } from '../net/rate-limiter.js';
import { TorrentError } from '../torrent/errors.js';
import type { Piece } from '../torrent/geometry.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import type { PeerLink } from './peer-link.js';
import type { BlockRun, BlockSource, TorrentRuns } from './upload-runs.js';

interface Waiting {
  readonly piece: Piece;
  readonly begin: number;
  readonly length: number;
}

export interface UploadLineOptions {
  readonly link: PeerLink;
  readonly source: BlockSource;
  readonly runs: TorrentRuns;
  readonly limiter: RateLimiter | undefined;
  /** The line waits for tokens. */
  waits(): void;
  /** Blocks of so many bytes have gone to the network (`ok`), or could not be read. */
  sent(bytes: number, ok: boolean): void;
  /** The data on disk is not what it was. */
  failed(error: TorrentError): void;
}

export class UploadLine implements RateConsumer {
  readonly #options: UploadLineOptions;
  /** Those that the limit does not allow yet. */
  readonly #waiting: Waiting[] = [];
  /** Those to be sent now, in this order. */
  #allowed: Waiting[] = [];
  /** A look at `#allowed` is due at the end of this turn: blocks that are asked for together leave together. */
  #isDue = false;
  #isReading = false;
  #isClosed = false;
  /** Bytes of blocks in the socket's own buffer, while that is full. */
  #undrainedBytes = 0;

  constructor(options: UploadLineOptions) {
    this.#options = options;
  }

  /** Sends a block, as soon as the limit allows. */
  push(piece: Piece, begin: number, length: number): void {
    const { limiter, waits } = this.#options;
    const block = { piece, begin, length };
    if (limiter) {
      this.#waiting.push(block);
      limiter.wait(this);
      waits();
    } else this.#allow(block);
  }

  use(bytes: number): number {
    let used = 0;
    while (used < bytes) {
      const next = this.#waiting.shift();
      if (!next) break;
      used += next.length;
      this.#allow(next);
    }
    return used;
  }

  /** The socket has taken what was written. */
  drained(): void {
    const bytes = this.#undrainedBytes;
    this.#undrainedBytes = 0;
    if (bytes > 0) this.#options.sent(bytes, true);
  }

  close(): void {
    this.#options.limiter?.leave(this);
    this.#isClosed = true;
    this.#waiting.length = 0;
    this.#allowed.length = 0;
    this.#undrainedBytes = 0;
  }

  #allow(block: Waiting): void {
    this.#allowed.push(block);
    if (this.#isDue || this.#isReading) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#sendAll();
    });
  }

  /** Sends what is in memory, and begins to read what is not. What is sent orders more, which comes to the end of the line. */
  #sendAll(): void {
    this.#isDue = true;
    for (let first = this.#allowed[0]; first; first = this.#allowed[0]) {
      if (!this.#isWhole(first)) {
        this.#allowed.shift();
        this.#sendPart(first);
        continue;
      }
      const run = this.#options.runs.get(first.piece, runOf(first));
      if (!run) {
        this.#read();
        break;
      }
      this.#sendFrom(run, first);
    }
    this.#isDue = false;
  }

  /** Sends the first block and those right behind it in the same run, in one write. */
  #sendFrom(run: BlockRun, first: Waiting): void {
    const line = this.#allowed;
    let last = first;
    let count = 1;
    for (let next = line[count]; next && this.#follows(next, last); next = line[count]) {
      last = next;
      count++;
    }
    line.splice(0, count);
    const bytes = last.begin - first.begin + last.length;
    const at = (first.begin / BLOCK_LENGTH) % LIMITS.runBlocks;
    this.#options.link.sendShared(run.frames(at, count, last.length), run);
    this.#took(bytes);
  }

  #follows(next: Waiting, last: Waiting): boolean {
    return (
      next.piece === last.piece &&
      next.begin === last.begin + BLOCK_LENGTH &&
      last.length === BLOCK_LENGTH &&
      runOf(next) === runOf(last) &&
      this.#isWhole(next)
    );
  }

  /** Whether this is a block as every client asks for, and not some other part of a piece. */
  #isWhole({ piece, begin, length }: Waiting): boolean {
    return this.#options.source.geometry.blockAt(piece, begin, length) >= 0;
  }

  #took(bytes: number): void {
    const { link, sent } = this.#options;
    if (link.socket.bufferedBytes < LIMITS.sendBufferBytes) sent(bytes, true);
    else this.#undrainedBytes += bytes;
  }

  /** Reads the run of the first block, and those that will be needed next: what lies together in one go. */
  #read(): void {
    const { runs } = this.#options;
    const [head] = this.#allowed;
    if (!head) return;
    this.#isReading = true;
    this.#loadMissing();
    runs.arrival(head.piece, runOf(head)).then(
      () => this.#wasRead(),
      error => this.#failed(error),
    );
  }

  #loadMissing(): void {
    const { runs } = this.#options;
    let last: Waiting | undefined;
    let group: { piece: Piece; first: number; count: number } | undefined;
    const load = () => group && runs.load(group.piece, group.first, group.count);
    let loads = 0;
    for (const block of this.#allowed) {
      const run = runOf(block);
      if ((last?.piece === block.piece && runOf(last) === run) || !this.#isWhole(block)) continue;
      last = block;
      if (runs.isComing(block.piece, run)) continue;
      const isNext = group?.piece === block.piece && run === group.first + group.count;
      if (group && isNext && group.count < LIMITS.readRuns) group.count++;
      else {
        load();
        if (++loads > LIMITS.peerReads) return;
        group = { piece: block.piece, first: run, count: 1 };
      }
    }
    load();
  }

  #wasRead(): void {
    this.#isReading = false;
    if (!this.#isClosed) this.#sendAll();
  }

  /** What is of the run that could not be read is given up. */
  #failed(error: unknown): void {
    this.#isReading = false;
    if (this.#isClosed) return;
    const [first] = this.#allowed;
    if (first) {
      const isLost = (block: Waiting) => block.piece === first.piece && runOf(block) === runOf(first);
      const lost = this.#allowed.filter(isLost);
      this.#allowed = this.#allowed.filter(block => !isLost(block));
      for (const block of lost) this.#giveUp(block);
    }
    this.#tell(error, first?.piece);
    this.#sendAll();
  }

  /** The block is not sent. BEP 6 has every request answered. */
  #giveUp({ piece: index, begin, length }: Waiting): void {
    const { link, sent } = this.#options;
    if (link.handshake?.fast) link.send({ type: 'reject', index, begin, length });
    sent(length, false);
  }

  /** A read failed: no fault where the piece was let go meanwhile. */
  #tell(error: unknown, piece: Piece | undefined): void {
    const { source, failed } = this.#options;
    if (piece !== undefined && !source.have.has(piece)) return;
    if (!(error instanceof TorrentError)) throw error;
    failed(error);
  }

  /** Some part of a piece that is no block: read for itself. */
  #sendPart(block: Waiting): void {
    const { source, link } = this.#options;
    const { piece, begin, length } = block;
    const bytes = new Uint8Array(length);
    source.read(piece, begin, [bytes]).then(
      () => {
        if (this.#isClosed) return;
        link.sendBlock(piece, begin, bytes);
        this.#took(length);
      },
      (error: unknown) => {
        if (this.#isClosed) return;
        this.#giveUp(block);
        this.#tell(error, piece);
      },
    );
  }
}

/** Which run of its piece a block is in. */
function runOf({ begin }: Waiting): number {
  return Math.floor(begin / (LIMITS.runBlocks * BLOCK_LENGTH));
}
