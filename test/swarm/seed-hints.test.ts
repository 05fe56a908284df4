import t from 'tap';
import { type DrawnSwarm, swarmOf } from '../support/draw.js';

const INTERESTED = { type: 'interested' } as const;
const NOT_INTERESTED = { type: 'notInterested' } as const;
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
/** Blocks `from` to `to` of a piece. */
const blocks = (piece: number, from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => `${piece}.${from + at}`);
const suggested = (drawn: DrawnSwarm, name: string) => drawn.toldOf(name, 'suggest').map(Number);
const granted = (drawn: DrawnSwarm, name: string) => drawn.toldOf(name, 'allowedFast');
const refused = (drawn: DrawnSwarm, name: string) => drawn.toldOf(name, 'reject');
/** The peer takes a piece and says that it has it. */
function takes(drawn: DrawnSwarm, name: string, piece: number, blocksPerPiece = 1): void {
  drawn.asks(name, blocks(piece, 0, blocksPerPiece));
  drawn.flushes();
  drawn.says(name, { type: 'have', index: piece });
}

t.test('each peer is suggested other pieces', async t => {
  for (const seed of SEEDS) {
    const drawn = swarmOf('we: ######', 'A: ......', 'B: ......', 'C: ......', { seed });
    const told = ['A', 'B', 'C'].flatMap(name => {
      drawn.says(name, INTERESTED);
      return suggested(drawn, name);
    });
    t.same(told.sort(), [0, 1, 2, 3, 4, 5]);
  }
});

t.test('suggested is what the peer lacks', async t => {
  const drawn = swarmOf('we: ####', 'A: .##.');
  drawn.says('A', INTERESTED);
  t.same(suggested(drawn, 'A').sort(), [0, 3]);
});

t.test('only a seed suggests, and only to those with the fast extension', async t => {
  for (const [we, fast] of [
    ['we: ###.', true],
    ['we: ####', false],
  ] as const) {
    const drawn = swarmOf(we, 'A: ....', { fast });
    drawn.says('A', INTERESTED);
    drawn.asks('A', '0.0');
    t.same([drawn.served('A'), suggested(drawn, 'A')], [['0.0'], []]);
  }
});

t.test('who completes the torrent suggests from then on', async t => {
  const drawn = swarmOf('we: ###.', 'A: ...#', 'B: ....');
  drawn.says('B', INTERESTED);
  drawn.gives('A', '3.0');
  drawn.checked(3, true);
  drawn.asks('B', '0.0');
  t.equal(suggested(drawn, 'B').length, 2);
});

t.test('two suggestions are open at a time: one that is taken up makes room for another', async t => {
  const drawn = swarmOf('we: ########', 'A: ........', { blocksPerPiece: 2 });
  drawn.says('A', INTERESTED);
  const [first = 0, second = 0] = suggested(drawn, 'A');
  drawn.asks('A', blocks(first, 0, 2));
  t.equal(suggested(drawn, 'A').length, 3);
  const other = [0, 1, 2, 3].find(piece => !suggested(drawn, 'A').includes(piece)) ?? 0;
  drawn.asks('A', `${other}.0`);
  t.equal(suggested(drawn, 'A').length, 3, 'one of its own choice does not');
  drawn.asks('A', `${second}.0`);
  t.equal(new Set(suggested(drawn, 'A')).size, 4, 'each once');
});

t.test('a suggestion that the peer got elsewhere is replaced, by another piece', async t => {
  for (const seed of SEEDS) {
    const drawn = swarmOf('we: ###', 'A: ...', { seed });
    drawn.says('A', INTERESTED);
    for (const index of suggested(drawn, 'A')) drawn.says('A', { type: 'have', index });
    t.same(suggested(drawn, 'A').sort(), [0, 1, 2]);
  }
});

t.test('while choked nothing is suggested', async t => {
  const drawn = swarmOf('we: ####', 'A: ....');
  drawn.says('A', INTERESTED);
  drawn.says('A', NOT_INTERESTED);
  for (const index of suggested(drawn, 'A')) drawn.says('A', { type: 'have', index });
  t.equal(suggested(drawn, 'A').length, 2);
  drawn.says('A', INTERESTED);
  t.equal(suggested(drawn, 'A').length, 4, 'but in its next turn');
});

t.test('pieces that were given come after those that were not', async t => {
  const drawn = swarmOf('we: ####', 'A: ....', 'B: ....');
  drawn.says('A', INTERESTED);
  const taken = suggested(drawn, 'A');
  for (const piece of taken) takes(drawn, 'A', piece);
  drawn.leaves('A');
  drawn.says('B', INTERESTED);
  t.notOk(suggested(drawn, 'B').some(piece => taken.includes(piece)));
});

t.test('what was promised to a peer that left is as good as never given', async t => {
  for (const seed of SEEDS) {
    const drawn = swarmOf('we: ####', 'A: ....', 'B: ....', 'C: ....', { seed });
    drawn.says('A', INTERESTED);
    drawn.leaves('A');
    drawn.says('B', INTERESTED);
    drawn.says('C', INTERESTED);
    const told = [...suggested(drawn, 'B'), ...suggested(drawn, 'C')];
    t.same(told.sort(), [0, 1, 2, 3]);
  }
});

t.test('a piece that was begun may be finished after the turn, each byte once', async t => {
  const drawn = swarmOf('we: ###', 'A: ...', { blocksPerPiece: 8 });
  drawn.says('A', INTERESTED);
  drawn.asks('A', blocks(0, 0, 3));
  t.same(granted(drawn, 'A'), [], 'not during the turn');
  drawn.says('A', NOT_INTERESTED);
  t.same(granted(drawn, 'A'), [0]);
  drawn.asks('A', [...blocks(0, 3, 8), '0.0', '1.0']);
  drawn.flushes();
  drawn.flushes();
  t.same(drawn.served('A'), blocks(0, 0, 8));
  t.same(refused(drawn, 'A'), ['0.0', '1.0']);
});

t.test('a piece all of whose blocks were asked for counts as begun while some wait', async t => {
  const drawn = swarmOf('we: ###', 'A: ...', { blocksPerPiece: 8 });
  drawn.says('A', INTERESTED);
  drawn.asks('A', [...blocks(0, 0, 8), ...blocks(1, 0, 8)]);
  drawn.says('A', NOT_INTERESTED);
  t.same(granted(drawn, 'A'), [0], 'nothing of piece 1 was given');
  t.same(refused(drawn, 'A'), blocks(1, 0, 8));
  drawn.flushes();
  t.same(drawn.served('A'), blocks(0, 0, 8));
});

t.test('nothing is granted for what was never asked for, is complete, or came from others', async t => {
  const drawn = swarmOf('we: ###', 'A: ...', { blocksPerPiece: 2 });
  drawn.says('A', INTERESTED);
  takes(drawn, 'A', 0, 2);
  drawn.asks('A', '1.0');
  drawn.says('A', { type: 'have', index: 1 });
  drawn.says('A', NOT_INTERESTED);
  t.same(granted(drawn, 'A'), []);
});

t.test('begin many pieces and be choked: the last two are free, the rest of them and no more', async t => {
  const drawn = swarmOf('we: ########', 'A: ........', { blocksPerPiece: 4 });
  let free = 0;
  for (let turn = 0; turn < 10; turn++) {
    drawn.says('A', INTERESTED);
    for (let piece = 0; piece < 8; piece++) drawn.asks('A', `${piece}.0`);
    for (let i = 0; i < 8; i++) drawn.flushes();
    drawn.says('A', NOT_INTERESTED);
    const before = drawn.served('A').length;
    for (let piece = 0; piece < 8; piece++) drawn.asks('A', [...blocks(piece, 0, 4), ...blocks(piece, 0, 4)]);
    for (let i = 0; i < 64; i++) drawn.flushes();
    free = Math.max(free, drawn.served('A').length - before);
  }
  t.equal(free, 2 * 3);
  t.equal(new Set(granted(drawn, 'A').slice(-2)).size, 2);
});

t.test('a grant that was not used ends with the next turn', async t => {
  const drawn = swarmOf('we: ####', 'A: ....', { blocksPerPiece: 4 });
  for (const pieces of [
    [0, 1],
    [2, 3],
  ]) {
    drawn.says('A', INTERESTED);
    drawn.asks(
      'A',
      pieces.map(piece => `${piece}.0`),
    );
    drawn.flushes();
    drawn.says('A', NOT_INTERESTED);
  }
  drawn.asks('A', ['0.1', '1.1', '2.1', '3.1']);
  t.same(refused(drawn, 'A'), ['0.1', '1.1']);
});

t.test('without fast a turn ends without grants', async t => {
  const drawn = swarmOf('we: ###', 'A: ...', { blocksPerPiece: 8, fast: false });
  drawn.says('A', INTERESTED);
  drawn.asks('A', '0.0');
  drawn.says('A', NOT_INTERESTED);
  drawn.asks('A', '0.1');
  t.same([granted(drawn, 'A'), drawn.served('A')], [[], ['0.0']]);
});
