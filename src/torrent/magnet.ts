// Magnet links (BEP 9, BEP 53) and bare info hashes. Links are read here rather than by parse-torrent, which throws on
// v2-only links and on a stray percent sign, and makes a list of four thousand million numbers of `so=0-4000000000`.

import { TorrentError } from './errors.js';
import { formatHostPort, parseHostPort } from './host-port.js';
import { fromBase32, fromHex, type InfoHash, infoHash } from './ids.js';
import { LIMITS } from './limits.js';
import type { HostPort, Magnet } from './metainfo-types.js';
import { trackerTiers, webSeedUrls } from './source-urls.js';
import { decodeUtf8, printable, quoted } from './text.js';

/** The values of each key, in the order of the link. */
type Parameters = Map<string, string[]>;

/**
 * What a magnet link says. What is malformed but not needed is left out: trackers, peers, ranges.
 * @throws TorrentError BAD_SOURCE when it is no magnet link or has no usable info hash
 */
export function parseMagnet(uri: string): Magnet {
  if (uri.length > LIMITS.magnetChars)
    throw bad(`the link has ${uri.length} characters, more than ${LIMITS.magnetChars}`);
  // Some programs write the empty authority of a URL: magnet:///?xt=…
  const match = /^magnet:\/{0,3}\?/i.exec(uri);
  if (!match) throw bad(`${quoted(uri)} does not begin with magnet:?`);
  const parameters = readParameters(uri.slice(match[0].length));
  const topics = parameters.get('xt') ?? [];
  const hashes = { infoHash: firstOf(topics, readBtih), infoHashV2: firstOf(topics, readBtmh) };
  if (!hashes.infoHash && !hashes.infoHashV2) throw bad(whyNoHash(topics));
  return {
    ...hashes,
    name: printable(parameters.get('dn')?.[0] ?? '') || undefined,
    trackers: trackerTiers((parameters.get('tr') ?? []).map(url => [url])),
    webSeeds: webSeedUrls(parameters.get('ws') ?? []),
    peers: readPeers(parameters.get('x.pe') ?? []),
    selectOnly: readRanges(parameters.get('so') ?? []),
  };
}

/** A bare info hash as a link that says nothing else: 40 hex digits or 32 of base32 (v1), 64 hex digits (v2). */
export function parseInfoHash(text: string): Magnet | undefined {
  const v1 = readV1(text);
  const v2 = text.length === 64 ? nonZero(fromHex(text)) : undefined;
  if (!v1 && !v2) return undefined;
  return {
    infoHash: v1,
    infoHashV2: v2,
    name: undefined,
    trackers: [],
    webSeeds: [],
    peers: [],
    selectOnly: undefined,
  };
}

/** Keys in any case; `tr.1` counts as `tr`, as some programs number what comes more than once. */
function readParameters(query: string): Parameters {
  const parameters: Parameters = new Map();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    if (equals < 0) continue;
    const key = pair
      .slice(0, equals)
      .toLowerCase()
      .replace(/\.\d+$/, '');
    const raw = pair.slice(equals + 1);
    // Only names are written the way of forms, where a plus is a space.
    const value = percentDecoded(key === 'dn' ? raw.replaceAll('+', ' ') : raw);
    const values = parameters.get(key);
    if (values) values.push(value);
    else parameters.set(key, [value]);
  }
  return parameters;
}

/** Percent signs that begin no escape stay, and escapes that are not UTF-8 become U+FFFD: nothing here throws. */
function percentDecoded(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    const escaped = byte === PERCENT ? fromHex(decodeUtf8(bytes.subarray(at + 1, at + 3))) : undefined;
    if (escaped?.length === 1) at += 2;
    bytes[length++] = escaped?.[0] ?? byte;
  }
  return decodeUtf8(bytes.subarray(0, length));
}

const PERCENT = 0x25;

/** The first that can be read; a link may carry hashes of other networks beside ours. */
function firstOf<T>(texts: readonly string[], read: (text: string) => T | undefined): T | undefined {
  for (const text of texts) {
    const value = read(text);
    if (value !== undefined) return value;
  }
  return undefined;
}

function readBtih(topic: string): InfoHash | undefined {
  return readV1(/^urn:btih:(.*)$/is.exec(topic)?.[1] ?? '');
}

/** A multihash (BEP 9): 0x12 for SHA-256, 0x20 for 32 bytes, then the hash. */
function readBtmh(topic: string): Uint8Array | undefined {
  const hex = /^urn:btmh:1220([0-9a-f]{64})$/i.exec(topic)?.[1];
  return hex === undefined ? undefined : nonZero(fromHex(hex));
}

function readV1(text: string): InfoHash | undefined {
  // ASCII only: fromBase32 folds case, and some other letters have A to Z as their upper case.
  const base32 = /^[A-Za-z2-7]{32}$/.test(text);
  const hash = nonZero(base32 ? fromBase32(text) : fromHex(text));
  return hash && infoHash(hash);
}

/** All zeros is what programs write that have no hash. */
function nonZero(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes?.some(byte => byte !== 0) ? bytes : undefined;
}

function readPeers(texts: readonly string[]): HostPort[] {
  const peers = new Map<string, HostPort>();
  for (const text of texts) {
    const peer = parseHostPort(text);
    if (peer) peers.set(formatHostPort(peer), peer);
    if (peers.size >= LIMITS.magnetPeers) break;
  }
  return [...peers.values()];
}

/** BEP 53. Undefined when no range is left: a link that selects nothing is taken for one that does not select. */
function readRanges(texts: readonly string[]): [number, number][] | undefined {
  const ranges: [number, number][] = [];
  for (const text of texts.join(',').split(',')) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text);
    if (!match) continue;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (first <= last && last < LIMITS.files) ranges.push([first, last]);
  }
  return ranges.length > 0 ? ranges : undefined;
}

function whyNoHash(topics: readonly string[]): string {
  const ours = topics.find(topic => /^urn:bt[im]h:/i.test(topic));
  if (ours === undefined) return 'the link has no info hash (xt=urn:btih:… or xt=urn:btmh:…)';
  return /^urn:btih:/i.test(ours)
    ? `${quoted(ours)} is not an info hash: 40 hex digits or 32 of base32, not all zero`
    : `${quoted(ours)} is not a v2 info hash: 1220 and 64 hex digits, not all zero`;
}

function bad(why: string): TorrentError {
  return new TorrentError('BAD_SOURCE', `magnet: ${why}`);
}
