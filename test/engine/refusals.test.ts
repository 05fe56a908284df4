// What is refused, and with which code.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { infoHash } from '../../src/torrent/ids.js';
import { parseMagnet } from '../../src/torrent/magnet.js';
import { type Content, contentOf } from '../support/content.js';
import { EngineRun, filesBelow, folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';

const CONTENT = contentOf(100_001);

t.test('two engines on the same data: LOCKED, until the first one ends', async t => {
  const directory = folder(t);
  const first = await EngineRun.start(t, directory);
  const second = await EngineRun.start(t, directory);
  const holder = first.add(CONTENT, 'torrent');
  const silent = await FakePeer.dial(t, first.port, CONTENT, { answer: () => {} });
  await silent.until('interested');
  await t.rejects(second.add(CONTENT, 'torrent').finished, { code: 'LOCKED' });
  await holder.stop();
  const third = second.add(CONTENT, 'torrent');
  await FakePeer.dial(t, second.port, CONTENT);
  await third.finished;
  sameFiles(t, second.output, CONTENT);
});

t.test('the same torrent twice in one engine: LOCKED', async t => {
  const run = await EngineRun.start(t, folder(t));
  const added = run.add(CONTENT, 'magnet');
  t.throws(() => run.add(CONTENT, 'torrent'), { code: 'LOCKED' });
  await added.stop();
  await run.add(CONTENT, 'magnet').stop();
  t.pass('and again once it has ended');
});

t.test('a file in the way: EXISTS, and it is left alone', async t => {
  for (const foreign of ['x'.repeat(100_001), 'x'.repeat(100_002), 'short']) {
    const directory = folder(t, { out: { content: foreign } });
    const run = await EngineRun.start(t, directory);
    await t.rejects(run.add(CONTENT, 'torrent').finished, { code: 'EXISTS' });
    t.equal(readFileSync(join(directory, 'out', 'content'), 'utf8'), foreign);
    t.same(filesBelow(join(directory, 'state', 'locks')), []);
    t.same(run.named('done'), []);
  }
});

t.test('--force overwrites it', async t => {
  const run = await EngineRun.start(t, folder(t, { out: { content: 'x'.repeat(100_002) } }));
  const peer = await FakePeer.listen(t, CONTENT);
  await run.add(CONTENT, 'torrent', { force: true, peers: [peer.address] }).finished;
  sameFiles(t, run.output, CONTENT);
});

t.test('--recheck and --trust reach the storage', async t => {
  const directory = folder(t, { out: {} });
  const damaged = Buffer.from(CONTENT.data).fill(0, 99_000);
  writeFileSync(join(directory, 'out', 'content'), damaged);
  const run = await EngineRun.start(t, directory);
  await run.add(CONTENT, 'torrent', { trust: true }).finished;
  t.match(run.named('resumed'), [{ piecesHave: 4, how: 'resume' }]);
  const peer = await FakePeer.listen(t, CONTENT);
  await run.add(CONTENT, 'torrent', { recheck: true, peers: [peer.address] }).finished;
  t.match(run.named('resumed')[1], { piecesHave: 3, bytesHave: 98_304, how: 'recheck' });
  sameFiles(t, run.output, CONTENT);
  t.equal(peer.served.length, 1);
});

t.test('an output directory that cannot be made: DISK_IO', async t => {
  const directory = folder(t, { file: '' });
  const run = await EngineRun.start(t, directory);
  const output = join(directory, 'file', 'below');
  await t.rejects(run.add(CONTENT, 'torrent', { output }).finished, { code: 'DISK_IO' });
});

t.test('a port that is taken: NETWORK', async t => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '::', resolve));
  t.teardown(() => server.close());
  const bound = server.address();
  const port = typeof bound === 'object' ? bound?.port : undefined;
  for (const dht of [true, false]) {
    const run = new EngineRun(t, folder(t), { port, dht });
    await t.rejects(run.engine.start(), {
      code: 'NETWORK',
      message: `listening on port ${port}: address in use`,
    });
    t.same(run.events, []);
    await run.engine.close();
  }
});

t.test('a v2-only link: UNSUPPORTED', async t => {
  const run = await EngineRun.start(t, folder(t));
  const magnet = parseMagnet(`magnet:?xt=urn:btmh:1220${'1'.repeat(64)}`);
  const content = { ...CONTENT, magnet: `magnet:?xt=urn:btmh:1220${'1'.repeat(64)}` };
  t.equal(magnet.infoHash, undefined);
  t.throws(() => run.add(content, 'magnet'), { code: 'UNSUPPORTED' });
});

t.test('metadata with the right hash that is no torrent: BAD_SOURCE', async t => {
  const infoBytes = Buffer.from('d4:name7:content12:piece lengthi0e6:pieces0:e');
  const hash = infoHash(createHash('sha1').update(infoBytes).digest());
  if (!hash) throw new RangeError('unreachable');
  const content: Content = {
    ...CONTENT,
    magnet: `magnet:?xt=urn:btih:${Buffer.from(hash).toString('hex')}`,
    metainfo: { ...CONTENT.metainfo, infoBytes, infoHash: hash },
  };
  const peer = await FakePeer.listen(t, content);
  const directory = folder(t);
  const run = await EngineRun.start(t, directory);
  await t.rejects(run.add(content, 'magnet', { peers: [peer.address] }).finished, { code: 'BAD_SOURCE' });
  t.same(filesBelow(directory), [], 'nothing is kept of it');
});

t.test('a folder in the way of a file: EXISTS', async t => {
  const directory = folder(t, { out: {} });
  mkdirSync(join(directory, 'out', 'content'));
  const run = await EngineRun.start(t, directory);
  await t.rejects(run.add(CONTENT, 'torrent').finished, { code: 'EXISTS' });
});
