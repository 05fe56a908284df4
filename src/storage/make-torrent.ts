// Makes a .torrent of a file or a folder (BEP 3). The same input gives the same bytes: no date, no chance, files in
// the order of their paths.

import { lstat, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import bencode from 'bencode';
import { TorrentError } from '../torrent/errors.js';
import { HASH_LENGTH } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import type { TorrentFile } from '../torrent/metainfo-types.js';
import { forEachConcurrently } from './concurrency.js';
import { diskError } from './disk-error.js';
import { FilePool } from './file-pool.js';
import { PieceBuffers } from './piece-buffer.js';
import { checksAtATime, sha1, TorrentFiles } from './torrent-files.js';

export interface MakeTorrentOptions {
  /** Bytes, a power of two from 16 KiB; chosen by size where it is not given. */
  readonly pieceLength?: number;
  /** Name of the torrent; the last component of the path where it is not given. */
  readonly name?: string;
  /** BEP 27: peers come from the trackers alone. */
  readonly private?: boolean;
  /** Tiers (BEP 12). */
  readonly trackers?: readonly (readonly string[])[];
  /** Bytes hashed so far, of so many. */
  readonly onProgress?: (hashedBytes: number, lengthBytes: number) => void;
}

export interface MadeTorrent {
  /** The .torrent. */
  readonly bytes: Uint8Array;
  /** Absolute paths of what was left out: symbolic links, sockets, pipes, devices. */
  readonly skipped: readonly string[];
}

const MIN_PIECE_LENGTH = 16 * 1024;
const MAX_CHOSEN_PIECE_LENGTH = 16 * 1024 * 1024;
/** The chosen piece length gives at most so many pieces, hence more than half of it: 1500 on average. */
const CHOSEN_PIECES = 2048;

/**
 * Hashes a file or a folder into a torrent. `path` itself may be a symbolic link, those below are left out: what they
 * point at is not in the folder. Empty folders cannot be said in a torrent.
 * @throws TorrentError NOT_FOUND when there is nothing at `path`; BAD_SOURCE when it holds no bytes; USAGE for options
 * that do not fit; UNSUPPORTED for names that are not UTF-8; DISK_IO
 */
export async function makeTorrent(path: string, options: MakeTorrentOptions = {}): Promise<MadeTorrent> {
  const name = options.name ?? basename(resolve(path));
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw new TorrentError(
      'USAGE',
      `naming the torrent ${JSON.stringify(name)}: it must be a plain file name`,
    );
  }
  const { root, files, isFile, skipped } = await list(path);
  const length = files.reduce((sum, file) => sum + file.length, 0);
  if (length === 0)
    throw new TorrentError('BAD_SOURCE', `making a torrent of ${path}: there are no bytes in it`);
  const pieceLength = checkPieceLength(options.pieceLength ?? choosePieceLength(length), length);
  const pieces = await hashPieces({ files, length, pieceLength }, dirname(root), options.onProgress);

  const content = isFile
    ? { length }
    : { files: files.map(file => ({ length: file.length, path: file.path.slice(1) })) };
  const info = {
    ...content,
    name,
    'piece length': pieceLength,
    pieces,
    ...(options.private && { private: 1 }),
  };
  const tiers = options.trackers?.filter(tier => tier.length > 0) ?? [];
  const announce = tiers[0]?.[0];
  const bytes = bencode.encode({
    ...(announce !== undefined && { announce }),
    ...(tiers.flat().length > 1 && { 'announce-list': tiers }),
    'created by': 'rarest',
    info,
  });
  return { bytes, skipped };
}

/** Bytes of a piece for content of this length: a power of two from 16 KiB to 16 MiB that makes about 1500 pieces. */
export function choosePieceLength(length: number): number {
  let pieceLength = MIN_PIECE_LENGTH;
  while (pieceLength < MAX_CHOSEN_PIECE_LENGTH && length / pieceLength > CHOSEN_PIECES) pieceLength *= 2;
  return pieceLength;
}

function checkPieceLength(pieceLength: number, length: number): number {
  const fits = pieceLength >= MIN_PIECE_LENGTH && pieceLength <= LIMITS.pieceLengthBytes;
  if (!fits || !Number.isInteger(Math.log2(pieceLength))) {
    throw new TorrentError(
      'USAGE',
      `piece length ${pieceLength}: it must be a power of two from 16 KiB to 64 MiB`,
      {
        hint: 'for example 1048576',
      },
    );
  }
  if (length / pieceLength > LIMITS.pieces) {
    throw new TorrentError(
      'USAGE',
      `piece length ${pieceLength}: it makes more than ${LIMITS.pieces} pieces`,
    );
  }
  return pieceLength;
}

interface Listing {
  /** Absolute path without links. */
  readonly root: string;
  /** With offsets, the paths from the parent of `root` on. */
  readonly files: TorrentFile[];
  readonly isFile: boolean;
  readonly skipped: string[];
}

async function list(path: string): Promise<Listing> {
  let root: string;
  try {
    root = await realpath(path);
  } catch (cause) {
    throw new TorrentError('NOT_FOUND', diskError(`reading ${path}`, cause).message, { cause });
  }
  const found: { path: string[]; length: number }[] = [];
  const skipped: string[] = [];
  const folders: string[][] = [];
  const visit = async (components: string[]) => {
    const place = join(dirname(root), ...components);
    if (place.includes('\ufffd')) {
      throw new TorrentError('UNSUPPORTED', `reading ${place}: the name is not UTF-8 text`);
    }
    const stats = await lstat(place).catch(refuse(place));
    if (stats.isDirectory()) folders.push(components);
    else if (stats.isFile()) found.push({ path: components, length: stats.size });
    else skipped.push(place);
    if (found.length > LIMITS.files) {
      throw new TorrentError(
        'UNSUPPORTED',
        `reading ${path}: there are more than ${LIMITS.files} files in it`,
      );
    }
  };
  await visit([basename(root)]);
  const isFile = folders.length === 0;
  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    const place = join(dirname(root), ...folder);
    for (const entry of await readdir(place).catch(refuse(place))) await visit([...folder, entry]);
  }
  return { root, files: inOrder(found), isFile, skipped };
}

function refuse(place: string): (error: unknown) => never {
  return error => {
    throw diskError(`reading ${place}`, error);
  };
}

/** Sorted by the bytes of their paths, so that no locale and no file system has a say, and laid end to end. */
function inOrder(found: readonly { path: string[]; length: number }[]): TorrentFile[] {
  let offset = 0;
  return found
    .map(file => ({ ...file, key: Buffer.from(file.path.join('/')) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ path, length }) => {
      const file = { path, length, offset, pad: false };
      offset += length;
      return file;
    });
}

async function hashPieces(
  list: { files: TorrentFile[]; length: number; pieceLength: number },
  directory: string,
  onProgress: MakeTorrentOptions['onProgress'],
): Promise<Uint8Array> {
  const pool = new FilePool();
  const files = new TorrentFiles(list, directory, pool);
  const { geometry } = files;
  const buffers = new PieceBuffers();
  const hashes = new Uint8Array(geometry.pieceCount * HASH_LENGTH);
  let hashedBytes = 0;
  try {
    await forEachConcurrently(geometry.pieces(), checksAtATime(list.pieceLength), async piece => {
      const buffer = buffers.take(list.pieceLength);
      const data = buffer.subarray(0, geometry.lengthOf(piece));
      const short = await files.read(piece, 0, data);
      if (short !== undefined) throw new TorrentError('DISK_IO', `reading ${short}: it changed meanwhile`);
      hashes.set(await sha1(data), piece * HASH_LENGTH);
      buffers.give(buffer);
      hashedBytes += data.length;
      onProgress?.(hashedBytes, list.length);
    });
  } finally {
    await pool.closeAll();
  }
  return hashes;
}
