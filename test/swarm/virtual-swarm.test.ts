// Whole swarms on a virtual clock: what follows from the picker, the choker and the rest together.

import t from 'tap';
import { Geometry } from '../../src/torrent/geometry.js';
import { BLOCK_LENGTH } from '../../src/torrent/limits.js';
import { type VirtualPeer, World } from '../support/virtual-swarm.js';

const KB = 1000;
const HOUR_MS = 3_600_000;

/** A torrent of so many pieces of 16 blocks, the last one short. */
function geometryOf(pieces: number): Geometry {
  return new Geometry((pieces - 1) * 16 * BLOCK_LENGTH + 12_345, 16 * BLOCK_LENGTH);
}

/** One seed and so many leechers, everybody knows everybody. */
function crowd(
  world: World,
  leechers: number,
  seedBps: number,
  leecherBps: number,
): { seed: VirtualPeer; others: VirtualPeer[] } {
  const seed = world.add({ uploadBps: seedBps, seed: true });
  const others = Array.from({ length: leechers }, () => world.add({ uploadBps: leecherBps }));
  world.connectAll();
  return { seed, others };
}

const complete = (peers: readonly VirtualPeer[]) => peers.every(({ swarm }) => swarm.complete);

for (const fast of [true, false]) {
  t.test(
    `two swarms ${fast ? 'with' : 'without'} the fast extension: one gives, the other gets all of it`,
    async t => {
      const world = new World(geometryOf(20), 1);
      const seed = world.add({ uploadBps: 1000 * KB, seed: true, fast });
      const leecher = world.add({ uploadBps: 100 * KB, fast });
      world.connect(seed, leecher);
      t.ok(world.run(() => leecher.swarm.complete, HOUR_MS));
      t.equal(seed.givenBytes, world.geometry.length, 'nothing twice');
      t.equal(leecher.swarm.downloads.wastedBytes, 0);
      t.same([...seed.closed, ...leecher.closed], ['both-seeds']);
    },
  );
}

t.test('the same seed gives the same event log, another one another', async t => {
  const logOf = (seed: number) => {
    const world = new World(geometryOf(30), seed);
    const { others } = crowd(world, 6, 500 * KB, 200 * KB);
    t.ok(world.run(() => complete(others), HOUR_MS));
    return world.log.digest('hex');
  };
  const first = logOf(7);
  t.equal(logOf(7), first);
  t.not(logOf(8), first);
});

t.test('twenty leechers and a slow seed: it gives each piece hardly more than once', async t => {
  for (const random of [1, 2, 3]) {
    const world = new World(geometryOf(100), random);
    const { seed, others } = crowd(world, 20, 100 * KB, 200 * KB);
    t.ok(
      world.run(() => complete(others), HOUR_MS),
      'all complete',
    );
    const copies = seed.givenBytes / world.geometry.length;
    t.comment(`seed gave ${copies.toFixed(3)} copies, last complete after ${world.now / 1000} s`);
    t.ok(copies < 1.2, `${copies} copies`);
    const waste = others.reduce((sum, { swarm }) => sum + swarm.downloads.wastedBytes, 0);
    t.ok(waste < 0.01 * 20 * world.geometry.length, `${waste} bytes wasted`);
  }
});

t.test('the seed leaves as soon as the leechers together hold every piece: all complete', async t => {
  const world = new World(geometryOf(60), 4);
  const { seed, others } = crowd(world, 5, 200 * KB, 100 * KB);
  const together = () =>
    [...world.geometry.pieces()].every(piece =>
      others.some(({ swarm }) => swarm.picker.wants.have.has(piece)),
    );
  t.ok(world.run(together, HOUR_MS));
  t.notOk(complete(others), 'not everybody has everything yet');
  seed.leave();
  t.ok(world.run(() => complete(others), HOUR_MS));
});

t.test('those who give more get more', async t => {
  const world = new World(geometryOf(200), 5);
  const seed = world.add({ uploadBps: 400 * KB, seed: true });
  const slow = Array.from({ length: 8 }, () => world.add({ uploadBps: 20 * KB }));
  const fast = Array.from({ length: 8 }, () => world.add({ uploadBps: 200 * KB }));
  world.connectAll();
  t.ok(world.run(() => complete(fast), HOUR_MS));
  const lag = slow.filter(({ swarm }) => !swarm.complete).length;
  t.ok(lag >= 7, `${lag} of the 8 slow ones are still downloading`);
  t.ok(
    world.run(() => complete(slow), 4 * HOUR_MS),
    'but nobody starves',
  );
  t.ok(seed.givenBytes > 0);
});

t.test('a peer that goes silent costs no more than the time to notice', async t => {
  const world = new World(geometryOf(10), 6);
  const dead = world.add({ uploadBps: 0.001, seed: true });
  const alive = world.add({ uploadBps: 500 * KB, seed: true });
  const leecher = world.add({ uploadBps: 100 * KB });
  world.connect(dead, leecher);
  world.run(() => world.now >= 2000, 2001);
  world.connect(alive, leecher);
  t.ok(
    world.run(() => leecher.swarm.complete, 60_000),
    `${leecher.swarm.picker.wants.have.count} pieces`,
  );
});
