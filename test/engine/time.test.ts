// What happens because time passes. The clock jumps; that an engine looks at it within a second is its own promise.

import t, { type Test } from 'tap';
import { LIMITS } from '../../src/torrent/limits.js';
import { contentOf } from '../support/content.js';
import { EngineRun, folder, holdUp, jumpingClock, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import type { FakeWire, Script } from '../support/fake-wire.js';

/** Three pieces of two blocks. */
const CONTENT = contentOf(98_304);

/** Serves blocks only when told to. */
function onDemand(): { script: Script; serve: (blocks: number) => void } {
  const waiting: (() => void)[] = [];
  let allowed = 0;
  const serve = (blocks: number) => {
    allowed += blocks;
    while (allowed > 0 && waiting.length > 0) {
      allowed--;
      waiting.shift()?.();
    }
  };
  return {
    serve,
    script: {
      answer: (_wire, message, honest) => {
        if (message.type === 'request') waiting.push(honest);
        else honest();
        serve(0);
      },
    },
  };
}

/** An engine, and how to let time pass for it. */
async function place(t: Test) {
  const clock = jumpingClock(t);
  const run = await EngineRun.start(t, folder(t));
  const pass = async (ms: number) => {
    const before = run.named('progress').length;
    clock.jump(ms);
    await run.until('progress', () => run.named('progress').length > before);
    // What follows from it comes in the same turn of the loop.
    await new Promise(resolve => setImmediate(resolve));
  };
  return { clock, run, pass };
}

t.test('no metadata in time', async t => {
  const plain = await FakePeer.listen(t, CONTENT, { extended: false });
  const gone = await FakePeer.listen(t, CONTENT);
  await gone.close();
  const { clock, run } = await place(t);
  const peers = [plain.address, gone.address];
  const added = run.add(CONTENT, 'magnet', { peers, metadataTimeoutMs: 300_000, stallTimeoutMs: 600_000 });
  await run.untilPeer('dialled');
  await run.untilPeer('failed', 'connection refused');
  clock.jump(300_000);
  await t.rejects(added.finished, {
    code: 'NO_METADATA',
    message:
      'fetching metadata: no peer gave it within 300 s: no DHT, 2 addresses found, 1 connected, 1 without ut_metadata',
  });
  t.equal(added.completed(), 0);
});

for (const from of ['magnet', 'torrent'] as const) {
  t.test(`no time runs out while the data of a ${from} is being opened`, async t => {
    const { script, serve } = onDemand();
    const peer = await FakePeer.listen(t, CONTENT, script);
    const { clock, run } = await place(t);
    const added = run.add(CONTENT, from, {
      peers: [peer.address],
      metadataTimeoutMs: 60_000,
      stallTimeoutMs: 60_000,
      onEvent: event => {
        if (event.event !== 'metadata') return;
        clock.jump(100_000);
        holdUp();
      },
    });
    await run.until('progress', () => run.named('progress').length === 2);
    serve(6);
    await added.finished;
    sameFiles(t, run.output, CONTENT);
  });
}

t.test('nothing new for too long; what came is kept', async t => {
  const { script, serve } = onDemand();
  const peer = await FakePeer.listen(t, CONTENT, script);
  const { clock, run, pass } = await place(t);
  const added = run.add(CONTENT, 'magnet', { peers: [peer.address], stallTimeoutMs: 30_000 });
  serve(4);
  await run.until('piece', () => run.named('piece').length === 2);
  await pass(19_000);
  // Half a piece is something new.
  serve(1);
  t.equal(peer.served.length, 5);
  await pass(19_000);
  t.same(run.toldOf(peer), ['dialled'], 'and we are still at it');
  clock.jump(30_000);
  await t.rejects(added.finished, { code: 'STALLED', message: 'downloading: nothing new for 30 s' });
  const again = run.add(CONTENT, 'torrent');
  t.match(await run.until('resumed'), { piecesHave: 2, how: 'resume' });
  await again.stop();
});

t.test('not complete in time', async t => {
  const peer = await FakePeer.listen(t, CONTENT, onDemand().script);
  const { clock, run } = await place(t);
  const added = run.add(CONTENT, 'torrent', { peers: [peer.address], timeoutMs: 3_600_000 });
  await (await peer.wire()).until('request');
  clock.jump(3_600_000);
  await t.rejects(added.finished, { code: 'STALLED', message: 'downloading: not complete within 3600 s' });
});

t.test('time to seed; limits of the download count no more', async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const { clock, run, pass } = await place(t);
  const added = run.add(CONTENT, 'torrent', {
    peers: [peer.address],
    timeoutMs: 60_000,
    stallTimeoutMs: 30_000,
    seed: { ratio: 1, timeMs: 120_000 },
  });
  await run.until('seeding');
  let isOver = false;
  void added.finished.then(() => {
    isOver = true;
  });
  await pass(119_000 - 1000);
  t.notOk(isOver);
  clock.jump(2_000);
  await added.finished;
});

t.test('handshakes that take too long', async t => {
  // Enough to be answered, not enough to be known.
  const endless: Script = { greet: wire => wire.sendHandshake(undefined, 50), opened: () => {} };
  const dialled = await FakePeer.listen(t, CONTENT, endless);
  const { clock, run } = await place(t);
  run.add(CONTENT, 'magnet', { peers: [dialled.address] });
  const incoming = await FakePeer.dial(t, run.port, CONTENT, endless);
  for (const wire of [incoming, await dialled.wire()]) await wire.untilTrue(() => wire.theirs !== undefined);
  clock.jump(LIMITS.handshakeTimeoutMs);
  await run.untilPeer('failed', 'handshake-timeout');
  await incoming.closed;
  t.same(run.toldOf(dialled), ['failed handshake-timeout']);
});

t.test(
  'a silent peer: first we say that we are here, then we hang up, and later we dial it again',
  async t => {
    const wires: FakeWire[] = [];
    const peer = await FakePeer.listen(t, CONTENT, {
      answer: (_wire, _message, honest) => {
        if (wires.length > 1) honest();
      },
      opened: wire => {
        wires.push(wire);
        wire.introduce();
      },
    });
    const { clock, run, pass } = await place(t);
    const added = run.add(CONTENT, 'torrent', { peers: [peer.address] });
    const first = await peer.wire();
    await first.until('interested');
    t.equal(first.keepAlives, 0);
    await pass(LIMITS.keepAliveMs);
    await first.untilTrue(() => first.keepAlives > 0);
    clock.jump(LIMITS.idleTimeoutMs - LIMITS.keepAliveMs);
    await run.untilPeer('closed', 'idle-timeout');
    t.equal(first.keepAlives, 1);
    clock.jump(LIMITS.redialMs);
    await added.finished;
    sameFiles(t, run.output, CONTENT);
  },
);
