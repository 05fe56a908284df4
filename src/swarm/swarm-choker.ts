// Between the swarm's peers and the choker: takes the snapshots, carries out the decisions.

import { LIMITS } from '../torrent/limits.js';
import { Choker, type ChokerPeer, type Decision } from './choker.js';
import type { SwarmPeer } from './peer.js';
import type { PeerNumber, Random, SwarmPort } from './port.js';
import type { Uploads } from './uploads.js';

/**
 * Decisions between two full ones, in so many ms: each looks at all peers, and a peer can change its mind a million
 * times a second.
 */
const EARLY_DECISIONS = 50;
const EARLY_MS = 1000;

export interface SlotSettings {
  /** Interested peers unchoked at a time, and how many of these places are optimistic. */
  readonly unchokeSlots: number;
  readonly optimisticSlots: number;
}

export class SwarmChoker {
  readonly #choker = new Choker();
  readonly #settings: SlotSettings;
  readonly #freeBiteBytes: number;
  readonly #port: SwarmPort;
  readonly #uploads: Uploads;
  readonly #random: Random;
  /** Decisions asked for between two full ones since this time. */
  #early = 0;
  #earlySinceMs = 0;

  constructor(
    settings: SlotSettings,
    pieceLength: number,
    port: SwarmPort,
    uploads: Uploads,
    random: Random,
  ) {
    this.#settings = settings;
    this.#freeBiteBytes = Math.max(pieceLength, LIMITS.freeBiteBytes);
    this.#port = port;
    this.#uploads = uploads;
    this.#random = random;
  }

  /** Decides when it is time to; returns when it will be again. */
  tick(peers: ReadonlyMap<PeerNumber, SwarmPeer>, seeding: boolean, now: number): number {
    const postponed = this.#early > EARLY_DECISIONS;
    if (now - this.#earlySinceMs >= EARLY_MS) this.#early = 0;
    if (now >= this.#choker.dueMs || (postponed && this.#early === 0)) this.decide(peers, seeding, now);
    return this.#choker.dueMs;
  }

  /** Interest changed or a slot became free: decides now, unless that happens so often that the next tick has to do. */
  decideSoon(peers: ReadonlyMap<PeerNumber, SwarmPeer>, seeding: boolean, now: number): void {
    if (this.#early === 0) this.#earlySinceMs = now;
    if (++this.#early <= EARLY_DECISIONS) this.decide(peers, seeding, now);
  }

  /** Decides now: between two full decisions that fills the slots that became free. */
  decide(peers: ReadonlyMap<PeerNumber, SwarmPeer>, seeding: boolean, now: number): void {
    const snapshots: ChokerPeer[] = [];
    for (const peer of peers.values()) if (!peer.facts.webSeed) snapshots.push(snapshot(peer, now));
    const settings = {
      slots: this.#settings.unchokeSlots,
      optimisticSlots: this.#settings.optimisticSlots,
      seeding,
      freeBiteBytes: this.#freeBiteBytes,
    };
    for (const decision of this.#choker.choose(snapshots, settings, now, this.#random)) {
      const peer = peers.get(decision.peer);
      if (peer) this.#apply(peer, decision, now);
    }
  }

  #apply(peer: SwarmPeer, decision: Decision, now: number): void {
    peer.amChoking = decision.choke;
    if (!decision.choke) peer.unchokedAtMs = now;
    this.#port.choke(decision);
    if (decision.choke) this.#uploads.choked(peer);
    else this.#uploads.unchoked(peer);
  }
}

function snapshot(peer: SwarmPeer, now: number): ChokerPeer {
  // Only who had something to answer can be silent.
  const silent = peer.pipeline.snubbed && !peer.peerChoking && peer.amInterested;
  return {
    peer: peer.number,
    host: peer.facts.address.host,
    connectedAtMs: peer.connectedAtMs,
    peerInterested: peer.peerInterested,
    amChoking: peer.amChoking,
    unchokedAtMs: peer.unchokedAtMs,
    downBps: peer.down.bps(now),
    snubbed: silent && now - peer.lastBlockAtMs >= LIMITS.antiSnubMs,
    receivedBytes: peer.down.totalBytes,
    sentBytes: peer.up.totalBytes,
  };
}
