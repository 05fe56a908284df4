// Gives the info dictionary to peers that come with a magnet link (BEP 9).

import { BLOCK_LENGTH } from '../torrent/limits.js';
import type { PeerLink } from './peer-link.js';

/** Sends a part, or a reject: while we lack the metadata ourselves, and to a peer that has had it twice. */
export function shareMetadata(link: PeerLink, infoBytes: Uint8Array | undefined, piece: number): void {
  const begin = piece * BLOCK_LENGTH;
  const parts = Math.ceil((infoBytes?.length ?? 0) / BLOCK_LENGTH);
  if (!infoBytes || piece >= parts || link.metadataServed >= 2 * parts + 8) {
    link.send({ type: 'metadataReject', piece });
    return;
  }
  link.metadataServed++;
  const data = infoBytes.subarray(begin, begin + BLOCK_LENGTH);
  link.send({ type: 'metadataData', piece, totalSize: infoBytes.length, data });
}
