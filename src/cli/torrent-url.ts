// A .torrent behind an http(s) URL: size, redirects and time are capped. Knows nothing of what a .torrent holds.

import { STATUS_CODES } from 'node:http';
import { httpClient } from '../engine/http-client.js';
import { TorrentError } from '../torrent/errors.js';
import { torrentBytes } from './bounded.js';
import { shownSource } from './source-text.js';
import type { Fetching } from './sources.js';

/** As curl would need it said with --max-redirs; trackers' sites use one or two. */
const MAX_REDIRECTS = 5;
/** ms for all of it: redirects and body. */
const TIMEOUT_MS = 30_000;

/** What a URL led to: the bytes of a .torrent, or the magnet link that it redirects to. */
export type Fetched = { readonly bytes: Uint8Array } | { readonly magnet: string };

/**
 * Fetches `text`, a valid or invalid http(s) URL. Rejects with NOT_FOUND, BAD_SOURCE for what is no .torrent's size, or
 * NETWORK where it cannot be bound as asked.
 */
export async function fetchTorrent(text: string, fetching: Fetching): Promise<Fetched> {
  if (!URL.canParse(text)) throw new TorrentError('BAD_SOURCE', `${shownSource(text)}: not a valid URL`);
  const what = `fetching ${shownSource(text)}`;
  const client = httpClient(await fetching.binding());
  try {
    const response = await client.get(text, {
      timeoutMs: TIMEOUT_MS,
      totalMs: TIMEOUT_MS,
      maxRedirects: MAX_REDIRECTS,
      endsAt: isMagnet,
      headers: { 'accept-encoding': 'gzip, deflate, br' },
      signal: fetching.stopped,
    });
    const { status, headers, body } = response;
    const { location } = headers;
    if (location !== undefined && isMagnet(location)) return { magnet: location };
    if (status < 200 || status > 299) throw notFound(what, `${status} ${STATUS_CODES[status] ?? ''}`.trim());
    return { bytes: await torrentBytes(body, what) };
  } catch (error) {
    if (error instanceof TorrentError) throw error;
    throw notFound(what, error instanceof Error ? error.message : String(error), error);
  } finally {
    client.close();
  }
}

function isMagnet(location: string): boolean {
  return /^magnet:/i.test(location);
}

function notFound(what: string, why: string, cause?: unknown): TorrentError {
  return new TorrentError('NOT_FOUND', `${what}: ${why}`, { cause });
}
