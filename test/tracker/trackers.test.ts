// The trackers of a torrent against real HTTP and UDP servers on loopback, and against edges that never answer.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { HttpClient, readBody } from '../../src/net/http.js';
import { type InfoHash, infoHash, type PeerId, peerId } from '../../src/torrent/ids.js';
import { LIMITS } from '../../src/torrent/limits.js';
import type { HostPort } from '../../src/torrent/metainfo-types.js';
import { AnnounceSlots } from '../../src/tracker/announce-slots.js';
import type { AnnounceRequest } from '../../src/tracker/announce-url.js';
import {
  type AnnounceFacts,
  scrapeAll,
  TorrentTrackers,
  type TorrentTrackersOptions,
  type TrackerEdges,
  type TrackerReport,
} from '../../src/tracker/torrent-trackers.js';
import { TrackerError } from '../../src/tracker/tracker-error.js';
import { UdpTrackers, type UdpTrackersOptions } from '../../src/tracker/udp-tracker.js';
import { boundTo } from '../support/bound.js';
import { ascii, concat, hex } from '../wire/samples.js';

const HASH = infoHash(hex('00ff0203 0405060708090a0b0c0d0e0f10111213')) as InfoHash;
const IDENTITY = { peerId: peerId(ascii('-RA0100-abcdefghijkl')) as PeerId, key: 0x0a0b0c0d };
const PEER = { host: '127.0.0.1', port: 6881 };
const FACTS = { uploaded: 1, downloaded: 2, left: 3, port: 51413, needsPeers: true };
const REQUEST: AnnounceRequest = {
  infoHash: HASH,
  ...IDENTITY,
  ...FACTS,
  event: 'started',
  numWant: 50,
  trackerId: undefined,
};
/** Longer than a label may be: no resolver is asked. */
const UNRESOLVABLE = `${'x'.repeat(64)}.invalid`;
/** `d8:intervali1800e5:peers6:…e` with PEER. */
const GOOD = Buffer.from('d8:intervali1800e5:peers6:\x7f\0\0\x01\x1a\xe1e', 'latin1');

/** Real edges. */
function realEdges(t: Test, options: Partial<UdpTrackersOptions> = {}): TrackerEdges {
  const client = new HttpClient({});
  const udp = new UdpTrackers({ now: () => performance.now(), ...options });
  t.teardown(() => {
    client.close();
    udp.close();
  });
  const http: TrackerEdges['http'] = async (url, { maxBytes, ...bounds }) => {
    const response = await client.get(url, { ...bounds, maxRedirects: LIMITS.httpRedirects });
    return { status: response.status, body: await readBody(response, maxBytes) };
  };
  return { http, udp, slots: new AnnounceSlots() };
}

/** Edges whose HTTP answers are given by hand. */
class HandEdges implements TrackerEdges {
  readonly asked: string[] = [];
  readonly aborted: string[] = [];
  readonly slots = new AnnounceSlots();
  readonly udp = new UdpTrackers({ now: () => 0 });
  /** By host and event. */
  readonly #open = new Map<string, (body: Uint8Array | Error) => void>();

  readonly http: TrackerEdges['http'] = (text, { signal }) => {
    const url = new URL(text);
    const name = `${url.hostname} ${url.searchParams.get('event') ?? 'regular'}`;
    this.asked.push(name);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        this.aborted.push(name);
        reject(new Error('aborted'));
      });
      this.#open.set(name, body => (body instanceof Error ? reject(body) : resolve({ status: 200, body })));
    });
  };

  answer(name: string, body: Uint8Array | Error = GOOD): Promise<void> {
    this.#open.get(name)?.(body);
    return settled();
  }
}

const settled = () => new Promise<void>(resolve => setImmediate(resolve));

/** Holds the timers that `isHeld` names by their ms; calling the result lets them end. */
function heldTimers(t: Test, isHeld: (ms: number) => boolean): () => void {
  const held: (() => void)[] = [];
  const real = globalThis.setTimeout;
  const set = (callback: () => void, ms = 0) => {
    if (!isHeld(ms)) return real(callback, ms);
    held.push(callback);
    return real(() => {}, 0);
  };
  t.intercept(globalThis, 'setTimeout', { value: set });
  return () => {
    for (const callback of held.splice(0)) callback();
  };
}

/** One torrent's trackers, and everything they say. */
class Told {
  readonly peers: HostPort[] = [];
  readonly reports: TrackerReport[] = [];
  changes = 0;
  now = 1000;
  facts: AnnounceFacts = FACTS;
  readonly trackers: TorrentTrackers;
  #waiting: { until: () => boolean; resolve: () => void }[] = [];

  constructor(edges: TrackerEdges, tiers: string[][], options: Partial<TorrentTrackersOptions> = {}) {
    this.trackers = new TorrentTrackers({
      infoHash: HASH,
      tiers,
      isPrivate: false,
      identity: IDENTITY,
      edges,
      facts: () => this.facts,
      now: () => this.now,
      random: () => 0.5,
      onPeers: peers => this.peers.push(...peers),
      onReport: report => this.reports.push(report),
      onTrackerChanged: () => {
        this.changes++;
        this.peers.length = 0;
      },
      wakeAt: () => {
        for (const waiting of this.#waiting.splice(0))
          if (waiting.until()) waiting.resolve();
          else this.#waiting.push(waiting);
      },
      ...options,
    });
  }

  tick(): number {
    return this.trackers.tick(this.now);
  }

  /** Ticks, and waits for so many reports in all. */
  async reported(count: number): Promise<void> {
    this.tick();
    if (this.reports.length >= count) return;
    await new Promise<void>(resolve => {
      this.#waiting.push({ until: () => this.reports.length >= count, resolve });
    });
  }
}

/** An HTTP tracker; `queries` are those of its requests, without the question mark. */
async function httpTracker(t: Test, answer: RequestListener) {
  const queries: string[] = [];
  const server = createServer((request, response) => {
    queries.push(request.url?.replace(/^[^?]*\??/, '') ?? '');
    answer(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { queries, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce` };
}

/** What a UDP tracker does with a request; `answer` sends to where it came from. */
type UdpAnswer = (
  request: Buffer,
  answer: (packet: Uint8Array) => void,
  from: RemoteInfo,
  socket: Socket,
) => void;

async function udpTracker(t: Test, onRequest: UdpAnswer = wellBehaved, host = '127.0.0.1') {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const requests: Buffer[] = [];
  socket.on('message', (request, from) => {
    requests.push(request);
    onRequest(request, packet => socket.send(packet, from.port, from.address), from, socket);
  });
  await new Promise<void>(resolve => socket.bind(0, host, resolve));
  t.teardown(() => socket.close());
  const { port } = socket.address();
  return { requests, port, url: `udp://${host.includes(':') ? `[${host}]` : host}:${port}/announce` };
}

const actionOf = (request: Buffer) => request.readUInt32BE(8);
const tidOf = (request: Buffer) => request.subarray(12, 16);
const CONNECTED = (request: Buffer) => concat(hex('00000000'), tidOf(request), hex('1122334455667788'));
/** Interval 1800 s, 5 leechers, 6 seeds, PEER. */
const ANNOUNCED = (request: Buffer) =>
  concat(hex('00000001'), tidOf(request), hex('00000708 00000005 00000006 7f000001 1ae1'));
const SCRAPED = (request: Buffer) =>
  concat(hex('00000002'), tidOf(request), hex('00000008 00000000 00000009'));
const wellBehaved: UdpAnswer = (request, answer) =>
  answer([CONNECTED, ANNOUNCED, SCRAPED][actionOf(request)]?.(request) ?? new Uint8Array());
const actions = (requests: readonly Buffer[]) => requests.map(actionOf);

t.test('an HTTP tracker from started to stopped', async t => {
  const { url, queries } = await httpTracker(t, (_, response) =>
    response.end(
      Buffer.from(
        'd8:completei4e11:external ip4:\x01\x02\x03\x0410:incompletei5e8:intervali1800e' +
          '5:peers12:\x01\x02\x03\x04\xc8\xd5\x7f\0\0\x01\x1a\xe110:tracker id2:\xff&15:warning message4:slowe',
        'latin1',
      ),
    ),
  );
  const told = new Told(realEdges(t), [[`${url.replace('//', '//us%65r:secret@')}?passkey=p%2fq`]]);
  await told.reported(1);
  t.equal(
    queries[0],
    'passkey=p%2fq&info_hash=%00%ff%02%03%04%05%06%07%08%09%0a%0b%0c%0d%0e%0f%10%11%12%13&peer_id=-RA0100-abcdefghijkl' +
      '&port=51413&uploaded=1&downloaded=2&left=3&compact=1&numwant=200&key=0a0b0c0d&event=started',
  );
  t.same(told.peers, [PEER], 'not ourselves');
  t.same(told.reports, [{ url: `${url}?passkey=p%2fq`, peers: 2, seeds: 4, leechers: 5, warning: 'slow' }]);
  t.equal(told.tick(), told.now + 15 * 60_000, 'peers are needed');
  told.trackers.completed(told.now);
  told.tick();
  t.equal(queries.length, 1, 'there are bytes left: no completion');
  told.facts = { ...FACTS, left: 0, downloaded: 5, needsPeers: false };
  told.trackers.completed(told.now);
  await told.reported(2);
  t.match(
    queries[1],
    /&downloaded=5&left=0&compact=1&numwant=0&key=0a0b0c0d&event=completed&trackerid=%ff%26$/,
  );
  await told.trackers.stop(told.now);
  t.match(queries[2], /&numwant=0&key=0a0b0c0d&event=stopped&trackerid=%ff%26$/);
  t.equal(told.reports[2]?.peers, undefined);
  t.equal(queries.length, 3);
  t.equal(told.tick(), Number.POSITIVE_INFINITY);
  await told.trackers.stop(told.now);
  t.equal(queries.length, 3, 'stopping twice is stopping once');
});

t.test('a partial seed says so (BEP 21)', async t => {
  const { url, queries } = await httpTracker(t, (_, response) => response.end(GOOD));
  const events = () => queries.splice(0).map(query => /event=(\w+)/.exec(query)?.[1]);
  const told = new Told(realEdges(t), [[url]]);
  await told.reported(1);
  told.facts = { ...FACTS, needsPeers: false, isPartialSeed: true };
  told.trackers.completed(told.now);
  told.now += 60 * 60_000;
  await told.reported(2);
  await told.trackers.stop(told.now);
  t.same(events(), ['started', 'paused', 'stopped'], 'and no completion');
});

t.test(
  'complete from the start: no completed; incomplete: started, completed, stopped in one go',
  async t => {
    const { url, queries } = await httpTracker(t, (_, response) => response.end(GOOD));
    const events = () => queries.splice(0).map(query => /event=(\w+)/.exec(query)?.[1]);
    const told = new Told(realEdges(t), [[url]]);
    told.facts = { ...FACTS, left: 0 };
    await told.reported(1);
    told.trackers.completed(told.now);
    told.tick();
    await told.trackers.stop(told.now);
    t.same(events(), ['started', 'stopped']);
    const quick = new Told(realEdges(t), [[url]]);
    quick.tick();
    while (queries.length === 0) await settled();
    quick.facts = { ...FACTS, left: 0 };
    quick.trackers.completed(quick.now);
    await quick.trackers.stop(quick.now);
    t.same(events(), ['started', 'completed', 'stopped'], 'what was under way is waited for');
  },
);

t.test('HTTP answers that are of no use', async t => {
  const cases: [RequestListener, string][] = [
    [(_, response) => response.end('<html>hello</html>'), 'it answered with a web page'],
    [(_, response) => response.end(Buffer.alloc(10_000_000)), 'the answer is larger than 1048576 bytes'],
    [
      (request, response) => response.writeHead(302, { location: request.url }).end(),
      'more than 5 redirects',
    ],
    [(_, response) => response.writeHead(404).end('nothing'), 'it answered with status 404'],
    [(_, response) => response.end('d14:failure reason12:unregisterede'), 'refused: unregistered'],
    [request => request.socket.destroy(), 'the server closed the connection'],
    [(_, response) => response.end(), 'its answer is empty'],
  ];
  const tiers: string[][] = [];
  for (const [answer] of cases) tiers.push([(await httpTracker(t, answer)).url]);
  const told = new Told(realEdges(t), [
    ...tiers,
    ['http://127.0.0.1:0/announce'],
    [`http://${UNRESOLVABLE}/announce`],
  ]);
  await told.reported(cases.length + 2);
  const errors = new Map(told.reports.map(({ url, error }) => [url, error]));
  for (const [at, [, message]] of cases.entries()) t.equal(errors.get(tiers[at]?.[0] ?? ''), message);
  t.equal(errors.get('http://127.0.0.1:0/announce'), 'nobody listens on port 0');
  t.match(errors.get(`http://${UNRESOLVABLE}/announce`), /^the host /);
  t.same(told.peers, []);
  const next = told.tick() - told.now;
  t.ok(next > 17_000 && next < 20_000, `asked again after ${next} ms`);
  await told.trackers.stop(told.now);
});

t.test('UDP trackers over IPv4 and IPv6', async t => {
  const { udp } = realEdges(t);
  const four = await udpTracker(t);
  const reply = await udp.announce(four.url, REQUEST, { totalMs: 10_000 });
  t.match(reply, { peers: [PEER], intervalMs: 1_800_000, leechers: 5, seeds: 6 });
  t.same(actions(four.requests), [0, 1]);
  const [connect, announce] = four.requests;
  t.equal(connect?.toString('hex', 0, 12), '000004172710198000000000');
  t.equal(announce?.toString('hex', 0, 12), '112233445566778800000001');
  t.equal(announce?.toString('hex', 88, 98), '0a0b0c0d00000032c8d5');
  t.equal(announce?.toString('latin1', 98), '\x02\x09/announce');
  t.notSame(connect && tidOf(connect), announce && tidOf(announce));
  t.same(await udp.scrape(four.url, HASH, { totalMs: 10_000 }), { seeds: 8, leechers: 9 });
  t.same(actions(four.requests), [0, 1, 2], 'the connection id is used again');

  const announced = `00000708 00000001 00000000 20010db8${'00'.repeat(11)}01 1ae1`;
  const six = await udpTracker(
    t,
    (request, answer) =>
      answer(
        actionOf(request) === 0
          ? CONNECTED(request)
          : concat(hex('00000001'), tidOf(request), hex(announced)),
      ),
    '::1',
  );
  const sixReply = await udp.announce(six.url, REQUEST, { totalMs: 10_000 });
  t.same(sixReply.peers, [{ host: '2001:db8::1', port: 6881 }]);
  // One of its addresses may have no tracker, which only silence tells.
  const hasty = realEdges(t, { retransmitMs: 20 }).udp;
  const named = await hasty.announce(`UDP://localhost:${four.port}`, REQUEST, { totalMs: 10_000 });
  t.same(named.peers, [PEER], 'a name, all of whose addresses are tried');
  t.equal(four.requests.at(-1)?.length, 98, 'no path, no option');
});

t.test('UDP connection ids are used for a minute', async t => {
  let now = 0;
  const { udp } = realEdges(t, { now: () => now });
  const { url, requests } = await udpTracker(t);
  const scrape = () => udp.scrape(url, HASH, { totalMs: 10_000 });
  await scrape();
  now = LIMITS.udpConnectionMs - 1;
  await scrape();
  now = LIMITS.udpConnectionMs;
  await scrape();
  t.same(actions(requests), [0, 2, 2, 0, 2]);
});

t.test('UDP requests are sent again when nothing comes', async t => {
  const waits: number[] = [];
  const expire = heldTimers(t, ms => {
    if (ms % LIMITS.udpRetransmitMs === 0) waits.push(ms / 1000);
    return ms % LIMITS.udpRetransmitMs === 0;
  });
  const { udp } = realEdges(t);
  let drops = 2;
  const lossy = await udpTracker(t, (request, answer, ...rest) => {
    if (drops-- > 0) return expire();
    wellBehaved(request, answer, ...rest);
    if (actionOf(request) === 0) drops = 1;
  });
  await udp.announce(lossy.url, REQUEST, { totalMs: 1001 });
  t.same(actions(lossy.requests), [0, 0, 0, 1, 1], 'the connection that was made is kept');
  t.same(waits, [15, 30, 60, 60, 120], '15 * 2 ^ n seconds');

  // A tracker that was started anew refuses the ids it gave before, or says nothing.
  for (const refusal of ['error', 'silence']) {
    let known = true;
    const forgetful = await udpTracker(t, (request, answer, ...rest) => {
      if (actionOf(request) === 0) known = true;
      if (known) wellBehaved(request, answer, ...rest);
      else if (refusal === 'error') answer(concat(hex('00000003'), tidOf(request), ascii('bad id\0')));
      else expire();
    });
    await udp.scrape(forgetful.url, HASH, { totalMs: 1001 });
    known = false;
    await udp.scrape(forgetful.url, HASH, { totalMs: 1001 });
    t.same(actions(forgetful.requests), [0, 2, 2, 0, 2], refusal);
  }
});

t.test('UDP answers that do not count', async t => {
  const { udp } = realEdges(t);
  const stranger = await udpTracker(t);
  const strangerSocket = createSocket('udp4');
  t.teardown(() => strangerSocket.close());
  const { url, requests } = await udpTracker(t, (request, answer, from) => {
    const isConnect = actionOf(request) === 0;
    const good = isConnect ? CONNECTED(request) : ANNOUNCED(request);
    const wrongTid = Uint8Array.from(good);
    wrongTid[7] = (wrongTid[7] ?? 0) ^ 1;
    for (const bad of [
      hex(''),
      hex('00'),
      wrongTid,
      good.subarray(0, 7),
      concat(hex('00000007'), good.subarray(4)),
    ])
      answer(bad);
    answer(isConnect ? ANNOUNCED(request) : CONNECTED(request));
    // The right answer from the wrong sender, then from the right one.
    const forged = concat(hex('00000003'), tidOf(request), ascii('forged'));
    strangerSocket.send(forged, from.port, from.address, () => answer(good));
  });
  const reply = await udp.announce(url, REQUEST, { totalMs: 60_000 });
  t.same(reply.peers, [PEER]);
  t.same(actions(requests), [0, 1]);
  t.equal(stranger.requests.length, 0);
});

t.test('UDP trackers that fail', async t => {
  const { udp } = realEdges(t);
  const fails = (url: string, message: string | RegExp, totalMs = 60_000, signal?: AbortSignal) =>
    t.rejects(udp.announce(url, REQUEST, { totalMs, ...(signal && { signal }) }), {
      name: 'TrackerError',
      message,
    });
  const mute = await udpTracker(t, () => {});
  await fails(mute.url, 'no answer for 0.1 s', 100);
  t.ok(mute.requests.length >= 1);
  const refusing = await udpTracker(t, (request, answer) =>
    answer(concat(hex('00000003'), tidOf(request), ascii('go away\0'))),
  );
  await fails(refusing.url, 'refused: go away');
  const short = await udpTracker(t, (request, answer) =>
    answer(actionOf(request) === 0 ? CONNECTED(request) : ANNOUNCED(request).subarray(0, 8)),
  );
  await fails(short.url, 'its answer is too short');
  const tiny = await udpTracker(t, (request, answer) => answer(CONNECTED(request).subarray(0, 15)));
  await fails(tiny.url, 'its answer is too short');
  await fails('udp://127.0.0.1:0/', 'nobody listens on port 0');
  await fails('udp://0.0.0.0:80', 'its address cannot be used');
  await fails('udp://239.1.2.3:80', 'its address cannot be used');
  await fails(`udp://${UNRESOLVABLE}:80`, 'the host was not found');
  await fails('udp://a%00b:80', 'not a valid URL');
  await fails(mute.url, 'given up', 60_000, AbortSignal.abort());
  const bound = realEdges(t, { binding: boundTo('127.0.0.1') }).udp;
  const good = await udpTracker(t);
  await bound.scrape(good.url, HASH, { totalMs: 60_000 });
  await t.rejects(bound.scrape('udp://[::1]:80', HASH, { totalMs: 60_000 }), {
    message: 'no IPv6 address is bound',
  });
  const unbindable = realEdges(t, { binding: boundTo('192.0.2.1') }).udp;
  await t.rejects(unbindable.scrape(good.url, HASH, { totalMs: 60_000 }), {
    message: 'it cannot be reached',
  });

  const abort = new AbortController();
  const waiting = [fails(mute.url, 'given up', 60_000, abort.signal), fails(mute.url, 'given up')];
  abort.abort();
  await waiting[0];
  udp.close();
  await waiting[1];
  await fails(good.url, 'given up');
});

t.test('a UDP tracker from started to stopped', async t => {
  const { url, requests } = await udpTracker(t);
  const told = new Told(realEdges(t), [[url]]);
  await told.reported(1);
  t.same(told.reports, [{ url, peers: 1, seeds: 6, leechers: 5 }]);
  t.same(told.peers, [PEER]);
  await told.trackers.stop(told.now);
  t.same(
    requests.filter(request => actionOf(request) === 1).map(request => request.readUInt32BE(80)),
    [2, 3],
  );
});

t.test('scraping all trackers', async t => {
  const http = await httpTracker(t, (request, response) => {
    const row = 'd8:completei11e10:downloadedi3e10:incompletei19ee';
    if (request.url?.startsWith('/scrape?info_hash=%00%ff')) response.write(`d5:filesd20:`);
    response.end(Buffer.concat([Buffer.from(HASH), Buffer.from(`${row}ee`)]));
  });
  const udp = await udpTracker(t);
  const reports: TrackerReport[] = [];
  const scrape = (signal: AbortSignal, tiers: string[][]) =>
    scrapeAll({
      infoHash: HASH,
      tiers,
      edges: realEdges(t),
      onReport: report => reports.push(report),
      signal,
    });
  const deaf = 'http://127.0.0.1:1/x';
  await scrape(new AbortController().signal, [
    [http.url, 'wss://x'],
    [udp.url, deaf],
  ]);
  t.same(
    reports.sort((a, b) => (a.url < b.url ? -1 : 1)),
    [
      { url: deaf, error: 'it cannot be scraped' },
      { url: http.url, seeds: 11, leechers: 19 },
      { url: udp.url, seeds: 8, leechers: 9 },
    ].sort((a, b) => (a.url < b.url ? -1 : 1)),
  );
  reports.length = 0;
  await scrape(AbortSignal.abort(), [[http.url], [udp.url]]);
  t.same(reports, [], 'given up in silence');
});

t.test('5000 trackers, and schemes that nobody speaks', async t => {
  const edges = new HandEdges();
  const tiers = Array.from({ length: 5000 }, (_, at) => [`http://t${at}/announce`]);
  const told = new Told(edges, [['wss://a.example/\x1b[2J', 'ftp://b'], ...tiers, ['no url']]);
  told.tick();
  t.same(told.reports, [
    { url: 'wss://a.example/ [2J', warning: 'ignored: not the URL of an HTTP or UDP tracker, and 2 more' },
  ]);
  await settled();
  t.equal(edges.asked.length, LIMITS.announces);
  for (let at = 0; at < 5000 && edges.asked[at]; at++) await edges.answer(edges.asked[at] ?? '');
  t.equal(edges.asked.length, LIMITS.trackers);
  t.equal(told.reports.length, LIMITS.trackers + 1);
});

t.test('good-byes do not wait behind trackers that do not answer', async t => {
  const edges = new HandEdges();
  const leaving = new Told(edges, [['http://known/announce']]);
  leaving.tick();
  await settled();
  await edges.answer('known started');
  const other = new Told(
    edges,
    Array.from({ length: LIMITS.announces + 5 }, (_, at) => [`http://dead${at}/announce`]),
  );
  other.tick();
  await settled();
  const stopped = leaving.trackers.stop(leaving.now);
  await settled();
  t.equal(edges.asked.at(-1), 'known stopped');
  await edges.answer('known stopped');
  await stopped;
  t.equal(edges.asked.length, LIMITS.announces + 2);
  other.now += 60_000;
  await other.trackers.stop(other.now);
  t.equal(edges.asked.length, LIMITS.announces + 2, 'what waits for its turn is not sent any more');
  t.equal(edges.aborted.length, LIMITS.announces);
});

t.test('stopping takes no longer than its limit', async t => {
  const edges = new HandEdges();
  const told = new Told(edges, [
    ['http://hangs/announce'],
    ['http://late/announce'],
    ['http://old/announce'],
  ]);
  told.tick();
  await settled();
  await edges.answer('hangs started');
  told.facts = { ...FACTS, needsPeers: false };
  told.now += 3_600_000;
  const early = told.now;
  told.tick();
  await settled();
  t.same(edges.asked.slice(3), ['hangs regular'], 'late and old have not answered yet');
  const expire = heldTimers(t, ms => ms === LIMITS.trackerStopMs);
  const stopped = told.trackers.stop(early);
  await settled();
  t.same(edges.asked.slice(4), ['hangs stopped'], 'the regular announce is given up for it');
  t.same([...edges.aborted].sort(), ['hangs regular', 'late started', 'old started']);
  let ended = false;
  stopped.then(() => {
    ended = true;
  });
  await settled();
  t.notOk(ended);
  expire();
  await stopped;
  t.ok(edges.aborted.includes('hangs stopped'));
  const { length } = told.reports;
  await edges.answer('late started');
  t.equal(told.reports.length, length, 'answers that come later are not heard');
  t.same(told.peers, [PEER]);
});

t.test('a started that was just sent is waited for', async t => {
  const edges = new HandEdges();
  const told = new Told(edges, [['http://fresh/announce'], ['http://refuses/announce']]);
  told.tick();
  await settled();
  const stopped = told.trackers.stop(told.now + 999);
  await edges.answer('fresh started');
  await edges.answer('refuses started', new TrackerError('refused'));
  t.same(told.peers, [], 'but its peers are of no use');
  await edges.answer('fresh stopped', new Error('gone'));
  await stopped;
  t.same(edges.asked, ['fresh started', 'refuses started', 'fresh stopped']);
});

t.test('a private torrent changes its tracker', async t => {
  const edges = new HandEdges();
  const told = new Told(edges, [['http://a/announce'], ['http://b/announce']], { isPrivate: true });
  told.tick();
  await settled();
  await edges.answer('a started');
  t.same(edges.asked, ['a started']);
  t.same(told.peers, [PEER]);
  told.now += 3_600_000;
  told.tick();
  await settled();
  await edges.answer('a regular', new Error('gone'));
  told.tick();
  await settled();
  t.equal(told.changes, 0, 'not before another one answered');
  const other = Buffer.from('d8:intervali1800e5:peers6:\x7f\0\0\x02\x1a\xe1e', 'latin1');
  await edges.answer('b started', other);
  t.equal(told.changes, 1);
  t.same(told.peers, [{ host: '127.0.0.2', port: 6881 }], 'the old ones go before the new ones come');
});

t.test('a magnet turns out to be private', async t => {
  const edges = new HandEdges();
  const told = new Told(edges, [['http://a/announce'], ['http://b/announce'], ['http://c/announce']]);
  told.tick();
  await settled();
  await edges.answer('a started');
  await edges.answer('b started');
  told.trackers.setPrivate();
  t.equal(told.changes, 1, 'peers of two trackers are mixed');
  await edges.answer('c started');
  t.same(told.peers, [], 'c is not the one in use');
  told.tick();
  await settled();
  t.same(edges.asked.slice(3), ['b stopped', 'c stopped']);
});
