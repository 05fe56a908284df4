// One piece in progress: which blocks are free, asked for or here, and who took part. Only picker.ts changes it.

import type { Piece } from '../torrent/geometry.js';
import type { SwarmPeer } from './peer.js';

const RECEIVED = 255;
/** Peers that may be asked for the same block at a time in endgame. */
const MAX_ASKERS = 2;

export class PartialPiece {
  readonly piece: Piece;
  /** Blocks nobody was asked for. */
  free: number;
  /** Requests outstanding, a block asked of two peers counted twice. */
  asked = 0;
  /** Blocks not received. */
  missing: number;
  /** The peer that has the piece for itself while it can deliver all of it. */
  owner: SwarmPeer | undefined;
  /** Everybody who gave a block, for blame when the hash fails. */
  readonly contributors: SwarmPeer[] = [];
  /** Whether an earlier attempt failed its hash: then one peer alone fetches it, so that blame is certain. */
  readonly parole: boolean;
  /** Per block: how many peers were asked, or RECEIVED. */
  readonly #blocks: Uint8Array;

  constructor(piece: Piece, blockCount: number, parole: boolean) {
    this.piece = piece;
    this.#blocks = new Uint8Array(blockCount);
    this.free = blockCount;
    this.missing = blockCount;
    this.parole = parole;
  }

  /** The first free block from `start` on, or -1. */
  nextFree(start: number): number {
    for (let block = start; block < this.#blocks.length; block++) if (this.#blocks[block] === 0) return block;
    return -1;
  }

  /** The block in endgame that fewest peers were asked for, among those `eligible`; -1 when there is none. */
  leastAsked(eligible: (block: number) => boolean): number {
    let best = -1;
    let least = MAX_ASKERS;
    for (let block = 0; block < this.#blocks.length; block++) {
      const askers = this.#blocks[block] as number;
      if (askers < least && eligible(block)) {
        best = block;
        least = askers;
      }
    }
    return best;
  }

  /** The block is known without asking anybody. */
  fill(block: number): void {
    this.#blocks[block] = RECEIVED;
    this.free--;
    this.missing--;
  }

  ask(block: number): void {
    const askers = this.#blocks[block] as number;
    if (askers === 0) this.free--;
    this.#blocks[block] = askers + 1;
    this.asked++;
  }

  /** A request was taken back; true when that made the block free again. */
  release(block: number): boolean {
    const askers = this.#blocks[block] as number;
    if (askers === RECEIVED || askers === 0) return false;
    this.#blocks[block] = askers - 1;
    this.asked--;
    if (askers > 1) return false;
    this.free++;
    return true;
  }

  has(block: number): boolean {
    return this.#blocks[block] === RECEIVED;
  }

  /** The block is here; returns how many peers were still asked for it. */
  receive(block: number, from: SwarmPeer): number {
    const askers = this.#blocks[block] as number;
    if (askers === 0) this.free--;
    this.#blocks[block] = RECEIVED;
    this.asked -= askers;
    this.missing--;
    if (!this.contributors.includes(from)) this.contributors.push(from);
    return askers;
  }
}
