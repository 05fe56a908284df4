// What a swarm is told and what it orders: the types of its inputs and outputs. Implemented by engine/ and by a simulator.

import type { BlockList } from '../torrent/block-list.js';
import type { CloseReason } from '../torrent/errors.js';
import type { Piece } from '../torrent/geometry.js';
import type { PeerId } from '../torrent/ids.js';
import type { Block, Message } from '../wire/message.js';
import type { Decision } from './choker.js';

/** A small integer that names one connection for as long as it lasts; numbers are used again afterwards. */
export type PeerNumber = number;

/** A place to dial. `host` is an IP literal (IPv6 without brackets, IPv4-mapped addresses as IPv4); port 1..65535. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Who told us of an address. */
export type PeerSource = 'manual' | 'magnet' | 'dht' | 'tracker' | 'lsd' | 'pex' | 'incoming' | 'resume';

/** Uniform in [0, 1). Always an argument, never a default. */
export type Random = () => number;

/** What is known of a connection once both handshakes are done. */
export interface PeerFacts {
  /** Where the peer is; its port is the one we dialled, or an ephemeral one when `incoming`. */
  readonly address: Address;
  readonly incoming: boolean;
  readonly peerId: PeerId;
  /** Both sides set the bit of BEP 6. */
  readonly fast: boolean;
  /** Both sides set the bit of BEP 10. */
  readonly extended: boolean;
  /** The peer was told that we hold nothing, while the metadata was still missing. */
  readonly greeted: boolean;
  /** Not a peer but an HTTP server that has the files (BEP 19): it only gives, and ends its own silences with a choke. */
  readonly webSeed: boolean;
}

/** What a swarm orders. All return at once; results come back as inputs. */
export interface SwarmPort {
  send(peer: PeerNumber, message: Message): void;
  /** Chokes or unchokes the peer, and says why. */
  choke(decision: Decision): void;
  /** Asks the peer for these blocks. The list is used again after the call. */
  request(peer: PeerNumber, blocks: BlockList): void;
  /** Closes the connection; `peerClosed` is not called back for it. */
  close(peer: PeerNumber, reason: CloseReason): void;
  /** Copies the block into its place; the last one of a piece starts its check, which ends in `pieceChecked`. */
  storeBlock(piece: Piece, begin: number, block: Block): void;
  /** Forgets what was stored of a piece that is not complete. */
  discard(piece: Piece): void;
  /** Reads and sends a block; ends in `blockSent`, also when the read failed. */
  readBlock(peer: PeerNumber, piece: Piece, begin: number, length: number): void;
}
