// Makes a .torrent of files and folders (BEP 3, pad files of BEP 47). The same input gives the same info hash on every
// machine: no date, no chance, files in the order of their paths, names as the bytes they are.

import { lstat } from 'node:fs/promises';
import { parse, sep } from 'node:path';
import bencode from 'bencode';
import { TorrentError } from '../torrent/errors.js';
import { HASH_LENGTH } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import { buildTorrent, parseTorrent } from '../torrent/metainfo.js';
import type { HostPort, Metainfo, TorrentFile } from '../torrent/metainfo-types.js';
import { quoted } from '../torrent/text.js';
import { forEachConcurrently } from './concurrency.js';
import { diskError } from './disk-error.js';
import { FilePool } from './file-pool.js';
import { byteProgress, hashPieces } from './piece-hashing.js';
import { findSourceFiles, type SourceFile, type SourceFiles } from './source-files.js';
import { TorrentFiles } from './torrent-files.js';

export interface MakeTorrentOptions {
  /** Bytes, a power of two from 16 KiB; chosen by size where it is not given. */
  readonly pieceLength?: number | undefined;
  /** Name of the torrent; that of its root on disk where it is not given. */
  readonly name?: string | undefined;
  /** BEP 27: peers come from the trackers alone. */
  readonly private?: boolean;
  /** Goes into the info dictionary: other trackers' copies of the same content have another info hash. */
  readonly source?: string | undefined;
  readonly comment?: string | undefined;
  readonly createdBy?: string | undefined;
  /** Tiers (BEP 12). */
  readonly trackers?: readonly (readonly string[])[];
  /** BEP 19. */
  readonly webSeeds?: readonly string[];
  /** DHT nodes (BEP 5). */
  readonly nodes?: readonly HostPort[];
  /** BEP 47: every file begins with a piece. */
  readonly padFiles?: boolean;
  /** Path of the .torrent about to be written, which is left out. */
  readonly exclude?: string | undefined;
  /** Bytes hashed so far, of so many; pad files counted in. */
  readonly onProgress?: (hashedBytes: number, lengthBytes: number) => void;
  /** Ends the work early; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

export interface MadeTorrent {
  /** The .torrent. */
  readonly bytes: Uint8Array;
  readonly metainfo: Metainfo;
  /** The folder in which the torrent's root lies; relative to the working directory if all paths were. */
  readonly parent: string;
  /** What was left out, and what is in the way of seeding it from where it lies. In words for the user. */
  readonly warnings: readonly string[];
}

const MIN_PIECE_LENGTH = 16 * 1024;
const MAX_CHOSEN_PIECE_LENGTH = 16 * 1024 * 1024;
/** The chosen piece length gives at most so many pieces, hence more than half of it: 1500 on average. */
const CHOSEN_PIECES = 2048;

/**
 * Hashes files and folders into a torrent; what is taken, and what is left out, is said at findSourceFiles. A file that
 * changes meanwhile is an error.
 * @param paths at least one
 * @throws TorrentError NOT_FOUND when there is nothing at a path; BAD_SOURCE when there are no bytes; USAGE for options
 * that do not fit; UNSUPPORTED for names that are not UTF-8, or more than one torrent can hold; DISK_IO
 */
export async function makeTorrent(
  paths: readonly string[],
  options: MakeTorrentOptions = {},
): Promise<MadeTorrent> {
  const { signal, padFiles = false, onProgress = () => undefined } = options;
  const sources = await findSourceFiles(paths, options.exclude);
  signal?.throwIfAborted();
  const name = checkName(options.name ?? sources.name);
  const length = sources.files.reduce((sum, file) => sum + file.length, 0);
  if (length === 0)
    throw new TorrentError('BAD_SOURCE', `making a torrent of ${paths[0]}: there are no bytes in it`);
  const pieceLength = options.pieceLength ?? choosePieceLength(length);
  checkPieceLength(pieceLength);
  const content = layOut(sources.files, padFiles && !sources.isFile ? pieceLength : undefined);
  const build = (pieces: Uint8Array) =>
    buildTorrent({
      ...options,
      trackers: options.trackers?.filter(tier => tier.length > 0) ?? [],
      comment: options.comment || undefined,
      infoBytes: encodeInfo(name, pieceLength, pieces, sources, content, options),
    });
  checkSize(content, pieceLength, build(new Uint8Array()).length);

  const pieces = await hashContent(content, pieceLength, sources.files, { onProgress, signal });
  const bytes = build(pieces);
  const metainfo = parseTorrent(bytes);
  const warnings = [...sources.warnings, ...metainfo.warnings, ...obstacles(sources, metainfo)];
  return { bytes, metainfo, parent: sources.parent, warnings };
}

/** Bytes of a piece for content of this length: a power of two from 16 KiB to 16 MiB that makes about 1500 pieces. */
export function choosePieceLength(length: number): number {
  let pieceLength = MIN_PIECE_LENGTH;
  while (pieceLength < MAX_CHOSEN_PIECE_LENGTH && length / pieceLength > CHOSEN_PIECES) pieceLength *= 2;
  return pieceLength;
}

function checkName(name: string): string {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)) return name;
  throw new TorrentError('USAGE', `naming the torrent ${quoted(name)}: it must be a plain file name`, {
    hint: 'give it one with --name',
  });
}

function checkPieceLength(pieceLength: number): void {
  const fits = pieceLength >= MIN_PIECE_LENGTH && pieceLength <= LIMITS.pieceLengthBytes;
  if (fits && Number.isInteger(Math.log2(pieceLength))) return;
  throw new TorrentError(
    'USAGE',
    `piece length ${pieceLength}: it must be a power of two from 16 KiB to 64 MiB`,
    { hint: 'for example 1048576' },
  );
}

/** A file of the torrent to be, or padding in front of the next one. */
interface ContentFile {
  readonly length: number;
  /** Undefined for padding. */
  readonly source: SourceFile | undefined;
}

/** The files, each but the first preceded by padding up to the next piece where pieces are to begin with files. */
function layOut(files: readonly SourceFile[], alignTo: number | undefined): ContentFile[] {
  const content: ContentFile[] = [];
  let offset = 0;
  for (const source of files) {
    const over = alignTo === undefined ? 0 : offset % alignTo;
    if (alignTo !== undefined && over > 0) {
      content.push({ length: alignTo - over, source: undefined });
      offset += alignTo - over;
    }
    content.push({ length: source.length, source });
    offset += source.length;
  }
  return content;
}

/** Refuses, before anything is hashed, what this program would not read again. */
function checkSize(content: readonly ContentFile[], pieceLength: number, bytesWithoutPieces: number): void {
  const count = Math.ceil(lengthOf(content) / pieceLength);
  if (count > LIMITS.pieces)
    throw new TorrentError(
      'USAGE',
      `piece length ${pieceLength}: it makes ${count} pieces, more than ${LIMITS.pieces}`,
      { hint: 'choose a larger one with --piece-length' },
    );
  const bytes = bytesWithoutPieces + count * HASH_LENGTH;
  if (bytes > LIMITS.torrentFileBytes || content.length > LIMITS.files)
    throw new TorrentError(
      'UNSUPPORTED',
      `making a torrent of ${content.length} files: with ${bytes} bytes it would be too large to be read again`,
    );
}

function lengthOf(content: readonly ContentFile[]): number {
  return content.reduce((sum, file) => sum + file.length, 0);
}

function encodeInfo(
  name: string,
  pieceLength: number,
  pieces: Uint8Array,
  { isFile }: SourceFiles,
  content: readonly ContentFile[],
  options: MakeTorrentOptions,
): Uint8Array {
  const files = content.map(({ length, source }) =>
    source ? { length, path: source.path } : { attr: 'p', length, path: ['.pad', String(length)] },
  );
  return bencode.encode({
    ...(isFile ? { length: lengthOf(content) } : { files }),
    name,
    'piece length': pieceLength,
    pieces,
    ...(options.private && { private: 1 }),
    ...(options.source && { source: options.source }),
  });
}

/** 20 bytes for each piece. */
async function hashContent(
  content: readonly ContentFile[],
  pieceLength: number,
  sources: readonly SourceFile[],
  { onProgress, signal }: Pick<Required<MakeTorrentOptions>, 'onProgress' | 'signal'>,
): Promise<Uint8Array> {
  // Paths that were given may be links to anywhere, so that files are placed from the root of the file system on.
  const root = parse(sources[0]?.place ?? sep).root;
  let offset = 0;
  const list = content.map(({ length, source }): TorrentFile => {
    const path = source?.place.slice(root.length).split(sep) ?? [];
    const file = { path, length, offset, pad: !source };
    offset += length;
    return file;
  });
  const pool = new FilePool();
  const files = new TorrentFiles({ files: list, length: offset, pieceLength }, root, pool);
  const { geometry } = files;
  const hashes = new Uint8Array(geometry.pieceCount * HASH_LENGTH);
  const progress = byteProgress(offset, onProgress);
  const shown = new Map(sources.map(source => [source.place, source.shown]));
  try {
    await hashPieces(files, [...geometry.pieces()], {
      onHash: (piece, hash) => {
        hashes.set(hash, piece * HASH_LENGTH);
        progress(geometry.lengthOf(piece));
      },
      onUnread: (_, why) => {
        throw why instanceof TorrentError ? why : changed(shown.get(why) ?? why);
      },
      signal,
    });
  } finally {
    await pool.closeAll();
  }
  await refuseChanged(sources);
  return hashes;
}

/** What was written to while it was hashed would be a torrent of nothing that ever existed. */
async function refuseChanged(sources: readonly SourceFile[]): Promise<void> {
  await forEachConcurrently(sources, LIMITS.fileStats, async ({ place, shown, length, mtimeMs }) => {
    const stats = await lstat(place).catch(error => {
      throw diskError(`reading ${shown}`, error);
    });
    if (stats.size !== length || stats.mtimeMs !== mtimeMs) throw changed(shown);
  });
}

function changed(shown: string): TorrentError {
  return new TorrentError('DISK_IO', `reading ${shown}: it changed while it was hashed`, {
    hint: 'try again once nothing writes to it',
  });
}

/** Why the data cannot be seeded from where it lies, or cannot be got by a magnet link. */
function obstacles(sources: SourceFiles, metainfo: Metainfo): string[] {
  const found: string[] = [];
  const content = metainfo.files.filter(file => !file.pad);
  const isSame = sources.files.every(({ path }, index) => {
    const inTorrent = content[index]?.path ?? [];
    return path.length + 1 === inTorrent.length && path.every((part, at) => part === inTorrent[at + 1]);
  });
  if (metainfo.name !== sources.name)
    found.push(
      `it cannot be seeded from where it lies: there it is called ${quoted(sources.name)}, in the torrent ${quoted(metainfo.name)}`,
    );
  else if (!isSame) found.push('it cannot be seeded from where it lies: some names are not safe everywhere');
  else if (sources.hasLink)
    found.push('it cannot be seeded from where it lies: a path that was given is a symbolic link');
  if (metainfo.infoBytes.length > LIMITS.metadataBytes)
    found.push(
      `it has ${metainfo.infoBytes.length} bytes of metadata, more than peers can give: a magnet link of it will not work`,
    );
  return found;
}
