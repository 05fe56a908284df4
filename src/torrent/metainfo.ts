// .torrent bytes -> checked Metainfo, and back. The info hash is that of the raw bytes of the info dictionary: encoding
// it anew would give torrents with unordered keys another hash (which is why parse-torrent does not read them here).

import bencode from 'bencode';
import { findValues, listItems, type Scan, type Span, scanValue } from './bencode-scanner.js';
import { eachText, integerOf, isDict, isList, textOf } from './bencode-values.js';
import { TorrentError } from './errors.js';
import { isHost, isPort } from './host-port.js';
import type { InfoHash } from './ids.js';
import { readInfoDict } from './info-dict.js';
import { LIMITS } from './limits.js';
import type { HostPort, Metainfo } from './metainfo-types.js';
import { sha1, sha256 } from './sha.js';
import { trackerTiers, webSeedUrls } from './source-urls.js';
import { printable } from './text.js';

const KEYS = [
  'info',
  'announce',
  'announce-list',
  'url-list',
  'httpseeds',
  'nodes',
  'comment',
  'comment.utf-8',
  'created by',
  'creation date',
  'piece layers',
] as const;

type Fields = Map<(typeof KEYS)[number], Span>;

/** Latest second that a Date can show. */
const LAST_DATE_SECONDS = 8.64e12;

/** A .torrent file taken apart: the info dictionary, unread, and what is said around it. */
export interface TorrentFields
  extends Pick<
    Metainfo,
    'infoBytes' | 'trackers' | 'webSeeds' | 'nodes' | 'comment' | 'createdBy' | 'creationDate' | 'warnings'
  > {
  /** Where in the file the hashes of v2 pieces are (BEP 52), unread. */
  readonly pieceLayers: Span | undefined;
}

/**
 * The contents of a .torrent file.
 * @throws TorrentError BAD_SOURCE where it is malformed, UNSUPPORTED where it is v2-only or beyond our limits
 */
export function parseTorrent(bytes: Uint8Array): Metainfo {
  return metainfoOf(readTorrentFields(bytes));
}

/** Reads the info dictionary too. @throws TorrentError as parseTorrent does */
export function metainfoOf({ infoBytes, pieceLayers: _, warnings, ...fields }: TorrentFields): Metainfo {
  const info = fromInfo(infoBytes);
  return { ...info, ...fields, warnings: [...info.warnings, ...warnings] };
}

/** All but what the info dictionary says, which may be of any version. @throws TorrentError BAD_SOURCE */
export function readTorrentFields(bytes: Uint8Array): TorrentFields {
  const end = checkedEnd(bytes, 'it');
  const fields: Fields = findValues(bytes, 0, KEYS);
  const span = fields.get('info');
  if (span === undefined || !isDict(bytes, span)) throw bad('it has no info dictionary');
  const creationDate = integerOf(bytes, fields.get('creation date'));
  return {
    infoBytes: new Uint8Array(bytes.subarray(span.start, span.end)),
    trackers: readTrackers(bytes, fields),
    webSeeds: readWebSeeds(bytes, fields),
    nodes: readNodes(bytes, fields.get('nodes')),
    comment: readText(bytes, fields.get('comment.utf-8')) ?? readText(bytes, fields.get('comment')),
    createdBy: readText(bytes, fields.get('created by')),
    creationDate:
      creationDate !== undefined && Math.abs(creationDate) <= LAST_DATE_SECONDS ? creationDate : undefined,
    pieceLayers: fields.get('piece layers'),
    warnings: trailingWarnings(bytes, end),
  };
}

/**
 * An info dictionary by itself, as it comes from peers (BEP 9) or from our own store.
 * @param infoBytes not kept: copied @param trackers tiers, as in Metainfo
 * @throws TorrentError as parseTorrent does
 */
export function parseInfo(
  infoBytes: Uint8Array,
  trackers: readonly (readonly string[])[],
  webSeeds: readonly string[],
): Metainfo {
  const end = checkedEnd(infoBytes, 'the metadata');
  if (end !== infoBytes.length) throw bad(`the metadata has ${infoBytes.length - end} bytes too many`);
  return { ...fromInfo(new Uint8Array(infoBytes)), trackers, webSeeds };
}

export interface TorrentParts {
  /** Embedded as they are, so that the info hash stays. */
  readonly infoBytes: Uint8Array;
  readonly trackers?: readonly (readonly string[])[];
  readonly webSeeds?: readonly string[];
  readonly nodes?: readonly HostPort[];
  readonly comment?: string | undefined;
  readonly createdBy?: string | undefined;
  /** Seconds since 1970. */
  readonly creationDate?: number | undefined;
}

/** The bytes of a .torrent file with its keys in order; what is empty or undefined is left out. */
export function buildTorrent(parts: TorrentParts): Uint8Array {
  const { trackers = [], webSeeds = [], nodes = [] } = parts;
  const flat = trackers.flat();
  const entries: [key: string, value: unknown][] = [
    ['announce', flat[0]],
    ['announce-list', flat.length > 1 ? trackers : undefined],
    ['comment', parts.comment],
    ['created by', parts.createdBy],
    ['creation date', parts.creationDate],
    ['info', parts.infoBytes],
    ['nodes', nodes.length > 0 ? nodes.map(({ host, port }) => [host, port]) : undefined],
    ['url-list', webSeeds.length > 0 ? webSeeds : undefined],
  ];
  const pieces: Uint8Array[] = [Buffer.from('d')];
  for (const [key, value] of entries)
    if (value !== undefined)
      pieces.push(bencode.encode(key), key === 'info' ? parts.infoBytes : bencode.encode(value));
  return new Uint8Array(Buffer.concat([...pieces, Buffer.from('e')]));
}

/** All that the info dictionary alone can say. @param infoBytes scanned, a dictionary, ours to keep */
function fromInfo(infoBytes: Uint8Array): Metainfo {
  const { hybrid, ...info } = readInfoDict(infoBytes);
  return {
    ...info,
    infoHash: sha1(infoBytes) as InfoHash,
    infoHashV2: hybrid ? sha256(infoBytes) : undefined,
    infoBytes,
    trackers: [],
    webSeeds: [],
    nodes: [],
    comment: undefined,
    createdBy: undefined,
    creationDate: undefined,
  };
}

/** Where the one dictionary at the start of these bytes ends. */
function checkedEnd(bytes: Uint8Array, what: string): number {
  if (bytes.length > LIMITS.torrentFileBytes)
    throw bad(`${what} is larger than ${LIMITS.torrentFileBytes} bytes`);
  const scan: Scan = scanValue(bytes, 0);
  if ('fault' in scan) throw bad(`${what} is ${otherFormat(bytes) ?? `malformed: ${scan.fault}`}`);
  if (!isDict(bytes, { start: 0, end: scan.end })) throw bad(`${what} is not a dictionary`);
  return scan.end;
}

/** What people most often have in place of a torrent. */
function otherFormat(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'empty';
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'compressed with gzip: unpack it first';
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 64)).trimStart();
  return start.startsWith('<') ? 'a web page' : undefined;
}

/** Line breaks and spaces at the end are common and harmless; anything else is worth a word. */
function trailingWarnings(bytes: Uint8Array, end: number): string[] {
  const rest = bytes.subarray(end);
  return rest.every(byte => byte === 0x0a || byte === 0x0d || byte === 0x20)
    ? []
    : [`${rest.length} bytes after the end of the torrent are ignored`];
}

function readTrackers(bytes: Uint8Array, fields: Fields): string[][] {
  const list = fields.get('announce-list');
  const tiers = list && isList(bytes, list) ? trackerTiers(eachTier(bytes, list)) : [];
  return tiers.length > 0 ? tiers : trackerTiers([eachText(bytes, fields.get('announce'))]);
}

/** BEP 12 wants a list of lists; of a flat list, which some programs write, each string is a tier. */
function* eachTier(bytes: Uint8Array, list: Span): Generator<Iterable<string>> {
  for (const tier of listItems(bytes, list.start)) yield eachText(bytes, tier);
}

/** `httpseeds` (BEP 17) is not supported as such, but some torrents list plain BEP 19 URLs under that key. */
function readWebSeeds(bytes: Uint8Array, fields: Fields): string[] {
  return webSeedUrls(
    (function* () {
      yield* eachText(bytes, fields.get('url-list'));
      yield* eachText(bytes, fields.get('httpseeds'));
    })(),
  );
}

function readNodes(bytes: Uint8Array, list: Span | undefined): HostPort[] {
  const nodes: HostPort[] = [];
  if (list === undefined) return nodes;
  for (const item of listItems(bytes, list.start)) {
    if (nodes.length >= LIMITS.torrentNodes) break;
    const [first, second] = listItems(bytes, item.start);
    const host = textOf(bytes, first);
    const port = integerOf(bytes, second);
    if (host !== undefined && isHost(host) && isPort(port)) nodes.push({ host, port });
  }
  return nodes;
}

/** Text for people, on one line; undefined when there is none. */
function readText(bytes: Uint8Array, span: Span | undefined): string | undefined {
  return printable(textOf(bytes, span) ?? '') || undefined;
}

function bad(why: string): TorrentError {
  return new TorrentError('BAD_SOURCE', `torrent: ${why}`);
}
