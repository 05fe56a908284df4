// Every road to a peer, through the engine: trackers, peer exchange, web seeds; and what a private torrent leaves out.

import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import bencode from 'bencode';
import t, { type Test } from 'tap';
import { toHex } from '../../src/torrent/ids.js';
import type { HostPort } from '../../src/torrent/metainfo-types.js';
import { type Content, contentOf } from '../support/content.js';
import { EngineRun, folder, jumpingClock, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';

const NOWHERE = { host: '127.0.0.1', port: 9 };
const CONTENT = contentOf({ 'a.bin': 100_001, 'sub/b c.bin': 40_000 });

/** A server on loopback that is closed at the end of the test. */
async function serve(
  t: Test,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A tracker that knows these peers and remembers what it was told. */
async function tracker(t: Test, peers: readonly HostPort[]) {
  const told: { event: string; left: number; infoHash: string }[] = [];
  const url = await serve(t, (request, response) => {
    const query = /\?(.*)/.exec(request.url ?? '')?.[1] ?? '';
    const field = (name: string) => new RegExp(`(?:^|&)${name}=([^&]*)`).exec(query)?.[1] ?? '';
    const infoHash = Buffer.from(
      field('info_hash').replace(/%(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
      'latin1',
    );
    told.push({ event: field('event'), left: Number(field('left')), infoHash: toHex(infoHash) });
    response.end(
      bencode.encode({ interval: 900, peers: peers.map(({ host, port }) => ({ ip: host, port })) }),
    );
  });
  return { url: `${url}/announce`, told };
}

t.test('a magnet link and a tracker', async t => {
  const run = await EngineRun.start(t, folder(t));
  const peer = await FakePeer.listen(t, CONTENT);
  const { url, told } = await tracker(t, [peer.address]);
  await run.add(CONTENT, 'magnet', { trackers: [[url]], useTrackers: true }).finished;
  sameFiles(t, run.output, CONTENT);
  const infoHash = toHex(CONTENT.metainfo.infoHash);
  t.match(
    told,
    [
      { event: 'started', left: 16_384, infoHash },
      { event: 'completed', left: 0, infoHash },
      { event: 'stopped', left: 0, infoHash },
    ],
    'each event once, in order',
  );
  t.match(run.named('tracker')[0], { url, peers: 1 });
  t.match(run.named('metadata')[0]?.trackers, [[url]]);
});

/** An HTTP server with the files of a torrent below its root, which knows ranges; what was asked of it is listed. */
async function webServer(t: Test, content: Content, spoil = false) {
  const asked: string[] = [];
  const url = await serve(t, (request, response) => {
    const path = decodeURIComponent((request.url ?? '').slice(1));
    const file = content.metainfo.files.find(candidate => candidate.path.join('/') === path);
    const [, from = 0, to = 0] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')?.map(Number) ?? [];
    asked.push(`${path} ${from}-${to}`);
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    const bytes = Uint8Array.from(content.data.subarray(file.offset + from, file.offset + to + 1));
    if (spoil) bytes[0] = ~(bytes[0] ?? 0);
    response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${file.length}` }).end(bytes);
  });
  return { url: `${url}/`, asked };
}

t.test('a web seed and nobody else, also of a magnet link', async t => {
  for (const from of ['torrent', 'magnet'] as const) {
    const run = await EngineRun.start(t, folder(t));
    const { url, asked } = await webServer(t, CONTENT);
    const peer = await FakePeer.listen(t, CONTENT, { have: [] });
    const peers = from === 'magnet' ? [peer.address] : [];
    await run.add(CONTENT, from, { webSeeds: [url], peers }).finished;
    sameFiles(t, run.output, CONTENT);
    t.ok(asked.length > 0);
    t.match(
      run.events.filter(event => event.event === 'peer' && event.address === url),
      [{ how: 'dialled' }, { how: 'closed', why: 'both-seeds', received: CONTENT.data.length }],
    );
  }
});

t.test('a web seed gives to who reads what comes', async t => {
  const run = await EngineRun.start(t, folder(t));
  const { url } = await webServer(t, CONTENT);
  const parts: Buffer[] = [];
  const plan = {
    ranges: [{ offset: 10, length: CONTENT.data.length - 10 }],
    files: 1,
    write: async (bytes: Uint8Array) => parts.push(Buffer.from(bytes)) > 0,
    end: async () => true,
  };
  await run.add(CONTENT, 'torrent', { webSeeds: [url], stream: { keep: false, open: () => plan } }).finished;
  t.ok(Buffer.concat(parts).equals(CONTENT.data.subarray(10)));
});

t.test('trackers and web seeds that the user adds are for one run', async t => {
  const directory = folder(t);
  const run = await EngineRun.start(t, directory);
  const peer = await FakePeer.listen(t, CONTENT);
  const { url, told } = await tracker(t, [peer.address]);
  await run.add(CONTENT, 'magnet', { trackers: [[url]], useTrackers: true }).finished;
  rmSync(run.output, { recursive: true });
  const before = told.length;
  const again = run.add(CONTENT, 'magnet', { useTrackers: true });
  await run.until('metadata', ({ from }) => from === 'cache');
  await FakePeer.dial(t, run.port, CONTENT);
  await again.finished;
  t.equal(told.length, before);
});

t.test('a web seed that lies is found out, and a peer gives the truth', async t => {
  const run = await EngineRun.start(t, folder(t));
  const { url } = await webServer(t, CONTENT, true);
  const added = run.add(CONTENT, 'torrent', { webSeeds: [url] });
  await run.until('warning', ({ message }) => message.includes('wrong data'));
  await FakePeer.dial(t, run.port, CONTENT);
  await added.finished;
  sameFiles(t, run.output, CONTENT);
  t.match(
    run.events.filter(event => event.event === 'peer' && event.address === url),
    [{ how: 'dialled' }, { how: 'banned', why: 'hash-failed' }],
  );
});

t.test('peers name each other', async t => {
  const run = await EngineRun.start(t, folder(t), { pex: true });
  const giver = await FakePeer.listen(t, CONTENT);
  const added = run.add(CONTENT, 'torrent');
  const teller = await FakePeer.dial(t, run.port, CONTENT, { have: [] });
  await teller.until('extensionHandshake', ({ utPex }) => utPex === 1);
  const flags = { encryption: false, uploadOnly: true, utp: false, holepunch: false, outgoing: true };
  const nowhere = { host: '127.0.0.1', port: 0, flags };
  teller.send({
    type: 'peerExchange',
    added: [nowhere, { ...giver.address, flags }, { ...nowhere, port: run.port }],
    dropped: [],
  });
  await added.finished;
  sameFiles(t, run.output, CONTENT);
  t.same(run.toldOf({ address: giver.address }), ['dialled', 'closed both-seeds']);
  const others = run.named('peer').filter(({ how }) => how === 'failed');
  t.ok(
    others.every(({ why }) => why === 'self'),
    'nobody is dialled at port 0',
  );
});

t.test('a private torrent', async t => {
  const secret = contentOf(100_001, { private: true, name: 'secret' });

  t.test('takes part in no exchange and believes none', async t => {
    const run = await EngineRun.start(t, folder(t), { pex: true, dht: true, dhtBootstrap: [NOWHERE] });
    run.add(secret, 'torrent');
    const wire = await FakePeer.dial(t, run.port, secret, { have: [] });
    const { utPex } = await wire.until('extensionHandshake');
    t.equal(utPex, 0);
    t.equal(wire.theirs?.dht, false, 'nor do we speak of a DHT');
  });

  t.test('of a magnet link parts from whom its trackers did not name', async t => {
    const run = await EngineRun.start(t, folder(t), { pex: true });
    let tell = () => {};
    const named = await FakePeer.listen(t, secret, {
      answer: (_wire, { type }, honest) => {
        if (type === 'metadataRequest') tell = honest;
        else honest();
      },
    });
    const { url } = await tracker(t, [named.address]);
    const added = run.add(secret, 'magnet', { trackers: [[url]], useTrackers: true });
    const known = await named.wire();
    await known.until('metadataRequest');
    const stranger = await FakePeer.dial(t, run.port, secret, { have: [] });
    await run.untilPeer('incoming');
    tell();
    await run.untilPeer('closed', 'not-allowed');
    await stranger.closed;
    await added.finished;
    sameFiles(t, run.output, secret);
    t.same(run.toldOf({ address: named.address }), ['dialled', 'closed both-seeds']);
  });
});

t.test(
  'a private torrent whose tracker fails goes on to another one, and parts from the peers of the first',
  async t => {
    const secret = contentOf(100_001, { private: true, name: 'secret' });
    const { jump } = jumpingClock(t);
    const run = await EngineRun.start(t, folder(t));
    const [first, second, own] = await Promise.all(
      [0, 1, 2].map(() => FakePeer.listen(t, secret, { have: [] })),
    );
    if (!first || !second || !own) throw new RangeError('unreachable');
    const peers = new Map([
      ['/one/announce', first],
      ['/two/announce', second],
    ]);
    const url = await serve(t, (request, response) => {
      const path = (request.url ?? '').replace(/\?.*/, '');
      const peer = peers.get(path);
      if (!peer) response.writeHead(500).end();
      else
        response.end(bencode.encode({ interval: 60, peers: [{ ip: '127.0.0.1', port: peer.address.port }] }));
    });
    run.add(secret, 'torrent', {
      trackers: [[`${url}/one/announce`], [`${url}/two/announce`]],
      useTrackers: true,
      peers: [own.address],
    });
    await run.until('tracker', event => event.peers === 1);
    await (await first.wire()).until('extensionHandshake');
    await (await own.wire()).until('extensionHandshake');
    t.equal(second.wires.length, 0, 'one tracker at a time');
    peers.delete('/one/announce');
    jump(61_000);
    await run.untilPeer('closed', 'not-allowed');
    await second.wire();
    t.same(run.toldOf({ address: first.address }), ['dialled', 'closed not-allowed']);
    t.same(run.toldOf({ address: own.address }), ['dialled'], 'the one that the user named stays');
    await run.engine.close();
  },
);

t.test('who looks for peers asks those it finds whom they know', async t => {
  const flags = { encryption: false, uploadOnly: true, utp: false, holepunch: false, outgoing: true };
  const other = { host: '127.0.0.9', port: 6881 };
  const looking = async (content: Content, pex: boolean) => {
    const run = await EngineRun.start(t, folder(t), { pex });
    const teller = await FakePeer.listen(t, content, { have: [] });
    const stop = new AbortController();
    const find = {
      peers: [teller.address],
      trackers: [],
      useTrackers: false,
      scrape: false,
      onEvent: () => {},
    };
    const source = { kind: 'torrent', metainfo: content.metainfo } as const;
    return { run, teller, stop, finding: run.engine.findPeers(source, find, stop.signal) };
  };
  const { run, teller, stop, finding } = await looking(CONTENT, true);
  const wire = await teller.wire();
  await wire.until('extensionHandshake', ({ utPex }) => utPex === 1);
  wire.send({ type: 'peerExchange', added: [{ ...other, flags }], dropped: [] });
  await run.until('found', ({ from }) => from === 'pex');
  const { host, port } = teller.address;
  t.same(
    run.named('found').map(({ host, port, from }) => ({ host, port, from })),
    [
      { host, port, from: 'manual' },
      { ...other, from: 'pex' },
    ],
  );
  stop.abort();
  await finding;
  await wire.closed;
  t.ok(
    wire.received.every(({ type }) => !['interested', 'request', 'metadataRequest'].includes(type)),
    'nothing else is asked for',
  );
  for (const [content, pex] of [
    [CONTENT, false],
    [contentOf(100_001, { private: true, name: 'secret' }), true],
  ] as const) {
    const quiet = await looking(content, pex);
    await quiet.run.until('found');
    const visitor = await FakePeer.dial(t, quiet.run.port, content);
    await visitor.closed;
    t.equal(visitor.theirs, undefined, 'nor is anybody let in');
    quiet.stop.abort();
    await quiet.finding;
    t.equal(quiet.teller.wires.length, 0, `nobody is dialled: ${pex ? 'private' : '--no-pex'}`);
  }
});
