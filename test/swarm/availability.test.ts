import t from 'tap';
import { Availability } from '../../src/swarm/availability.js';
import { Bitfield } from '../../src/torrent/bitfield.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { seeded } from '../support/random.js';

const order = (availability: Availability) =>
  Array.from({ length: availability.size }, (_, rank) => availability.at(rank) as number);
/** How many hold each pickable piece, rarest first, as digits. */
const bands = (availability: Availability) =>
  order(availability)
    .map(piece => availability.of(piece as Piece))
    .join('');

t.test('a HAVE moves a piece one band up, a loss one band down', async t => {
  const availability = new Availability(4, seeded(1));
  for (const piece of [2, 2, 3]) availability.gained(piece as Piece);
  t.equal(bands(availability), '0012');
  t.equal(availability.at(3), 2);
  availability.lost(2 as Piece);
  t.equal(bands(availability), '0011');
  t.equal(availability.rarest(), 0);
});

t.test('a removed piece keeps its count and comes back in its band', async t => {
  const availability = new Availability(3, seeded(1));
  availability.gained(1 as Piece);
  availability.remove(1 as Piece);
  availability.remove(1 as Piece);
  t.equal(bands(availability), '00');
  availability.gained(1 as Piece);
  availability.insert(1 as Piece);
  availability.insert(1 as Piece);
  t.equal(bands(availability), '002');
});

t.test('seeds count for all pieces and move none', async t => {
  const availability = new Availability(2, seeded(1));
  availability.seeds = 3;
  availability.gained(0 as Piece);
  t.equal(availability.of(0 as Piece), 4);
  t.equal(availability.rarest(), 3);
});

t.test('ties are broken at random, by the seed', async t => {
  const orders = new Set(
    Array.from({ length: 20 }, (_, seed) => order(new Availability(8, seeded(seed))).join()),
  );
  t.ok(orders.size > 15, 'different seeds, different orders');
  t.same(order(new Availability(8, seeded(7))), order(new Availability(8, seeded(7))));
  const first = new Set(
    Array.from({ length: 60 }, (_, seed) => {
      const availability = new Availability(4, seeded(seed));
      for (const piece of [0, 1, 2, 3]) availability.gained(piece as Piece);
      return availability.at(0) as number;
    }),
  );
  t.equal(first.size, 4, 'also among pieces that moved up together');
});

t.test('ten thousand random changes leave the order as a recount would', async t => {
  const random = seeded(42);
  const pieces = 50;
  const availability = new Availability(pieces, random);
  const counts = new Array<number>(pieces).fill(0);
  const pickable = new Set<number>(counts.keys());
  for (let step = 0; step < 10_000; step++) {
    const piece = Math.floor(random() * pieces);
    const what = random();
    if (what < 0.4) {
      availability.gained(piece as Piece);
      counts[piece] = (counts[piece] ?? 0) + 1;
    } else if (what < 0.7 && (counts[piece] ?? 0) > 0) {
      availability.lost(piece as Piece);
      counts[piece] = (counts[piece] ?? 0) - 1;
    } else if (what < 0.85) {
      availability.remove(piece as Piece);
      pickable.delete(piece);
    } else {
      availability.insert(piece as Piece);
      pickable.add(piece);
    }
    const seen = order(availability).map(at => counts[at] ?? -1);
    const expected = [...pickable].map(at => counts[at] ?? -1).sort((a, b) => a - b);
    if (seen.join() !== expected.join()) t.fail(`step ${step}: ${seen} is not ${expected}`);
  }
  t.same(
    order(availability).sort((a, b) => a - b),
    [...pickable].sort((a, b) => a - b),
    'the same pieces',
  );
});

t.test('whole fields come and go', async t => {
  const availability = new Availability(3, seeded(1));
  const field = Bitfield.from(Uint8Array.of(0xa0), 3) as Bitfield;
  availability.gainedAll(field);
  t.equal(bands(availability), '011');
  availability.lostAll(field);
  t.equal(bands(availability), '000');
});
