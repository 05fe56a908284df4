// A torrent that is read while it comes: waits for the piece that is next, hands its bytes to the reader, moves the
// swarm's window on, and lets go of what lies far enough behind. Decides nothing about peers.

import { MemoryStorage } from '../storage/memory-storage.js';
import type { PieceStorage } from '../storage/piece-storage.js';
import { Reading } from '../swarm/reading.js';
import type { Swarm } from '../swarm/swarm.js';
import type { Piece, PiecePart } from '../torrent/geometry.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import type { StreamPlan } from './options.js';
import type { SignalLine } from './signal-line.js';

export type StreamLimits = Pick<
  { readonly [Name in keyof typeof LIMITS]: number },
  'streamAheadBytes' | 'streamBehindBytes' | 'streamNearBytes' | 'streamNearPieces' | 'streamLateMs'
>;

export class Stream {
  /** Bytes to hand over, and those that the reader has taken. */
  readonly length: number;
  taken = 0;
  /** All was handed over. */
  isDone = false;
  /** What the swarm is to want. */
  readonly reading: Reading;
  readonly #plan: StreamPlan;
  readonly #storage: PieceStorage;
  readonly #memory: MemoryStorage | undefined;
  readonly #behindPieces: number;
  /** Pieces that were read and are still in memory, the oldest first. */
  readonly #behind: Piece[] = [];
  /** What is handed over at a time. */
  readonly #bytes = Buffer.alloc(LIMITS.runBlocks * BLOCK_LENGTH);
  #isStopped = false;
  #awaited: { readonly piece: Piece; readonly resolve: () => void } | undefined;

  /** @param memory the storage, where it is one that lets pieces go */
  constructor(
    plan: StreamPlan,
    storage: PieceStorage,
    memory: MemoryStorage | undefined,
    limits: StreamLimits = LIMITS,
  ) {
    const { pieceLength } = storage.geometry;
    const near = Math.floor(limits.streamNearBytes / pieceLength);
    this.length = plan.ranges.reduce((sum, { length }) => sum + length, 0);
    this.#plan = plan;
    this.#storage = storage;
    this.#memory = memory;
    this.#behindPieces = Math.floor(limits.streamBehindBytes / pieceLength);
    this.reading = new Reading({
      order: piecesOf(this.#parts()),
      windowPieces: windowPieces(pieceLength, limits),
      nearPieces: Math.max(2, Math.min(near, limits.streamNearPieces)),
      lateMs: limits.streamLateMs,
      forgets: memory !== undefined,
    });
  }

  /** Whether all of it is in the storage already. */
  get isHere(): boolean {
    for (const { piece } of this.#parts()) if (!this.#storage.have.has(piece)) return false;
    return true;
  }

  /** Whether the reader waits for us, and not we for the reader. */
  get isAwaited(): boolean {
    return this.#awaited !== undefined;
  }

  /**
   * Hands everything over, until the last byte, `stop`, or the reader's end, and wakes who waits for that; with an error
   * (DISK_IO, or what the plan's `write` throws) where it fails.
   * @param swarm undefined where all is here
   */
  start(swarm: Swarm | undefined, now: () => number, waiting: SignalLine): void {
    this.#run(swarm, now).then(
      () => waiting.wake(),
      error => waiting.wake(error),
    );
  }

  /** A piece can be read. */
  pieceArrived(piece: Piece): void {
    if (this.#awaited?.piece === piece) this.#wake();
  }

  /** Nothing more is handed over. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  async #run(swarm: Swarm | undefined, now: () => number): Promise<void> {
    let front: Piece | undefined;
    for (const part of this.#parts()) {
      if (front !== undefined && front !== part.piece) {
        swarm?.pieceRead(now());
        if (this.#memory) this.#letGo(front, this.#memory, swarm);
      }
      front = part.piece;
      await this.#arrival(front);
      if (this.#isStopped || !(await this.#hand(part))) return;
    }
    this.isDone = await this.#plan.end();
  }

  /** Whether the reader took all of it, and goes on. */
  async #hand({ piece, begin, length }: PiecePart): Promise<boolean> {
    const end = begin + length;
    for (let at = begin; at < end; ) {
      const run = this.#bytes.subarray(0, Math.min(this.#bytes.length, end - at));
      await this.#storage.read(piece, at, [run]);
      if (this.#isStopped || !(await this.#plan.write(run))) return false;
      this.taken += run.length;
      at += run.length;
    }
    return !this.#isStopped;
  }

  async #arrival(piece: Piece): Promise<void> {
    if (this.#isStopped || this.#storage.have.has(piece)) return;
    await new Promise<void>(resolve => {
      this.#awaited = { piece, resolve };
    });
  }

  #wake(): void {
    this.#awaited?.resolve();
    this.#awaited = undefined;
  }

  /** What was read is kept for peers as long as there is room; what will be read again is in the window. */
  #letGo(piece: Piece, memory: MemoryStorage, swarm: Swarm | undefined): void {
    this.#behind.push(piece);
    while (this.#behind.length > this.#behindPieces) {
      const oldest = this.#behind.shift() as Piece;
      if (this.reading.includes(oldest) || !memory.have.has(oldest)) continue;
      memory.drop(oldest);
      swarm?.pieceDropped(oldest);
    }
  }

  *#parts(): Generator<PiecePart> {
    const { geometry } = this.#storage;
    for (const { offset, length } of this.#plan.ranges) yield* geometry.parts(offset, length);
  }
}

/** Opens the data of a torrent that is read and not kept. */
export function openInMemory(
  metainfo: Metainfo,
  onPiece: (piece: Piece, ok: boolean) => void,
): MemoryStorage {
  const { pieceLength, pieceHashes } = metainfo;
  const pooledBytes = windowPieces(pieceLength, LIMITS) * pieceLength + LIMITS.streamBehindBytes;
  return new MemoryStorage({ list: metainfo, pieceHashes, pooledBytes, onPiece });
}

/** Pieces wanted at a time: two at least, so that one is fetched while the other is read. */
function windowPieces(pieceLength: number, { streamAheadBytes }: StreamLimits): number {
  return Math.max(2, Math.floor(streamAheadBytes / pieceLength));
}

/** The pieces of these parts in order; one that follows itself is the same. */
function* piecesOf(parts: Iterable<PiecePart>): Generator<Piece> {
  let last: Piece | undefined;
  for (const { piece } of parts) {
    if (piece !== last) yield piece;
    last = piece;
  }
}
