// Runs of blocks on their way to peers, for all torrents: each is read from disk once, with room for its headers, so that
// the blocks of a run leave in one write, and is kept for the requests that follow. Its memory is used again as soon as no
// socket holds it any more.

import { Gate } from '../storage/concurrency.js';
import type { PieceStorage } from '../storage/piece-storage.js';
import type { Piece } from '../torrent/geometry.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import { writePieceHeader } from '../wire/encode.js';
import { PIECE_HEADER_LENGTH } from '../wire/message-id.js';

/** Bytes of a block behind its header. */
const FRAME_LENGTH = PIECE_HEADER_LENGTH + BLOCK_LENGTH;
const RUN_LENGTH = LIMITS.runBlocks * FRAME_LENGTH;
/** Runs of the largest piece, and of the largest torrent: runs go by numbers. */
const MAX_RUNS = LIMITS.pieceLengthBytes / (LIMITS.runBlocks * BLOCK_LENGTH);
const KEYS = LIMITS.pieces * MAX_RUNS;

/** Where the bytes come from. Rejects with a TorrentError where they cannot be read. */
export type BlockSource = Pick<PieceStorage, 'geometry' | 'have' | 'read'>;

/** Blocks that follow each other in one piece, each behind its header. */
export class BlockRun {
  readonly memory: Buffer;
  /** Something of it was sent. */
  isUsed = false;
  /** Sockets that have not passed its bytes on. While there are any, the memory stays as it is. */
  holders = 0;

  constructor(memory: Buffer) {
    this.memory = memory;
  }

  /** `count` blocks from number `first` of the run on, with their headers; `lastLength` is that of the last one, in bytes. */
  frames(first: number, count: number, lastLength: number): Buffer {
    const begin = first * FRAME_LENGTH;
    return this.memory.subarray(begin, begin + count * FRAME_LENGTH - BLOCK_LENGTH + lastLength);
  }

  retain(): void {
    this.holders++;
  }

  release(): void {
    this.holders--;
  }
}

/** The runs of one torrent. */
export interface TorrentRuns {
  /** The run, if it is here. */
  get(piece: Piece, run: number): BlockRun | undefined;
  /** Whether it is here, or on its way. */
  isComing(piece: Piece, run: number): boolean;
  /** Fulfilled when the run, which is coming, is here. Rejects as the source does. */
  arrival(piece: Piece, run: number): Promise<void>;
  /** Reads `count` runs of a piece, of which none is coming yet, in one go, perhaps with those behind them; what comes of it,
   * `arrival` tells. */
  load(piece: Piece, first: number, count: number): void;
  /** The torrent needs them no more. */
  close(): void;
}

export class UploadRuns {
  readonly #capBytes: number;
  readonly #gate = new Gate(LIMITS.diskReads);
  /** The one unused for longest first. */
  readonly #runs = new Map<number, BlockRun>();
  readonly #loading = new Map<number, Promise<void>>();
  readonly #free: Buffer[] = [];
  #torrents = 0;
  /** Loads during which nothing is read ahead, since what had been was not used. */
  #waryLoads = 0;

  /** @param capBytes memory of runs that are kept; more only while sockets hold all of it */
  constructor(capBytes: number = LIMITS.runBytes) {
    this.#capBytes = capBytes;
  }

  /** Begins to lend runs of a torrent. */
  open(source: BlockSource): TorrentRuns {
    const first = this.#torrents++ * KEYS;
    const keyOf = (piece: Piece, run: number) => first + piece * MAX_RUNS + run;
    return {
      get: (piece, run) => this.#get(keyOf(piece, run)),
      isComing: (piece, run) => this.#isComing(keyOf(piece, run)),
      arrival: (piece, run) => this.#loading.get(keyOf(piece, run)) ?? Promise.resolve(),
      load: (piece, run, count) => this.#load(keyOf(piece, run), count, source, piece, run),
      close: () => {
        for (const [key, run] of this.#runs) if (key >= first && key < first + KEYS) this.#drop(key, run);
      },
    };
  }

  #get(key: number): BlockRun | undefined {
    const run = this.#runs.get(key);
    if (run) {
      run.isUsed = true;
      this.#runs.delete(key);
      this.#runs.set(key, run);
    }
    return run;
  }

  /** Runs that follow each other have keys that do. */
  #load(firstKey: number, asked: number, source: BlockSource, piece: Piece, first: number): void {
    const runsOfPiece = Math.ceil(source.geometry.blocksIn(piece) / LIMITS.runBlocks);
    const count = this.#withAhead(firstKey, asked, runsOfPiece - first);
    const loading = this.#gate
      .run(async () => {
        const runs = Array.from({ length: count }, () => new BlockRun(this.#memory()));
        const parts = runs.flatMap(({ memory }, at) => targets(memory, source, piece, first + at));
        await source.read(piece, first * LIMITS.runBlocks * BLOCK_LENGTH, parts);
        for (const [at, run] of runs.entries()) this.#runs.set(firstKey + at, run);
      })
      .finally(() => {
        for (let at = 0; at < count; at++) this.#loading.delete(firstKey + at);
      });
    // who needs it asks for its arrival
    loading.catch(() => {});
    for (let at = 0; at < count; at++) this.#loading.set(firstKey + at, loading);
  }

  /**
   * How many runs to read where the first `asked` are needed: whoever asks for some blocks of a piece as a rule asks for the
   * others next. Only while that proves true, and in a small part of the memory.
   * @param left runs from the first one to the end of the piece
   */
  #withAhead(firstKey: number, asked: number, left: number): number {
    if (this.#waryLoads > 0) {
      this.#waryLoads--;
      return asked;
    }
    const share = Math.floor((this.#capBytes * LIMITS.readAheadShare) / RUN_LENGTH);
    const most = Math.min(left, LIMITS.readRuns, share);
    let count = asked;
    while (count < most && !this.#isComing(firstKey + count)) count++;
    return count;
  }

  #isComing(key: number): boolean {
    return this.#runs.has(key) || this.#loading.has(key);
  }

  /** Memory for a run: that of the one unused for longest, where no socket holds it. */
  #memory(): Buffer {
    const isFull = (this.#runs.size + this.#free.length + 1) * RUN_LENGTH > this.#capBytes;
    if (this.#free.length === 0 && isFull) {
      for (const [key, run] of this.#runs) {
        if (run.holders > 0) continue;
        if (!run.isUsed) this.#waryLoads = LIMITS.waryLoads;
        this.#drop(key, run);
        break;
      }
    }
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(RUN_LENGTH);
  }

  #drop(key: number, run: BlockRun): void {
    this.#runs.delete(key);
    if (run.holders === 0 && this.#free.length === 0) this.#free.push(run.memory);
  }
}

/** Writes the headers of a run; what lies between them is to be read. */
function targets(memory: Buffer, { geometry }: BlockSource, piece: Piece, at: number): Buffer[] {
  const first = at * LIMITS.runBlocks;
  const count = Math.min(LIMITS.runBlocks, geometry.blocksIn(piece) - first);
  return Array.from({ length: count }, (_, index) => {
    const length = geometry.blockLength(piece, first + index);
    const frame = index * FRAME_LENGTH;
    writePieceHeader(memory, frame, piece, (first + index) * BLOCK_LENGTH, length);
    const begin = frame + PIECE_HEADER_LENGTH;
    return memory.subarray(begin, begin + length);
  });
}
