// Phase one of a magnet: gets the info dictionary from peers (BEP 9, BEP 10) and keeps what else they say for the swarm
// that follows. Must not know what is in the metadata, nor when to give up.

import type { CloseReason } from '../torrent/errors.js';
import { LIMITS } from '../torrent/limits.js';
import type { ExtensionHandshake, Message, MetadataMessage } from '../wire/message.js';
import { EarlyMessages } from './early-messages.js';
import { MetadataGiver, MetadataGroup } from './metadata-group.js';
import type { PeerFacts, PeerNumber } from './port.js';

/** Sizes whose claimants have all gone that are remembered with the parts that came, lest a lost connection cost them. */
const ORPHANS = 4;

/** Orders. All return at once. */
export interface MetadataPort {
  send(peer: PeerNumber, message: Message): void;
  /** Closes the connection; `peerClosed` need not be called back for it. */
  close(peer: PeerNumber, reason: CloseReason): void;
  /** Whether these bytes have the info hash. */
  matches(bytes: Uint8Array): boolean;
  /** The metadata is here. Called once; messages are still kept for the swarm until that begins. */
  complete(infoBytes: Uint8Array): void;
}

/** What to tell the user who gets no metadata: over the whole run, peers connected and those without ut_metadata. */
export interface MetadataCounts {
  readonly connected: number;
  readonly withoutMetadata: number;
}

interface FetchPeer {
  readonly giver: MetadataGiver;
  readonly early: EarlyMessages;
  /** Whether it speaks ut_metadata; undefined until it said. */
  capable: boolean | undefined;
  /** Bytes of the metadata according to it; 0 until it said. */
  size: number;
}

/**
 * Fetches and checks the metadata, for as long as it takes. The owner sends our extension handshake (and BEP 6's
 * `haveNone`), answers requests for metadata, and calls `tick` after inputs and when the time it asked for has come.
 */
export class MetadataFetch {
  readonly #port: MetadataPort;
  readonly #peers = new Map<PeerNumber, FetchPeer>();
  /** By claimed size. */
  readonly #groups = new Map<number, MetadataGroup>();
  #done = false;
  #connected = 0;
  #withoutMetadata = 0;

  constructor(port: MetadataPort) {
    this.#port = port;
  }

  get counts(): MetadataCounts {
    return { connected: this.#connected, withoutMetadata: this.#withoutMetadata };
  }

  /** Both handshakes are done. */
  peerConnected(number: PeerNumber, facts: PeerFacts, _now: number): void {
    const giver = new MetadataGiver(number);
    const peer: FetchPeer = { giver, early: new EarlyMessages(), capable: undefined, size: 0 };
    this.#peers.set(number, peer);
    this.#connected++;
    if (!facts.extended) this.#setCapable(peer, false);
  }

  message(number: PeerNumber, message: Message, now: number): void {
    const peer = this.#peers.get(number);
    if (!peer) return;
    const fault = this.#handle(peer, message, now);
    if (fault) this.#expel(peer, fault, now);
  }

  peerClosed(number: PeerNumber, now: number): void {
    const peer = this.#peers.get(number);
    if (!peer) return;
    this.#peers.delete(number);
    this.#withdraw(peer, now);
  }

  /** Does what time brings; returns when it wants to be called next, Infinity if not before another input. */
  tick(now: number): number {
    let wakeMs = Number.POSITIVE_INFINITY;
    for (const group of this.#groups.values()) wakeMs = Math.min(wakeMs, group.tick(now));
    return wakeMs;
  }

  /** What the peer said so far, for a swarm to hear: pieces, choking, interest, extensions. */
  replay(number: PeerNumber): Message[] {
    return this.#peers.get(number)?.early.messages() ?? [];
  }

  /** Returns why the peer has to be closed, if it has. */
  #handle(peer: FetchPeer, message: Message, now: number): CloseReason | undefined {
    switch (message.type) {
      case 'metadataData':
        return this.#partArrived(peer, message, now);
      case 'metadataReject':
        this.#groups.get(peer.size)?.rejected(peer.giver, message.piece, now);
        return undefined;
      case 'piece':
        return 'unrequested-block';
      case 'extensionHandshake':
        return peer.early.note(message) ?? this.#claimed(peer, message, now);
      default:
        return peer.early.note(message);
    }
  }

  /** The peer says whether it has metadata, and of what size. A size never changes, so one of two is a lie. */
  #claimed(peer: FetchPeer, message: ExtensionHandshake, now: number): CloseReason | undefined {
    const { utMetadata, metadataSize } = message;
    this.#setCapable(peer, utMetadata === undefined ? peer.capable === true : utMetadata > 0);
    if (metadataSize !== undefined && metadataSize > 0 && metadataSize <= LIMITS.metadataBytes) {
      if (peer.size > 0 && peer.size !== metadataSize) return 'bad-metadata';
      peer.size = metadataSize;
    }
    if (this.#done || peer.size === 0) return undefined;
    if (!peer.capable) this.#withdraw(peer, now);
    else if (!this.#groups.get(peer.size)?.has(peer.giver)) this.#groupOf(peer.size).join(peer.giver, now);
    return undefined;
  }

  #partArrived(
    peer: FetchPeer,
    message: Extract<MetadataMessage, { type: 'metadataData' }>,
    now: number,
  ): CloseReason | undefined {
    if (this.#done) return undefined;
    const group = this.#groups.get(peer.size);
    const { piece, totalSize, data } = message;
    if (!group?.has(peer.giver)) return peer.giver.settle(piece) ? undefined : 'bad-metadata';
    if (totalSize !== peer.size || !group.arrived(peer.giver, piece, data, now)) return 'bad-metadata';
    if (group.parts.complete) this.#check(group, now);
    else this.#bound();
    return undefined;
  }

  #check(group: MetadataGroup, now: number): void {
    const bytes = group.parts.assemble();
    if (this.#port.matches(bytes)) {
      this.#done = true;
      this.#groups.clear();
      this.#port.complete(bytes);
      return;
    }
    const author = group.failed(now);
    const peer = author && this.#peers.get(author.peer);
    if (peer) this.#expel(peer, 'bad-metadata', now);
  }

  /** Liars about the size can have much sent to us that is never complete: the size with the fewest claimants goes. */
  #bound(): void {
    let bytes = 0;
    let weakest: MetadataGroup | undefined;
    for (const group of this.#groups.values()) {
      bytes += group.parts.bytes;
      if (group.parts.bytes > 0 && (!weakest || isWeaker(group, weakest))) weakest = group;
    }
    if (bytes > LIMITS.metadataKeptBytes) weakest?.clear();
  }

  #groupOf(size: number): MetadataGroup {
    let group = this.#groups.get(size);
    if (!group) {
      group = new MetadataGroup(size, (peer, part) =>
        this.#port.send(peer, { type: 'metadataRequest', piece: part }),
      );
      this.#groups.set(size, group);
    }
    return group;
  }

  #setCapable(peer: FetchPeer, capable: boolean): void {
    if (peer.capable === capable) return;
    if (!capable) this.#withoutMetadata++;
    else if (peer.capable === false) this.#withoutMetadata--;
    peer.capable = capable;
  }

  #expel(peer: FetchPeer, reason: CloseReason, now: number): void {
    const number = peer.giver.peer;
    this.#peers.delete(number);
    this.#port.close(number, reason);
    this.#withdraw(peer, now);
  }

  /** The peer gives no metadata any more. */
  #withdraw(peer: FetchPeer, now: number): void {
    const group = this.#groups.get(peer.size);
    if (!group?.has(peer.giver)) return;
    group.leave(peer.giver, now);
    if (group.memberCount > 0) return;
    const orphans = [...this.#groups].filter(([, { memberCount }]) => memberCount === 0);
    for (const [size, { parts }] of orphans) if (parts.bytes === 0) this.#groups.delete(size);
    const [oldest] = orphans;
    if (oldest && orphans.length > ORPHANS) this.#groups.delete(oldest[0]);
  }
}

function isWeaker(a: MetadataGroup, b: MetadataGroup): boolean {
  return (a.memberCount - b.memberCount || b.parts.bytes - a.parts.bytes) < 0;
}
