// Who reads a torrent while it comes: what is wanted, in which order it is asked for, and what is let go.

import t from 'tap';
import { Reading, type ReadingOptions } from '../../src/swarm/reading.js';
import { Geometry, type Piece } from '../../src/torrent/geometry.js';
import { type Drawing, type DrawnSwarm, swarmOf } from '../support/draw.js';
import { seeded } from '../support/random.js';
import { World } from '../support/virtual-swarm.js';

const LATE_MS = 2000;

function readingOf(order: readonly number[], options: Partial<ReadingOptions> = {}): Reading {
  return new Reading({
    order: (order as Piece[])[Symbol.iterator](),
    windowPieces: 4,
    nearPieces: 2,
    lateMs: LATE_MS,
    forgets: true,
    ...options,
  });
}

/** A swarm of eight pieces that are read in order; the last argument may say otherwise. */
function readers(rows: readonly string[], options: Partial<ReadingOptions> = {}, drawing: Drawing = {}) {
  const reading = readingOf([0, 1, 2, 3, 4, 5, 6, 7], options);
  const drawn = swarmOf(...rows, { ...drawing, settings: { reading } });
  return { drawn, reading };
}

/** All that is waited for comes, and is right. */
function arrives(drawn: DrawnSwarm, name: string, pieces: readonly number[], now = 0): void {
  for (const piece of pieces) {
    drawn.gives(
      name,
      drawn.awaited(name).filter(block => block.startsWith(`${piece}.`)),
      now,
    );
    drawn.checked(piece, true, now);
  }
}

const piecesAsked = (drawn: DrawnSwarm, name: string) => [
  ...new Set(drawn.asked(name).map(block => Number.parseInt(block, 10))),
];

t.test('a reading: its window moves by one, and twice in the order is read twice', async t => {
  const reading = readingOf([5, 6, 5, 0, 1]);
  t.same(reading.window, [5, 6, 5, 0]);
  t.equal(reading.front, 5);
  t.equal(reading.advance(), 1);
  t.ok(reading.includes(5 as Piece), 'it is read again');
  t.equal(reading.advance(), undefined, 'no other one follows');
  t.same(reading.window, [5, 0, 1]);
  for (let left = 0; left < 3; left++) reading.advance();
  t.equal(reading.front, undefined);
  t.equal(reading.near, 0);
});

t.test('only the window is asked for, what is near in order', async t => {
  const { drawn } = readers(['A: ########']);
  t.same(piecesAsked(drawn, 'A').slice(0, 2), [0, 1]);
  t.same(piecesAsked(drawn, 'A').sort(), [0, 1, 2, 3]);
  arrives(drawn, 'A', [0, 1, 2, 3]);
  t.equal(drawn.asked('A').length, 4, 'a reader that does not read slows the swarm');
  t.notOk(drawn.swarm.complete, 'more is to come');
  drawn.swarm.pieceRead(0);
  t.same(piecesAsked(drawn, 'A').sort(), [0, 1, 2, 3, 4]);
});

t.test('beyond what is near the rarest goes first', async t => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const drawing = { seed, unchoked: false };
    const { drawn } = readers(['A: ########', 'B: ###.####', 'we: ....####'], {}, drawing);
    drawn.says('A', { type: 'unchoke' });
    t.same(piecesAsked(drawn, 'A').slice(0, 3), [0, 1, 3]);
  }
});

t.test('the window is never exceeded, whatever comes in which order', async t => {
  const random = seeded(7);
  const { drawn, reading } = readers(
    ['A: ########', 'B: ##.##.##', 'C: .#######'],
    {},
    { blocksPerPiece: 2 },
  );
  const { have } = drawn.swarm.picker.wants;
  for (let turn = 0; reading.front !== undefined && turn < 1000; turn++) {
    const open = ['A', 'B', 'C'].flatMap(name => drawn.awaited(name).map(block => ({ name, block })));
    for (const { block } of open)
      t.ok(reading.includes(Number.parseInt(block, 10) as Piece), `${block} is in the window`);
    const next = open[Math.floor(random() * open.length)];
    if (next) drawn.gives(next.name, next.block);
    for (const piece of [...reading.window]) {
      const blocks = new Set(
        drawn.port.stored.filter(stored => stored.piece === piece).map(({ begin }) => begin),
      );
      if (blocks.size === 2 && !have.has(piece)) drawn.checked(piece, true);
    }
    while (reading.front !== undefined && have.has(reading.front)) drawn.swarm.pieceRead(0);
  }
  t.equal(reading.front, undefined, 'all was read');
  t.equal(have.count, 8);
  t.notOk(drawn.swarm.complete);
  t.same(drawn.port.closed, [], 'nobody is left as a seed is by a seed');
});

t.test('a near piece that one peer has for itself is helped with by others', async t => {
  const drawing = { blocksPerPiece: 8, unchoked: false };
  const { drawn } = readers(['A: #.......', 'B: #.......'], {}, drawing);
  drawn.says('A', { type: 'unchoke' });
  t.same(drawn.asked('A'), ['0.0', '0.1', '0.2', '0.3']);
  drawn.peer('A').pipeline.snub();
  drawn.says('B', { type: 'unchoke' });
  t.same(drawn.asked('B'), ['0.4', '0.5', '0.6', '0.7']);
});

t.test(
  'the front is asked of a second peer when it is late, or when that has nothing else to give',
  async t => {
    const drawing = { blocksPerPiece: 4, unchoked: false };
    const { drawn } = readers(['A: ########', 'B: ########'], { windowPieces: 8 }, drawing);
    drawn.says('A', { type: 'unchoke' });
    t.same(drawn.asked('A'), ['0.0', '0.1', '0.2', '0.3']);
    drawn.says('B', { type: 'unchoke' });
    t.same(drawn.asked('B'), ['1.0', '1.1', '1.2', '1.3']);
    arrives(drawn, 'B', [1], LATE_MS - 1);
    t.notOk(
      drawn.asked('B').some(block => block.startsWith('0.')),
      'not late yet',
    );
    drawn.gives('B', drawn.awaited('B'), LATE_MS + 1);
    t.ok(
      drawn.asked('B').some(block => block.startsWith('0.')),
      'now it is',
    );

    const { drawn: idle } = readers(['A: ########', 'B: #.......'], {}, drawing);
    idle.says('A', { type: 'unchoke' });
    idle.says('B', { type: 'unchoke' });
    t.same(piecesAsked(idle, 'B'), [0], 'at once');
  },
);

t.test('what is further on is not asked for again, however idle a peer is', async t => {
  const { drawn } = readers(['A: ########', 'B: ########'], {}, { unchoked: false });
  drawn.says('A', { type: 'unchoke' });
  t.same(piecesAsked(drawn, 'A').sort(), [0, 1, 2, 3]);
  drawn.says('B', { type: 'unchoke' });
  t.same(drawn.asked('B'), ['0.0']);
});

t.test('interest: as the window reaches what a peer has, and not lost while it is full', async t => {
  const { drawn } = readers(['A: ########', 'B: .....###']);
  t.same(
    drawn.told('B').filter(type => /nterested/.test(type)),
    [],
  );
  arrives(drawn, 'A', [0, 1, 2, 3]);
  t.notOk(drawn.told('A').includes('notInterested'), 'who is told so chokes us');
  drawn.swarm.pieceRead(0);
  t.same(
    drawn.told('B').filter(type => /nterested/.test(type)),
    [],
  );
  drawn.swarm.pieceRead(0);
  t.same(
    drawn.told('B').filter(type => /nterested/.test(type)),
    ['interested'],
  );
});

t.test('pieces that are here already are not asked for', async t => {
  const { drawn } = readers(['A: ########', 'we: .##.#...'], { forgets: false });
  t.same(piecesAsked(drawn, 'A').sort(), [0, 3]);
  arrives(drawn, 'A', [0, 3]);
  drawn.swarm.pieceRead(0);
  t.same(piecesAsked(drawn, 'A').sort(), [0, 3], '4 is here too');
  drawn.swarm.pieceRead(0);
  t.same(piecesAsked(drawn, 'A').sort(), [0, 3, 5]);
});

t.test('a piece that is let go: dontHave, requests refused, and it can be wanted again', async t => {
  const { drawn } = readers(['A: ##......', 'B: ........'], {
    order: ([0, 1, 0] as Piece[])[Symbol.iterator](),
    windowPieces: 1,
  });
  drawn.says('B', { type: 'extensionHandshake', dontHave: 3 });
  arrives(drawn, 'A', [0]);
  t.same(drawn.toldOf('B', 'have'), [0]);
  drawn.says('B', { type: 'interested' });
  drawn.passes(0);
  drawn.asks('B', '0.0');
  t.same(drawn.served('B'), ['0.0'], 'what is here is given');
  drawn.swarm.pieceRead(0);
  drawn.swarm.pieceDropped(0 as Piece);
  t.same(drawn.toldOf('B', 'dontHave'), [0]);
  t.same(drawn.toldOf('A', 'dontHave'), [], 'A does not know BEP 54');
  drawn.asks('B', '0.0');
  t.same(drawn.toldOf('B', 'reject'), ['0.0']);
  arrives(drawn, 'A', [1]);
  drawn.swarm.pieceRead(0);
  t.same(drawn.awaited('A'), ['0.0'], 'asked for a second time');
});

t.test('requests that wait are refused with the piece', async t => {
  const { drawn } = readers(['A: #.......', 'B: ........'], { windowPieces: 1 }, { blocksPerPiece: 16 });
  for (let turn = 0; turn < 16; turn++) drawn.gives('A', drawn.awaited('A'));
  drawn.checked(0, true);
  drawn.says('B', { type: 'interested' });
  drawn.passes(0);
  drawn.asks(
    'B',
    Array.from({ length: 8 }, (_, block) => `0.${block}`),
  );
  const read = drawn.served('B');
  drawn.swarm.pieceRead(0);
  drawn.swarm.pieceDropped(0 as Piece);
  t.ok(read.length > 0 && read.length < 8);
  t.equal(drawn.toldOf('B', 'reject').length, 8 - read.length);
});

t.test('who could not hear that a piece is gone does not hear of it', async t => {
  const { drawn } = readers(['A: ########', 'B: ........'], {}, { fast: false });
  arrives(drawn, 'A', [0]);
  t.same(drawn.toldOf('B', 'have'), [], 'neither BEP 6 nor BEP 54');
  drawn.says('B', { type: 'extensionHandshake', dontHave: 3 });
  t.same(drawn.toldOf('B', 'have'), [0], 'it knows BEP 54 after all');
  drawn.join('C', '........', { fast: false });
  t.same(drawn.told('C'), [], 'nor who comes later');

  const { drawn: kept } = readers(['A: ########', 'B: ........'], { forgets: false }, { fast: false });
  arrives(kept, 'A', [0]);
  t.same(kept.toldOf('B', 'have'), [0], 'what is on disk stays');
});

t.test('a web seed goes on with what lies together', async t => {
  const { drawn } = readers(
    ['A: ########', 'W: ########'],
    { windowPieces: 8, nearPieces: 4 },
    {
      webSeed: true,
      blocksPerPiece: 4,
      unchoked: false,
    },
  );
  drawn.says('W', { type: 'unchoke' });
  t.same(piecesAsked(drawn, 'W').slice(0, 4), [0, 1, 2, 3]);
});

/** ms that a reader takes with these seeds, and what it received for nothing. 16 MiB in pieces of 256 KiB. */
function readFrom(seedBps: readonly number[], seed = 1): { ms: number; wastedBytes: number } {
  const geometry = new Geometry(2 ** 24, 2 ** 18);
  const world = new World(geometry, seed);
  const reading = readingOf([...geometry.pieces()], { windowPieces: 16, nearPieces: 4 });
  const reader = world.add({ uploadBps: 1, reading });
  for (const uploadBps of seedBps) world.connect(reader, world.add({ uploadBps, seed: true }));
  world.run(() => reader.completedAtMs >= 0, 1e6);
  const { wastedBytes, receivedBytes } = reader.swarm.downloads;
  t.equal(receivedBytes - wastedBytes, geometry.length);
  return { ms: reader.completedAtMs, wastedBytes };
}

t.test('slow peers help and hold nobody up', async t => {
  const alone = readFrom([1_000_000]);
  t.equal(alone.wastedBytes, 0);
  for (const seed of [1, 2, 3]) {
    const together = readFrom([1_000_000, 10_000, 20_000, 5_000], seed);
    t.ok(together.ms < 1.15 * alone.ms, `${together.ms} ms against ${alone.ms}`);
    t.ok(together.wastedBytes < 2 ** 24 / 10, `${together.wastedBytes} bytes for nothing`);
    const equals = readFrom([500_000, 500_000], seed);
    t.ok(equals.ms < 1.15 * alone.ms, `${equals.ms} ms with two that are half as fast`);
    t.ok(equals.wastedBytes < 2 ** 24 / 50, `${equals.wastedBytes} bytes for nothing`);
  }
});
