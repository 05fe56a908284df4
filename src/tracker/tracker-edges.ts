// What the trackers of a torrent need of the process: HTTP, UDP, and a turn to speak. One announce or one scrape, whatever
// the scheme of the URL.

import type { InfoHash } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import {
  type AnnounceReply,
  parseAnnounceReply,
  parseScrapeReply,
  type SwarmCounts,
} from './announce-reply.js';
import type { AnnounceSlots } from './announce-slots.js';
import { type AnnounceRequest, announceUrl, scrapeUrl } from './announce-url.js';
import { TrackerError } from './tracker-error.js';
import type { UdpTrackers } from './udp-tracker.js';

export interface HttpBounds {
  readonly maxBytes: number;
  /** ms without progress, ms in all. */
  readonly timeoutMs: number;
  readonly totalMs: number;
  readonly signal: AbortSignal;
}

/** One for the process; closed by its owner. */
export interface TrackerEdges {
  /** GET, following redirects. Rejects with an Error whose message says why there is no answer. */
  http(url: string, bounds: HttpBounds): Promise<{ readonly status: number; readonly body: Uint8Array }>;
  readonly udp: UdpTrackers;
  readonly slots: AnnounceSlots;
}

/** Announces once. Rejects with an Error fit to be shown, TrackerError where the tracker said something. */
export async function announceTo(
  edges: TrackerEdges,
  url: string,
  request: AnnounceRequest,
  signal: AbortSignal,
): Promise<AnnounceReply> {
  const mostMs = request.event === 'stopped' ? LIMITS.trackerStopMs : Number.POSITIVE_INFINITY;
  if (isUdp(url))
    return edges.udp.announce(url, request, { totalMs: Math.min(LIMITS.udpTrackerMs, mostMs), signal });
  const { status, body } = await edges.http(announceUrl(url, request), httpBounds(mostMs, signal));
  return parseAnnounceReply(status, body);
}

/** Scrapes once, as announceTo announces. */
export async function scrapeOf(
  edges: TrackerEdges,
  url: string,
  infoHash: InfoHash,
  signal: AbortSignal,
): Promise<SwarmCounts> {
  if (isUdp(url)) return edges.udp.scrape(url, infoHash, { totalMs: LIMITS.udpTrackerMs, signal });
  const address = scrapeUrl(url, infoHash);
  if (address === undefined) throw new TrackerError('it cannot be scraped');
  const { status, body } = await edges.http(address, httpBounds(Number.POSITIVE_INFINITY, signal));
  return parseScrapeReply(status, body, infoHash);
}

function isUdp(url: string): boolean {
  return /^udp:/i.test(url);
}

function httpBounds(mostMs: number, signal: AbortSignal): HttpBounds {
  return {
    maxBytes: LIMITS.trackerReplyBytes,
    timeoutMs: Math.min(LIMITS.trackerTimeoutMs, mostMs),
    totalMs: Math.min(LIMITS.trackerTotalMs, mostMs),
    signal,
  };
}
