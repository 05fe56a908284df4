// What trackers answer to an announce or a scrape over HTTP (BEPs 3, 7, 23, 24, 31, 48), checked and capped. Pure: asks nobody.

import {
  dictEntries,
  findValues,
  listItems,
  type Span,
  scanValue,
  stringBody,
} from '../torrent/bencode-scanner.js';
import { integerOf, isDict, isList, textOf } from '../torrent/bencode-values.js';
import { isPort } from '../torrent/host-port.js';
import { equalBytes, type InfoHash } from '../torrent/ids.js';
import { addressBytes, hostText, isDialable } from '../torrent/ip.js';
import { LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import { decodeUtf8, printable } from '../torrent/text.js';
import { TrackerError } from './tracker-error.js';

/** How many the tracker counts; undefined where it does not say. */
export interface SwarmCounts {
  readonly seeds: number | undefined;
  readonly leechers: number | undefined;
}

export interface AnnounceReply extends SwarmCounts {
  /** IP addresses that can be dialled, each once. */
  readonly peers: readonly HostPort[];
  /** ms, as the tracker says; undefined where it says none or no positive number. */
  readonly intervalMs: number | undefined;
  readonly minIntervalMs: number | undefined;
  readonly trackerId: Uint8Array | undefined;
  readonly warning: string | undefined;
  /** Our own IP address as the tracker sees it (BEP 24). */
  readonly externalHost: string | undefined;
}

const ANNOUNCE_KEYS = [
  'interval',
  'min interval',
  'complete',
  'incomplete',
  'peers',
  'peers6',
  'tracker id',
  'warning message',
  'external ip',
] as const;

/** Reads an answer to an announce. Throws TrackerError when it is none, or a refusal. */
export function parseAnnounceReply(status: number, body: Uint8Array): AnnounceReply {
  checkAnswer(status, body);
  const found = findValues(body, 0, ANNOUNCE_KEYS);
  const peers = new PeerList();
  addCompact(peers, bodyOf(body, found.get('peers')), 4);
  addCompact(peers, bodyOf(body, found.get('peers6')), 16);
  addListed(peers, body, found.get('peers'));
  const trackerId = bodyOf(body, found.get('tracker id'));
  return {
    peers: peers.list,
    intervalMs: secondsOf(body, found.get('interval')),
    minIntervalMs: secondsOf(body, found.get('min interval')),
    seeds: countOf(body, found.get('complete')),
    leechers: countOf(body, found.get('incomplete')),
    trackerId: trackerId && trackerId.length <= LIMITS.trackerIdBytes ? trackerId.slice() : undefined,
    warning: wordsOf(textOf(body, found.get('warning message'))),
    externalHost: hostText(bodyOf(body, found.get('external ip')) ?? new Uint8Array()),
  };
}

/** Reads what an answer to a scrape says of one torrent (BEP 48). Throws TrackerError when it is none, or a refusal. */
export function parseScrapeReply(status: number, body: Uint8Array, infoHash: InfoHash): SwarmCounts {
  checkAnswer(status, body);
  const files = findValues(body, 0, ['files']).get('files');
  for (const { key, value } of files ? dictEntries(body, files.start) : []) {
    if (!equalBytes(body.subarray(key.start, key.end), infoHash)) continue;
    const found = findValues(body, value.start, ['complete', 'incomplete']);
    return {
      seeds: countOf(body, found.get('complete')),
      leechers: countOf(body, found.get('incomplete')),
    };
  }
  throw new TrackerError('it does not know this torrent');
}

/** Collects addresses that can be dialled, each once, up to the limit. */
export class PeerList {
  readonly #found = new Map<string, HostPort>();

  get list(): HostPort[] {
    return [...this.#found.values()];
  }

  get isFull(): boolean {
    return this.#found.size >= LIMITS.announcePeers;
  }

  /** @param address 4 or 16 bytes */
  add(address: Uint8Array, port: number): void {
    const host = hostText(address);
    const bytes = host === undefined ? undefined : addressBytes(host);
    if (host === undefined || bytes === undefined || !isDialable(bytes) || !isPort(port)) return;
    if (!this.isFull) this.#found.set(`${host} ${port}`, { host, port });
  }
}

/** Adds compact peers (BEP 23, BEP 7): addresses of so many bytes, each with its port; a cut last one is left out. */
export function addCompact(peers: PeerList, bytes: Uint8Array | undefined, addressLength: 4 | 16): void {
  if (bytes === undefined) return;
  const stride = addressLength + 2;
  for (let at = 0; at + stride <= bytes.length && !peers.isFull; at += stride) {
    const [high = 0, low = 0] = bytes.subarray(at + addressLength, at + stride);
    peers.add(bytes.subarray(at, at + addressLength), (high << 8) | low);
  }
}

/** A tracker's own words, fit to be shown. */
export function wordsOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : printable(text.slice(0, LIMITS.trackerTextChars)) || undefined;
}

/** Throws unless the body is a bencoded dictionary without a failure reason. What follows the dictionary is ignored. */
function checkAnswer(status: number, body: Uint8Array): void {
  const scan = scanValue(body, 0);
  if ('fault' in scan || !isDict(body, { start: 0, end: body.length })) throw notBencoded(status, body, scan);
  const found = findValues(body, 0, ['failure reason', 'retry in']);
  const failure = found.get('failure reason');
  if (failure !== undefined) {
    const reason = wordsOf(textOf(body, failure)) ?? 'it gave no reason';
    throw new TrackerError(`refused: ${reason}`, retryMs(body, found.get('retry in')));
  }
  if (status < 200 || status > 299) throw new TrackerError(`it answered with status ${status}`);
}

function notBencoded(status: number, body: Uint8Array, scan: object): TrackerError {
  if (status < 200 || status > 299) return new TrackerError(`it answered with status ${status}`);
  if (body.length === 0) return new TrackerError('its answer is empty');
  if (/^[\s\ufeff]*</.test(decodeUtf8(body.subarray(0, 512))))
    return new TrackerError('it answered with a web page');
  const why = 'fault' in scan ? `: ${scan.fault}` : '';
  return new TrackerError(`its answer is not that of a tracker${why}`);
}

/** Minutes as a number or its text, or "never" (BEP 31), as ms. */
function retryMs(body: Uint8Array, span: Span | undefined): number | undefined {
  const text = textOf(body, span);
  if (text === 'never') return Number.POSITIVE_INFINITY;
  const minutes = integerOf(body, span) ?? (text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : 0);
  return minutes > 0 ? minutes * 60_000 : undefined;
}

/** Adds the peers of a list of dictionaries (BEP 3). Names are left out: a tracker could have us look up thousands. */
function addListed(peers: PeerList, body: Uint8Array, span: Span | undefined): void {
  if (span === undefined || !isList(body, span)) return;
  for (const item of listItems(body, span.start)) {
    if (peers.isFull) return;
    const found = findValues(body, item.start, ['ip', 'port']);
    const address = addressBytes(textOf(body, found.get('ip')) ?? '');
    const port = integerOf(body, found.get('port'));
    if (address !== undefined && port !== undefined) peers.add(address, port);
  }
}

function bodyOf(body: Uint8Array, span: Span | undefined): Uint8Array | undefined {
  return span && stringBody(body, span.start);
}

function secondsOf(body: Uint8Array, span: Span | undefined): number | undefined {
  const seconds = integerOf(body, span);
  return seconds !== undefined && seconds > 0 ? seconds * 1000 : undefined;
}

function countOf(body: Uint8Array, span: Span | undefined): number | undefined {
  const count = integerOf(body, span);
  return count !== undefined && count >= 0 ? count : undefined;
}
