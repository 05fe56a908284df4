// The allowed-fast set of BEP 6: a few pieces that a peer may have even while it is choked, the same for one address
// and torrent each time, so that asking again from the same place gains nothing.

import type { InfoHash } from './ids.js';

/**
 * BEP 6, "Allowed Fast Set Generation".
 * @param ip the peer's IPv4 address, 4 bytes @param count size of the set wanted @param sha1 the hash function
 * @returns distinct piece indices, at most `pieceCount` of them
 */
export function allowedFastSet(
  ip: Uint8Array,
  infoHash: InfoHash,
  pieceCount: number,
  count: number,
  sha1: (bytes: Uint8Array) => Uint8Array,
): number[] {
  const set = new Set<number>();
  const wanted = Math.min(count, pieceCount);
  let seed = new Uint8Array(24);
  seed.set(ip.subarray(0, 3), 0);
  seed.set(infoHash, 4);
  while (set.size < wanted) {
    seed = Uint8Array.from(sha1(seed));
    const view = new DataView(seed.buffer);
    for (let at = 0; at + 4 <= seed.length && set.size < wanted; at += 4)
      set.add(view.getUint32(at) % pieceCount);
  }
  return [...set];
}
