// The figures of a swarm at one moment, as a progress event.

import type { Swarm } from '../swarm/swarm.js';
import type { Bitfield } from '../torrent/bitfield.js';
import type { Geometry } from '../torrent/geometry.js';
import type { ProgressEvent } from './events.js';

/** Bytes of these pieces. */
export function bytesHave(geometry: Geometry, have: Bitfield): number {
  const last = geometry.piece(geometry.pieceCount - 1);
  const short = last !== undefined && have.has(last) ? geometry.pieceLength - geometry.lengthOf(last) : 0;
  return have.count * geometry.pieceLength - short;
}

export function progressOf(swarm: Swarm, now: number): ProgressEvent {
  const downloaded = bytesHave(swarm.geometry, swarm.picker.wants.have);
  const { length } = swarm.geometry;
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
