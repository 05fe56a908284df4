import t from 'tap';
import { Bitfield } from '../../src/torrent/bitfield.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { type DrawnSwarm, swarmOf } from '../support/draw.js';

/** How many hold each piece, as digits. */
const availability = ({ swarm }: DrawnSwarm) =>
  [...swarm.geometry.pieces()].map(piece => swarm.picker.availability.of(piece)).join('');
/** What a peer was told of our interest. */
const interest = (drawn: DrawnSwarm, name: string) => drawn.told(name).filter(type => /nterested/.test(type));
const have = (index: number) => ({ type: 'have', index }) as const;
const dontHave = (index: number) => ({ type: 'dontHave', index }) as const;

t.test('fields and haves add up, and go with their peer', async t => {
  const drawn = swarmOf('we: ....', 'A: ##..', 'B: .##.');
  t.equal(availability(drawn), '1210');
  drawn.says('A', have(3));
  drawn.says('A', have(3));
  t.equal(availability(drawn), '1211', 'said twice, counted once');
  drawn.leaves('A');
  t.equal(availability(drawn), '0110');
});

t.test('seeds are counted apart, whether they say it in a bitfield or in one word', async t => {
  const drawn = swarmOf('we: ....', 'A: ####', 'B: .#..');
  drawn.connect('C');
  drawn.says('C', { type: 'haveAll' });
  t.equal(drawn.swarm.picker.availability.seeds, 2);
  t.equal(availability(drawn), '2322');
  drawn.leaves('C');
  t.equal(availability(drawn), '1211');
});

t.test('who gets the rest by haves is a seed too, and counted piece by piece', async t => {
  const drawn = swarmOf('we: ..', 'A: #.');
  drawn.says('A', have(1));
  t.ok(drawn.peer('A').isSeed);
  t.equal(drawn.swarm.picker.availability.seeds, 0);
  drawn.leaves('A');
  t.equal(availability(drawn), '00');
});

t.test('lt_donthave: a seed is none any more', async t => {
  const drawn = swarmOf('we: ...', 'A: ###', 'B: #..');
  drawn.says('A', dontHave(1));
  t.equal(drawn.swarm.picker.availability.seeds, 0);
  t.equal(availability(drawn), '201');
  drawn.says('A', dontHave(1));
  t.equal(availability(drawn), '201', 'said twice, counted once');
  drawn.leaves('A');
  t.equal(availability(drawn), '100');
});

t.test('lt_donthave: interest goes with the last useful piece', async t => {
  const drawn = swarmOf('we: #..', 'A: ##.');
  drawn.says('A', dontHave(0));
  t.same(interest(drawn, 'A'), ['interested'], 'that one we have');
  drawn.says('A', dontHave(1));
  t.same(interest(drawn, 'A'), ['interested', 'notInterested']);
});

t.test('lt_donthave: nothing more of the piece is asked of the peer', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', 'B: .#', { blocksPerPiece: 64 });
  drawn.exhaust();
  drawn.checked(1, false);
  t.equal(drawn.peer('A').current?.piece, 1, 'A alone is to fetch it again');
  drawn.says('A', dontHave(1));
  const asked = drawn.asked('A').length;
  drawn.gives('A', drawn.awaited('A'));
  t.equal(drawn.asked('A').length, asked);
  drawn.passes(1000);
  t.ok(drawn.awaited('B').length > 0, 'B takes it over');
});

t.test('interested is said once, when there is something useful', async t => {
  const drawn = swarmOf('we: ##..', 'A: #...');
  t.same(interest(drawn, 'A'), []);
  drawn.says('A', have(1));
  t.same(interest(drawn, 'A'), []);
  drawn.says('A', have(2));
  drawn.says('A', have(3));
  t.same(interest(drawn, 'A'), ['interested']);
});

t.test('not interested is said when we have all that the peer has', async t => {
  const drawn = swarmOf('we: #...', 'A: .##.', 'B: ..##');
  drawn.gives('A', drawn.asked('A'));
  drawn.checked(1, true);
  t.same(interest(drawn, 'A'), ['interested']);
  drawn.checked(2, true);
  t.same(interest(drawn, 'A'), ['interested', 'notInterested']);
  t.same(interest(drawn, 'B'), ['interested'], 'B has one more');
});

t.test('a piece is announced to those who lack it, once it is checked', async t => {
  const drawn = swarmOf('we: #..', 'A: .##', 'B: ##.', 'C: #..');
  drawn.gives('A', drawn.asked('A'));
  t.same(drawn.toldOf('C', 'have'), []);
  drawn.checked(1, true);
  const told = ['A', 'B', 'C'].map(name => drawn.toldOf(name, 'have'));
  t.same(told, [[], [], [1]]);
  drawn.checked(2, false);
  t.same(drawn.toldOf('C', 'have'), [1], 'not one that failed');
});

t.test('a second field takes the place of the first', async t => {
  const drawn = swarmOf('we: ....', 'A: ##..');
  drawn.says('A', { type: 'bitfield', bits: drawn.field('..#.').bytes });
  t.equal(availability(drawn), '0010');
  t.equal(drawn.peer('A').useful, 1);
  drawn.says('A', { type: 'haveNone' });
  t.same(interest(drawn, 'A'), ['interested', 'notInterested']);
});

t.test('a field may come again, as aria2 sends it, but not without end', async t => {
  const drawn = swarmOf(`we: ${'.'.repeat(80_000)}`, 'A: #');
  const again = (now: number) => drawn.says('A', { type: 'bitfield', bits: drawn.field('##').bytes }, now);
  for (let count = 0; count < 100; count++) again(0);
  t.equal(drawn.closedFor('A'), undefined);
  for (let count = 0; count < 60; count++) again(10_000);
  t.equal(drawn.closedFor('A'), undefined, 'the more the longer it is here');
  for (let count = 0; count < 40; count++) again(10_000);
  t.equal(drawn.closedFor('A'), 'message-flood');
});

t.test('what is useful of a field', async t => {
  const { picker } = swarmOf('we: ##..', 'A: ....').swarm;
  const field = new Bitfield(4);
  for (const piece of [1, 2, 3]) field.add(piece as Piece);
  t.equal(picker.wants.lackingOf(field), 2);
});
