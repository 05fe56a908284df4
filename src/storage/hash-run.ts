// SHA-1 of the pieces in one run of bytes. Runs on any thread; knows no files and no torrents.

import { hash } from 'node:crypto';
import { HASH_LENGTH } from '../torrent/ids.js';

/** 20 bytes for each piece of these bytes, of which the last piece may be short. @param pieceLength bytes, > 0 */
export function hashRun(bytes: Uint8Array, pieceLength: number): Uint8Array<ArrayBuffer> {
  const hashes = new Uint8Array(Math.ceil(bytes.length / pieceLength) * HASH_LENGTH);
  for (let begin = 0, at = 0; begin < bytes.length; begin += pieceLength, at += HASH_LENGTH) {
    const piece = bytes.subarray(begin, Math.min(begin + pieceLength, bytes.length));
    hashes.set(hash('sha1', piece, 'buffer'), at);
  }
  return hashes;
}
