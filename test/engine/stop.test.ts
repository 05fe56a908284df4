// Stopping in every phase: nothing stays open or locked, and what was verified is not fetched again.

import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { EngineOptions } from '../../src/engine/options.js';
import { type Content, contentOf } from '../support/content.js';
import { EngineRun, filesBelow, folder, nothingOpen, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import type { Script } from '../support/fake-wire.js';

/** Ten pieces of two blocks, in two files. */
const CONTENT = contentOf({ a: 100_000, b: 227_680 });
const SEED = { seed: { ratio: undefined, timeMs: undefined } };

/** Serves the first `blocks` blocks that it is asked for, then nothing more. */
function stingy(blocks: number): Script {
  let left = blocks;
  return {
    answer: (_wire, message, honest) => {
      if (message.type !== 'request' || left-- > 0) honest();
    },
  };
}

/** An engine, and peers that have gone when `over` has ended. */
async function place(t: Test, directory: string, options: Partial<EngineOptions> = {}) {
  await nothingOpen(t, directory, []);
  const run = await EngineRun.start(t, directory, options);
  const over = async (...peers: FakePeer[]) => {
    await run.engine.close();
    await Promise.all(peers.map(peer => peer.close()));
    await nothingOpen(t, directory, []);
    t.same(filesBelow(join(directory, 'state', 'locks')), [], 'no lock is left');
  };
  return { run, over };
}

function withData(directory: string, { metainfo, data }: Content): void {
  for (const { path, offset, length } of metainfo.files) {
    mkdirSync(join(directory, 'out', ...path.slice(0, -1)), { recursive: true });
    writeFileSync(join(directory, 'out', ...path), data.subarray(offset, offset + length));
  }
}

t.test('while the metadata is wanted', async t => {
  const directory = folder(t);
  const peer = await FakePeer.listen(t, CONTENT, { answer: () => {} });
  await peer.close();
  const { run, over } = await place(t, directory);
  const silent = await FakePeer.listen(t, CONTENT, { answer: () => {} });
  const added = run.add(CONTENT, 'magnet', { peers: [silent.address, peer.address] });
  await (await silent.wire()).until('metadataRequest');
  await added.stop();
  await added.finished;
  await (await silent.wire()).closed;
  t.same(run.toldOf(silent), ['dialled', 'closed shutdown']);
  t.same(readdirSync(directory), [], 'there is nothing to remember');
  await over(silent);
});

t.test('while the data is being checked', async t => {
  const large = contentOf(4_000_000, { pieceLength: 16_384 });
  const directory = folder(t);
  withData(directory, large);
  const { run, over } = await place(t, directory);
  const stopped: Promise<void>[] = [];
  const added = run.add(large, 'torrent', {
    onEvent: event => {
      // From here on the data is opened.
      if (event.event === 'metadata') setImmediate(() => stopped.push(added.stop()));
    },
  });
  await added.finished;
  await Promise.all(stopped);
  t.equal(added.completed(), 0);
  await over();
});

t.test('before anything is on disk', async t => {
  const content = contentOf({ empty: 0, full: 1 });
  const directory = folder(t);
  const { run, over } = await place(t, directory);
  const added = run.add(content, 'torrent', {
    onEvent: event => {
      if (event.event === 'metadata') queueMicrotask(() => void added.stop());
    },
  });
  await added.finished;
  t.same(
    run.events.map(({ event }) => event),
    ['listening', 'metadata'],
    'nothing more is told',
  );
  await over();
});

t.test('while it downloads; the same again goes on from there', async t => {
  const directory = folder(t);
  const { run, over } = await place(t, directory);
  const first = await FakePeer.listen(t, CONTENT, stingy(9));
  const added = run.add(CONTENT, 'magnet', { peers: [first.address] });
  await run.until('piece', () => run.named('piece').length >= 3);
  await added.stop();
  await added.finished;
  t.equal(added.completed(), 0);
  t.same(run.named('done'), []);
  const had = run.named('piece').map(({ index }) => index);
  await over(first);

  const again = await place(t, directory);
  const second = await FakePeer.listen(t, CONTENT);
  await again.run.add(CONTENT, 'magnet', { peers: [second.address] }).finished;
  sameFiles(t, again.run.output, CONTENT);
  t.match(again.run.named('metadata'), [{ from: 'cache' }]);
  t.match(again.run.named('resumed'), [{ piecesHave: had.length, how: 'resume' }]);
  t.equal(again.run.named('resumed')[0]?.bytesHave, had.length * 32_768);
  const fetched = new Set(second.served.map(block => Number.parseInt(block, 10)));
  t.same(
    had.filter(index => fetched.has(index)),
    [],
    'no piece is fetched twice',
  );
  t.equal(second.served.length, 20 - 2 * had.length);
  await again.over(second);
});

t.test('while it seeds', async t => {
  const directory = folder(t);
  withData(directory, CONTENT);
  const { run, over } = await place(t, directory);
  rmSync(join(directory, 'out', 'content', 'b'));
  const added = run.add(CONTENT, 'torrent', SEED);
  const giver = await FakePeer.dial(t, run.port, CONTENT);
  await run.until('seeding');
  await giver.closed;
  const journals = filesBelow(join(directory, 'state')).filter(path => path.endsWith('.journal'));
  t.same(journals, [], 'not even a power cut would cost a check now');
  const wire = await FakePeer.dial(t, run.port, CONTENT, { have: [] });
  await wire.until('haveAll');
  await Promise.all([added.stop(), added.stop()]);
  await added.finished;
  await wire.closed;
  await over();
});

t.test('the whole engine at once, twice', async t => {
  const directory = folder(t);
  const { run, over } = await place(t, directory);
  const peer = await FakePeer.listen(t, CONTENT, stingy(3));
  const added = run.add(CONTENT, 'torrent', { peers: [peer.address] });
  await run.until('piece');
  await Promise.all([run.engine.close(), run.engine.close()]);
  await added.finished;
  await over(peer);
});

t.test('an engine that is closed waits for a torrent that is about to end', async t => {
  const directory = folder(t);
  const { run, over } = await place(t, directory);
  const peer = await FakePeer.listen(t, CONTENT, stingy(3));
  let locks: Promise<string[]> | undefined;
  const added = run.add(CONTENT, 'torrent', {
    peers: [peer.address],
    onEvent: event => {
      if (event.event === 'piece') void added.stop();
      if (event.event !== 'peer' || event.why !== 'shutdown') return;
      locks = Promise.resolve()
        .then(() => run.engine.close())
        .then(() => filesBelow(join(directory, 'state', 'locks')));
    },
  });
  await added.finished;
  t.same(await locks, [], 'its data is closed');
  await over(peer);
});

t.test('what is complete needs nobody the next time', async t => {
  const directory = folder(t);
  const { run, over } = await place(t, directory);
  const peer = await FakePeer.listen(t, CONTENT);
  await run.add(CONTENT, 'magnet', { peers: [peer.address] }).finished;
  await over(peer);
  for (const from of ['magnet', 'torrent'] as const) {
    const again = await place(t, directory);
    const added = again.run.add(CONTENT, from, { peers: [peer.address] });
    await added.finished;
    t.equal(added.completed(), 1);
    t.match(again.run.named('resumed'), [{ piecesHave: 10, bytesHave: 327_680, how: 'resume' }]);
    t.match(again.run.named('done'), [{ downloaded: 0, uploaded: 0, wasted: 0 }]);
    t.same(
      again.run.named('file').map(({ index }) => index),
      [0, 1],
    );
    t.same(again.run.named('peer'), [], 'nobody is dialled');
    await again.over();
  }
});

t.test('data that cannot be written ends the download, and all is closed', async t => {
  const directory = folder(t);
  const { run, over } = await place(t, directory);
  const peer = await FakePeer.listen(t, CONTENT);
  const added = run.add(CONTENT, 'torrent', {
    peers: [peer.address],
    onEvent: event => {
      if (event.event !== 'peer' || event.how !== 'dialled') return;
      rmSync(run.output, { recursive: true, force: true });
      writeFileSync(run.output, 'a file where the folder was');
    },
  });
  await t.rejects(added.finished, { code: 'DISK_IO' });
  await over(peer);
});

t.test('data that has gone while it is seeded ends that', async t => {
  const directory = folder(t);
  withData(directory, CONTENT);
  const { run, over } = await place(t, directory);
  const added = run.add(CONTENT, 'torrent', SEED);
  await run.until('seeding');
  truncateSync(join(directory, 'out', 'content', 'b'), 10);
  const wire = await FakePeer.dial(t, run.port, CONTENT, { have: [] });
  await wire.until('haveAll');
  wire.send({ type: 'interested' });
  await wire.until('unchoke');
  wire.send({ type: 'request', index: 9, begin: 0, length: 16_384 });
  await t.rejects(added.finished, {
    code: 'DISK_IO',
    message: `reading ${join(run.output, 'content', 'b')}: the file is gone or shorter than it was`,
  });
  t.notOk(wire.received.some(({ type }) => type === 'piece'));
  await over();
});
