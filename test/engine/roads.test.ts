// Every road to a peer, through the engine: trackers, peer exchange, web seeds; and what a private torrent leaves out.

import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import bencode from 'bencode';
import t, { type Test } from 'tap';
import { toHex } from '../../src/torrent/ids.js';
import type { HostPort } from '../../src/torrent/metainfo-types.js';
import { type Content, contentOf } from '../support/content.js';
import { EngineRun, folder, sameFiles } from '../support/engine-run.js';
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

t.test('seeding what is here', async t => {
  const directory = folder(t);
  const out = join(directory, 'out');
  const write = (bytes: Uint8Array) => {
    for (const { path, offset, length } of CONTENT.metainfo.files) {
      mkdirSync(join(out, ...path, '..'), { recursive: true });
      writeFileSync(join(out, ...path), bytes.subarray(offset, offset + length));
    }
  };
  const goal = { ratio: undefined, timeMs: undefined };

  t.test('nothing', async t => {
    const run = await EngineRun.start(t, directory);
    const added = run.add(CONTENT, 'torrent', { data: 'complete', seed: goal });
    await t.rejects(added.finished, { code: 'VERIFY_FAILED', message: /none of its pieces is there/ });
    t.notOk(existsSync(out), 'and nothing is made');
    await run.engine.close();
  });

  t.test('a part', async t => {
    const damaged = Uint8Array.from(CONTENT.data);
    damaged[0] = ~(damaged[0] ?? 0);
    write(damaged);
    const run = await EngineRun.start(t, directory);
    const refused = run.add(CONTENT, 'torrent', { data: 'complete', seed: goal });
    await t.rejects(refused.finished, { code: 'VERIFY_FAILED', message: /1 of 5 pieces/, hint: /--partial/ });
    const added = run.add(CONTENT, 'torrent', { data: 'partial', seed: goal });
    await run.until('seeding');
    const wire = await FakePeer.dial(t, run.port, CONTENT, { have: [0] });
    const said = await wire.until('extensionHandshake');
    t.equal(said.uploadOnly, true, 'BEP 21');
    await wire.until('bitfield');
    wire.send({ type: 'interested' });
    await wire.until('unchoke');
    wire.send({ type: 'request', index: 1, begin: 0, length: 16_384 });
    const { block } = await wire.until('piece');
    t.ok(block.data && CONTENT.data.subarray(32_768, 49_152).equals(block.data));
    t.notOk(
      wire.received.some(({ type }) => type === 'interested'),
      'we want nothing',
    );
    await added.stop();
    t.ok(readFileSync(join(out, 'content', 'a.bin')).equals(damaged.subarray(0, 100_001)), 'left as it was');
    await run.engine.close();
  });

  t.test('under names that a download would have changed', async t => {
    const names = contentOf({ README: 40_000, readme: 40_001, 'dot.': 3 }, { name: 'names' });
    t.ok(names.metainfo.warnings.length > 0);
    for (const [index, name] of ['README', 'readme', 'dot.'].entries()) {
      const { offset = 0, length = 0 } = names.metainfo.files[index] ?? {};
      mkdirSync(join(out, 'names'), { recursive: true });
      writeFileSync(join(out, 'names', name), names.data.subarray(offset, offset + length));
    }
    const run = await EngineRun.start(t, directory);
    run.add(names, 'torrent', { data: 'complete', seed: goal });
    await run.until('seeding');
    t.same(
      run.named('file').map(({ path }) => path),
      ['README', 'readme', 'dot.'].map(name => join(out, 'names', name)),
    );
    await run.engine.close();
  });

  t.test('for a while, and then it says what came of it', async t => {
    write(CONTENT.data);
    const run = await EngineRun.start(t, directory);
    const once = { ratio: 0, timeMs: undefined };
    await run.add(CONTENT, 'torrent', { data: 'complete', seed: once }).finished;
    t.match(run.named('done'), [{ downloaded: 0, uploaded: 0, ratio: 0 }]);
  });

  t.test('one piece at a time', async t => {
    write(CONTENT.data);
    const run = await EngineRun.start(t, directory);
    run.add(CONTENT, 'torrent', { data: 'complete', seed: goal, superSeed: true });
    await run.until('seeding');
    const wire = await FakePeer.dial(t, run.port, CONTENT, { have: [] });
    const said = await wire.until('extensionHandshake');
    t.equal(said.uploadOnly, undefined, 'a super-seed does not look like a seed');
    await wire.until('haveNone');
    await wire.until('have');
    await run.engine.close();
    t.equal(wire.received.filter(({ type }) => type === 'have').length, 1);
  });

  t.test('all, in a folder that cannot be written to', async t => {
    write(CONTENT.data);
    chmodSync(join(out, 'content'), 0o555);
    const run = await EngineRun.start(t, directory);
    run.add(CONTENT, 'torrent', { data: 'complete', seed: goal });
    t.match(await run.until('seeding'), { magnet: CONTENT.magnet });
    t.same(run.named('done'), [], 'nothing was fetched');
    const wire = await FakePeer.dial(t, run.port, CONTENT, { have: [] });
    await wire.until('haveAll');
    await run.engine.close();
    chmodSync(join(out, 'content'), 0o755);
  });
});
