// The corpus of torrents, bencode cases and magnet links that lies beside the repository, where it is there.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { scanValue } from '../../src/torrent/bencode-scanner.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { toHex } from '../../src/torrent/ids.js';
import { parseInfoHash, parseMagnet } from '../../src/torrent/magnet.js';
import { formatMagnet } from '../../src/torrent/magnet-link.js';
import { parseTorrent } from '../../src/torrent/metainfo.js';
import type { Magnet, Metainfo } from '../../src/torrent/metainfo-types.js';
import { CORPUS } from '../support/root.js';

const skip = existsSync(CORPUS) ? false : 'corpus is absent';

/** Where we take the answer that the corpus calls acceptable too: nothing safe is left of the name `..`. */
const ALSO_ACCEPTABLE = new Set(['libtorrent__invalid_name2.torrent']);

interface Entry {
  readonly file: string;
  readonly format: string | null;
  readonly expected: { readonly verdict: string; readonly also_acceptable?: string; readonly facts: Facts };
}

interface Facts {
  readonly info_hash_v1?: string;
  readonly info_hash_v2?: string;
  readonly num_files?: number;
  readonly num_pieces?: number;
  readonly total_size?: number;
  readonly piece_length?: number;
  readonly private?: boolean;
}

function read(path: string): Buffer {
  return readFileSync(join(CORPUS, path));
}

/** The torrent, or the code of its refusal. Any other error is a crash and ends the test. */
function attempt<T>(parse: () => T): T | string {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TorrentError) return error.code;
    throw error;
  }
}

function verdict(entry: Entry, result: Metainfo | string): string {
  if (typeof result !== 'string') return 'accept';
  // v2-only torrents are read and then refused as not supported yet.
  if (result === 'UNSUPPORTED' && entry.format === 'v2' && entry.expected.verdict === 'accept')
    return 'accept';
  return 'reject';
}

function factsOf(metainfo: Metainfo): Facts {
  return {
    info_hash_v1: toHex(metainfo.infoHash),
    ...(metainfo.infoHashV2 && { info_hash_v2: toHex(metainfo.infoHashV2) }),
    num_files: metainfo.files.length,
    num_pieces: metainfo.pieceHashes.length / 20,
    total_size: metainfo.length,
    piece_length: metainfo.pieceLength,
    private: metainfo.private,
  };
}

/** What must hold of every torrent that loads, or undefined when it does. */
function brokenInvariant({ name, files, length, singleFile, ...metainfo }: Metainfo): string | undefined {
  const seen = new Set<string>();
  let offset = 0;
  for (const file of files) {
    const path = file.path.join('/');
    if (file.path[0] !== name || file.path.length < (singleFile ? 1 : 2)) return `root of ${path}`;
    if (file.path.some(part => ['', '.', '..'].includes(part) || /[/\\\p{Cc}]/u.test(part)))
      return `unsafe ${path}`;
    if (file.path.some(part => Buffer.byteLength(part) > 255)) return `long ${path}`;
    if (file.offset !== offset) return `offset of ${path}`;
    offset += file.length;
    if (file.pad) continue;
    const folded = path.normalize('NFC').toLowerCase();
    if (seen.has(folded)) return `shared ${path}`;
    seen.add(folded);
  }
  for (const file of files) {
    const folders = file.path.slice(0, -1).map((_, depth) => file.path.slice(0, depth + 1).join('/'));
    if (!file.pad && folders.some(folder => seen.has(folder.normalize('NFC').toLowerCase())))
      return 'a file as folder';
  }
  if (offset !== length) return 'length';
  const text = [metainfo.comment, metainfo.createdBy, metainfo.source, ...metainfo.warnings].join('');
  return /\p{Cc}/u.test(text) ? 'control characters' : undefined;
}

t.test('torrents', { skip }, async t => {
  const { entries } = JSON.parse(read('torrents/manifest.json').toString()) as { entries: Entry[] };
  const members = Object.getOwnPropertyNames(Object.prototype).length;
  t.ok(entries.length > 300);
  for (const entry of entries) {
    const result = attempt(() => parseTorrent(read(`torrents/${entry.file}`)));
    const { verdict: expected, facts } = entry.expected;
    const ours = verdict(entry, result);
    if (ALSO_ACCEPTABLE.has(entry.file))
      t.ok(entry.expected.also_acceptable && ours !== expected, entry.file);
    else if (expected !== 'either') t.equal(ours, expected, `${entry.file} ${result}`);
    if (typeof result === 'string') continue;
    t.equal(brokenInvariant(result), undefined, entry.file);
    t.match(factsOf(result), facts.num_files === undefined ? hashesOf(facts) : numbersOf(facts), entry.file);
    t.equal(toHex(parseMagnet(formatMagnet(result)).infoHash ?? new Uint8Array()), facts.info_hash_v1);
  }
  t.equal(Object.getOwnPropertyNames(Object.prototype).length, members, 'no prototype was touched');
});

function hashesOf({ info_hash_v1, info_hash_v2 }: Facts): Facts {
  return { ...(info_hash_v1 && { info_hash_v1 }), ...(info_hash_v2 && { info_hash_v2 }) };
}

function numbersOf(facts: Facts): Facts {
  const { num_files, num_pieces, total_size, piece_length } = facts as Required<Facts>;
  const priv = facts.private === undefined ? {} : { private: facts.private };
  return { ...hashesOf(facts), num_files, num_pieces, total_size, piece_length, ...priv };
}

interface Case {
  readonly id: string;
  readonly hex?: string | null;
  readonly input_parts?: readonly { readonly hex: string; readonly times: number }[];
  readonly expect: { readonly recommended: string };
}

t.test('bencode', { skip }, async t => {
  const { cases } = JSON.parse(read('bencode.json').toString()) as { cases: Case[] };
  t.ok(cases.length > 100);
  for (const { id, hex, input_parts = [], expect } of cases) {
    const parts = input_parts.map(part => Buffer.alloc((part.times * part.hex.length) / 2, part.hex, 'hex'));
    const bytes = typeof hex === 'string' ? Buffer.from(hex, 'hex') : Buffer.concat(parts);
    const scan = scanValue(bytes, 0);
    const whole = 'end' in scan && scan.end === bytes.length;
    if (expect.recommended !== 'either') t.equal(whole ? 'accept' : 'reject', expect.recommended, id);
  }
});

interface Vector {
  readonly group: string;
  readonly id: string;
  readonly input: { readonly uri?: string; readonly uri_prefix?: string; readonly so?: string };
  readonly output: Readonly<Record<string, unknown>>;
}

function magnetFacts(magnet: Magnet): Record<string, unknown> {
  const indices = new Set<number>();
  for (const [first, last] of magnet.selectOnly ?? []) for (let at = first; at <= last; at++) indices.add(at);
  return {
    info_hash_v1: magnet.infoHash ? toHex(magnet.infoHash) : null,
    info_hash_v2: magnet.infoHashV2 ? toHex(magnet.infoHashV2) : null,
    name: magnet.name,
    trackers: magnet.trackers.flat(),
    web_seeds: magnet.webSeeds,
    peers: magnet.peers.map(({ host, port }) => [host, port]),
    select_only: [...indices].sort((a, b) => a - b),
  };
}

t.test('magnet links', { skip }, async t => {
  const { vectors } = JSON.parse(read('vectors.json').toString()) as { vectors: Vector[] };
  for (const { group, id, input, output } of vectors) {
    if (group === 'bep53_ranges' && input.so !== undefined) {
      const magnet = parseMagnet(`magnet:?xt=urn:btih:${'ab'.repeat(20)}&so=${input.so}`);
      t.same(magnetFacts(magnet).select_only, output.indices, id);
    }
    if (group !== 'magnet_uri') continue;
    const uri = input.uri ?? `${input.uri_prefix}&tr=http://t.invalid/${'a'.repeat(50_000)}`;
    const result = attempt(() => parseInfoHash(uri) ?? parseMagnet(uri));
    // One link names a mutable torrent (BEP 46), which is not supported: accept is then no boolean.
    t.equal(typeof result !== 'string', output.accept === true, id);
    if (typeof result === 'string') continue;
    const facts = magnetFacts(result);
    for (const key of Object.keys(facts))
      if (output[key] !== undefined) t.same(facts[key], output[key], `${id} ${key}`);
  }
});
