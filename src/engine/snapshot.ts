// The figures of a swarm at one moment, for its owner and for trackers.

import type { Layout } from '../storage/layout.js';
import type { PieceStorage } from '../storage/piece-storage.js';
import type { Swarm } from '../swarm/swarm.js';
import type { Bitfield } from '../torrent/bitfield.js';
import type { Geometry, Piece } from '../torrent/geometry.js';
import { BLOCK_LENGTH } from '../torrent/limits.js';
import type { Selection } from '../torrent/selection.js';
import type { AnnounceFacts } from '../tracker/torrent-trackers.js';
import type { ProgressEvent } from './events.js';

/** Bytes of these pieces. */
export function bytesHave(geometry: Geometry, have: Bitfield): number {
  const last = geometry.piece(geometry.pieceCount - 1);
  const short = last !== undefined && have.has(last) ? geometry.pieceLength - geometry.lengthOf(last) : 0;
  return have.count * geometry.pieceLength - short;
}

/** How much of what was asked for is here. In bytes. */
export interface Done {
  readonly downloaded: number;
  readonly length: number;
}

/** That of a download, kept up to date piece by piece: bytes of the selected files, exactly. */
export class Fetched implements Done {
  downloaded = 0;
  readonly length: number;
  readonly #layout: Layout;
  readonly #selection: Selection;

  constructor(layout: Layout, selection: Selection, have: Bitfield) {
    this.length = selection.length;
    this.#layout = layout;
    this.#selection = selection;
    for (const piece of have) this.add(piece);
  }

  /** Counts a piece, once. */
  add(piece: Piece): void {
    for (const { file, length } of this.#layout.segmentsOf(piece))
      if (this.#selection.isSelected(file)) this.downloaded += length;
  }
}

export function progressOf(swarm: Swarm, { downloaded, length }: Done, now: number): ProgressEvent {
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

/**
 * What trackers are told. Who lacks a file that nobody selected is no seed for them, and `left` is what the torrent has
 * besides (BEP 3), as libtorrent and Transmission count it. @param storage undefined while the metadata is missing
 */
export function announceFacts(
  port: number,
  needsPeers: boolean,
  swarm: Swarm | undefined,
  storage: PieceStorage | undefined,
): AnnounceFacts {
  // What is left of an unknown length is more than nothing, and must not look like a seed.
  const left = storage ? storage.geometry.length - bytesHave(storage.geometry, storage.have) : BLOCK_LENGTH;
  return {
    port,
    uploaded: swarm?.uploads.sentBytes ?? 0,
    downloaded: swarm?.downloads.receivedBytes ?? 0,
    left,
    needsPeers,
    isPartialSeed: swarm?.complete === true && left > 0,
  };
}
