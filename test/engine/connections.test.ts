// Who is let in: ourselves never, nobody twice, nobody beyond the limits, and nobody too early or too late.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toHex } from '../../src/torrent/ids.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { contentOf } from '../support/content.js';
import { EngineRun, folder, holdUp, nothingOpen, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';

const CONTENT = contentOf(100_001);
const SEED = { seed: { ratio: undefined, timeMs: undefined } };

/** A place where the content is complete already. */
function withData(directory: string, content = CONTENT): string {
  mkdirSync(join(directory, 'out'));
  writeFileSync(join(directory, 'out', content.metainfo.name), content.data);
  return directory;
}

t.test('our own address is recognised', async t => {
  const run = await EngineRun.start(t, folder(t));
  const self = { host: '127.0.0.1', port: run.port };
  run.add(CONTENT, 'magnet', { peers: [self] });
  await run.until('peer', ({ address, why }) => address === `127.0.0.1:${run.port}` && why === 'self');
  t.same(run.toldOf({ address: self }), ['failed self']);
});

t.test('two engines that dial each other keep one connection', async t => {
  const directory = folder(t, { seed: {}, leech: {} });
  const seed = await EngineRun.start(t, withData(join(directory, 'seed')));
  const leech = await EngineRun.start(t, join(directory, 'leech'));
  // Both know both: the address of the other one and their own.
  const peers = [seed.port, leech.port].map(port => ({ host: '127.0.0.1', port }));
  seed.add(CONTENT, 'torrent', { ...SEED, peers });
  const added = leech.add(CONTENT, 'torrent', { peers });
  await added.finished;
  sameFiles(t, leech.output, CONTENT);
  for (const run of [seed, leech]) {
    let open = 0;
    for (const { how } of run.named('peer').filter(({ how }) => how !== 'failed')) {
      open += how === 'dialled' || how === 'incoming' ? 1 : -1;
      t.ok(open <= 1, 'never more than one');
    }
    t.ok(
      run.named('peer').some(({ why }) => why === 'self'),
      'and none to itself',
    );
  }
});

t.test('a peer under two addresses is one peer', async t => {
  const doubles = await Promise.all(
    [0, 1].map(() => FakePeer.listen(t, CONTENT, { id: 'twin-of-mine', answer: () => {} })),
  );
  const run = await EngineRun.start(t, folder(t));
  run.add(CONTENT, 'torrent', { peers: doubles.map(({ address }) => address) });
  await run.untilPeer('failed', 'duplicate');
  t.same(
    doubles.map(double => run.toldOf(double)).sort(),
    [['dialled'], ['failed duplicate']],
    'the first one stays',
  );
});

t.test('a peer that comes to us while we are connected is turned away, and told who we are', async t => {
  const run = await EngineRun.start(t, folder(t));
  run.add(CONTENT, 'torrent');
  const script = { id: 'twin-of-mine', answer: () => {} };
  const first = await FakePeer.dial(t, run.port, CONTENT, script);
  await run.untilPeer('incoming');
  const second = await FakePeer.dial(t, run.port, CONTENT, script);
  await second.closed;
  t.same(second.theirs?.peerId, first.theirs?.peerId);
  t.notOk(first.isClosed);
});

t.test('--max-peers', async t => {
  const run = await EngineRun.start(t, folder(t));
  const added = run.add(CONTENT, 'torrent', { maxPeers: 1 });
  const first = await FakePeer.dial(t, run.port, CONTENT, { answer: () => {} });
  await run.untilPeer('incoming');
  const second = await FakePeer.dial(t, run.port, CONTENT);
  await second.closed;
  await run.untilPeer('failed', 'too-many-peers');
  first.hangUp();
  await run.untilPeer('closed', 'remote-closed');
  await FakePeer.dial(t, run.port, CONTENT);
  await added.finished;
  sameFiles(t, run.output, CONTENT);
});

t.test('--max-connections counts dials and those who come', async t => {
  const run = await EngineRun.start(t, folder(t), { maxConnections: 1 });
  const silent = await Promise.all([0, 1].map(() => FakePeer.listen(t, CONTENT, { answer: () => {} })));
  run.add(CONTENT, 'torrent', { peers: silent.map(({ address }) => address) });
  await run.untilPeer('dialled');
  await run.untilPeer('failed', 'too many connections');
  const incoming = await FakePeer.dial(t, run.port, CONTENT);
  await incoming.closed;
  t.equal(incoming.theirs, undefined);
  t.equal(silent.flatMap(({ wires }) => wires).length, 1);
});

t.test('a peer that asks for a torrent we do not have', async t => {
  const run = await EngineRun.start(t, folder(t));
  run.add(CONTENT, 'torrent');
  const wire = await FakePeer.dial(t, run.port, contentOf(5));
  await wire.closed;
  t.equal(wire.theirs, undefined, 'it is not even told who we are');
  t.same(run.named('peer'), []);
});

t.test('who comes while the data is being checked is heard', async t => {
  const large = contentOf(3_000_000, { pieceLength: 16_384 });
  const damaged = Uint8Array.from(large.data).fill(0, 2_999_999);
  const directory = folder(t);
  mkdirSync(join(directory, 'out'));
  writeFileSync(join(directory, 'out', 'content'), damaged);
  const run = await EngineRun.start(t, directory);
  let wire: Promise<FakePeer['wires'][number]> | undefined;
  const added = run.add(large, 'torrent', {
    onEvent: event => {
      if (event.event !== 'metadata') return;
      // It is let in, and says all it has to say, before the first piece is hashed or after the last.
      wire = FakePeer.dial(t, run.port, large, { fast: false });
    },
  });
  await added.finished;
  sameFiles(t, run.output, large);
  t.same((await wire)?.complaints, []);
  t.equal((await wire)?.served.length, 1, 'the one bad piece');
});

t.test('a torrent that has ended lets nobody in, also not those in the middle of a handshake', async t => {
  const other = contentOf(70_000, { name: 'other', seed: 2 });
  const directory = folder(t);
  const run = await EngineRun.start(t, directory);
  run.add(other, 'torrent');
  const added = run.add(CONTENT, 'torrent');
  const half = await FakePeer.dial(t, run.port, CONTENT, {
    greet: wire => {
      wire.sendHandshake();
      // All but the peer id; the rest would come later.
      wire.socket.pause();
    },
  });
  await FakePeer.dial(t, run.port, CONTENT);
  await added.finished;
  half.socket.resume();
  await half.closed;
  const late = await FakePeer.dial(t, run.port, CONTENT);
  await late.closed;
  t.equal(late.theirs, undefined);
});

t.test('who comes before the metadata is asked for gives it all the same', async t => {
  const directory = folder(t, { state: { metadata: {} } });
  // What an earlier run kept takes a while to be read, and turns out to be damaged.
  const kept = join(directory, 'state', 'metadata', `${toHex(CONTENT.metainfo.infoHash)}.json`);
  writeFileSync(kept, Buffer.alloc(30_000_000, 'x'));
  const run = await EngineRun.start(t, directory);
  const wire = await FakePeer.dial(t, run.port, CONTENT, { greet: () => {} });
  const added = run.add(CONTENT, 'magnet');
  wire.sendHandshake();
  await added.finished;
  sameFiles(t, run.output, CONTENT);
});

t.test('a torrent that is about to end begins nothing new', async t => {
  const run = await EngineRun.start(t, folder(t));
  const first = await FakePeer.listen(t, CONTENT);
  const second = await FakePeer.listen(t, CONTENT);
  const early = await FakePeer.dial(t, run.port, CONTENT, { greet: () => {} });
  const added = run.add(CONTENT, 'torrent', {
    peers: [first.address, second.address],
    maxPeers: 1,
    onEvent: event => {
      if (event.event !== 'peer' || event.how !== 'closed') return;
      // The data is about to be closed. One more comes, and there is room for another to be dialled.
      early.sendHandshake();
      holdUp();
    },
  });
  await added.finished;
  await early.closed;
  t.equal(early.theirs, undefined, 'nobody is let in');
  await run.engine.close();
  const dialled = [first, second].filter(({ wires }) => wires.length > 0);
  t.equal(dialled.length, 1, 'nobody is dialled');
});

t.test('peers that come when others have left', async t => {
  const run = await EngineRun.start(t, folder(t));
  run.add(CONTENT, 'torrent', SEED);
  const none = { have: [] };
  const first = await FakePeer.dial(t, run.port, CONTENT, none);
  await run.untilPeer('incoming');
  first.hangUp();
  await run.untilPeer('closed');
  const others = await Promise.all([0, 1].map(() => FakePeer.dial(t, run.port, CONTENT, none)));
  await run.until('peer', () => run.named('peer').filter(({ how }) => how === 'incoming').length === 3);
  await FakePeer.dial(t, run.port, CONTENT);
  for (const other of others) {
    await other.until('have', ({ index }) => index === 0);
    t.same(other.complaints, [], 'each is told of what we have');
  }
});

t.test('no peer can make us call ourselves without end', async t => {
  // Many small requests for what is in memory are answered one after the other, not one inside the other.
  const content = contentOf(600_000, { pieceLength: 300_000 });
  const run = await EngineRun.start(t, withData(folder(t), content));
  run.add(content, 'torrent', SEED);
  await run.until('seeding');
  const wire = await FakePeer.dial(t, run.port, content, { have: [] });
  await wire.until('extensionHandshake');
  wire.send({ type: 'interested' });
  await wire.until('unchoke');
  wire.socket.cork();
  for (let at = 0; at < 4; at++) wire.send({ type: 'request', index: 0, begin: at * 16_384, length: 16_384 });
  const small = LIMITS.incomingRequests - 100;
  for (let at = 0; at < small; at++) wire.send({ type: 'request', index: 0, begin: at, length: 1 });
  wire.send({ type: 'request', index: 1, begin: 7, length: 13 });
  wire.socket.uncork();
  const { block } = await wire.until('piece', ({ index }) => index === 1);
  t.same(block.data, Uint8Array.from(content.data.subarray(300_007, 300_020)));
  t.equal(wire.received.filter(({ type }) => type === 'piece').length, small + 5, 'each is answered');
});

t.test('an engine that is closed while it starts leaves nothing open', async t => {
  const directory = folder(t);
  // Those of earlier tests are about to be forgotten.
  await nothingOpen(t, directory, []);
  const run = new EngineRun(t, directory, {});
  const started = run.engine.start();
  await run.engine.close();
  await started;
  await nothingOpen(t, directory, []);
  t.throws(() => run.add(CONTENT, 'torrent'), { code: 'INTERNAL' });
});
