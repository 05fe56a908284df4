// A .torrent behind an http(s) URL: size, redirects and time are capped. Knows nothing of what a .torrent holds.

import { version } from '../engine/version.js';
import { TorrentError } from '../torrent/errors.js';
import { shownUrl } from '../torrent/source-urls.js';
import { torrentBytes } from './bounded.js';
import { shownSource } from './source-text.js';

/** As curl would need it said with --max-redirs; trackers' sites use one or two. */
const MAX_REDIRECTS = 5;
/** ms for all of it: redirects and body. */
const TIMEOUT_MS = 30_000;

/** What a URL led to: the bytes of a .torrent, or the magnet link that it redirects to. */
export type Fetched = { readonly bytes: Uint8Array } | { readonly magnet: string };

/** Fetches `text`, a valid or invalid http(s) URL. Rejects with NOT_FOUND, or BAD_SOURCE for what is no .torrent's size. */
export async function fetchTorrent(text: string, stopped: AbortSignal): Promise<Fetched> {
  if (!URL.canParse(text)) throw new TorrentError('BAD_SOURCE', `${shownSource(text)}: not a valid URL`);
  const first = new URL(text);
  const what = `fetching ${shownSource(text)}`;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await follow(first, what, AbortSignal.any([stopped, timeout]));
  } catch (error) {
    if (error instanceof TorrentError) throw error;
    if (timeout.aborted) throw notFound(what, `not complete within ${TIMEOUT_MS / 1000} s`, error);
    throw notFound(what, reasonOf(error), error);
  }
}

async function follow(first: URL, what: string, signal: AbortSignal): Promise<Fetched> {
  let url = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await fetch(shownUrl(url.href), {
      redirect: 'manual',
      signal,
      headers: { 'user-agent': `rarest/${version()}`, ...authorization(url) },
    });
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      if (/^magnet:/i.test(location)) return { magnet: location };
      url = redirected(url, location, what);
      continue;
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw notFound(what, `${response.status} ${response.statusText}`.trim());
    }
    return { bytes: response.body === null ? new Uint8Array() : await torrentBytes(response.body, what) };
  }
  throw notFound(what, `more than ${MAX_REDIRECTS} redirects`);
}

function redirected(from: URL, location: string, what: string): URL {
  if (!URL.canParse(location, from.href)) throw notFound(what, `redirected to ${shownSource(location)}`);
  const to = new URL(location, from);
  if (!/^https?:$/.test(to.protocol)) throw notFound(what, `redirected to ${shownSource(location)}`);
  return to;
}

/** fetch refuses `user:password@` in a URL; a redirect elsewhere does not carry them on. */
function authorization(url: URL): Record<string, string> {
  if (url.username === '' && url.password === '') return {};
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** fetch says only "fetch failed"; its cause says why. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  // an AggregateError of several addresses has an empty message
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}

function notFound(what: string, why: string, cause?: unknown): TorrentError {
  return new TorrentError('NOT_FOUND', `${what}: ${why}`, { cause });
}
