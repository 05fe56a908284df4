// One torrent with its metadata known: what happens (inputs), and what follows (orders to the port). It routes; policy
// is in picker, downloads, uploads and choker. Synchronous and deterministic: `now` and `random` come from outside.

import { Bitfield } from '../torrent/bitfield.js';
import type { CloseReason } from '../torrent/errors.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { LIMITS } from '../torrent/limits.js';
import type { ExtensionHandshake, Message } from '../wire/message.js';
import { Downloads } from './downloads.js';
import { Holdings } from './holdings.js';
import { SwarmPeer } from './peer.js';
import { Picker } from './picker.js';
import type { PeerFacts, PeerNumber, Random, SwarmPort } from './port.js';
import type { Reading } from './reading.js';
import { SuperSeed } from './super-seed.js';
import { type SlotSettings, SwarmChoker } from './swarm-choker.js';
import { Uploads } from './uploads.js';

/** ms between two looks at every peer. */
const HOUSEKEEPING_MS = 1000;

export interface SwarmSettings extends SlotSettings {
  /** Bytes of pieces being assembled or checked at a time. */
  readonly bufferedPieceBytes: number;
  /** Lowest index first instead of rarest first. */
  readonly sequential: boolean;
  /** Pose as a peer without pieces and show each peer one at a time (BEP 16); only where every piece is here at the start. */
  readonly superSeed: boolean;
  /** The pieces to fetch, with which here the swarm only gives; undefined: all. */
  readonly wanted: Bitfield | undefined;
  /** Who reads what comes: the pieces in its window alone are wanted, in place of `wanted`, and the swarm is never complete. */
  readonly reading: Reading | undefined;
  /** Blocks of a piece that are known without asking (BEP 47), as indices. */
  readonly paddingOf: (piece: Piece) => readonly number[];
  /** The pieces a peer at this host may have while choked (BEP 6), as indices. */
  readonly allowedFast: (host: string) => readonly number[];
}

export class Swarm {
  readonly geometry: Geometry;
  readonly peers = new Map<PeerNumber, SwarmPeer>();
  readonly picker: Picker;
  readonly downloads: Downloads;
  readonly uploads: Uploads;
  readonly #holdings: Holdings;
  readonly #superSeed: SuperSeed | undefined;
  readonly #choker: SwarmChoker;
  readonly #port: SwarmPort;
  readonly #settings: SwarmSettings;
  readonly #random: Random;
  #housekeepingAtMs = 0;

  /** @param have the pieces on disk; the swarm takes it over and keeps it up to date */
  constructor(geometry: Geometry, have: Bitfield, settings: SwarmSettings, port: SwarmPort, random: Random) {
    this.geometry = geometry;
    this.#settings = settings;
    this.#port = port;
    const maxBufferedPieces = Math.max(2, Math.floor(settings.bufferedPieceBytes / geometry.pieceLength));
    this.picker = new Picker(geometry, have, { ...settings, maxBufferedPieces }, random, piece =>
      port.discard(piece),
    );
    this.downloads = new Downloads(geometry, this.picker, this.peers, port);
    if (settings.superSeed && have.full) this.#superSeed = new SuperSeed(geometry, port, random);
    this.uploads = new Uploads(geometry, port, have, this.#superSeed);
    this.#holdings = new Holdings(this.picker, port, settings.reading?.forgets);
    this.#random = random;
    if (this.complete) this.uploads.becomeSeed(random);
    this.#choker = new SwarmChoker(settings, geometry.pieceLength, port, this.uploads, random);
  }

  /** Whether every piece that is wanted is here. */
  get complete(): boolean {
    return this.picker.wants.complete;
  }

  /** Whether to tell peers that we only give (BEP 21): a super-seed does not. */
  get uploadOnly(): boolean {
    return this.complete && !this.#superSeed;
  }

  /** Both handshakes are done. */
  peerConnected(number: PeerNumber, facts: PeerFacts, now: number): void {
    const peer = new SwarmPeer(number, facts, this.geometry, this.downloads.outstanding, now);
    this.peers.set(number, peer);
    if (this.#superSeed) this.#superSeed.connected(peer, now);
    else this.#greet(peer);
  }

  /** The connection is gone; not called for those closed by this swarm. */
  peerClosed(number: PeerNumber, now: number): void {
    const peer = this.peers.get(number);
    if (peer) this.#forget(peer, now);
  }

  message(number: PeerNumber, message: Message, now: number): void {
    const peer = this.peers.get(number);
    if (!peer) return;
    const fault = this.#handle(peer, message, now);
    if (fault) this.#close(peer, fault, now);
  }

  /** The check of a piece ended: it is on disk and right, or its blocks were wrong. */
  pieceChecked(piece: Piece, ok: boolean, now: number): void {
    const contributors = this.picker.checked(piece, ok);
    if (!ok) this.downloads.wastedBytes += this.geometry.lengthOf(piece);
    for (const peer of this.downloads.blame(contributors, ok)) this.#close(peer, 'hash-failed', now);
    if (ok) this.#holdings.weGot(piece, this.peers);
    if (this.complete) this.#becomeSeed(now);
    else if (!ok || this.picker.isStarved) this.downloads.feedAll(now);
  }

  /** The reader has read the first piece of its window, which moves on. */
  pieceRead(now: number): void {
    const { reading } = this.#settings;
    const read = reading?.front;
    if (!reading || read === undefined) return;
    const entered = reading.advance();
    if (!reading.includes(read)) this.picker.wants.unwant(read);
    if (entered !== undefined && this.picker.want(entered)) this.#holdings.weWant(entered, this.peers);
    this.downloads.feedAll(now);
  }

  /** A piece that was read is not kept any longer. */
  pieceDropped(piece: Piece): void {
    this.picker.wants.lost(piece);
    this.uploads.dropped(piece, this.peers.values());
    this.#holdings.weLost(piece, this.peers);
  }

  /** A block ordered by `readBlock` was handed to the network (`ok`), or could not be read. */
  blockSent(number: PeerNumber, length: number, ok: boolean, now: number): void {
    const peer = this.peers.get(number);
    if (peer) this.uploads.blockSent(peer, length, ok, now);
  }

  /** Does what time brings. Returns when it wants to be called next. */
  tick(now: number): number {
    if (now >= this.#housekeepingAtMs) {
      this.#housekeepingAtMs = now + HOUSEKEEPING_MS;
      for (const peer of this.peers.values()) {
        this.downloads.watch(peer, now);
        this.#watchInterest(peer, now);
      }
      this.downloads.feedAll(now);
      this.#superSeed?.tick(now);
    }
    return Math.min(this.#housekeepingAtMs, this.#choker.tick(this.peers, this.complete, now));
  }

  /** Returns why the peer has to be closed, if it has. */
  #handle(peer: SwarmPeer, message: Message, now: number): CloseReason | undefined {
    switch (message.type) {
      case 'piece':
        return this.downloads.blockArrived(peer, message.index, message.begin, message.block, now);
      case 'request':
        return this.uploads.requested(peer, message.index, message.begin, message.length, now);
      case 'cancel':
        this.uploads.cancelled(peer, message.index, message.begin, message.length);
        return undefined;
      case 'choke':
        this.downloads.chokedBy(peer, now);
        return undefined;
      case 'unchoke':
        this.downloads.unchokedBy(peer, now);
        return undefined;
      case 'interested':
      case 'notInterested':
        this.#interestChanged(peer, message.type === 'interested', now);
        return undefined;
      case 'bitfield':
        return this.#fieldArrived(peer, Bitfield.from(message.bits, this.geometry.pieceCount), now);
      case 'haveAll':
      case 'haveNone':
        return this.#fieldArrived(
          peer,
          Bitfield.uniform(this.geometry.pieceCount, message.type === 'haveAll'),
          now,
        );
      case 'have':
      case 'dontHave':
      case 'allowedFast':
      case 'suggest':
      case 'reject':
        return this.#handleIndexed(peer, message, now);
      case 'extensionHandshake':
        return this.#extended(peer, message);
      default:
        // Metadata messages are for the owner of the info dictionary, peer exchange is for who looks for peers.
        return undefined;
    }
  }

  #handleIndexed(
    peer: SwarmPeer,
    message: Extract<Message, { type: 'have' | 'dontHave' | 'allowedFast' | 'suggest' | 'reject' }>,
    now: number,
  ): CloseReason | undefined {
    const piece = this.geometry.piece(message.index);
    if (piece === undefined) return 'bad-index';
    switch (message.type) {
      case 'have':
        if (this.#holdings.gained(peer, piece) && peer.outstanding.count === 0)
          this.downloads.feed(peer, now);
        this.uploads.peerHas(peer, piece);
        this.#superSeed?.has(peer, piece, now);
        return this.#bothSeeds(peer);
      case 'dontHave':
        this.#holdings.lost(peer, piece);
        this.#superSeed?.lost(peer, piece);
        if (peer.current?.piece === piece) this.picker.releaseOwned(peer);
        return undefined;
      case 'reject':
        this.downloads.rejected(peer, piece, message.begin, message.length, now);
        return undefined;
      case 'suggest':
        peer.remember(peer.suggested, piece);
        return undefined;
      case 'allowedFast':
        peer.remember(peer.allowedFast, piece);
        this.downloads.feed(peer, now);
        return undefined;
    }
  }

  #fieldArrived(peer: SwarmPeer, field: Bitfield | undefined, now: number): CloseReason | undefined {
    if (!field) return 'bad-bitfield';
    if (!peer.mayRestate(now)) return 'message-flood';
    this.#holdings.fieldArrived(peer, field);
    this.downloads.feed(peer, now);
    const fault = this.#bothSeeds(peer);
    if (!fault) this.#superSeed?.fieldArrived(peer, now);
    return fault;
  }

  /** Two that only give have nothing for each other; partial seeds (BEP 21) are such too. */
  #bothSeeds(peer: SwarmPeer): CloseReason | undefined {
    return this.complete && (peer.isSeed || peer.uploadOnly) ? 'both-seeds' : undefined;
  }

  #interestChanged(peer: SwarmPeer, interested: boolean, now: number): void {
    if (peer.peerInterested === interested) return;
    peer.peerInterested = interested;
    if (!interested) this.#superSeed?.uninterested(peer, now);
    this.#choker.decideSoon(this.peers, this.complete, now);
  }

  #extended(peer: SwarmPeer, message: ExtensionHandshake): CloseReason | undefined {
    if (message.reqq !== undefined) peer.pipeline.setReqq(message.reqq);
    if (message.uploadOnly !== undefined) peer.uploadOnly = message.uploadOnly;
    if (message.dontHave !== undefined) this.#holdings.saidDontHave(peer, message.dontHave !== 0);
    return this.#bothSeeds(peer);
  }

  /** Says what we have (BEP 3, BEP 6), and what the peer may have while choked. */
  #greet(peer: SwarmPeer): void {
    const { fast, address } = peer.facts;
    this.#holdings.greet(peer);
    if (!fast || this.picker.wants.have.count === 0) return;
    peer.fastGranted = new Set(this.#settings.allowedFast(address.host));
    for (const index of peer.fastGranted) this.#port.send(peer.number, { type: 'allowedFast', index });
  }

  #becomeSeed(now: number): void {
    this.uploads.becomeSeed(this.#random);
    for (const peer of [...this.peers.values()]) {
      const fault = this.#bothSeeds(peer);
      if (fault) this.#close(peer, fault, now);
      else if (peer.facts.extended) {
        this.#port.send(peer.number, { type: 'extensionHandshake', uploadOnly: true });
      }
    }
    this.#choker.decide(this.peers, true, now);
  }

  #watchInterest(peer: SwarmPeer, now: number): void {
    const { amInterested, peerInterested, readingBytes, facts } = peer;
    // A web seed that lacks what we want now may have it later, and keeps no connection open meanwhile.
    const wanted = amInterested || peerInterested || readingBytes > 0 || facts.webSeed;
    if (wanted) peer.idleSinceMs = -1;
    else if (peer.idleSinceMs < 0) peer.idleSinceMs = now;
    else if (now - peer.idleSinceMs >= LIMITS.uninterestedMs) this.#close(peer, 'both-uninterested', now);
  }

  #close(peer: SwarmPeer, reason: CloseReason, now: number): void {
    // Who gave a bad block may have left long ago, and another may have its number.
    if (this.peers.get(peer.number) !== peer) return;
    this.#port.close(peer.number, reason);
    this.#forget(peer, now);
  }

  #forget(peer: SwarmPeer, now: number): void {
    this.peers.delete(peer.number);
    this.#superSeed?.left(peer);
    this.#holdings.left(peer);
    this.uploads.left(peer);
    this.downloads.takeBackAll(peer, now, false);
    if (!peer.amChoking) this.#choker.decideSoon(this.peers, this.complete, now);
  }
}
