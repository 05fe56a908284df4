// Reads and checks the info dictionary: what is hashed, and all that decides what is written to disk. Knows nothing of
// trackers and of the rest of a .torrent.

import { findValues, listItems, type Span, stringBody } from './bencode-scanner.js';
import { integerOf, isDict, isList, listOf, strictTextOf, textOf } from './bencode-values.js';
import { TorrentError } from './errors.js';
import { hybridMismatch } from './hybrid.js';
import { HASH_LENGTH } from './ids.js';
import { LIMITS } from './limits.js';
import type { TorrentFile } from './metainfo-types.js';
import { safeComponent, safePaths } from './safe-path.js';
import { printable, quoted } from './text.js';

/** What an info dictionary says, in the words of Metainfo. */
export interface InfoDict {
  readonly name: string;
  readonly length: number;
  readonly pieceLength: number;
  readonly pieceHashes: Uint8Array;
  readonly files: readonly TorrentFile[];
  readonly singleFile: boolean;
  readonly private: boolean;
  readonly source: string | undefined;
  /** Whether it has a v2 half too (BEP 52). */
  readonly hybrid: boolean;
  readonly warnings: readonly string[];
}

const KEYS = [
  'name',
  'name.utf-8',
  'piece length',
  'pieces',
  'length',
  'files',
  'private',
  'source',
  'meta version',
  'file tree',
] as const;
const FILE_KEYS = ['length', 'path', 'path.utf-8', 'attr', 'symlink path'] as const;

type Fields = Map<(typeof KEYS)[number], Span>;

/** A file as the torrent has it. */
interface RawFile {
  readonly path: readonly string[];
  readonly length: number;
  readonly offset: number;
  readonly pad: boolean;
}

/** @param bytes exactly one dictionary, scanned already. @throws TorrentError BAD_SOURCE or UNSUPPORTED */
export function readInfoDict(bytes: Uint8Array): InfoDict {
  const fields: Fields = findValues(bytes, 0, KEYS);
  const metaVersion = integerOf(bytes, fields.get('meta version'));
  refuseOtherVersions(fields, metaVersion);
  const pieceHashes = readPieceHashes(bytes, fields);
  const pieceLength = readPieceLength(bytes, fields);
  const rawName = strictTextOf(bytes, fields.get('name.utf-8')) || textOf(bytes, fields.get('name'));
  if (rawName === undefined) throw bad('its name is missing');
  const warnings: string[] = [];
  const singleFile = !fields.has('files');
  const rawFiles = singleFile ? readSingleFile(bytes, fields, rawName) : readFiles(bytes, fields, warnings);
  const length = rawFiles.reduce((sum, file) => sum + file.length, 0);
  const pieceCount = Math.ceil(length / pieceLength);
  if (pieceHashes.length !== pieceCount * HASH_LENGTH)
    throw bad(`it has ${pieceHashes.length / HASH_LENGTH} piece hashes for ${pieceCount} pieces`);
  const name = readName(rawName, warnings);
  const { paths, warnings: pathWarnings } = singleFile
    ? { paths: [[name]], warnings: [] }
    : safePaths(name, rawFiles);
  if (metaVersion === 2) refuseMismatch(bytes, rawFiles, pieceLength);
  const source = textOf(bytes, fields.get('source'));
  return {
    name,
    length,
    pieceLength,
    pieceHashes,
    files: rawFiles.map((file, index) => {
      const path = paths[index] ?? [name];
      const rawPath = singleFile ? [rawName] : [rawName, ...file.path];
      const isSafe =
        rawPath.length === path.length && rawPath.every((component, at) => component === path[at]);
      return { ...file, path, ...(!isSafe && { rawPath }) };
    }),
    singleFile,
    private: (integerOf(bytes, fields.get('private')) ?? 0) !== 0,
    source: source === undefined ? undefined : printable(source),
    hybrid: metaVersion === 2,
    warnings: [...warnings, ...pathWarnings],
  };
}

/** BEP 52 wants the version looked at before all else. A hybrid is read by its v1 half. */
function refuseOtherVersions(fields: Fields, metaVersion: number | undefined): void {
  if (metaVersion !== undefined && metaVersion > 2)
    throw unsupported(`its meta version ${metaVersion} is newer than 2, the newest we know`);
  if (metaVersion === 2 && !fields.has('pieces') && fields.has('file tree'))
    throw unsupported('it is a v2-only torrent (BEP 52); only v1 and hybrid torrents can be used');
}

/** The halves of a hybrid that differ would put other data in the same place for peers of the other half. */
function refuseMismatch(bytes: Uint8Array, files: readonly RawFile[], pieceLength: number): void {
  const content = files.filter(file => !file.pad);
  const mismatch = hybridMismatch(bytes, content, pieceLength);
  if (mismatch !== undefined) throw bad(`its v2 half does not fit its v1 half: ${mismatch}`);
}

function readPieceLength(bytes: Uint8Array, fields: Fields): number {
  const pieceLength = integerOf(bytes, fields.get('piece length'));
  if (pieceLength === undefined) throw bad('its piece length is missing or not a usable integer');
  if (pieceLength <= 0) throw bad(`its piece length is ${pieceLength}`);
  if (pieceLength > LIMITS.pieceLengthBytes)
    throw unsupported(`its pieces of ${pieceLength} bytes are larger than ${LIMITS.pieceLengthBytes}`);
  return pieceLength;
}

function readPieceHashes(bytes: Uint8Array, fields: Fields): Uint8Array {
  const span = fields.get('pieces');
  const hashes = span && stringBody(bytes, span.start);
  if (hashes === undefined) throw bad('its piece hashes are missing');
  if (hashes.length % HASH_LENGTH !== 0)
    throw bad(`its piece hashes are ${hashes.length} bytes long, not a multiple of ${HASH_LENGTH}`);
  const count = hashes.length / HASH_LENGTH;
  if (count > LIMITS.pieces) throw unsupported(`it has ${count} pieces, more than ${LIMITS.pieces}`);
  return hashes;
}

function readName(raw: string, warnings: string[]): string {
  const name = safeComponent(raw);
  if (name === '') throw bad(`nothing safe is left of its name ${quoted(raw)}`);
  if (name !== raw) warnings.push(`unsafe name ${quoted(raw)}: written as ${quoted(name)}`);
  return name;
}

function readSingleFile(bytes: Uint8Array, fields: Fields, name: string): RawFile[] {
  return [
    { path: [name], length: readLength(bytes, fields.get('length'), 'the file'), offset: 0, pad: false },
  ];
}

function readFiles(bytes: Uint8Array, fields: Fields, warnings: string[]): RawFile[] {
  const list = fields.get('files');
  if (list === undefined || !isList(bytes, list)) throw bad('its files are not a list');
  const files: RawFile[] = [];
  let offset = 0;
  let links = 0;
  let programs = 0;
  for (const item of listItems(bytes, list.start)) {
    if (files.length === LIMITS.files) throw unsupported(`it has more than ${LIMITS.files} files`);
    const { link, program, ...file } = readFile(bytes, item, files.length, offset);
    files.push(file);
    offset += file.length;
    if (link) links++;
    if (program) programs++;
    if (!Number.isSafeInteger(offset)) throw bad('its files are too long in all');
  }
  if (files.length === 0) throw bad('it has no files');
  if (links > 0) warnings.push(`symbolic links are not made: ${links} became empty files`);
  if (programs > 0) warnings.push(`marks of executable files are ignored: ${programs} stay plain files`);
  return files;
}

/** With the attributes of BEP 47 that we do not honour: what strangers send is not made a program, nor a way elsewhere. */
function readFile(
  bytes: Uint8Array,
  item: Span,
  index: number,
  offset: number,
): RawFile & { link: boolean; program: boolean } {
  const which = `file ${index}`;
  if (!isDict(bytes, item)) throw bad(`${which} is not a dictionary`);
  const fields = findValues(bytes, item.start, FILE_KEYS);
  const path =
    listOf(bytes, fields.get('path.utf-8'), strictTextOf) ?? listOf(bytes, fields.get('path'), textOf);
  if (path === undefined || path.length === 0) throw bad(`${which} has no path`);
  const attributes = textOf(bytes, fields.get('attr')) ?? '';
  const target = fields.get('symlink path');
  const link = attributes.includes('l') && target !== undefined;
  if (link && listOf(bytes, target, textOf) === undefined)
    throw bad(`${which} is a symbolic link without a target`);
  // BEP 47: a link takes no room among the pieces, whatever its length says.
  const length = link ? 0 : readLength(bytes, fields.get('length'), which);
  return { path, length, offset, pad: attributes.includes('p'), link, program: attributes.includes('x') };
}

function readLength(bytes: Uint8Array, span: Span | undefined, which: string): number {
  const length = integerOf(bytes, span);
  if (length === undefined) throw bad(`the length of ${which} is missing or not a usable integer`);
  if (length < 0) throw bad(`the length of ${which} is ${length}`);
  return length;
}

function bad(why: string): TorrentError {
  return new TorrentError('BAD_SOURCE', `torrent: ${why}`);
}

function unsupported(why: string): TorrentError {
  return new TorrentError('UNSUPPORTED', `torrent: ${why}`);
}
