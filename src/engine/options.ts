// What the command line hands to the engine.

import type { Interfaces } from '../discovery/multicast-group.js';
import type { Binding } from '../torrent/binding.js';
import type { TorrentError } from '../torrent/errors.js';
import type { HostPort, Magnet, Metainfo, TorrentFile } from '../torrent/metainfo-types.js';
import type { ProcessEvent, TorrentEvent } from './events.js';

export interface EngineOptions {
  /** Asked for by the user: taken or exit 10; 0 is any free one. Undefined: 6881 to 6889 in turn, then any. */
  readonly port: number | undefined;
  /** Undefined: the system chooses what each socket is bound to. */
  readonly bound: Bound | undefined;
  readonly dht: boolean;
  /** Replaces the built-in routers where not empty. */
  readonly dhtBootstrap: readonly HostPort[];
  /** Local service discovery (BEP 14). */
  readonly lsd: boolean;
  /** Peer exchange (BEP 11). */
  readonly pex: boolean;
  /** Bytes per second over all torrents; undefined: unlimited. */
  readonly maxDownloadBps: number | undefined;
  readonly maxUploadBps: number | undefined;
  readonly maxConnections: number;
  /** Folder of resume state, locks and remembered DHT nodes. */
  readonly stateDirectory: string;
  readonly onEvent: (event: ProcessEvent) => void;
}

/** Every socket uses these addresses, and where one of them goes, all are closed. */
export interface Bound {
  readonly binding: Binding;
  /** Those of the machine, as they are now. */
  readonly interfaces: () => Interfaces;
  /** The engine is closing itself, for one of the addresses is gone. */
  readonly onLost: (error: TorrentError) => void;
}

export interface SeedGoal {
  /** Stop once uploaded / selected bytes reaches this. */
  readonly ratio: number | undefined;
  /** Stop after so long. */
  readonly timeMs: number | undefined;
}

/** A run of bytes of a torrent. */
export interface ByteRange {
  /** Byte inside the torrent. */
  readonly offset: number;
  readonly length: number;
}

/** What a reader is given of a torrent. */
export interface StreamPlan {
  /** In the order in which it is read; a byte may be read more than once. */
  readonly ranges: readonly ByteRange[];
  /** Files they belong to. */
  readonly files: number;
  /** Hands over bytes, which may change once this is fulfilled: with false where nobody reads any more. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** All of it was written. Fulfilled as `write` is. */
  end(): Promise<boolean>;
}

/** A torrent that is read while it comes. */
export interface StreamOptions {
  /** Keep the data in the output directory; otherwise it is in memory, as long as it is needed, and nowhere else. */
  readonly keep: boolean;
  /** What is read of this torrent. Throws a TorrentError where nothing can be. */
  open(metainfo: Metainfo): StreamPlan;
}

/** Files of a torrent that are wanted. */
export interface Chosen {
  /** Their indices in the torrent; those of padding count for nothing. */
  readonly files: readonly number[];
  /** What was asked for that the torrent does not have, in words for the user. */
  readonly warnings: readonly string[];
}

/** Chooses among the files of a torrent. Throws a TorrentError of code SELECT_EMPTY where none is wanted. */
export type Select = (torrent: Selectable) => Chosen;

/** A torrent of any version, as far as there is something to choose. */
export interface Selectable {
  readonly name: string;
  readonly files: readonly SelectableFile[];
}

export type SelectableFile = Pick<TorrentFile, 'path' | 'length' | 'pad'>;

export interface TorrentOptions {
  /** Output directory as the user gave it. */
  readonly output: string;
  readonly peers: readonly HostPort[];
  /**
   * `fetch` what is missing; or seed what is there, which must be `complete` (else VERIFY_FAILED) or may be `partial`;
   * `none`: end once the metadata is known.
   */
  readonly data: 'fetch' | 'complete' | 'partial' | 'none';
  /** Where `data` is `fetch`: read it as it comes, fetch no more than that, and end. */
  readonly stream: StreamOptions | undefined;
  /** Of what is to be fetched, these files alone. Undefined: all. */
  readonly select: Select | undefined;
  /** Tiers besides those of the torrent (BEP 12). */
  readonly trackers: readonly (readonly string[])[];
  /** False: announce to no tracker at all, whoever named it. */
  readonly useTrackers: boolean;
  /** URLs besides those of the torrent (BEP 19). */
  readonly webSeeds: readonly string[];
  /** BEP 16, once we seed. */
  readonly superSeed: boolean;
  readonly maxPeers: number;
  /** Give up on a magnet's metadata: NO_METADATA. Undefined: never. */
  readonly metadataTimeoutMs: number | undefined;
  /** Give up in all, or without a new byte: STALLED. Undefined: never. */
  readonly timeoutMs: number | undefined;
  readonly stallTimeoutMs: number | undefined;
  /** Undefined: end at 100 %. A goal without ratio and time: seed for ever. */
  readonly seed: SeedGoal | undefined;
  readonly recheck: boolean;
  /** Believe what is on disk: for this run, or also later on where it was `hashed` a moment ago. */
  readonly trust: boolean | 'hashed';
  readonly force: boolean;
  /** Write the metadata there as a .torrent. */
  readonly saveTorrent: string | undefined;
  /** In order instead of rarest first. */
  readonly sequential: boolean;
  readonly onEvent: (event: TorrentEvent) => void;
}

export type TorrentSource =
  | { readonly kind: 'torrent'; readonly metainfo: Metainfo }
  | { readonly kind: 'magnet'; readonly magnet: Magnet };

/** Where `peers` asks. */
export interface FindOptions {
  readonly peers: readonly HostPort[];
  readonly trackers: readonly (readonly string[])[];
  readonly useTrackers: boolean;
  /** Ask trackers how many seeds and leechers they count (BEP 48); told as `tracker` events. */
  readonly scrape: boolean;
  /** `tracker` and `warning` events of the search. */
  readonly onEvent: (event: TorrentEvent) => void;
}

/** One torrent at work, as its owner sees it. */
export interface TorrentHandle {
  /** Fulfilled when the download is complete and its seeding goal reached; rejected with a TorrentError. */
  readonly finished: Promise<void>;
  /** Stops, saves the resume state and closes its connections; safe to call twice. */
  stop(): Promise<void>;
}

/** What engine.ts offers: one listener, one DHT node and one clock for all torrents of the process. */
export interface EngineHandle {
  /** Listens; rejects with NETWORK when the port that was asked for cannot be had. */
  start(): Promise<void>;
  /** The first to learn that a download reached 100 % (it may go on seeding) is `onComplete`. */
  add(source: TorrentSource, options: TorrentOptions, onComplete: () => void): TorrentHandle;
  /** Addresses of a swarm as they are heard of, until `signal` aborts; for `peers`. */
  findPeers(source: TorrentSource, options: FindOptions, signal: AbortSignal): Promise<void>;
  /** Stops all torrents, saves their state, leaves no handle open. */
  close(): Promise<void>;
}
