import t from 'tap';
import { Geometry } from '../../src/torrent/geometry.js';
import { BLOCK_LENGTH } from '../../src/torrent/limits.js';
import { type Drawing, type DrawnSwarm, swarmOf } from '../support/draw.js';
import { World } from '../support/virtual-swarm.js';

const SUPER: Drawing = { settings: { superSeed: true } };
const SEEDS = [1, 2, 3, 4, 5];
const KB = 1000;
const INTERESTED = { type: 'interested' } as const;
const NOT_INTERESTED = { type: 'notInterested' } as const;
const shown = (drawn: DrawnSwarm, name: string) => drawn.toldOf(name, 'have').map(Number);
const last = (drawn: DrawnSwarm, name: string) => shown(drawn, name).at(-1) ?? -1;
/** The peer fetches a piece of one block, is interested meanwhile only, and says that it has it. */
function fetches(drawn: DrawnSwarm, name: string, now = 0, says = true): number {
  const index = last(drawn, name);
  drawn.says(name, INTERESTED, now);
  drawn.asks(name, `${index}.0`, now);
  drawn.flushes(true, now);
  drawn.says(name, NOT_INTERESTED, now);
  if (says) drawn.says(name, { type: 'have', index }, now);
  return index;
}

t.test('it poses as a peer without pieces', async t => {
  const settings = { superSeed: true, allowedFast: () => [0, 1] };
  const drawn = swarmOf('we: ####', { settings });
  drawn.connect('fast');
  drawn.connect('plain', { fast: false });
  drawn.connect('met before', { greeted: true });
  t.same(drawn.told('fast'), ['haveNone']);
  t.same(drawn.told('plain'), []);
  t.same(drawn.told('met before'), []);
  t.equal(drawn.swarm.uploadOnly, false);
  t.equal(swarmOf('we: ####').swarm.uploadOnly, true);
  drawn.says('fast', INTERESTED);
  t.same(drawn.told('fast'), ['haveNone'], 'and suggests nothing');
});

t.test('only who has everything at the start is one', async t => {
  const drawn = swarmOf('we: ###.', 'A: ...#', 'B: ....', SUPER);
  t.same(drawn.told('B'), ['bitfield']);
  drawn.gives('A', '3.0');
  drawn.checked(3, true);
  drawn.join('C', '....');
  t.same(drawn.told('C'), ['haveAll']);
  t.equal(drawn.swarm.uploadOnly, true);
});

t.test('each peer is shown one piece that it lacks and that nobody else has or was shown', async t => {
  for (const seed of SEEDS) {
    const drawn = swarmOf('we: #####', 'C: .#...', 'A: .....', 'B: .....', { ...SUPER, seed });
    const all = ['A', 'B', 'C'].flatMap(name => shown(drawn, name));
    t.same([all.length, new Set(all).size], [3, 3]);
    t.not(last(drawn, 'C'), 1);
    drawn.join('D', '.....');
    drawn.join('E', '.....');
    t.equal(drawn.told('E').filter(type => type === 'have').length, 0, 'nothing is left that nobody has');
  }
});

t.test('one who says nothing of what it has is shown a piece at the next tick', async t => {
  const drawn = swarmOf('we: ###', SUPER);
  drawn.connect('A', { fast: false });
  t.same(shown(drawn, 'A'), []);
  drawn.passes(1000);
  t.equal(shown(drawn, 'A').length, 1);
});

t.test('only what a peer was shown is given to it', async t => {
  const drawn = swarmOf('we: ####', 'A: ....', 'B: ....', SUPER);
  const [mine, other] = [last(drawn, 'A'), last(drawn, 'B')];
  drawn.says('A', INTERESTED);
  drawn.asks('A', [`${other}.0`, `${mine}.0`]);
  t.same(drawn.served('A'), [`${mine}.0`]);
  t.same(drawn.toldOf('A', 'reject'), [`${other}.0`]);
  t.equal(drawn.closedFor('A'), undefined);
});

t.test('the next piece is shown when another peer has the last one', async t => {
  const drawn = swarmOf('we: ######', 'A: ......', 'B: ......', SUPER);
  const index = fetches(drawn, 'A');
  t.equal(shown(drawn, 'A').length, 1, 'A has it, nobody else');
  drawn.says('B', { type: 'have', index: 0 === index ? 1 : 0 });
  t.equal(shown(drawn, 'A').length, 1, 'B has another one');
  drawn.says('B', { type: 'have', index });
  t.equal(shown(drawn, 'A').length, 2);
  t.equal(shown(drawn, 'B').length, 1, 'B has not passed on its own');
  drawn.asks('A', `${index}.0`);
  t.same(drawn.toldOf('A', 'reject'), [`${index}.0`], 'while choked');
  drawn.says('A', INTERESTED);
  drawn.asks('A', `${index}.0`);
  t.equal(drawn.served('A').length, 2, 'what was shown once stays shown');
});

t.test('who comes with a piece that was shown makes room for the next', async t => {
  const drawn = swarmOf('we: ###', 'A: ...', 'B: ...', SUPER);
  const [first, second] = [last(drawn, 'A'), last(drawn, 'B')];
  drawn.join('C', [0, 1, 2].map(piece => (piece === first ? '#' : '.')).join(''));
  t.same(shown(drawn, 'A'), [first, 3 - first - second]);
  t.same(shown(drawn, 'C'), [], 'nothing is left that nobody has or was shown');
  drawn.leaves('A');
  drawn.passes(1000);
  t.same(shown(drawn, 'C'), [3 - first - second], 'now there is');
});

t.test('who only stops being interested has its piece too, once it was sent all of it', async t => {
  const drawn = swarmOf('we: ####', 'A: ....', 'B: ....', SUPER);
  drawn.says('A', INTERESTED);
  drawn.says('A', NOT_INTERESTED);
  drawn.says('B', { type: 'have', index: last(drawn, 'B') });
  t.same([shown(drawn, 'A').length, shown(drawn, 'B').length], [1, 1], 'A was sent nothing');
  fetches(drawn, 'A', 0, false);
  t.equal(shown(drawn, 'A').length, 1, 'but B has not got it from A');
  drawn.leaves('B');
  drawn.join('C', '....');
  drawn.passes(2000);
  t.equal(shown(drawn, 'A').length, 2, 'nobody asks for anything: no need to wait longer');
});

t.test('a peer alone need not pass on', async t => {
  for (const says of [true, false]) {
    const drawn = swarmOf('we: ####', 'A: ....', SUPER);
    for (let piece = 1; piece <= 4; piece++) {
      t.equal(shown(drawn, 'A').length, piece);
      fetches(drawn, 'A', 0, says);
    }
    t.same(shown(drawn, 'A').sort(), [0, 1, 2, 3]);
  }
});

t.test('who does not pass on waits: long while others fetch, shortly while nobody does', async t => {
  for (const busy of [true, false]) {
    const drawn = swarmOf('we: ########', 'A: ........', 'B: ........', SUPER);
    fetches(drawn, 'A');
    if (busy) {
      drawn.says('B', INTERESTED);
      drawn.asks('B', `${last(drawn, 'B')}.0`);
    }
    drawn.passes(busy ? 59_000 : 1000);
    t.equal(shown(drawn, 'A').length, 1);
    drawn.passes(busy ? 60_000 : 3000);
    t.equal(shown(drawn, 'A').length, 2);
  }
});

t.test('a piece that is not fetched goes to others, and its peer sees another one', async t => {
  const drawn = swarmOf('we: ##', 'A: ..', SUPER);
  const index = last(drawn, 'A');
  drawn.says('A', INTERESTED);
  drawn.join('B', '..');
  drawn.join('C', '..');
  t.same(shown(drawn, 'C'), []);
  drawn.passes(21_000);
  t.equal(shown(drawn, 'A').length, 2, 'unchoked, and silent');
  t.ok(shown(drawn, 'C').includes(index) || shown(drawn, 'B').includes(index));
});

t.test('who waits for its turn keeps its piece', async t => {
  const settings = { superSeed: true, unchokeSlots: 1, optimisticSlots: 0 };
  const drawn = swarmOf('we: ####', 'A: ....', 'B: ....', { settings, blocksPerPiece: 64 });
  drawn.says('A', INTERESTED);
  drawn.says('B', INTERESTED);
  for (let block = 0; block < 50; block++) {
    drawn.asks('A', `${last(drawn, 'A')}.${block}`, block * 1000);
    drawn.flushes(true, block * 1000);
    drawn.passes(block * 1000);
  }
  t.same([shown(drawn, 'A').length, shown(drawn, 'B').length], [1, 1], 'one is slow, one waits');
  t.equal(drawn.closedFor('B'), undefined);
});

t.test('who comes as a seed is turned away, and changes nothing', async t => {
  const drawn = swarmOf('we: ###', 'A: ###', 'B: ...', SUPER);
  t.equal(drawn.closedFor('A'), 'both-seeds');
  t.same(shown(drawn, 'A'), []);
  t.equal(shown(drawn, 'B').length, 1);
});

t.test('once a leecher has become a seed no piece is in need of us, but an idle seed helps', async t => {
  const drawn = swarmOf('we: ###', 'A: ...', SUPER);
  for (let piece = 0; piece < 3; piece++) fetches(drawn, 'A');
  t.equal(drawn.closedFor('A'), 'both-seeds');
  drawn.join('B', '...');
  drawn.passes(1000);
  t.same(shown(drawn, 'B'), []);
  drawn.passes(2000);
  t.equal(shown(drawn, 'B').length, 1);
});

t.test('a piece whose only other holder left or lost it is shown again', async t => {
  for (const how of ['left', 'lost']) {
    const drawn = swarmOf('we: ##', 'A: ..', 'B: ..', SUPER);
    const index = fetches(drawn, 'A');
    if (how === 'left') drawn.leaves('A');
    else drawn.says('A', { type: 'dontHave', index });
    drawn.join('C', '..');
    t.same(shown(drawn, 'C'), [index], how);
  }
});

t.test(
  'twenty leechers and a slow seed: hardly a piece leaves it twice, and all are complete sooner',
  async t => {
    for (const random of [1, 2]) {
      const [normal, superb] = [false, true].map(superSeed => {
        const world = new World(new Geometry(99 * 16 * BLOCK_LENGTH + 12_345, 16 * BLOCK_LENGTH), random);
        const seed = world.add({ uploadBps: 100 * KB, seed: true, superSeed });
        const others = Array.from({ length: 20 }, () => world.add({ uploadBps: 200 * KB }));
        world.connectAll();
        t.ok(
          world.run(() => others.every(({ swarm }) => swarm.complete), 3_600_000),
          'all complete',
        );
        return { copies: seed.givenBytes / world.geometry.length, ms: world.now };
      });
      t.comment(`normal ${JSON.stringify(normal)}, super ${JSON.stringify(superb)}`);
      t.ok(superb && superb.copies < 1.08, `${superb?.copies} copies`);
      t.ok(superb && normal && superb.ms < normal.ms);
    }
  },
);

t.test('few leechers, or leechers slower than the seed: it takes no more copies, and ends', async t => {
  for (const [leechers, fast] of [
    [1, true],
    [2, true],
    [5, false],
  ] as const) {
    const world = new World(new Geometry(39 * 16 * BLOCK_LENGTH + 12_345, 16 * BLOCK_LENGTH), 3);
    const seed = world.add({ uploadBps: 1000 * KB, seed: true, superSeed: true, fast });
    const others = Array.from({ length: leechers }, () => world.add({ uploadBps: 100 * KB, fast }));
    world.connectAll();
    t.ok(
      world.run(() => others.every(({ swarm }) => swarm.complete), 3_600_000),
      `${leechers} complete`,
    );
    t.ok(seed.givenBytes / world.geometry.length < 2);
    t.equal(seed.closed.filter(reason => reason !== 'both-seeds').length, 0);
  }
});
