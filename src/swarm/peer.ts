// What a swarm knows of one connected peer. State only: swarm.ts and the parts of this folder decide.

import { Bitfield } from '../torrent/bitfield.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import { AskedBlocks } from './asked-blocks.js';
import type { PartialPiece } from './partial-piece.js';
import { Pipeline, type PipelineBounds } from './pipeline.js';
import type { PeerFacts, PeerNumber } from './port.js';
import { Rate } from './rate.js';
import { RequestQueue, type RequestTotal } from './request-queue.js';

const PEER_REQUESTS: PipelineBounds = {
  start: LIMITS.pipelineStart,
  least: LIMITS.pipelineMin,
  most: LIMITS.assumedReqq,
};
/** A server has no reqq, and should be asked for much at a time, not often (BEP 19). */
const WEB_SEED_REQUESTS: PipelineBounds = {
  start: LIMITS.webSeedStartBytes / BLOCK_LENGTH,
  least: LIMITS.webSeedLeastBytes / BLOCK_LENGTH,
  most: LIMITS.webSeedPipelineBytes / BLOCK_LENGTH,
};

/** A block that a peer waits for. */
export interface Upload {
  readonly piece: Piece;
  readonly begin: number;
  readonly length: number;
}

export class SwarmPeer {
  readonly number: PeerNumber;
  readonly facts: PeerFacts;
  readonly connectedAtMs: number;
  amChoking = true;
  amInterested = false;
  peerChoking = true;
  peerInterested = false;

  /** The pieces it holds. */
  readonly have: Bitfield;
  /** Counted as a seed in the availability, not piece by piece. */
  countedAsSeed = false;
  /** Pieces it holds that we lack: we are interested while there are any. */
  useful = 0;
  /** BEP 21: it will not ask for anything. */
  uploadOnly: boolean;
  /** BEP 54: it can be told that we have a piece no more. */
  knowsDontHave = false;

  readonly outstanding: RequestQueue;
  readonly asked: AskedBlocks;
  readonly pipeline: Pipeline;
  /** The piece it is fetching for us on its own. */
  current: PartialPiece | undefined;
  /** Pieces it lets us have while it chokes us (BEP 6). */
  readonly allowedFast: Piece[] = [];
  /** Pieces it suggested, latest last (BEP 6). */
  readonly suggested: Piece[] = [];
  /** When the last block came, or it unchoked us: silence is counted from here. */
  lastBlockAtMs: number;
  /** What it gives us. */
  readonly down = new Rate(LIMITS.rateWindowMs);
  /** Hash failures it shared with others, worked off by good pieces. */
  suspicion = 0;

  /** Requests of its that wait for us. */
  readonly uploads: Upload[] = [];
  /** Bytes ordered from the storage for it and not sent yet. */
  readingBytes = 0;
  /** What we give it. */
  readonly up = new Rate(LIMITS.rateWindowMs);
  unchokedAtMs: number;
  /** Pieces it may have while we choke it (BEP 6), and the bytes it took that way. */
  fastGranted: ReadonlySet<number> | undefined;
  fastServedBytes = 0;
  /** Requests it made for what we do not have or do not give. */
  refusals = 0;
  /** Bytes of the fields that it sent. */
  #restatedBytes = 0;
  /** Since when neither side wants anything of the other, or -1. */
  idleSinceMs = -1;

  /** @param outstanding what is outstanding at all peers together */
  constructor(
    number: PeerNumber,
    facts: PeerFacts,
    geometry: Geometry,
    outstanding: RequestTotal,
    now: number,
  ) {
    this.number = number;
    this.facts = facts;
    this.have = new Bitfield(geometry.pieceCount);
    this.outstanding = new RequestQueue(outstanding);
    this.asked = new AskedBlocks(geometry.blockCount);
    this.uploadOnly = facts.webSeed;
    this.pipeline = new Pipeline(facts.webSeed ? WEB_SEED_REQUESTS : PEER_REQUESTS);
    this.connectedAtMs = now;
    this.unchokedAtMs = now;
    this.lastBlockAtMs = now;
  }

  get isSeed(): boolean {
    return this.have.full;
  }

  /** Keeps one of its hints (BEP 6), and not too many of them. */
  remember(hints: Piece[], piece: Piece): void {
    if (hints.includes(piece)) return;
    hints.push(piece);
    if (hints.length > LIMITS.hintedPieces) hints.shift();
  }

  /** Whether it may say anew what it holds, which costs work for every piece: at once, and so often later on. */
  mayRestate(now: number): boolean {
    this.#restatedBytes += this.have.bytes.length;
    const lastedMs = now - this.connectedAtMs;
    return this.#restatedBytes <= LIMITS.fieldBytes + (lastedMs * LIMITS.fieldBps) / 1000;
  }
}
