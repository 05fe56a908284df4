import t from 'tap';
import { PartialPiece } from '../../src/swarm/partial-piece.js';
import { SwarmPeer } from '../../src/swarm/peer.js';
import { Geometry, type Piece } from '../../src/torrent/geometry.js';
import { factsOf } from '../support/draw.js';

const GEOMETRY = new Geometry(1, 1);
const peer = (number: number) => new SwarmPeer(number, factsOf(number), GEOMETRY, { count: 0 }, 0);
const [A, B] = [peer(1), peer(2)];
/** A piece of four blocks of which nobody was asked for any. */
const piece = () => new PartialPiece(7 as Piece, 4, false);
/** Free, asked, missing. */
const counts = ({ free, asked, missing }: PartialPiece) => [free, asked, missing];
const all = () => true;

t.test('free blocks in order', async t => {
  const partial = piece();
  t.same(counts(partial), [4, 0, 4]);
  partial.ask(0);
  partial.ask(2);
  t.same([partial.nextFree(0), partial.nextFree(1), partial.nextFree(2)], [1, 1, 3]);
  partial.ask(3);
  t.equal(partial.nextFree(2), -1);
  t.same(counts(partial), [1, 3, 4]);
});

t.test('a block that two were asked for is free when both are taken back', async t => {
  const partial = piece();
  partial.ask(1);
  partial.ask(1);
  t.same(counts(partial), [3, 2, 4]);
  t.notOk(partial.release(1), 'one is still asked');
  t.ok(partial.release(1));
  t.same(counts(partial), [4, 0, 4]);
  t.notOk(partial.release(1), 'nothing to take back');
  t.same(counts(partial), [4, 0, 4]);
});

t.test('a block that is here cannot become free again', async t => {
  const partial = piece();
  partial.ask(1);
  partial.ask(1);
  t.equal(partial.receive(1, A), 2, 'both were asked');
  t.ok(partial.has(1));
  t.notOk(partial.release(1));
  t.same(counts(partial), [3, 0, 3]);
});

t.test('a block that comes after its request was withdrawn', async t => {
  const partial = piece();
  t.equal(partial.receive(0, A), 0);
  t.same(counts(partial), [3, 0, 3]);
  t.equal(partial.nextFree(0), 1);
});

t.test('everybody who gave a block took part, once', async t => {
  const partial = piece();
  for (const [block, from] of [A, B, A].entries()) partial.receive(block, from);
  t.same(
    partial.contributors.map(({ number }) => number),
    [1, 2],
  );
});

t.test('endgame asks two at most, those first that only one was asked for', async t => {
  const partial = piece();
  for (const block of [0, 0, 1, 2, 3]) partial.ask(block);
  t.equal(
    partial.leastAsked(block => block > 1),
    2,
    'the first of the eligible',
  );
  partial.release(3);
  t.equal(partial.leastAsked(all), 3, 'least asked before first');
  for (const block of [1, 2, 3, 3]) partial.ask(block);
  t.equal(partial.leastAsked(all), -1);
  partial.receive(0, A);
  t.equal(partial.leastAsked(all), -1, 'what is here is not asked for');
});
