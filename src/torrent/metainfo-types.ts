// What a torrent and a magnet link say, checked. Built by metainfo.ts and magnet.ts, read everywhere.

import type { InfoHash } from './ids.js';

/** A place to dial or to ask, as a user or a torrent wrote it: `host` may be a name. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface TorrentFile {
  /** Path components below the output directory, already made safe; the first one is the torrent's name. */
  readonly path: readonly string[];
  /** As the torrent has it, where `path` had to be made safe: for URLs alone. */
  readonly rawPath?: readonly string[];
  readonly length: number;
  /** Byte inside the torrent at which the file begins. */
  readonly offset: number;
  /** BEP 47 padding: zeros that are never written to disk. */
  readonly pad: boolean;
}

/** A v1 or hybrid torrent that can be downloaded. */
export interface Metainfo {
  /** SHA-1 of `infoBytes`. */
  readonly infoHash: InfoHash;
  /** SHA-256 of `infoBytes`, 32 bytes, where the torrent is a hybrid (BEP 52). */
  readonly infoHashV2: Uint8Array | undefined;
  /** The info dictionary exactly as it was received. */
  readonly infoBytes: Uint8Array;
  /** Made safe; as it appears on disk. */
  readonly name: string;
  /** Bytes. */
  readonly length: number;
  readonly pieceLength: number;
  /** 20 bytes for each piece. */
  readonly pieceHashes: Uint8Array;
  /** In torrent order; at least one. */
  readonly files: readonly TorrentFile[];
  /** Whether the torrent is one file rather than a folder. */
  readonly singleFile: boolean;
  readonly private: boolean;
  /** Tiers (BEP 12). */
  readonly trackers: readonly (readonly string[])[];
  /** BEP 19. */
  readonly webSeeds: readonly string[];
  /** DHT nodes (BEP 5). */
  readonly nodes: readonly HostPort[];
  readonly comment: string | undefined;
  readonly createdBy: string | undefined;
  /** Seconds since 1970. */
  readonly creationDate: number | undefined;
  readonly source: string | undefined;
  /** What had to be changed or ignored, in words for the user. */
  readonly warnings: readonly string[];
}

/** A magnet link (BEP 9, BEP 53) or a bare info hash. */
export interface Magnet {
  /** v1, or undefined in a v2-only link. */
  readonly infoHash: InfoHash | undefined;
  /** 32 bytes of `btmh`. */
  readonly infoHashV2: Uint8Array | undefined;
  /** `dn`: only for display until the metadata is here. */
  readonly name: string | undefined;
  /** `tr`: each a tier of its own. */
  readonly trackers: readonly (readonly string[])[];
  /** `ws`. */
  readonly webSeeds: readonly string[];
  /** `x.pe`. */
  readonly peers: readonly HostPort[];
  /** `so`: inclusive ranges of file indices. */
  readonly selectOnly: readonly (readonly [number, number])[] | undefined;
}
