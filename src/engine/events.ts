// What a torrent tells its owner while it runs. The command line prints these; `--json` adds v, t, source and infoHash.
// Byte counts are integers, rates are bytes per second, indices count from 0.

import type { ErrorCode } from '../torrent/errors.js';
import type { TrackerReport } from '../tracker/torrent-trackers.js';

export interface EventFile {
  readonly index: number;
  readonly path: string;
  readonly length: number;
  readonly selected: boolean;
}

export type TorrentEvent =
  | {
      readonly event: 'metadata';
      readonly name: string;
      readonly pieces: number;
      readonly pieceLength: number;
      readonly length: number;
      readonly private: boolean;
      readonly infoHashV2?: string;
      readonly trackers: readonly (readonly string[])[];
      readonly webSeeds: readonly string[];
      readonly files: readonly EventFile[];
      readonly from: 'torrent' | 'peers' | 'cache';
    }
  | {
      readonly event: 'resumed';
      readonly piecesHave: number;
      readonly bytesHave: number;
      readonly how: 'resume' | 'recheck';
    }
  | ProgressEvent
  | { readonly event: 'file'; readonly index: number; readonly path: string; readonly length: number }
  /** After the write of the piece has returned. */
  | { readonly event: 'piece'; readonly index: number }
  | {
      readonly event: 'peer';
      readonly address: string;
      readonly how: 'dialled' | 'incoming' | 'closed' | 'failed' | 'banned';
      readonly why?: string;
      /** When the connection is over ('closed', 'banned'): bytes of blocks that came from the peer, and that went to it. */
      readonly received?: number;
      readonly sent?: number;
    }
  | {
      readonly event: 'choke';
      readonly address: string;
      readonly decision: 'choke' | 'unchoke';
      readonly reason: string;
    }
  /** A tracker answered, or failed: `error` says why. */
  | ({ readonly event: 'tracker' } & TrackerReport)
  | { readonly event: 'dht'; readonly nodes: number; readonly found: number }
  | { readonly event: 'warning'; readonly message: string }
  | { readonly event: 'seeding'; readonly magnet: string }
  | {
      readonly event: 'done';
      /** `-`: it went to a reader. */
      readonly path: string;
      readonly files: number;
      readonly length: number;
      readonly seconds: number;
      readonly downloaded: number;
      readonly uploaded: number;
      readonly ratio: number;
      readonly wasted: number;
    };

export interface ProgressEvent {
  readonly event: 'progress';
  /** Verified bytes of what was asked for that are on disk. */
  readonly downloaded: number;
  readonly length: number;
  readonly uploaded: number;
  readonly downRate: number;
  readonly upRate: number;
  readonly peers: number;
  readonly seeds: number;
  readonly etaSeconds: number | null;
  /** Copies of the rarest piece among the connected peers. */
  readonly availability: number;
}

/** Lines that do not belong to one torrent. */
export type ProcessEvent =
  | { readonly event: 'start'; readonly output: string; readonly version: string }
  | {
      readonly event: 'listening';
      readonly host: string;
      readonly port: number;
      readonly dhtPort: number | null;
    }
  | { readonly event: 'warning'; readonly message: string }
  /** `create` wrote a torrent; `path` is `-` for stdout. */
  | {
      readonly event: 'created';
      readonly path: string;
      readonly infoHash: string;
      readonly infoHashV2?: string;
    }
  /** `verify` found a piece that does not match, and the files it touches (paths as printed). */
  | { readonly event: 'bad'; readonly piece: number; readonly files: readonly string[] }
  | { readonly event: 'found'; readonly host: string; readonly port: number; readonly from: string }
  | { readonly event: 'error'; readonly code: ErrorCode; readonly message: string; readonly exit: number };
