import t from 'tap';
import { LIMITS } from '../../src/torrent/limits.js';
import { type Drawing, swarmOf } from '../support/draw.js';

/** The pieces asked of a peer, each once, in order. */
const pieces = (asked: string[]) => [...new Set(asked.map(block => Number(block.split('.')[0])))];
/** Seeds to try where a choice is random. */
const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);

t.test('rarest first, once the first pieces are here', async t => {
  const drawn = swarmOf('we: ####....', 'A:  ....##..', 'B:  ....#...', 'C:  ....##..', 'D:  ........');
  drawn.says('D', { type: 'haveAll' });
  t.same(pieces(drawn.asked('D')).sort(), [6, 7], 'the two that only D has');
});

t.test('of equally rare pieces any may be first', async t => {
  const first = SEEDS.map(seed => pieces(swarmOf('we: ####....', 'A: ########', { seed }).asked('A'))[0]);
  t.equal(new Set(first).size, 4);
});

t.test('the first pieces are random, not rarest', async t => {
  const first = SEEDS.map(seed => {
    const drawn = swarmOf('we: ......', 'A: .#####', 'B: .#####', { seed, unchoked: false });
    drawn.says('A', { type: 'haveAll' });
    drawn.says('A', { type: 'unchoke' });
    return pieces(drawn.asked('A'))[0];
  });
  t.ok(new Set(first).size > 3, `${first}`);
});

t.test('sequential: lowest first', async t => {
  const drawn = swarmOf('we: ......', 'A: .#####', { settings: { sequential: true } });
  t.same(pieces(drawn.asked('A')), [1, 2, 3, 4]);
});

t.test('a peer with few of many missing pieces is asked for its rarest', async t => {
  const width = 200;
  const alone = `A: ${'.'.repeat(100)}##${'.'.repeat(width - 102)}`;
  const other = `B: ${'.'.repeat(100)}#${'.'.repeat(width - 101)}`;
  const drawn = swarmOf(`we: ####${'.'.repeat(width - 4)}`, other, alone, { unchoked: false });
  drawn.says('A', { type: 'unchoke' });
  t.same(pieces(drawn.asked('A')), [101, 100]);
});

t.test('a suggested piece goes first', async t => {
  for (const seed of SEEDS) {
    const drawn = swarmOf('we: ####....', 'A: ########', { seed, unchoked: false });
    drawn.says('A', { type: 'suggest', index: 6 });
    drawn.says('A', { type: 'unchoke' });
    t.equal(pieces(drawn.asked('A'))[0], 6);
  }
});

t.test('pieces in progress come before new ones', async t => {
  const drawing: Drawing = { blocksPerPiece: 8, settings: { sequential: true } };
  const drawn = swarmOf('we: ....', 'A: ####', 'B: ####', drawing);
  t.same(drawn.asked('A'), ['0.0', '0.1', '0.2', '0.3']);
  t.same(
    drawn.asked('B'),
    ['0.4', '0.5', '0.6', '0.7'],
    'B helps with the piece that A, too slow for it, began',
  );
});

t.test('a fast peer has its piece for itself', async t => {
  const drawn = swarmOf('we: ....', 'A: ####', 'B: ....', { blocksPerPiece: 1024 });
  const peer = drawn.swarm.peers.get(drawn.number('A'));
  for (let ms = 0; ms < 2200 && peer?.outstanding.count; ms += 2) {
    const { oldest } = peer.outstanding;
    drawn.gives('A', `${Math.floor(oldest / 1024)}.${oldest % 1024}`, ms);
  }
  const owned = peer?.current?.piece ?? -1;
  t.ok(owned >= 0, 'its second piece was begun at a known rate');
  drawn.says('B', { type: 'haveAll' }, 2200);
  t.ok(drawn.asked('B').length > 0);
  t.notOk(pieces(drawn.asked('B')).includes(owned), 'B is given another one');
});

t.test('endgame: what is late is asked of another, and cancelled when it came', async t => {
  const drawn = swarmOf('we: ##.', 'A: ###', 'B: ###', { blocksPerPiece: 2 });
  t.same(drawn.asked('A'), ['2.0', '2.1']);
  t.equal(drawn.asked('B').length, 1, 'one block at a time is asked twice');
  const [twice = ''] = drawn.asked('B');
  drawn.gives('B', twice);
  t.same(drawn.told('A').filter(type => type === 'cancel').length, 1);
  drawn.gives('A', twice);
  t.equal(drawn.swarm.downloads.wastedBytes, 16_384, 'it was asked for, so it is waste and no fault');
  t.equal(drawn.closedFor('A'), undefined);
});

t.test('no endgame while there is something else to ask for', async t => {
  const drawn = swarmOf('we: #...', 'A: ####', 'B: ##..', { blocksPerPiece: 16 });
  const twice = drawn.asked('B').filter(block => drawn.asked('A').includes(block));
  t.same(twice, []);
});

t.test('endgame starts although a piece is missing that nobody has', async t => {
  const drawn = swarmOf('we: ##..', 'A: ###.', 'B: ###.', { blocksPerPiece: 2 });
  t.same([drawn.asked('A').length, drawn.asked('B').length], [2, 1]);
});

t.test('no new piece without memory for it', async t => {
  const settings = { bufferedPieceBytes: 2 * 8 * 16_384, sequential: true };
  const drawn = swarmOf('we: ....', 'A: ####', { blocksPerPiece: 8, settings });
  for (let i = 0; i < 16; i++) drawn.gives('A', `${i >> 3}.${i & 7}`);
  t.same(pieces(drawn.asked('A')), [0, 1], 'two are waiting for their check');
  drawn.checked(0, true);
  t.same(pieces(drawn.asked('A')), [0, 1, 2]);
});

t.test('a piece that nobody is asked for makes room for one that can be had', async t => {
  const settings = { bufferedPieceBytes: 2 * 8 * 16_384, sequential: true };
  const drawn = swarmOf('we: ....', 'A: ##..', 'B: ..##', {
    blocksPerPiece: 8,
    settings,
    fast: false,
    unchoked: false,
  });
  drawn.says('A', { type: 'unchoke' });
  for (let i = 0; i < 6; i++) drawn.gives('A', `0.${i}`);
  t.same(pieces(drawn.asked('A')), [0, 1]);
  drawn.says('A', { type: 'choke' });
  drawn.says('B', { type: 'unchoke' });
  t.same(drawn.port.discarded, [1], 'the one with the least in it');
  t.same(pieces(drawn.asked('B')), [2]);
});

t.test('a piece that failed is fetched from one peer alone', async t => {
  const drawn = swarmOf('we: ##.', 'A: ###', 'B: ###', { blocksPerPiece: 8 });
  const given = [
    ...drawn.asked('A').map(block => ['A', block]),
    ...drawn.asked('B').map(block => ['B', block]),
  ];
  for (const [name = '', block = ''] of given) drawn.gives(name, block);
  drawn.checked(2, false);
  t.same(
    [drawn.closedFor('A'), drawn.closedFor('B')],
    [undefined, undefined],
    'nobody is known to be guilty',
  );
  const again = drawn.port.requests.slice(given.length).filter(({ piece }) => piece === 2);
  t.equal(new Set(again.map(({ peer }) => peer)).size, 1);
});

t.test('the buffer limit is that of the table', async t => {
  t.ok(LIMITS.bufferedPieceBytes >= 2 * 16 * 2 ** 20, 'two of the largest usual pieces fit');
});
