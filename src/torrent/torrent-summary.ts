// What a torrent holds, in the same words for every version: also for v2-only torrents, which are read and checked here
// but cannot be downloaded yet.

import { HASH_LENGTH, type InfoHash } from './ids.js';
import { metainfoOf, readTorrentFields } from './metainfo.js';
import type { HostPort, Metainfo } from './metainfo-types.js';
import { checkPieceLayers } from './piece-layers.js';
import { sha256 } from './sha.js';
import { isV2Only, readV2Info } from './v2-info.js';

export interface SummaryFile {
  /** Safe components; the first is the torrent's name. */
  readonly path: readonly string[];
  readonly length: number;
  /** BEP 47 padding, which is never on disk. */
  readonly pad: boolean;
}

export interface TorrentSummary {
  /** v1; undefined where the torrent is v2 only. */
  readonly infoHash: InfoHash | undefined;
  /** 32 bytes; undefined where the torrent is v1 only. */
  readonly infoHashV2: Uint8Array | undefined;
  readonly version: 'v1' | 'hybrid' | 'v2';
  /** Made safe. */
  readonly name: string;
  /** Bytes of all files, padding left out. */
  readonly length: number;
  readonly pieceLength: number;
  /** How many; in a v2 torrent each file begins with a piece of its own. */
  readonly pieces: number;
  readonly private: boolean;
  readonly source: string | undefined;
  readonly comment: string | undefined;
  readonly createdBy: string | undefined;
  /** Seconds since 1970. */
  readonly creationDate: number | undefined;
  /** Tiers (BEP 12). */
  readonly trackers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  readonly nodes: readonly HostPort[];
  /** In torrent order, padding included, so that indices are those of the torrent. */
  readonly files: readonly SummaryFile[];
  /** What had to be changed or ignored, in words for the user. */
  readonly warnings: readonly string[];
}

/**
 * The summary of a .torrent of any version.
 * @throws TorrentError BAD_SOURCE where it is malformed (BEPs 3 and 52), UNSUPPORTED where it is beyond our limits
 */
export function summarize(bytes: Uint8Array): TorrentSummary {
  const read = readTorrentFields(bytes);
  if (!isV2Only(read.infoBytes)) return summaryOf(metainfoOf(read));
  const { infoBytes, pieceLayers, ...fields } = read;
  const { pieceCount, files, ...info } = readV2Info(infoBytes);
  const warnings = [...info.warnings, ...fields.warnings];
  if (pieceLayers !== undefined) checkPieceLayers(bytes, pieceLayers, files, info.pieceLength);
  else if (files.some(file => file.length > info.pieceLength))
    warnings.push('it has no piece layers: its pieces could only be checked with hashes from peers');
  return {
    ...info,
    ...fields,
    infoHash: undefined,
    infoHashV2: sha256(infoBytes),
    version: 'v2',
    length: files.reduce((sum, file) => sum + file.length, 0),
    pieces: pieceCount,
    files: files.map(({ path, length }) => ({ path, length, pad: false })),
    warnings,
  };
}

/** The summary of a torrent that was read already. */
export function summaryOf(metainfo: Metainfo): TorrentSummary {
  const { pieceHashes, infoBytes: _, singleFile: __, files, ...rest } = metainfo;
  return {
    ...rest,
    version: metainfo.infoHashV2 === undefined ? 'v1' : 'hybrid',
    length: files.reduce((sum, file) => sum + (file.pad ? 0 : file.length), 0),
    pieces: pieceHashes.length / HASH_LENGTH,
    files: files.map(({ path, length, pad }) => ({ path, length, pad })),
  };
}
