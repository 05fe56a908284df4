import { HttpClient, readBody } from '../src/net/http.js';
import { AnnounceSlots } from '../src/tracker/announce-slots.js';
import { scrapeAll, TorrentTrackers } from '../src/tracker/torrent-trackers.js';
import { UdpTrackers } from '../src/tracker/udp-tracker.js';

const client = new HttpClient({ userAgent: 'rarest/0' });
const now = () => Math.floor(performance.now());
const edges = {
  slots: new AnnounceSlots(),
  udp: new UdpTrackers({ now }),
  http: async (u: string, { maxBytes, ...b }: any) => {
    const r = await client.get(u, { ...b, maxRedirects: 5 });
    return { status: r.status, body: await readBody(r, maxBytes) };
  },
};
const tiers = [['http://127.0.0.1:16969/announce'], ['udp://127.0.0.1:16969/announce']];
const hash = (h: string) => Uint8Array.from(Buffer.from(h, 'hex')) as any;
const make = (h: string, id: string, port: number) =>
  new TorrentTrackers({
    infoHash: hash(h),
    tiers,
    isPrivate: false,
    identity: { peerId: Buffer.from(id) as any, key: 5 },
    edges,
    facts: () => ({ uploaded: 0, downloaded: 0, left: 10, port, needsPeers: true }),
    now,
    random: Math.random,
    onPeers: p => console.log(id, 'peers', p),
    onReport: r => console.log(id, r),
    onTrackerChanged() {},
    wakeAt() {},
  });
const good = '00ff02030405060708090a0b0c0d0e0f10111213';
const a = make(good, '-AA0001-aaaaaaaaaaaa', 1111),
  b = make(good, '-BB0001-bbbbbbbbbbbb', 2222),
  c = make('11'.repeat(20), '-CC0001-cccccccccccc', 3333);
const wait = (ms: number) => new Promise(r => setTimeout(r, ms));
a.tick(now());
await wait(300);
b.tick(now());
c.tick(now());
await wait(300);
await scrapeAll({
  infoHash: hash(good),
  tiers,
  edges,
  onReport: r => console.log('scrape', r),
  signal: new AbortController().signal,
});
const t0 = now();
await Promise.all([a, b, c].map(x => x.stop(now())));
console.log('stopped in', now() - t0);
await scrapeAll({
  infoHash: hash(good),
  tiers,
  edges,
  onReport: r => console.log('scrape', r),
  signal: new AbortController().signal,
});
client.close();
edges.udp.close();
