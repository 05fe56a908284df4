// What a torrent tells its owner while it runs, and what a command tells besides. The command line prints these, and one
// line of `--json` is an EventLine: docs/events.schema.json is made from this file (`npm run docs:events`), comments included.
// Lines gain kinds and fields as time goes by; what is here keeps its name, type and unit.

import type { ErrorCode } from '../torrent/errors.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import type { TrackerReport } from '../tracker/torrent-trackers.js';

/** @asType integer @minimum 0 */
export type Bytes = number;
/** Bytes per second, over the last seconds. @asType integer @minimum 0 */
export type BytesPerSecond = number;
/** How many there are. @asType integer @minimum 0 */
export type Count = number;
/** Counts from 0. @asType integer @minimum 0 */
export type Index = number;
/** @asType integer @minimum 0 */
export type Seconds = number;
/** @asType integer @minimum 0 @maximum 65535 */
export type Port = number;
/** Lower-case hex of 20 bytes (v1, SHA-1) or 32 (v2, SHA-256). @pattern ^([0-9a-f]{40}|[0-9a-f]{64})$ */
export type HashHex = string;

/** One line of `--json`: what all lines have, then the fields of its event. */
export type EventLine = LineHead & (TorrentEvent | ProcessEvent);

export interface LineHead {
  /** Version of this format. Only a change that breaks readers would raise it. */
  readonly v: 1;
  /** Milliseconds since the start of the command. @asType integer @minimum 0 */
  readonly t: number;
  /** The source that the line is about, as the user named it; absent where it is about the whole run. */
  readonly source?: string;
  /** Of that source, once it is known: v1 where there is one, else v2. */
  readonly infoHash?: HashHex;
}

/** Of one torrent, in the order in which they are to be expected. */
export type TorrentEvent =
  | MetadataEvent
  | ResumedEvent
  | ProgressEvent
  | FileEvent
  | PieceEvent
  | PeerEvent
  | ChokeEvent
  | TrackerEvent
  | DhtEvent
  | WarningEvent
  | DoneEvent
  | SeedingEvent;

/** Of the whole run, or of a command that moves no data. */
export type ProcessEvent =
  | StartEvent
  | ListeningEvent
  | WarningEvent
  | CreatedEvent
  | BadEvent
  | FoundEvent
  | MagnetEvent
  | ErrorEvent;

/** The command begins. */
export interface StartEvent {
  readonly event: 'start';
  /** Directory where data goes or lies, as the user gave it. */
  readonly output: string;
  /** Of the program. */
  readonly version: string;
}

/** Peers can connect to us. */
export interface ListeningEvent {
  readonly event: 'listening';
  /** Address that is listened on; `::` or `0.0.0.0` is all of them. */
  readonly host: string;
  /** TCP. */
  readonly port: Port;
  /** UDP port of the DHT; null where there is none. */
  readonly dhtPort: Port | null;
}

/** What the torrent holds is known. */
export interface MetadataEvent {
  readonly event: 'metadata';
  readonly name: string;
  readonly pieces: Count;
  readonly pieceLength: Bytes;
  /** Of all files together, with padding (BEP 47). */
  readonly length: Bytes;
  /** Peers come from the trackers alone (BEP 27). */
  readonly private: boolean;
  /** Of a hybrid or v2 torrent. */
  readonly infoHashV2?: HashHex;
  /** URLs, tier by tier (BEP 12). */
  readonly trackers: readonly (readonly string[])[];
  /** URLs (BEP 19). */
  readonly webSeeds: readonly string[];
  /** Without padding files, whose indices are left out. */
  readonly files: readonly EventFile[];
  /** A .torrent, peers (BEP 9), or what an earlier run has kept. */
  readonly from: 'torrent' | 'peers' | 'cache';
  /** DHT nodes (BEP 5), where a .torrent names some. */
  readonly nodes?: readonly HostPort[];
  readonly comment?: string;
  readonly createdBy?: string;
  /** Seconds since 1970. @asType integer */
  readonly creationDate?: number;
  /** `source` of the info dictionary; the `source` of a line is that of the user. */
  readonly infoSource?: string;
}

export interface EventFile {
  readonly index: Index;
  /** As a shell in the current directory would use it; of `info`, below the output directory. */
  readonly path: string;
  readonly length: Bytes;
  /** Asked for. */
  readonly selected: boolean;
}

/** What was on disk already. */
export interface ResumedEvent {
  readonly event: 'resumed';
  readonly piecesHave: Count;
  readonly bytesHave: Bytes;
  /** Believed by our own records, or hashed. */
  readonly how: 'resume' | 'recheck';
}

/** About once a second. While data is hashed `downloaded` is what was hashed, and `downRate` how fast. */
export interface ProgressEvent {
  readonly event: 'progress';
  /** Verified bytes of what was asked for that are on disk. */
  readonly downloaded: Bytes;
  /** Bytes of all that was asked for. */
  readonly length: Bytes;
  /** Bytes of blocks sent to peers. */
  readonly uploaded: Bytes;
  readonly downRate: BytesPerSecond;
  readonly upRate: BytesPerSecond;
  /** Connected, web seeds among them. */
  readonly peers: Count;
  /** Those of the peers that have everything. */
  readonly seeds: Count;
  /** Until all is here at this rate; null: unknown. */
  readonly etaSeconds: Seconds | null;
  /** Copies of the rarest piece among the connected peers. */
  readonly availability: Count;
}

/** A file is complete on disk, and verified. */
export interface FileEvent {
  readonly event: 'file';
  readonly index: Index;
  /** As a shell in the current directory would use it. */
  readonly path: string;
  readonly length: Bytes;
}

/** A piece is verified, and its write has returned. With --verbose. */
export interface PieceEvent {
  readonly event: 'piece';
  readonly index: Index;
}

/** A peer came or went. With --verbose. */
export interface PeerEvent {
  readonly event: 'peer';
  /** `host:port`, `[v6]:port`, or the URL of a web seed. */
  readonly address: string;
  readonly how: 'dialled' | 'incoming' | 'closed' | 'failed' | 'banned';
  readonly why?: string;
  /** When the connection is over ('closed', 'banned'): bytes of blocks that came from the peer. */
  readonly received?: Bytes;
  /** Likewise: bytes of blocks that went to it. */
  readonly sent?: Bytes;
}

/** A peer may take data from us, or no longer. With --verbose. */
export interface ChokeEvent {
  readonly event: 'choke';
  /** `host:port` or `[v6]:port`. */
  readonly address: string;
  readonly decision: 'choke' | 'unchoke';
  readonly reason: string;
}

/** A tracker answered, or failed: `error` says why. */
export interface TrackerEvent extends TrackerReport {
  readonly event: 'tracker';
}

/** How far the DHT has come; told when it has changed. */
export interface DhtEvent {
  readonly event: 'dht';
  /** In our routing table. */
  readonly nodes: Count;
  /** Addresses of peers that they gave. */
  readonly found: Count;
}

/** Something is not as it should be, and we go on. */
export interface WarningEvent {
  readonly event: 'warning';
  readonly message: string;
}

/** Everything is here and verified, and we go on giving it to others. */
export interface SeedingEvent {
  readonly event: 'seeding';
  readonly magnet: string;
}

/** All that was asked for is here and verified; of `seed`: the seeding is over. */
export interface DoneEvent {
  readonly event: 'done';
  /** The file or folder of the torrent, as a shell in the current directory would use it; `-`: it went to a reader. */
  readonly path: string;
  readonly files: Count;
  readonly length: Bytes;
  /** From the start of this torrent to now. @minimum 0 */
  readonly seconds: number;
  /** Bytes of blocks that peers sent, wasted ones among them. */
  readonly downloaded: Bytes;
  /** Bytes of blocks sent to peers. */
  readonly uploaded: Bytes;
  /** `uploaded` / `length`. @minimum 0 */
  readonly ratio: number;
  /** Bytes that came twice, or did not match their hash. */
  readonly wasted: Bytes;
}

/** `create` wrote a torrent. */
export interface CreatedEvent {
  readonly event: 'created';
  /** The .torrent; `-` for stdout. */
  readonly path: string;
  readonly infoHash: HashHex;
  readonly infoHashV2?: HashHex;
}

/** `verify` found a piece that does not match. */
export interface BadEvent {
  readonly event: 'bad';
  readonly piece: Index;
  /** Paths of the files it touches, as printed. */
  readonly files: readonly string[];
}

/** `peers` heard of somebody in the swarm. */
export interface FoundEvent {
  readonly event: 'found';
  /** An IP address. */
  readonly host: string;
  readonly port: Port;
  /** Who told us; `manual` is --peer, `magnet` the link. */
  readonly from: 'manual' | 'magnet' | 'tracker' | 'dht' | 'lsd' | 'pex';
}

/** `magnet` has the link of a .torrent. */
export interface MagnetEvent {
  readonly event: 'magnet';
  readonly magnet: string;
}

/** A source failed, or the whole run. */
export interface ErrorEvent {
  readonly event: 'error';
  readonly code: ErrorCode;
  /** `<what failed>: <why>`. */
  readonly message: string;
  /** Exit code of this failure; the process ends with that of the first one. @asType integer @minimum 1 */
  readonly exit: number;
}
