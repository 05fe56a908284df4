// The URLs of announces and scrapes over HTTP (BEPs 3, 23, 48). Asks nobody.

import type { InfoHash, PeerId } from '../torrent/ids.js';

/** `paused`: a partial seed (BEP 21) says so in every announce that has nothing else to say. */
export type AnnounceEvent = 'started' | 'completed' | 'stopped' | 'paused';

/** What an announce says, over HTTP and over UDP. */
export interface AnnounceRequest {
  readonly infoHash: InfoHash;
  readonly peerId: PeerId;
  /** An unsigned 32-bit number, the same for all announces of a run (BEP 7). */
  readonly key: number;
  readonly port: number;
  /** Bytes. */
  readonly uploaded: number;
  readonly downloaded: number;
  readonly left: number;
  /** Undefined for the regular ones. */
  readonly event: AnnounceEvent | undefined;
  /** How many addresses are wanted. */
  readonly numWant: number;
  /** What the tracker called us before. */
  readonly trackerId: Uint8Array | undefined;
}

/** The URL to ask; what the tracker's URL has of a query (a passkey, often) is kept. */
export function announceUrl(tracker: string, request: AnnounceRequest): string {
  const query = [
    `info_hash=${percentEncoded(request.infoHash)}`,
    `peer_id=${percentEncoded(request.peerId)}`,
    `port=${request.port}`,
    `uploaded=${request.uploaded}`,
    `downloaded=${request.downloaded}`,
    `left=${request.left}`,
    'compact=1',
    `numwant=${request.numWant}`,
    `key=${request.key.toString(16).padStart(8, '0')}`,
  ];
  if (request.event !== undefined) query.push(`event=${request.event}`);
  if (request.trackerId !== undefined) query.push(`trackerid=${percentEncoded(request.trackerId)}`);
  return withQuery(tracker, query.join('&'));
}

/**
 * The URL to scrape for one torrent, or undefined when the tracker has none: the last component of its path must begin
 * with `announce`, which `scrape` takes the place of (BEP 48).
 */
export function scrapeUrl(tracker: string, infoHash: InfoHash): string | undefined {
  const [, head, tail] = /^([^?#]*\/)announce([^/?#]*(?:\?[^#]*)?)(?:#.*)?$/.exec(tracker) ?? [];
  if (head === undefined || tail === undefined || /^[a-z]+:\/\/$/i.test(head)) return undefined;
  return withQuery(`${head}scrape${tail}`, `info_hash=${percentEncoded(infoHash)}`);
}

function withQuery(url: string, query: string): string {
  const bare = url.replace(/#.*$/, '');
  const join = bare.includes('?') ? (/[?&]$/.test(bare) ? '' : '&') : '?';
  return `${bare}${join}${query}`;
}

/** Byte by byte: encodeURIComponent and URLSearchParams would make UTF-8 of bytes above 0x7f. */
function percentEncoded(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    text += /[A-Za-z0-9._~-]/.test(char) ? char : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}
