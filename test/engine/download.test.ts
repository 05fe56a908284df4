// From a magnet link or a torrent to the bytes on disk, with honest peers.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseTorrent } from '../../src/torrent/metainfo.js';
import { type Content, contentOf } from '../support/content.js';
import { EngineRun, filesBelow, folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';

/** Six pieces of three blocks, the last piece one byte long. */
const CONTENT = contentOf(200_001, { pieceLength: 40_000 });
/** Metadata of three parts. */
const LARGE_INFO = contentOf(50_000, { info: { padding: 'x'.repeat(40_000) } });
const FOLDER = contentOf(
  { 'a/first': 40_000, 'a/empty': 0, 'b/second': 25_537, 'b/c/last': 0 },
  { pieceLength: 32_768 },
);

for (const fast of [true, false]) {
  t.test(`a magnet link, from a peer ${fast ? 'with' : 'without'} the fast extension`, async t => {
    const peer = await FakePeer.listen(t, CONTENT, { fast });
    const run = await EngineRun.start(t, folder(t));
    const added = run.add(CONTENT, 'magnet', { peers: [peer.address] });
    await added.finished;
    sameFiles(t, run.output, CONTENT);
    t.same(peer.complaints, []);
    t.equal(added.completed(), 1);
    const path = join(run.output, 'content');
    t.match(run.named('metadata'), [{ name: 'content', pieces: 6, length: 200_001, from: 'peers' }]);
    t.match(run.named('file'), [{ index: 0, path, length: 200_001 }]);
    t.match(run.named('done'), [{ path, files: 1, downloaded: 200_001, wasted: 0, uploaded: 0, ratio: 0 }]);
    t.equal(run.events.at(-1)?.event, 'done');
    t.same(run.toldOf(peer), ['dialled', 'closed both-seeds']);
    const pieces = run.named('piece').map(({ index }) => index);
    t.same(pieces.sort(), [0, 1, 2, 3, 4, 5], 'each piece is told of once');
    t.match(run.named('progress').at(-1), { downloaded: 200_001, length: 200_001, etaSeconds: 0 });
  });

  t.test(`a torrent, from a peer without extensions, ${fast ? '' : 'not '}fast`, async t => {
    const peer = await FakePeer.listen(t, CONTENT, { fast, extended: false });
    const run = await EngineRun.start(t, folder(t));
    await run.add(CONTENT, 'torrent', { peers: [peer.address] }).finished;
    sameFiles(t, run.output, CONTENT);
    t.same(peer.complaints, []);
    t.match(run.named('metadata'), [{ from: 'torrent' }]);
  });
}

t.test('metadata of several parts; peers met meanwhile serve the blocks', async t => {
  const plain = await FakePeer.listen(t, LARGE_INFO, { fast: false, extended: false });
  const run = await EngineRun.start(t, folder(t));
  const added = run.add(LARGE_INFO, 'magnet', { peers: [plain.address] });
  await run.untilPeer('dialled');
  const giver = await FakePeer.dial(t, run.port, LARGE_INFO, { have: [] });
  await added.finished;
  sameFiles(t, run.output, LARGE_INFO);
  t.same(
    giver.received.filter(({ type }) => type === 'metadataRequest').map(message => message),
    [0, 1, 2].map(piece => ({ type: 'metadataRequest', piece })),
    'each part is asked for once',
  );
  t.equal(plain.served.length, 4, 'what it said while there was no metadata was kept');
  t.same(plain.complaints, []);
  t.same(giver.complaints, []);
});

t.test('--save-torrent keeps the metadata of a magnet link', async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const directory = folder(t);
  const run = await EngineRun.start(t, directory);
  const saveTorrent = join(directory, 'kept.torrent');
  await run.add(CONTENT, 'magnet', { peers: [peer.address], saveTorrent }).finished;
  t.same(parseTorrent(readFileSync(saveTorrent)).infoHash, CONTENT.metainfo.infoHash);
});

t.test('--save-torrent to where nothing can be written', async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const directory = folder(t);
  const run = await EngineRun.start(t, directory);
  const saveTorrent = join(directory, 'missing', 'kept.torrent');
  await t.rejects(run.add(CONTENT, 'magnet', { peers: [peer.address], saveTorrent }).finished, {
    code: 'DISK_IO',
    message: `saving ${saveTorrent}: no such file or directory`,
  });
  t.same(filesBelow(run.output), []);
});

t.test('--save-torrent overwrites nothing but what it would write', async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const directory = folder(t, { 'kept.torrent': 'precious' });
  const run = await EngineRun.start(t, directory);
  const saveTorrent = join(directory, 'kept.torrent');
  const save = (force: boolean) =>
    run.add(CONTENT, 'magnet', { peers: [peer.address], saveTorrent, force }).finished;
  await t.rejects(save(false), { code: 'EXISTS', hint: /--save-torrent FILE writes elsewhere/ });
  t.equal(readFileSync(saveTorrent, 'utf8'), 'precious');
  await save(true);
  t.same(parseTorrent(readFileSync(saveTorrent)).infoHash, CONTENT.metainfo.infoHash);
  await save(false);
});

t.test('a folder with empty files, the last piece one byte long', async t => {
  const peer = await FakePeer.listen(t, FOLDER);
  const run = await EngineRun.start(t, folder(t));
  await run.add(FOLDER, 'torrent', { peers: [peer.address] }).finished;
  sameFiles(t, run.output, FOLDER);
  const files = run.named('file').map(({ index }) => index);
  t.same(files.toSorted(), [0, 1, 2, 3], 'each file is told of once');
  t.same(files.slice(0, 2), [1, 3], 'the empty ones are there at once');
  t.match(run.named('done'), [{ path: join(run.output, 'content'), files: 4, length: 65_537 }]);
});

t.test('a torrent without a byte is complete at once', async t => {
  for (const content of [contentOf(0), contentOf({ a: 0, 'b/c': 0 })]) {
    const run = await EngineRun.start(t, folder(t));
    await run.add(content, 'torrent').finished;
    sameFiles(t, run.output, content);
    t.match(run.named('done'), [{ length: 0, downloaded: 0, ratio: 0 }]);
    t.same(run.named('error'), []);
  }
});

t.test('peers that hold a part each, one of which came to us', async t => {
  const run = await EngineRun.start(t, folder(t));
  const halves = await Promise.all(
    [[0, 1], [2]].map(have => FakePeer.listen(t, CONTENT, { have, fast: false })),
  );
  const added = run.add(CONTENT, 'torrent', { peers: halves.map(({ address }) => address) });
  await run.untilPeer('dialled');
  const incoming = await FakePeer.dial(t, run.port, CONTENT, { have: [3, 4, 5] });
  await added.finished;
  sameFiles(t, run.output, CONTENT);
  for (const { complaints } of [...halves, incoming]) t.same(complaints, [], 'asked for what it has');
});

t.test('pieces that a peer gets only later', async t => {
  const run = await EngineRun.start(t, folder(t));
  const added = run.add(CONTENT, 'torrent');
  const wire = await FakePeer.dial(t, run.port, CONTENT, { have: [], answer: later });
  await wire.until('haveNone');
  for (let index = 0; index < 6; index++) wire.send({ type: 'have', index });
  await added.finished;
  sameFiles(t, run.output, CONTENT);
  t.equal(wire.received.filter(({ type }) => type === 'interested').length, 1, 'interest is said once');

  function later(_wire: unknown, message: { type: string }, honest: () => void) {
    if (message.type !== 'haveNone') honest();
  }
});

t.test('--sequential asks for the lowest piece first', async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const run = await EngineRun.start(t, folder(t));
  await run.add(CONTENT, 'torrent', { peers: [peer.address], sequential: true }).finished;
  const order = [...new Set(peer.served.map(block => Number.parseInt(block, 10)))];
  t.same(order, [0, 1, 2, 3, 4, 5]);
});

t.test('two torrents in one engine', async t => {
  const contents: Content[] = [CONTENT, contentOf(70_000, { name: 'other', seed: 2 })];
  const run = await EngineRun.start(t, folder(t));
  await Promise.all(
    contents.map(async content => {
      const peer = await FakePeer.listen(t, content);
      await run.add(content, 'magnet', { peers: [peer.address] }).finished;
    }),
  );
  t.same(filesBelow(run.output), ['content', 'other']);
  for (const { metainfo, data } of contents) {
    t.ok(readFileSync(join(run.output, metainfo.name)).equals(data), metainfo.name);
  }
});

t.test('a peer given by name', async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const run = await EngineRun.start(t, folder(t));
  await run.add(CONTENT, 'magnet', { peers: [{ host: 'localhost', port: peer.address.port }] }).finished;
  sameFiles(t, run.output, CONTENT);
});

t.test('limits of the rate change the pace, not the bytes', async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const run = await EngineRun.start(t, folder(t), { maxDownloadBps: 1_000_000 });
  const before = performance.now();
  await run.add(CONTENT, 'magnet', { peers: [peer.address] }).finished;
  t.ok(performance.now() - before >= 40, 'not faster: 150 ms of the rate may come in one burst');
  sameFiles(t, run.output, CONTENT);
});
