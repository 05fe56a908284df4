// What we ask of peers: keeps their pipelines full, takes requests back from those who do not answer, and blames those
// who give wrong blocks. Which blocks to ask for is the picker's business.

import { BlockList } from '../torrent/block-list.js';
import type { CloseReason } from '../torrent/errors.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import type { Block } from '../wire/message.js';
import type { SwarmPeer } from './peer.js';
import type { Picker } from './picker.js';
import type { PeerNumber, SwarmPort } from './port.js';
import { Rate } from './rate.js';
import type { RequestTotal } from './request-queue.js';

/** Points of suspicion for a failed piece that was shared, and how many end the connection. libtorrent bans at 7. */
const SUSPICION_PER_FAILURE = 2;
const SUSPICION_LIMIT = 7;

export class Downloads {
  /** Bytes of blocks received, and of those the ones that were of no use. */
  receivedBytes = 0;
  wastedBytes = 0;
  readonly rate = new Rate(LIMITS.rateWindowMs);
  /** Blocks outstanding at all peers together. */
  readonly outstanding: RequestTotal = { count: 0 };
  /** How many may be; what a download limit asks for. */
  outstandingLimit = Number.POSITIVE_INFINITY;
  readonly #geometry: Geometry;
  readonly #picker: Picker;
  readonly #peers: ReadonlyMap<PeerNumber, SwarmPeer>;
  readonly #port: SwarmPort;
  readonly #batch = new BlockList(LIMITS.pipelineMax);

  constructor(
    geometry: Geometry,
    picker: Picker,
    peers: ReadonlyMap<PeerNumber, SwarmPeer>,
    port: SwarmPort,
  ) {
    this.#geometry = geometry;
    this.#picker = picker;
    this.#peers = peers;
    this.#port = port;
  }

  /** A block arrived; returns why the peer has to be closed, if it has. */
  blockArrived(
    peer: SwarmPeer,
    index: number,
    begin: number,
    data: Block,
    now: number,
  ): CloseReason | undefined {
    const piece = this.#geometry.piece(index);
    if (piece === undefined) return 'bad-index';
    const block = this.#geometry.blockAt(piece, begin, data.length);
    if (block < 0) return 'unrequested-block';
    const number = this.#geometry.blockNumber(piece, block);
    const expected = peer.outstanding.remove(number);
    if (!expected && !peer.asked.has(number)) return 'unrequested-block';
    this.receivedBytes += data.length;
    this.rate.add(data.length, now);
    peer.pipeline.received(data.length, now);
    peer.lastBlockAtMs = now;
    const askers = this.#picker.received(piece, block, peer, expected);
    if (askers < 0) this.wastedBytes += data.length;
    else {
      // What is of no use is no gift either: else the same block again and again would buy an unchoke slot.
      peer.down.add(data.length, now);
      if (askers > (expected ? 1 : 0)) this.#cancelOthers(number, peer);
      // Before anything else is asked for, which may give up this very piece for lack of memory.
      this.#port.storeBlock(piece, begin, data);
    }
    this.feed(peer, now);
    return undefined;
  }

  /** The peer will not answer this request (BEP 6). */
  rejected(peer: SwarmPeer, piece: Piece, begin: number, length: number, now: number): void {
    const block = this.#geometry.blockAt(piece, begin, length);
    const number = block < 0 ? -1 : this.#geometry.blockNumber(piece, block);
    // A reject that crosses our cancel answers a request we have already taken back.
    if (number < 0 || !peer.outstanding.remove(number)) return;
    const at = peer.allowedFast.indexOf(piece);
    if (peer.peerChoking && at >= 0) peer.allowedFast.splice(at, 1);
    this.#picker.release(number);
    // Who refuses is asked again with its next block or the next tick: at once would be a game of ping-pong.
    for (const other of this.#peers.values()) if (other !== peer) this.feed(other, now);
  }

  chokedBy(peer: SwarmPeer, now: number): void {
    peer.peerChoking = true;
    this.#picker.releaseOwned(peer);
    // BEP 6: requests stay valid through a choke until they are rejected one by one.
    if (!peer.facts.fast) this.takeBackAll(peer, now, false);
  }

  unchokedBy(peer: SwarmPeer, now: number): void {
    if (!peer.peerChoking) return;
    peer.peerChoking = false;
    peer.lastBlockAtMs = now;
    peer.pipeline.restart(now);
    this.feed(peer, now);
  }

  /** Who is to be closed after the check of a piece to which they gave blocks. */
  blame(contributors: readonly SwarmPeer[], ok: boolean): SwarmPeer[] {
    const guilty = !ok && contributors.length === 1;
    return contributors.filter(peer => {
      peer.suspicion = ok ? Math.max(0, peer.suspicion - 1) : peer.suspicion + SUSPICION_PER_FAILURE;
      return guilty || peer.suspicion >= SUSPICION_LIMIT;
    });
  }

  /** Fills the peer's pipeline. */
  feed(peer: SwarmPeer, now: number): void {
    if (!peer.amInterested || (peer.peerChoking && peer.allowedFast.length === 0)) return;
    const room = Math.min(
      peer.pipeline.room(peer.outstanding.count),
      this.outstandingLimit - this.outstanding.count,
    );
    if (room <= 0) return;
    this.#batch.clear();
    this.#picker.pick(peer, room, this.#peers.size, this.#batch, now);
    if (this.#batch.count === 0) return;
    // Silence is counted from the moment there is something to wait for, and a snubbed peer goes on being silent.
    const waited = peer.outstanding.count > this.#batch.count || peer.pipeline.snubbed;
    if (!waited) peer.lastBlockAtMs = now;
    this.#port.request(peer.number, this.#batch);
  }

  /** Blocks became free: offers them to everybody, to `last` only after the others. */
  feedAll(now: number, last?: SwarmPeer): void {
    this.#picker.isStarved = false;
    for (const peer of this.#peers.values()) if (peer !== last) this.feed(peer, now);
    if (last && this.#peers.has(last.number)) this.feed(last, now);
  }

  /** Takes back every request, so that others can be asked at once. */
  takeBackAll(peer: SwarmPeer, now: number, cancel: boolean): void {
    const numbers = peer.outstanding.toArray();
    peer.outstanding.clear();
    for (const number of numbers) {
      this.#picker.release(number);
      if (cancel) this.#sendCancel(peer, number);
    }
    this.#picker.releaseOwned(peer);
    if (numbers.length > 0) this.feedAll(now, peer);
  }

  /** Looks for silence: a snubbed peer loses its requests, a single late one goes to others. */
  watch(peer: SwarmPeer, now: number): void {
    if (peer.outstanding.count === 0) return;
    const silent = now - peer.lastBlockAtMs >= LIMITS.snubMs;
    if (silent && !peer.pipeline.snubbed && !peer.facts.webSeed) {
      peer.pipeline.snub();
      this.takeBackAll(peer, now, true);
    } else if (now - peer.outstanding.oldestAtMs >= LIMITS.requestTimeoutMs) {
      const number = peer.outstanding.oldest;
      peer.outstanding.remove(number);
      this.#picker.release(number);
      this.#sendCancel(peer, number);
      this.feedAll(now, peer);
    }
  }

  #cancelOthers(number: number, giver: SwarmPeer): void {
    for (const peer of this.#peers.values()) {
      if (peer !== giver && peer.outstanding.remove(number)) this.#sendCancel(peer, number);
    }
  }

  #sendCancel(peer: SwarmPeer, number: number): void {
    const piece = this.#geometry.pieceOf(number);
    const block = this.#geometry.blockOf(number);
    const length = this.#geometry.blockLength(piece, block);
    this.#port.send(peer.number, { type: 'cancel', index: piece, begin: block * BLOCK_LENGTH, length });
  }
}
