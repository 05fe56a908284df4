// The port of a swarm: orders about a peer go to the connections or to the web seeds, by its number; blocks to the storage.

import type { PieceStorage } from '../storage/piece-storage.js';
import type { Decision } from '../swarm/choker.js';
import type { PeerNumber, SwarmPort } from '../swarm/port.js';
import type { BlockList } from '../torrent/block-list.js';
import type { CloseReason } from '../torrent/errors.js';
import type { Piece } from '../torrent/geometry.js';
import type { Block, Message } from '../wire/message.js';
import type { TorrentPeers } from './torrent-peers.js';
import type { WebSeeds } from './web-seeds.js';

export class SwarmOrders implements SwarmPort {
  readonly #peers: TorrentPeers;
  readonly #webSeeds: WebSeeds;
  readonly #storage: PieceStorage;

  constructor(peers: TorrentPeers, webSeeds: WebSeeds, storage: PieceStorage) {
    this.#peers = peers;
    this.#webSeeds = webSeeds;
    this.#storage = storage;
  }

  send(peer: PeerNumber, message: Message): void {
    this.#of(peer).send(peer, message);
  }

  request(peer: PeerNumber, blocks: BlockList): void {
    this.#of(peer).request(peer, blocks);
  }

  close(peer: PeerNumber, reason: CloseReason): void {
    this.#of(peer).close(peer, reason);
  }

  choke(decision: Decision): void {
    this.#peers.choke(decision);
  }

  storeBlock(piece: Piece, begin: number, block: Block): void {
    if (block.data) this.#storage.store(piece, begin, block.data);
  }

  discard(piece: Piece): void {
    this.#storage.discard(piece);
  }

  readBlock(peer: PeerNumber, piece: Piece, begin: number, length: number): void {
    this.#peers.readBlock(peer, piece, begin, length);
  }

  #of(peer: PeerNumber): TorrentPeers | WebSeeds {
    return this.#webSeeds.owns(peer) ? this.#webSeeds : this.#peers;
  }
}
