// Torrents with known content for the tests of storage, and what every test needs around a FileStorage.

import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { type FileAccess, FilePool } from '../../src/storage/file-pool.js';
import { FileStorage } from '../../src/storage/file-storage.js';
import { PieceBuffers } from '../../src/storage/piece-buffer.js';
import { TorrentFiles } from '../../src/storage/torrent-files.js';
import { Bitfield } from '../../src/torrent/bitfield.js';
import type { TorrentError } from '../../src/torrent/errors.js';
import { Geometry, type Piece } from '../../src/torrent/geometry.js';
import { type InfoHash, infoHash } from '../../src/torrent/ids.js';
import { BLOCK_LENGTH } from '../../src/torrent/limits.js';
import type { Metainfo, TorrentFile } from '../../src/torrent/metainfo-types.js';
import { seeded } from '../support/random.js';

export interface SampleFile {
  /** Below the torrent's name, components joined by `/`. */
  readonly path: string;
  readonly length: number;
  readonly pad?: boolean;
}

export interface Sample {
  readonly metainfo: Metainfo;
  readonly geometry: Geometry;
  /** All bytes of the torrent. */
  readonly data: Buffer;
  readonly pieces: readonly Piece[];
}

export function randomBytes(length: number, seed: number): Buffer {
  const random = seeded(seed);
  return Buffer.from(Uint8Array.from({ length }, () => random() * 256));
}

/** A torrent `name` of these files with random content, pads of zeros. */
export function sample(files: readonly SampleFile[], pieceLength = 32 * 1024, seed = 1): Sample {
  let offset = 0;
  const list: TorrentFile[] = files.map(({ path, length, pad }) => {
    const file = { path: ['name', ...path.split('/')], length, offset, pad: pad ?? false };
    offset += length;
    return file;
  });
  const data = randomBytes(offset, seed);
  for (const file of list) if (file.pad) data.fill(0, file.offset, file.offset + file.length);
  const geometry = new Geometry(offset, pieceLength);
  const pieces = [...geometry.pieces()];
  const hashes = pieces.map(piece => sha1(pieceData({ data, geometry }, piece)));
  const infoBytes = Buffer.from(`info ${seed} ${JSON.stringify(files)}`);
  const metainfo: Metainfo = {
    infoHash: infoHash(sha1(infoBytes)) as InfoHash,
    infoHashV2: undefined,
    infoBytes,
    name: 'name',
    length: offset,
    pieceLength,
    pieceHashes: new Uint8Array(Buffer.concat(hashes)),
    files: list,
    singleFile: false,
    private: false,
    trackers: [['http://tracker.invalid/announce']],
    webSeeds: [],
    nodes: [],
    comment: undefined,
    createdBy: undefined,
    creationDate: undefined,
    source: undefined,
    warnings: [],
  };
  return { metainfo, geometry, data, pieces };
}

export function sha1(bytes: Uint8Array): Buffer {
  return createHash('sha1').update(bytes).digest();
}

export function pieceData({ data, geometry }: Pick<Sample, 'data' | 'geometry'>, piece: Piece): Buffer {
  const offset = geometry.offsetOf(piece);
  return data.subarray(offset, offset + geometry.lengthOf(piece));
}

/** Content of one file. */
export function fileData({ data, metainfo }: Sample, index: number): Buffer {
  const file = metainfo.files[index] as TorrentFile;
  return data.subarray(file.offset, file.offset + file.length);
}

/** Writes files of the sample where they belong; all but the pads when none are named. */
export async function writeFiles(torrent: Sample, directory: string, ...indices: number[]): Promise<void> {
  for (const [index, file] of torrent.metainfo.files.entries()) {
    if (file.pad || (indices.length > 0 && !indices.includes(index))) continue;
    const path = join(directory, ...file.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, fileData(torrent, index));
  }
}

/** Hands in a piece block by block, from the last to the first. */
export function storePiece(
  storage: FileStorage,
  torrent: Sample,
  piece: Piece,
  data: Uint8Array = pieceData(torrent, piece),
): void {
  for (let block = torrent.geometry.blocksIn(piece) - 1; block >= 0; block--) {
    const begin = block * BLOCK_LENGTH;
    storage.store(piece, begin, data.subarray(begin, begin + torrent.geometry.blockLength(piece, block)));
  }
}

/** What a storage told: `+3`, `-3` for pieces, errors as they came, what was logged. */
export interface Told {
  readonly pieces: string[];
  readonly errors: TorrentError[];
  readonly log: Piece[];
}

/** A storage on `directory` that has nothing yet. */
export function storageOf(torrent: Sample, directory: string, access: FileAccess = new FilePool()) {
  const told: Told = { pieces: [], errors: [], log: [] };
  const buffers = new PieceBuffers();
  const { metainfo } = torrent;
  const storage = new FileStorage({
    files: new TorrentFiles(metainfo, directory, access),
    pieceHashes: metainfo.pieceHashes,
    have: new Bitfield(torrent.geometry.pieceCount),
    buffers,
    log: { append: async piece => void told.log.push(piece) },
    onPiece: (piece, ok) => told.pieces.push(`${ok ? '+' : '-'}${piece}`),
    onError: error => told.errors.push(error),
  });
  return { storage, told, buffers };
}

/** A system error as Node throws it, which knows no name of EDQUOT. */
export function systemError(name: 'EACCES' | 'EDQUOT' | 'EIO' | 'ENOSPC' | 'EROFS'): Error {
  const errno = -constants.errno[name];
  const code = name === 'EDQUOT' ? `Unknown system error ${errno}` : name;
  return Object.assign(new Error(`${code}: injected`), { code, errno });
}

/** What the process writes that is killed in kill.test.ts. */
export function killSample(): Sample {
  return sample([{ path: 'f', length: 5_000_000 }], 16 * 1024, 3);
}
