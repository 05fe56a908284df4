// The sockets that trackers are asked through: the HTTP client of the process, and one UDP client for all torrents.

import { type HttpClient, type NearRule, readBody } from '../net/http.js';
import type { Binding } from '../torrent/binding.js';
import { MACHINE, PRIVATE } from '../torrent/ip.js';
import { LIMITS } from '../torrent/limits.js';
import { AnnounceSlots } from '../tracker/announce-slots.js';
import type { TrackerEdges } from '../tracker/tracker-edges.js';
import { UdpTrackers } from '../tracker/udp-tracker.js';

/**
 * A torrent may name any URL as its tracker, and programs listen on this machine that trust whoever reaches them there.
 * Only what looks like a tracker is asked here: the last component of its path begins with `announce` or `scrape` (BEP 48).
 */
const NEAR_TRACKERS: NearRule = {
  nearest: ({ pathname }) => (/\/(?:announce|scrape)[^/]*$/i.test(pathname) ? MACHINE : PRIVATE),
  reason: 'the path of a tracker there must end in /announce',
};

export function trackerEdges(
  http: HttpClient,
  now: () => number,
  binding: Binding | undefined,
): TrackerEdges {
  return {
    http: async (url, { maxBytes, ...bounds }) => {
      const response = await http.get(url, {
        ...bounds,
        maxRedirects: LIMITS.httpRedirects,
        nearRule: NEAR_TRACKERS,
        headers: { 'accept-encoding': 'gzip' },
      });
      return { status: response.status, body: await readBody(response, maxBytes) };
    },
    udp: new UdpTrackers({ now, binding }),
    slots: new AnnounceSlots(),
  };
}
