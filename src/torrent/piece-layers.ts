// Checks the piece layers of a v2 torrent against the roots of its files (BEP 52): they are what its pieces are checked
// with, and lie outside of what the info hash covers.

import { dictEntries, type Span, stringBody } from './bencode-scanner.js';
import { isDict } from './bencode-values.js';
import { TorrentError } from './errors.js';
import { equalBytes, toHex } from './ids.js';
import { BLOCK_LENGTH } from './limits.js';
import { sha256 } from './sha.js';
import { V2_HASH_LENGTH, type V2File } from './v2-info.js';

/**
 * Refuses layers that are not those of the files: each file longer than a piece has one, nothing else has.
 * @param bytes of the .torrent, scanned @param layers in it @param pieceLength bytes, a power of two from 16 KiB on
 * @throws TorrentError BAD_SOURCE
 */
export function checkPieceLayers(
  bytes: Uint8Array,
  layers: Span,
  files: readonly V2File[],
  pieceLength: number,
): void {
  if (!isDict(bytes, layers)) throw bad('its piece layers are not a dictionary');
  /** Hashes that the files with this root want in their layer. */
  const wanted = new Map<string, number>();
  for (const { piecesRoot, length } of files) {
    if (piecesRoot === undefined || length <= pieceLength) continue;
    const [root, count] = [toHex(piecesRoot), Math.ceil(length / pieceLength)];
    if ((wanted.get(root) ?? count) !== count) throw bad('files of other lengths share a pieces root');
    wanted.set(root, count);
  }
  for (const { key, value } of dictEntries(bytes, layers.start)) {
    const root = bytes.subarray(key.start, key.end);
    const hex = root.length === V2_HASH_LENGTH ? toHex(root) : '';
    const layer = stringBody(bytes, value.start);
    const count = wanted.get(hex);
    if (count === undefined) throw bad('it has a piece layer that belongs to no file');
    if (layer?.length !== count * V2_HASH_LENGTH) throw bad('a piece layer has the wrong length');
    if (!equalBytes(rootOf(layer, pieceLength), root)) throw bad('a piece layer does not match its root');
    wanted.delete(hex);
  }
  if (wanted.size > 0) throw bad(`${wanted.size} of its piece layers are missing`);
}

/** Root of the tree above a layer; what lies beyond the end of the file are leaves of zeros. */
function rootOf(layer: Uint8Array, pieceLength: number): Uint8Array {
  let beyond: Uint8Array = new Uint8Array(V2_HASH_LENGTH);
  for (let bytes = BLOCK_LENGTH; bytes < pieceLength; bytes *= 2) beyond = sha256(beyond, beyond);
  let hashes = layer;
  while (hashes.length > V2_HASH_LENGTH) {
    const pair = 2 * V2_HASH_LENGTH;
    const above = new Uint8Array(Math.ceil(hashes.length / pair) * V2_HASH_LENGTH);
    for (let at = 0; at < hashes.length; at += pair) {
      const both = hashes.subarray(at, at + pair);
      above.set(both.length === pair ? sha256(both) : sha256(both, beyond), at / 2);
    }
    beyond = sha256(beyond, beyond);
    hashes = above;
  }
  return hashes;
}

function bad(why: string): TorrentError {
  return new TorrentError('BAD_SOURCE', `torrent: ${why}`);
}
