// One bucket for everything that comes in: connections of several torrents, and web seeds, on a virtual clock.

import t from 'tap';
import { DownloadLimit } from '../../src/engine/download-limit.js';
import { limitedFetch } from '../../src/engine/limited-fetch.js';
import type { PeerLink } from '../../src/engine/peer-link.js';
import type { HttpClient } from '../../src/net/http.js';
import { RateLimiter } from '../../src/net/rate-limiter.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { seeded } from '../support/random.js';

const SECONDS = 30;
/** What Node hands on of a body at most. */
const BODY_CHUNK_BYTES = 65_536;

const REQUEST = { headers: {}, timeoutMs: 1000, signal: new AbortController().signal };

/** A connection with more to read than it may. */
class EagerLink {
  got = 0;
  isPaused = false;
  readonly socket = {
    pause: () => {
      this.isPaused = true;
    },
    resume: () => {
      this.isPaused = false;
    },
  };
}

for (const rateBps of [200_000, 2_000_000, 20_000_000]) {
  t.test(`${rateBps} bytes per second over two torrents and two web seeds`, async t => {
    const limiter = new RateLimiter(rateBps, 0);
    const limit = new DownloadLimit(limiter);
    const random = seeded(rateBps);
    const links = Array.from({ length: 7 }, () => new EagerLink());
    const bodies = [0, 0];
    let running = true;
    const network = {
      receiveBytes: LIMITS.limitedReceiveBytes,
      payDownload: (bytes: number) => limit.pay(bytes),
    };
    const fetch = limitedFetch({
      http: { get: async () => ({ body: body() }) } as unknown as HttpClient,
      network,
    });
    async function* body() {
      while (running) yield new Uint8Array(1 + Math.floor(random() * BODY_CHUNK_BYTES));
    }
    const readBody = async (at: number) => {
      const response = await fetch('http://192.0.2.1/', REQUEST);
      for await (const part of response.body) bodies[at]! += part.length;
    };
    const read = bodies.map((_, at) => readBody(at));
    const total = () => [...links.map(({ got }) => got), ...bodies].reduce((sum, got) => sum + got, 0);

    const perSecond: number[] = [];
    let before = 0;
    for (let now = 0; now < SECONDS * 1000; ) {
      limiter.serve(now);
      await new Promise(resolve => setImmediate(resolve));
      for (const link of links) {
        while (!link.isPaused) {
          const bytes = 1 + Math.floor(random() * LIMITS.limitedReceiveBytes);
          link.got += bytes;
          limit.received(link as unknown as PeerLink, bytes);
        }
      }
      // as late as a busy loop
      const next = now + Math.max(1, Math.min(50, limiter.nextMs(now))) + Math.floor(random() * 5);
      if (Math.floor(next / 1000) > Math.floor(now / 1000)) {
        perSecond.push(total() - before);
        before = total();
      }
      now = next;
    }
    running = false;
    let ended = false;
    const all = Promise.all(read).then(() => {
      ended = true;
    });
    for (let now = SECONDS * 1000; !ended; now += 100) {
      limiter.serve(now);
      await new Promise(resolve => setImmediate(resolve));
    }
    await all;

    const sum = perSecond.reduce((all, bytes) => all + bytes, 0);
    t.ok(Math.abs(sum / (perSecond.length * rateBps) - 1) < 0.03, `exact within 3 % over time: ${sum}`);
    // at first each may read once before it has to wait
    const worst = Math.max(...perSecond.slice(1).map(bytes => Math.abs(bytes / rateBps - 1)));
    t.ok(worst < 0.2, `smooth within 20 % per second: ${worst}`);
    for (const { got } of links) t.ok(got > 0);
  });
}
