// What a swarm is told besides its pieces: limits, and what follows from the options of the torrent.

import type { PieceStorage } from '../storage/piece-storage.js';
import type { Reading } from '../swarm/reading.js';
import type { SwarmSettings } from '../swarm/swarm.js';
import { allowedFastSet } from '../torrent/allowed-fast.js';
import { Bitfield } from '../torrent/bitfield.js';
import type { InfoHash } from '../torrent/ids.js';
import { addressBytes } from '../torrent/ip.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import type { Selection } from '../torrent/selection.js';
import { sha1 } from '../torrent/sha.js';
import type { TorrentOptions } from './options.js';

export function swarmSettings(
  infoHash: InfoHash,
  { data, sequential, superSeed }: Pick<TorrentOptions, 'data' | 'sequential' | 'superSeed'>,
  { geometry, padding }: Pick<PieceStorage, 'geometry' | 'padding'>,
  { wanted }: Selection,
  reading: Reading | undefined,
): SwarmSettings {
  return {
    unchokeSlots: LIMITS.unchokeSlots,
    optimisticSlots: LIMITS.optimisticSlots,
    bufferedPieceBytes: LIMITS.bufferedPieceBytes,
    sequential,
    superSeed,
    // Who only seeds wants nothing, however much is missing.
    wanted: data === 'fetch' ? wanted : new Bitfield(geometry.pieceCount),
    reading,
    paddingOf: piece => padding.blocksOf(piece),
    allowedFast: host => {
      const ip = addressBytes(host);
      if (ip?.length !== 4) return [];
      return allowedFastSet(ip, infoHash, geometry.pieceCount, LIMITS.allowedFastPieces, sha1);
    },
  };
}

/** Blocks that may be outstanding at all peers together, so that a limited rate is not overshot by what is under way. */
export function outstandingWithin(maxDownloadBps: number): number {
  const blocks = (maxDownloadBps * LIMITS.pipelineMs) / 1000 / BLOCK_LENGTH;
  return Math.max(LIMITS.pipelineStart, Math.ceil(blocks));
}
