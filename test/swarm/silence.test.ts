// What follows when a peer that was asked says nothing: downloads.ts and swarm-choker.ts together, on a virtual clock.

import t from 'tap';
import { LIMITS } from '../../src/torrent/limits.js';
import { type Drawing, swarmOf } from '../support/draw.js';

/** One piece missing, of four blocks: what a new peer is asked for at once. */
const FOUR: Drawing = { blocksPerPiece: 4 };
const PIECE_1 = ['1.0', '1.1', '1.2', '1.3'];
const HAVE_1 = { type: 'have', index: 1 } as const;

t.test('silent for 20 s: all is cancelled, others are asked first, one request remains', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', 'B: ..', FOUR);
  drawn.says('B', HAVE_1, 10_000);
  drawn.passes(19_999);
  t.notOk(drawn.told('A').includes('cancel'));
  drawn.passes(20_000);
  t.same(drawn.toldOf('A', 'cancel'), PIECE_1);
  t.same(drawn.asked('B').sort(), PIECE_1);
  t.equal(drawn.awaited('A').length, 1, 'a second time, for B has been asked for all');
  t.equal(drawn.peer('A').pipeline.target, 1);
  drawn.passes(40_000);
  t.equal(drawn.toldOf('A', 'cancel').length, 4, 'that was all');
});

t.test('silence counts from the unchoke, whatever was asked before', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', FOUR);
  drawn.says('A', { type: 'choke' }, 1000);
  drawn.says('A', { type: 'unchoke' }, 15_000);
  drawn.passes(34_000);
  t.notOk(drawn.peer('A').pipeline.snubbed);
  drawn.passes(35_000);
  t.ok(drawn.peer('A').pipeline.snubbed);
});

t.test('a snubbed peer recovers with its next block', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', { blocksPerPiece: 64 });
  drawn.passes(30_000);
  t.equal(drawn.awaited('A').length, 1);
  drawn.gives('A', drawn.awaited('A'), 30_500);
  t.notOk(drawn.peer('A').pipeline.snubbed);
  t.ok(drawn.awaited('A').length >= LIMITS.pipelineStart);
});

t.test('no silence where nothing was asked', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', 'B: .#', FOUR);
  drawn.gives('A', PIECE_1, 1000);
  drawn.passes(60_000);
  t.notOk(drawn.peer('A').pipeline.snubbed, 'its piece is being checked');
  drawn.checked(1, true, 60_000);
  t.same(drawn.toldOf('A', 'cancel'), []);
});

t.test('one late block goes to others after a minute, though the rest arrives', async t => {
  const drawn = swarmOf('we: ..', 'A: .#', 'B: .#', 'C: #.', { blocksPerPiece: 6, unchoked: false });
  drawn.says('A', { type: 'unchoke' });
  for (let ms = 15_000; ms < 60_000; ms += 15_000) {
    drawn.passes(ms);
    drawn.gives('A', drawn.awaited('A').slice(1, 3), ms);
  }
  drawn.says('B', { type: 'unchoke' }, 59_000);
  t.same([drawn.awaited('A')[0], drawn.asked('B')], ['1.0', []], 'C has what is missing besides');
  drawn.passes(60_000);
  t.same([drawn.toldOf('A', 'cancel'), drawn.asked('B')], [['1.0'], ['1.0']]);
  t.notOk(drawn.peer('A').pipeline.snubbed);
});

t.test('who stays silent is last in line for our slots', async t => {
  const settings = { unchokeSlots: 1, optimisticSlots: 1 };
  const drawn = swarmOf('we: #.', 'A: .#', 'B: ..', 'C: ..', { ...FOUR, settings });
  for (const name of ['A', 'B', 'C']) drawn.says(name, { type: 'interested' });
  drawn.passes(100_000);
  const before = drawn.port.log.length;
  drawn.passes(400_000);
  const turns = drawn.port.log.slice(before).filter(line => line.startsWith('unchoke'));
  t.ok(turns.length >= 9);
  t.notOk(turns.some(line => line.startsWith('unchoke 1')));
});

t.test('who was never asked is not silent', async t => {
  const settings = { unchokeSlots: 1, optimisticSlots: 1 };
  const drawn = swarmOf('we: #.', 'A: .#', 'B: .#', 'C: ..', { ...FOUR, settings, unchoked: false });
  for (const name of ['A', 'B', 'C']) drawn.says(name, { type: 'interested' });
  drawn.says('B', { type: 'unchoke' });
  drawn.gives('B', PIECE_1);
  drawn.says('B', { type: 'choke' });
  drawn.says('A', { type: 'unchoke' });
  drawn.passes(100_000);
  const before = drawn.port.log.length;
  drawn.passes(400_000);
  const turns = drawn.port.log.slice(before).filter(line => line.startsWith('unchoke 1'));
  t.ok(turns.length >= 3, `${turns.length}`);
});
