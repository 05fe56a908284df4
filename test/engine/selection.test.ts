// A selection of the files of a torrent, from an honest peer: what is asked for, told and kept, and what follows.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Select } from '../../src/engine/options.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { contentOf } from '../support/content.js';
import { EngineRun, filesBelow, folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';

/** Pieces of 32 KiB: a is 0 to 1, b 1 to 3, c 3 to 6. */
const CONTENT = contentOf({ a: 50_000, 'sub/b': 50_000, empty: 0, c: 100_000 }, { name: 'T' });
const choose =
  (...files: number[]): Select =>
  () => ({ files, warnings: [] });
const PIECE = 32_768;

for (const from of ['torrent', 'magnet'] as const) {
  t.test(`a file of a ${from}, then the rest`, async t => {
    const directory = folder(t);
    const peer = await FakePeer.listen(t, CONTENT);
    const run = await EngineRun.start(t, directory);
    const first = run.add(CONTENT, from, { peers: [peer.address], select: choose(1) });
    await first.finished;
    t.same(peer.complaints, []);
    t.same(
      [...new Set(peer.served.map(name => Number(name.split('+')[0])))].sort(),
      [1, 2, 3],
      'only its pieces were asked for',
    );
    const files = run.named('metadata')[0]?.files.map(({ index, selected }) => [index, selected]);
    t.same(files, [
      [0, false],
      [1, true],
      [2, false],
      [3, false],
    ]);
    t.match(run.named('file'), [{ index: 1, length: 50_000 }]);
    t.match(run.named('progress').at(-1), { downloaded: 50_000, length: 50_000, etaSeconds: 0 });
    t.match(run.named('done'), [{ files: 1, length: 50_000, downloaded: 3 * PIECE, wasted: 0 }]);
    const path = join(run.output, 'T', 'sub', 'b');
    t.ok(readFileSync(path).equals(CONTENT.data.subarray(50_000, 100_000)));
    t.match(filesBelow(run.output), [/\.rarest-parts$/, 'T/sub/b']);

    const rest = run.add(CONTENT, from, { peers: [peer.address] });
    await rest.finished;
    sameFiles(t, run.output, CONTENT);
    t.match(run.named('resumed'), [{ how: 'resume', piecesHave: 3, bytesHave: 3 * PIECE }]);
    t.match(run.named('done')[1], { files: 4, length: 200_000, downloaded: 200_000 - 3 * PIECE, wasted: 0 });
  });
}

t.test('selected later, from what is here already', async t => {
  const directory = folder(t);
  const peer = await FakePeer.listen(t, CONTENT);
  const run = await EngineRun.start(t, directory);
  await run.add(CONTENT, 'torrent', { peers: [peer.address], select: choose(0, 3) }).finished;
  t.match(run.named('done'), [{ files: 2, length: 150_000, downloaded: 200_000 - PIECE }]);
  await run.add(CONTENT, 'torrent', { select: choose(0) }).finished;
  t.match(run.named('done')[1], { files: 1, length: 50_000, downloaded: 0 }, 'fewer, with nobody there');
  t.ok(existsSync(join(run.output, 'T', 'c')));
});

t.test('empty files alone', async t => {
  const run = await EngineRun.start(t, folder(t));
  await run.add(CONTENT, 'torrent', { select: choose(2) }).finished;
  t.same(filesBelow(run.output), ['T/empty']);
  t.match(run.named('done'), [{ files: 1, length: 0, ratio: 0 }]);
});

t.test('nothing is selected, or an index too many', async t => {
  const run = await EngineRun.start(t, folder(t));
  const select = () => {
    throw new TorrentError('SELECT_EMPTY', 'selecting files of T: none');
  };
  const empty = run.add(CONTENT, 'torrent', { select });
  await t.rejects(empty.finished, { code: 'SELECT_EMPTY' });
  t.notOk(existsSync(run.output));
  const warned = run.add(CONTENT, 'torrent', { select: () => ({ files: [2], warnings: ['not that many'] }) });
  await warned.finished;
  t.match(run.named('warning'), [{ message: 'not that many' }]);
});

t.test('a part that is complete is seeded, to its own ratio', async t => {
  const directory = folder(t);
  const giver = await FakePeer.listen(t, CONTENT);
  const run = await EngineRun.start(t, directory);
  const seed = { ratio: 1, timeMs: undefined };
  const added = run.add(CONTENT, 'torrent', { peers: [giver.address], select: choose(1), seed });
  await run.until('seeding');
  t.equal(added.completed(), 1);
  // a leecher that takes what there is: three pieces are more than the 50,000 bytes that are selected
  const taker = new EngineRun(t, join(directory, 'taker'), {});
  await taker.engine.start();
  const taking = taker.add(CONTENT, 'torrent', {
    peers: [{ host: '127.0.0.1', port: run.port }],
    select: choose(1),
  });
  await taking.finished;
  await added.finished;
  t.match(taker.named('done'), [{ length: 50_000, downloaded: 3 * PIECE }]);
  const [done] = run.named('done');
  t.match(done, { length: 50_000 });
});

t.test('a file that is read as it comes, and kept: no other is made', async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const run = await EngineRun.start(t, folder(t));
  const read: Buffer[] = [];
  const plan = {
    ranges: [{ offset: 50_000, length: 50_000 }],
    files: 1,
    write: async (bytes: Uint8Array) => read.push(Buffer.from(bytes)) > 0,
    end: async () => true,
  };
  const stream = { keep: true, open: () => plan };
  await run.add(CONTENT, 'torrent', { peers: [peer.address], select: choose(1), stream }).finished;
  t.ok(Buffer.concat(read).equals(CONTENT.data.subarray(50_000, 100_000)));
  t.match(filesBelow(run.output), [/\.rarest-parts$/, 'T/sub/b']);
});
