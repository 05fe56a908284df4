import t from 'tap';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';
import { type Drawing, swarmOf } from '../support/draw.js';

/** One piece missing, of four blocks: what a new peer is asked for at once. */
const FOUR: Drawing = { blocksPerPiece: 4 };
const PIECE_1 = ['1.0', '1.1', '1.2', '1.3'];
const HAVE_1 = { type: 'have', index: 1 } as const;

t.test('a block that was never asked for ends the connection', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', { ...FOUR, unchoked: false });
  drawn.gives('A', '1.0');
  t.equal(drawn.closedFor('A'), 'unrequested-block');
  t.same(drawn.port.stored, []);
});

t.test('so does one that begins or ends elsewhere than was asked for', async t => {
  for (const [begin, length] of [
    [1, BLOCK_LENGTH],
    [0, BLOCK_LENGTH - 1],
    [0, 2 * BLOCK_LENGTH],
    [4 * BLOCK_LENGTH, BLOCK_LENGTH],
  ] as const) {
    const drawn = swarmOf('we: #.', 'A: .#', FOUR);
    drawn.says('A', { type: 'piece', index: 1, begin, block: { length } });
    t.equal(drawn.closedFor('A'), 'unrequested-block', `${length} bytes from ${begin}`);
  }
});

t.test('the last block of a torrent is as short as it is', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', { ...FOUR, lastPieceLength: BLOCK_LENGTH + 5 });
  t.same(
    drawn.port.requests.map(({ length }) => length),
    [BLOCK_LENGTH, 5],
  );
  drawn.gives('A', '1.1');
  t.same(drawn.port.stored, [{ piece: 1, begin: BLOCK_LENGTH, length: 5 }]);
});

t.test('whoever gave all of a wrong piece goes at once', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', 'B: ..', FOUR);
  drawn.gives('A', PIECE_1);
  drawn.checked(1, false);
  t.same([drawn.closedFor('A'), drawn.closedFor('B')], ['hash-failed', undefined]);
  t.equal(drawn.swarm.downloads.wastedBytes, 4 * BLOCK_LENGTH);
});

t.test('who shared wrong pieces is suspected, and goes at the fourth', async t => {
  const drawn = swarmOf('we: ..', 'A: #.', 'B: .#');
  const both = [drawn.peer('A'), drawn.peer('B')];
  for (let failed = 1; failed < 4; failed++) t.same(drawn.swarm.downloads.blame(both, false), []);
  t.same(drawn.swarm.downloads.blame(both, false), both);
});

t.test('good pieces work suspicion off, but earn no credit', async t => {
  const drawn = swarmOf('we: ..', 'A: #.', 'B: .#');
  const both = [drawn.peer('A'), drawn.peer('B')];
  const { downloads } = drawn.swarm;
  for (const ok of [true, true, true, false, false, false, true, true]) downloads.blame(both, ok);
  t.same(downloads.blame(both, false), [], 'four wrong pieces, two points worked off');
  t.same(downloads.blame(both, false), both);
});

t.test('who left before its piece failed takes nobody down that has its number now', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', FOUR);
  drawn.gives('A', PIECE_1);
  drawn.leaves('A');
  drawn.join('A', '.#', FOUR);
  drawn.checked(1, false);
  t.same(drawn.port.closed, []);
  t.same(drawn.awaited('A'), PIECE_1);
});

t.test('nobody can slip a block into a piece that one peer is to answer for', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', 'B: .#', { blocksPerPiece: 8 });
  const [twice = ''] = drawn.asked('B');
  drawn.exhaust();
  drawn.checked(1, false);
  t.ok(drawn.awaited('A').includes(twice), 'A alone fetches it again');
  drawn.gives('B', twice);
  t.notOk(drawn.toldOf('A', 'cancel').includes(twice));
  t.equal(drawn.swarm.downloads.wastedBytes, 9 * BLOCK_LENGTH);
  drawn.exhaust();
  drawn.checked(1, false);
  t.same([drawn.closedFor('A'), drawn.closedFor('B')], ['hash-failed', undefined]);
});

t.test('fast: a choke takes nothing back, a reject frees its block for others at once', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', 'B: ..', FOUR);
  drawn.says('A', { type: 'choke' });
  t.same(drawn.awaited('A'), PIECE_1);
  drawn.says('B', HAVE_1);
  t.equal(drawn.asked('B').length, 1, 'the one that endgame allows');
  drawn.rejects('A', '1.3');
  t.same(drawn.asked('B').slice(1), ['1.3']);
  drawn.gives('A', '1.1');
  t.same(drawn.awaited('A'), ['1.0', '1.2']);
});

t.test('without fast a choke frees all, and others are asked in the same call', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', 'B: ..', { ...FOUR, fast: false });
  drawn.says('B', HAVE_1);
  drawn.says('A', { type: 'choke' });
  t.same(drawn.awaited('A'), []);
  t.same(drawn.asked('B').sort(), PIECE_1);
  t.notOk(drawn.told('A').includes('cancel'), 'it knows');
});

t.test(
  'a late block of a withdrawn request is used while it is needed, then waste, never a fault',
  async t => {
    const drawn = swarmOf('we: #.', 'A: .#', 'B: ..', { ...FOUR, fast: false });
    drawn.says('A', { type: 'choke' });
    drawn.says('B', HAVE_1);
    drawn.gives('A', '1.0');
    t.equal(drawn.port.stored.length, 1);
    t.same(drawn.toldOf('B', 'cancel'), ['1.0']);
    drawn.gives('B', '1.0');
    t.equal(drawn.port.stored.length, 1);
    t.equal(drawn.swarm.downloads.wastedBytes, BLOCK_LENGTH);
    t.same(drawn.port.closed, []);
  },
);

t.test('the same block again and again is no gift that earns a slot', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', FOUR);
  for (let i = 0; i < 10; i++) drawn.gives('A', '1.0');
  t.equal(drawn.closedFor('A'), undefined);
  t.equal(drawn.peer('A').down.totalBytes, BLOCK_LENGTH);
  t.equal(drawn.swarm.downloads.receivedBytes, 10 * BLOCK_LENGTH);
});

t.test('who refuses is asked again after a second, not at once', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', FOUR);
  drawn.passes(0);
  drawn.rejects('A', PIECE_1);
  t.equal(drawn.asked('A').length, 4);
  drawn.passes(1000);
  t.equal(drawn.asked('A').length, 8);
});

t.test('a reject of what is not awaited changes nothing', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', FOUR);
  drawn.rejects('A', '0.0');
  drawn.says('A', { type: 'reject', index: 1, begin: 1, length: 2 });
  t.same(drawn.awaited('A'), PIECE_1);
  t.equal(drawn.closedFor('A'), undefined);
});

t.test('allowed fast: asked for while choked, if the peer has it', async t => {
  const drawn = swarmOf('we: #...', 'A: .##.', { ...FOUR, unchoked: false });
  drawn.says('A', { type: 'allowedFast', index: 3 });
  t.same(drawn.asked('A'), [], 'allowed is not had');
  drawn.says('A', { type: 'allowedFast', index: 1 });
  t.same(drawn.asked('A'), PIECE_1);
  drawn.gives('A', PIECE_1);
  t.same(drawn.asked('A').slice(4), [], 'the other piece is not allowed');
});

t.test('allowed fast: who refuses it all the same is not asked again', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', { ...FOUR, unchoked: false });
  drawn.says('A', { type: 'allowedFast', index: 1 });
  drawn.rejects('A', PIECE_1);
  drawn.passes(5000);
  t.same(drawn.asked('A'), PIECE_1);
});

t.test('allowed fast: a refusal while we are unchoked does not end it', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', FOUR);
  drawn.says('A', { type: 'allowedFast', index: 1 });
  drawn.rejects('A', PIECE_1);
  drawn.says('A', { type: 'choke' });
  drawn.passes(1000);
  t.same(drawn.awaited('A'), PIECE_1);
});

t.test('a choke opens to others what the peer had for itself', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', 'B: .#', { blocksPerPiece: 64 });
  drawn.exhaust();
  drawn.checked(1, false);
  drawn.passes(0);
  t.equal(drawn.peer('A').current?.piece, 1);
  drawn.says('A', { type: 'choke' });
  drawn.gives('A', drawn.awaited('A'));
  t.same(drawn.awaited('B'), []);
  drawn.passes(1000);
  t.ok(drawn.awaited('B').length > 0);
});

t.test('hints are kept up to a limit', async t => {
  const drawn = swarmOf(`we: ${'.'.repeat(200)}`, `A: ${'.'.repeat(200)}`);
  for (let index = 0; index < 200; index++) {
    drawn.says('A', { type: 'suggest', index });
    drawn.says('A', { type: 'allowedFast', index });
    drawn.says('A', { type: 'allowedFast', index });
  }
  const { suggested, allowedFast } = drawn.peer('A');
  t.same([suggested.length, allowedFast.length], [LIMITS.hintedPieces, LIMITS.hintedPieces]);
  t.same([allowedFast[0], allowedFast.at(-1)], [100, 199], 'the latest, each once');
});

t.test('a limit on the download bounds what is outstanding at all together', async t => {
  const drawn = swarmOf('we: ....', 'A: ####', 'B: ####', { ...FOUR, unchoked: false });
  drawn.swarm.downloads.outstandingLimit = 6;
  for (const name of ['A', 'B']) drawn.says(name, { type: 'unchoke' });
  t.same([drawn.asked('A').length, drawn.asked('B').length], [4, 2]);
  drawn.gives('A', drawn.awaited('A')[0] ?? '');
  t.equal(drawn.awaited('A').length + drawn.awaited('B').length, 6);
});

t.test('a peer that leaves hands its blocks to the others in the same call', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', 'B: ..', FOUR);
  drawn.says('B', HAVE_1);
  drawn.leaves('A');
  t.same(drawn.asked('B').sort(), PIECE_1);
});

t.test('a block is stored before its piece may be given up for another', async t => {
  const settings = { bufferedPieceBytes: 2 * 8 * BLOCK_LENGTH, sequential: true };
  const drawn = swarmOf('we: ....', 'A: ##..', 'B: ..#.', { blocksPerPiece: 8, settings });
  for (let i = 0; i < 8; i++) drawn.gives('B', drawn.awaited('B'));
  drawn.says('A', { type: 'dontHave', index: 0 });
  drawn.gives('A', drawn.awaited('A'));
  const discarded = drawn.port.log.indexOf('discard 0');
  t.equal(drawn.port.log[discarded - 1], 'store 0+49152');
  t.same(drawn.awaited('A').slice(0, 4), PIECE_1);
});

t.test('no block is given up for a peer that can help with its piece', async t => {
  const settings = { bufferedPieceBytes: 2 * 4 * BLOCK_LENGTH };
  const drawing: Drawing = { ...FOUR, settings, fast: false, unchoked: false };
  const drawn = swarmOf('we: #...', 'A: .##.', 'B: .#..', 'C: ...#', drawing);
  for (const name of ['B', 'C']) drawn.says(name, { type: 'unchoke' });
  drawn.gives('C', drawn.asked('C'));
  drawn.gives('B', '1.0');
  drawn.says('B', { type: 'choke' });
  drawn.says('A', { type: 'unchoke' });
  t.same(drawn.port.discarded, []);
  t.same(drawn.asked('A'), PIECE_1.slice(1), 'although piece 2 is rarer');
});

t.test('endgame begins although a piece in progress has lost all who hold it', async t => {
  const drawn = swarmOf('we: ..', 'A: #.', 'B: .#', 'C: ..', FOUR);
  drawn.leaves('A');
  drawn.says('C', HAVE_1);
  t.same([drawn.asked('B'), drawn.asked('C').length], [PIECE_1, 1]);
});

t.test('blocks are given up only for a peer that would have nothing to do', async t => {
  const settings = { bufferedPieceBytes: 2 * 4 * BLOCK_LENGTH };
  const drawing: Drawing = { ...FOUR, settings, fast: false, unchoked: false };
  const drawn = swarmOf('we: ...', 'A: .##', 'B: #..', drawing);
  drawn.says('B', { type: 'unchoke' });
  drawn.gives('B', '0.0');
  drawn.says('B', { type: 'choke' });
  drawn.says('A', { type: 'unchoke' });
  drawn.gives('A', drawn.awaited('A').slice(0, 3));
  t.same(drawn.port.discarded, [], 'it wants more, but has something to do');
  drawn.gives('A', drawn.awaited('A'));
  t.same(drawn.port.discarded, [0]);
});

t.test('endgame begins also where a late block was the last that was free', async t => {
  const drawn = swarmOf('we: ..', 'A: .#', 'B: ..', 'C: #.', 'D: ..', { ...FOUR, fast: false });
  drawn.says('B', { type: 'extensionHandshake', reqq: 3 });
  drawn.says('B', HAVE_1);
  drawn.says('A', { type: 'choke' });
  t.equal(drawn.awaited('B').length, 3);
  drawn.gives(
    'A',
    PIECE_1.filter(block => !drawn.awaited('B').includes(block)),
  );
  drawn.says('D', { type: 'have', index: 0 });
  t.equal(drawn.asked('D').length, 1, 'a second time what C was asked for');
});

t.test('who waits for memory is asked as soon as a piece has left it', async t => {
  const settings = { bufferedPieceBytes: 2 * 4 * BLOCK_LENGTH };
  const drawing: Drawing = { ...FOUR, settings, unchoked: false };
  const drawn = swarmOf('we: ....', 'A: ##..', 'B: ..##', drawing);
  drawn.says('A', { type: 'unchoke' });
  for (let block = 0; block < 4; block++) drawn.gives('A', drawn.awaited('A').slice(0, 1));
  drawn.says('B', { type: 'unchoke' });
  t.same(drawn.asked('B'), [], 'both places are taken');
  drawn.checked(Number(drawn.port.log.findLast(line => line.startsWith('store'))?.split(/[ +]/)[1]), true);
  t.equal(drawn.asked('B').length, 4);
});
