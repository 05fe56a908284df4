// The figures of a swarm at one moment, as a progress event.

import type { PieceStorage } from '../storage/piece-storage.js';
import type { Swarm } from '../swarm/swarm.js';
import type { Bitfield } from '../torrent/bitfield.js';
import type { Geometry } from '../torrent/geometry.js';
import { BLOCK_LENGTH } from '../torrent/limits.js';
import type { AnnounceFacts } from '../tracker/torrent-trackers.js';
import type { ProgressEvent } from './events.js';
import type { Stream } from './stream.js';

/** Bytes of these pieces. */
export function bytesHave(geometry: Geometry, have: Bitfield): number {
  const last = geometry.piece(geometry.pieceCount - 1);
  const short = last !== undefined && have.has(last) ? geometry.pieceLength - geometry.lengthOf(last) : 0;
  return have.count * geometry.pieceLength - short;
}

/** @param stream who reads it as it comes: then what counts is what was taken */
export function progressOf(swarm: Swarm, stream: Stream | undefined, now: number): ProgressEvent {
  const downloaded = stream?.taken ?? bytesHave(swarm.geometry, swarm.picker.wants.have);
  const { length } = stream ?? swarm.geometry;
  const downRate = Math.round(swarm.downloads.rate.bps(now));
  const left = length - downloaded;
  let seeds = 0;
  for (const peer of swarm.peers.values()) if (peer.isSeed) seeds++;
  return {
    event: 'progress',
    downloaded,
    length,
    uploaded: swarm.uploads.sentBytes,
    downRate,
    upRate: Math.round(swarm.uploads.rate.bps(now)),
    peers: swarm.peers.size,
    seeds,
    etaSeconds: left === 0 ? 0 : downRate === 0 ? null : Math.ceil(left / downRate),
    availability: swarm.picker.availability.rarest(),
  };
}

/** What trackers are told. @param storage undefined while the metadata is missing */
export function announceFacts(
  port: number,
  needsPeers: boolean,
  swarm: Swarm | undefined,
  storage: PieceStorage | undefined,
): AnnounceFacts {
  return {
    port,
    uploaded: swarm?.uploads.sentBytes ?? 0,
    downloaded: swarm?.downloads.receivedBytes ?? 0,
    // What is left of an unknown length is more than nothing, and must not look like a seed.
    left: storage ? storage.geometry.length - bytesHave(storage.geometry, storage.have) : BLOCK_LENGTH,
    needsPeers,
  };
}
