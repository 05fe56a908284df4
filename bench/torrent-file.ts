// .torrent files of one file whose piece hashes are known: where hashing the data would take longer than the benchmark.

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import bencode from 'bencode';
import type { Content } from '../test/interop/support/content.js';

export interface TorrentFile {
  readonly name: string;
  readonly length: number;
  readonly pieceLength: number;
  /** SHA-1 of each piece, one after the other. */
  readonly hashes: Buffer;
  readonly tracker?: string;
}

/** Writes `<name>.torrent` into `parent`, where the data lies. */
export async function writeTorrent(parent: string, file: TorrentFile): Promise<Content> {
  const { name, length, pieceLength, hashes, tracker } = file;
  const info = { length, name, 'piece length': pieceLength, pieces: hashes };
  const torrent = join(parent, `${name}.torrent`);
  const announce = tracker === undefined ? {} : { announce: tracker };
  await writeFile(torrent, bencode.encode({ ...announce, info }));
  const infoHash = createHash('sha1').update(bencode.encode(info)).digest('hex');
  return {
    name,
    parent,
    torrent,
    infoHash,
    magnet: `magnet:?xt=urn:btih:${infoHash}`,
    files: [{ path: name, length }],
    length,
    pieces: hashes.length / 20,
    pieceLength,
  };
}
