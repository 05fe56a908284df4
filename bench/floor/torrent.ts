// What the floor needs of a torrent of one file, and the messages that it knows.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import bencode from 'bencode';

export const BLOCK_BYTES = 16_384;
export const HANDSHAKE_BYTES = 68;
/** Length, id, index and begin, before the bytes of a block. */
export const BLOCK_HEADER_BYTES = 13;
export const REQUEST_BYTES = 17;
export const ID = { unchoke: 1, interested: 2, have: 4, bitfield: 5, request: 6, piece: 7 } as const;

export interface Torrent {
  readonly infoHash: Buffer;
  readonly length: number;
  readonly pieceLength: number;
  readonly pieces: number;
  /** SHA-1 of each piece, one after the other. */
  readonly hashes: Buffer;
}

interface Info {
  readonly length: number;
  readonly 'piece length': number;
  readonly pieces: Uint8Array;
}

export function readTorrent(path: string): Torrent {
  const { info } = bencode.decode(readFileSync(path)) as { info: Info };
  if (info.length === undefined) throw new Error(`${path}: the floor knows torrents of one file alone`);
  const hashes = Buffer.from(info.pieces);
  return {
    infoHash: createHash('sha1').update(bencode.encode(info)).digest(),
    length: info.length,
    pieceLength: info['piece length'],
    pieces: hashes.length / 20,
    hashes,
  };
}

export function pieceBytes({ pieces, pieceLength, length }: Torrent, index: number): number {
  return index === pieces - 1 ? length - index * pieceLength : pieceLength;
}

export function handshake({ infoHash }: Torrent): Buffer {
  const peerId = Buffer.from(`-FL0001-${process.pid}`.padEnd(20, '-'), 'latin1');
  return Buffer.concat([Buffer.from('\x13BitTorrent protocol', 'latin1'), Buffer.alloc(8), infoHash, peerId]);
}

/** A message of an id alone. */
export function bare(id: number): Buffer {
  return Buffer.from([0, 0, 0, 1, id]);
}

/** `host:port` of IPv4. */
export function hostAndPort(address: string): { host: string; port: number } {
  const [host = '', port = ''] = address.split(':');
  return { host, port: Number(port) };
}
