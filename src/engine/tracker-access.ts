// The sockets that trackers are asked through: the HTTP client of the process, and one UDP client for all torrents.

import { type HttpClient, readBody } from '../net/http.js';
import { LIMITS } from '../torrent/limits.js';
import { AnnounceSlots } from '../tracker/announce-slots.js';
import type { TrackerEdges } from '../tracker/tracker-edges.js';
import { UdpTrackers } from '../tracker/udp-tracker.js';

export function trackerEdges(http: HttpClient, now: () => number): TrackerEdges {
  return {
    http: async (url, { maxBytes, ...bounds }) => {
      const response = await http.get(url, {
        ...bounds,
        maxRedirects: LIMITS.httpRedirects,
        headers: { 'accept-encoding': 'gzip' },
      });
      return { status: response.status, body: await readBody(response, maxBytes) };
    },
    udp: new UdpTrackers({ now }),
    slots: new AnnounceSlots(),
  };
}
