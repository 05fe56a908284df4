import t from 'tap';
import { Availability } from '../../src/swarm/availability.js';
import { SwarmPeer } from '../../src/swarm/peer.js';
import { PieceChooser } from '../../src/swarm/piece-chooser.js';
import { Bitfield } from '../../src/torrent/bitfield.js';
import { Geometry, type Piece } from '../../src/torrent/geometry.js';
import { factsOf } from '../support/draw.js';
import { seeded } from '../support/random.js';

/** Pieces held, enough for the first ones to be over. */
const PLENTY = 100;
const SEEDS = Array.from({ length: 30 }, (_, seed) => seed);

/**
 * A peer with the pieces marked `#` chooses among those that are missing. In `holders` the digit of a piece says how
 * many hold it, and `-` that it is not missing.
 */
function bench(holders: string, held: string, options: { seed?: number; sequential?: boolean } = {}) {
  const geometry = new Geometry(holders.length, 1);
  const missing = new Bitfield(holders.length);
  const random = seeded(options.seed ?? 1);
  const availability = new Availability(holders.length, random);
  const peer = new SwarmPeer(1, factsOf(1), geometry, { count: 0 }, 0);
  for (const piece of geometry.pieces()) {
    if (held[piece] === '#') peer.have.add(piece);
    if (held[piece] === '#' && holders[piece] !== '-') peer.useful++;
    if (holders[piece] === '-') availability.remove(piece);
    else missing.add(piece);
    for (let i = 0; i < Number(holders[piece]); i++) availability.gained(piece);
  }
  const chooser = new PieceChooser(geometry, missing, availability, options.sequential ?? false, random);
  return { peer, choose: (had = PLENTY) => chooser.choose(peer, had) };
}

/** What is chosen under many seeds. */
const chosen = (holders: string, held: string, had = PLENTY, prepare = (_: SwarmPeer) => {}) =>
  new Set(
    SEEDS.map(seed => {
      const { peer, choose } = bench(holders, held, { seed });
      prepare(peer);
      return choose(had);
    }),
  );
const suggesting =
  (...pieces: number[]) =>
  (peer: SwarmPeer) =>
    void peer.suggested.push(...(pieces as Piece[]));

t.test('the rarest that the peer has, at random among equals', async t => {
  t.same(chosen('1223', '.###'), new Set([1, 2]));
  t.same(chosen('1223', '####'), new Set([0]));
});

t.test('what is not missing is not chosen', async t => {
  t.same(chosen('2-3', '###'), new Set([0]));
  t.same(chosen('---', '###'), new Set([undefined]));
  t.same(chosen('22-', '..#'), new Set([undefined]));
});

t.test('the first four pieces are random', async t => {
  t.same(chosen('1234', '####', 3), new Set([0, 1, 2, 3]));
  t.same(chosen('1234', '####', 4), new Set([0]));
});

t.test('sequential: the lowest', async t => {
  t.equal(bench('-321', '####', { sequential: true }).choose(0), 1);
  t.equal(bench('-321', '#..#', { sequential: true }).choose(0), 3);
});

t.test('few of very many: the rarest of them, at random among equals', async t => {
  const rest = '1'.repeat(200);
  t.same(chosen(`233${rest}`, `###${'.'.repeat(200)}`), new Set([0]));
  t.same(chosen(`322${rest}`, `###${'.'.repeat(200)}`), new Set([1, 2]));
});

t.test('a suggested piece goes first if it is as rare as any', async t => {
  t.same(chosen('1123', '####', PLENTY, suggesting(1)), new Set([1]));
  t.same(chosen('1123', '####', PLENTY, suggesting(2)), new Set([0, 1]), 'not a commoner one');
  t.same(chosen('-122', '.###', PLENTY, suggesting(0, 1)), new Set([1]), 'not one that we have');
  t.same(chosen('1122', '.###', PLENTY, suggesting(0)), new Set([1]), 'nor one that the peer lacks');
});

t.test('suggestions are taken up oldest first, each once', async t => {
  const { peer, choose } = bench('111111', '######');
  suggesting(4, 2)(peer);
  t.same([choose(), choose(), peer.suggested], [4, 2, []]);
});
