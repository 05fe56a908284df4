// Reads and checks the info dictionary of a torrent that is v2 only (BEP 52). Enough to say what it holds; knows nothing
// of piece layers, which lie outside of it.

import { findValues, type Span, stringBody } from './bencode-scanner.js';
import { integerOf, isDict, listOf, textOf } from './bencode-values.js';
import { TorrentError } from './errors.js';
import { leavesOf } from './file-tree.js';
import { BLOCK_LENGTH, LIMITS } from './limits.js';
import { safeComponent, safePaths } from './safe-path.js';
import { printable, quoted } from './text.js';

export interface V2File {
  /** Safe components; the first is the torrent's name. */
  readonly path: readonly string[];
  readonly length: number;
  /** 32 bytes; undefined where the file is empty. */
  readonly piecesRoot: Uint8Array | undefined;
}

export interface V2Info {
  readonly name: string;
  readonly pieceLength: number;
  /** Each file begins with a piece of its own. */
  readonly pieceCount: number;
  readonly files: readonly V2File[];
  readonly private: boolean;
  readonly source: string | undefined;
  readonly warnings: readonly string[];
}

export const V2_HASH_LENGTH = 32;

interface RawFile extends Omit<V2File, 'path'> {
  readonly path: readonly string[];
  readonly pad: false;
}

/** Whether an info dictionary has no v1 half. @param info scanned */
export function isV2Only(info: Uint8Array): boolean {
  const fields = findValues(info, 0, ['meta version', 'pieces', 'file tree']);
  return (
    integerOf(info, fields.get('meta version')) === 2 && !fields.has('pieces') && fields.has('file tree')
  );
}

/** @param info exactly one dictionary of a v2-only torrent, scanned. @throws TorrentError BAD_SOURCE or UNSUPPORTED */
export function readV2Info(info: Uint8Array): V2Info {
  const fields = findValues(info, 0, ['name', 'piece length', 'file tree', 'private', 'source']);
  const pieceLength = readPieceLength(info, fields.get('piece length'));
  const rawName = textOf(info, fields.get('name'));
  if (rawName === undefined) throw bad('its name is missing');
  const name = safeComponent(rawName);
  if (name === '') throw bad(`nothing safe is left of its name ${quoted(rawName)}`);
  const tree = fields.get('file tree');
  if (tree === undefined || !isDict(info, tree)) throw bad('its file tree is not a dictionary');
  const warnings = name === rawName ? [] : [`unsafe name ${quoted(rawName)}: written as ${quoted(name)}`];
  const files = readFiles(info, tree, warnings);
  const pieceCount = files.reduce((sum, file) => sum + Math.ceil(file.length / pieceLength), 0);
  if (pieceCount > LIMITS.pieces)
    throw unsupported(`it has ${pieceCount} pieces, more than ${LIMITS.pieces}`);
  const { paths, warnings: pathWarnings } = isSingle(files, rawName)
    ? { paths: [[name]], warnings: [] }
    : safePaths(name, files);
  const source = textOf(info, fields.get('source'));
  return {
    name,
    pieceLength,
    pieceCount,
    files: files.map(({ length, piecesRoot }, at) => ({ path: paths[at] ?? [name], length, piecesRoot })),
    private: (integerOf(info, fields.get('private')) ?? 0) !== 0,
    source: source === undefined ? undefined : printable(source),
    warnings: [...warnings, ...pathWarnings],
  };
}

/** A torrent of one file has a tree of nothing but a file of the torrent's name. */
function isSingle(files: readonly RawFile[], name: string): boolean {
  const [file] = files;
  return files.length === 1 && file?.path.length === 1 && file.path[0] === name;
}

function readPieceLength(info: Uint8Array, span: Span | undefined): number {
  const pieceLength = integerOf(info, span);
  if (pieceLength === undefined) throw bad('its piece length is missing or not a usable integer');
  if (pieceLength < BLOCK_LENGTH || !Number.isInteger(Math.log2(pieceLength)))
    throw bad(`its piece length is ${pieceLength}, not a power of two from 16 KiB on`);
  if (pieceLength > LIMITS.pieceLengthBytes)
    throw unsupported(`its pieces of ${pieceLength} bytes are larger than ${LIMITS.pieceLengthBytes}`);
  return pieceLength;
}

function readFiles(info: Uint8Array, tree: Span, warnings: string[]): RawFile[] {
  const files: RawFile[] = [];
  let length = 0;
  let links = 0;
  for (const { path, entry, fault } of leavesOf(info, tree)) {
    if (fault !== undefined || entry === undefined) throw bad(`its file tree ${fault ?? 'is malformed'}`);
    if (files.length === LIMITS.files) throw unsupported(`it has more than ${LIMITS.files} files`);
    const { isLink, ...file } = readFile(info, entry, path);
    files.push(file);
    length += file.length;
    if (isLink) links++;
    if (!Number.isSafeInteger(length)) throw bad('its files are too long in all');
  }
  if (files.length === 0) throw bad('it has no files');
  if (links > 0) warnings.push(`symbolic links are not made: ${links} became empty files`);
  return files;
}

function readFile(info: Uint8Array, entry: Span, path: readonly string[]): RawFile & { isLink: boolean } {
  const which = quoted(path.join('/'));
  const fields = findValues(info, entry.start, ['length', 'pieces root', 'attr', 'symlink path']);
  const attributes = textOf(info, fields.get('attr')) ?? '';
  if (attributes.includes('p')) throw bad(`${which} is a pad file, of which v2 torrents have none`);
  const isLink = attributes.includes('l') && listOf(info, fields.get('symlink path'), textOf) !== undefined;
  const length = isLink ? 0 : integerOf(info, fields.get('length'));
  if (length === undefined || length < 0)
    throw bad(`the length of ${which} is missing or not a usable integer`);
  return {
    path,
    length,
    piecesRoot: readRoot(info, fields.get('pieces root'), length, which),
    pad: false,
    isLink,
  };
}

function readRoot(
  info: Uint8Array,
  span: Span | undefined,
  length: number,
  which: string,
): Uint8Array | undefined {
  if (length === 0) return undefined;
  const root = span && stringBody(info, span.start);
  if (root?.length !== V2_HASH_LENGTH || root.every(byte => byte === 0))
    throw bad(`the pieces root of ${which} is missing or malformed`);
  return root;
}

function bad(why: string): TorrentError {
  return new TorrentError('BAD_SOURCE', `torrent: ${why}`);
}

function unsupported(why: string): TorrentError {
  return new TorrentError('UNSUPPORTED', `torrent: ${why}`);
}
