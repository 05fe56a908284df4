// Torrents with known bytes, for tests that download or seed them.

import { createHash } from 'node:crypto';
import bencode from 'bencode';
import { Geometry } from '../../src/torrent/geometry.js';
import { BLOCK_LENGTH } from '../../src/torrent/limits.js';
import { formatMagnet } from '../../src/torrent/magnet-link.js';
import { buildTorrent, parseInfo } from '../../src/torrent/metainfo.js';
import type { Metainfo } from '../../src/torrent/metainfo-types.js';
import { seeded } from './random.js';

/** A torrent and its bytes. */
export interface Content {
  readonly metainfo: Metainfo;
  readonly torrentFile: Uint8Array;
  readonly magnet: string;
  readonly geometry: Geometry;
  readonly data: Buffer;
}

export interface ContentOptions {
  readonly name?: string;
  readonly pieceLength?: number;
  readonly private?: boolean;
  readonly seed?: number;
  /** Further keys of the info dictionary; a long one makes the metadata have several parts. */
  readonly info?: Record<string, unknown>;
}

/** Random content: one file of so many bytes, or a folder of files by path. */
export function contentOf(files: number | Record<string, number>, options: ContentOptions = {}): Content {
  const { name = 'content', pieceLength = 2 * BLOCK_LENGTH, seed = 1 } = options;
  const lengths = typeof files === 'number' ? [files] : Object.values(files);
  const random = seeded(seed);
  const length = lengths.reduce((sum, next) => sum + next, 0);
  const data = Buffer.from(Uint8Array.from({ length }, () => random() * 256));
  const hashes: Buffer[] = [];
  for (let at = 0; at < length; at += pieceLength) {
    const piece = data.subarray(at, at + pieceLength);
    hashes.push(createHash('sha1').update(piece).digest());
  }
  const list = Object.entries(files).map(([path, bytes]) => ({ length: bytes, path: path.split('/') }));
  const infoBytes = bencode.encode({
    ...options.info,
    ...(typeof files === 'number' ? { length } : { files: list }),
    name,
    'piece length': pieceLength,
    pieces: Buffer.concat(hashes),
    ...(options.private && { private: 1 }),
  });
  const metainfo = parseInfo(infoBytes, [], []);
  const geometry = new Geometry(length, pieceLength);
  return {
    metainfo,
    torrentFile: buildTorrent(metainfo),
    magnet: formatMagnet(metainfo),
    geometry,
    data,
  };
}
