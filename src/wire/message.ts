// The messages of the peer wire protocol (BEP 3, 5, 6, 9, 10, 11, 54) as values. No bytes and no policy here.

import type { HostPort } from '../torrent/metainfo-types.js';

/**
 * Bytes of a piece on their way. `data` is a view that is valid only until the call that passed it returns; the
 * swarm never reads it, so a simulator passes none.
 */
export interface Block {
  readonly length: number;
  readonly data?: Uint8Array;
}

/** Messages with an id of their own on the wire. Indices and lengths are as sent: not yet checked against a torrent. */
export type WireMessage =
  | { readonly type: 'keepAlive' }
  | { readonly type: 'choke' }
  | { readonly type: 'unchoke' }
  | { readonly type: 'interested' }
  | { readonly type: 'notInterested' }
  | { readonly type: 'have'; readonly index: number }
  | { readonly type: 'bitfield'; readonly bits: Uint8Array }
  | { readonly type: 'request'; readonly index: number; readonly begin: number; readonly length: number }
  | { readonly type: 'piece'; readonly index: number; readonly begin: number; readonly block: Block }
  | { readonly type: 'cancel'; readonly index: number; readonly begin: number; readonly length: number }
  | { readonly type: 'port'; readonly port: number }
  | { readonly type: 'suggest'; readonly index: number }
  | { readonly type: 'haveAll' }
  | { readonly type: 'haveNone' }
  | { readonly type: 'reject'; readonly index: number; readonly begin: number; readonly length: number }
  | { readonly type: 'allowedFast'; readonly index: number }
  | { readonly type: 'extended'; readonly id: number; readonly payload: Uint8Array }
  /** An id nobody here knows; ignored, as BEP 3 implementations do. */
  | { readonly type: 'unknown'; readonly id: number };

/** BEP 10's handshake, checked and cut to its limits. Fields that were absent or of a wrong type are undefined. */
export interface ExtensionHandshake {
  readonly type: 'extensionHandshake';
  /** ids the sender wants to receive these extensions under; 0 or absent: not (any more) supported. */
  readonly utMetadata?: number | undefined;
  readonly utPex?: number | undefined;
  readonly dontHave?: number | undefined;
  /** bytes of the info dictionary (BEP 9). */
  readonly metadataSize?: number | undefined;
  /** requests it accepts at a time; a larger number than LIMITS.pipelineMax is cut to that on receipt. */
  readonly reqq?: number | undefined;
  /** BEP 21: it will not download any more. */
  readonly uploadOnly?: boolean | undefined;
  /** the address it sees us under: 4 or 16 bytes. */
  readonly yourIp?: Uint8Array | undefined;
  /** client name and version. */
  readonly client?: string | undefined;
  /** its listen port, where we did not dial it. */
  readonly listenPort?: number | undefined;
}

/** ut_metadata (BEP 9). `piece` counts 16 KiB parts of the info dictionary. */
export type MetadataMessage =
  | { readonly type: 'metadataRequest'; readonly piece: number }
  | {
      readonly type: 'metadataData';
      readonly piece: number;
      readonly totalSize: number;
      readonly data: Uint8Array;
    }
  | { readonly type: 'metadataReject'; readonly piece: number };

/** What BEP 11 tells of a peer beside its address. */
export interface PexFlags {
  /** it prefers encrypted connections. */
  readonly encryption: boolean;
  /** it is a seed, or will not download any more (BEP 21). */
  readonly uploadOnly: boolean;
  readonly utp: boolean;
  /** BEP 55. */
  readonly holepunch: boolean;
  /** the teller dialled it, so it can be reached. */
  readonly outgoing: boolean;
}

/** A peer that another one is connected to (BEP 11). Port 0 and hosts that cannot be dialled may occur. */
export interface PexPeer extends HostPort {
  readonly flags: PexFlags;
}

/** ut_pex (BEP 11): whom the sender has met and lost since its last message. */
export interface PeerExchangeMessage {
  readonly type: 'peerExchange';
  readonly added: readonly PexPeer[];
  readonly dropped: readonly HostPort[];
}

/** What an `extended` message turns into once the ids of BEP 10 are resolved. */
export type ExtensionMessage =
  | ExtensionHandshake
  | MetadataMessage
  | PeerExchangeMessage
  /** BEP 54. */
  | { readonly type: 'dontHave'; readonly index: number };

/** What reaches a swarm: wire messages with `extended` resolved. */
export type Message =
  | Exclude<WireMessage, { type: 'extended' | 'unknown' | 'keepAlive' | 'port' }>
  | ExtensionMessage;
