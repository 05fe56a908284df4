// What is different where a peer is a web seed (BEP 19): picker, pipeline, downloads and choker together.

import t from 'tap';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';
import { type Drawing, type DrawnSwarm, swarmOf } from '../support/draw.js';

const WEB: Drawing = { webSeed: true, fast: false };
/** Blocks that a web seed is asked for at once. */
const START = LIMITS.webSeedStartBytes / BLOCK_LENGTH;
const MOST = LIMITS.webSeedPipelineBytes / BLOCK_LENGTH;
const none = (pieces: number) => '.'.repeat(pieces);
const all = (pieces: number) => '#'.repeat(pieces);
/** The pieces asked of a peer, each once, in order. */
const pieces = (drawn: DrawnSwarm, name: string) => [
  ...new Set(drawn.asked(name).map(block => Number(block.split('.')[0]))),
];
const next = (list: readonly number[]) =>
  list.filter((piece, at) => at > 0 && piece === (list[at - 1] ?? 0) + 1);

t.test('it is asked for megabytes at once, piece after piece, from anywhere on', async t => {
  const firsts = new Set<number>();
  for (let seed = 0; seed < 10; seed++) {
    const drawn = swarmOf(`we: ${none(200)}`, `P: ${none(200)}`, { blocksPerPiece: 16, seed });
    drawn.join('W', all(200), WEB);
    const asked = pieces(drawn, 'W');
    t.equal(drawn.asked('W').length, START);
    // It may begin near the end, and then goes on elsewhere.
    t.ok(next(asked).length >= asked.length - 2, `${asked}`);
    firsts.add(asked[0] ?? -1);
  }
  t.ok(firsts.size > 5);
});

t.test('its pipeline grows up to a number of bytes, whatever other peers accept', async t => {
  const drawn = swarmOf(`we: ${none(300)}`, { blocksPerPiece: 16 });
  drawn.join('W', all(300), WEB);
  for (let given = 0; given < 3000; given++) drawn.gives('W', drawn.awaited('W')[0] ?? '');
  t.equal(drawn.peer('W').pipeline.target, MOST);
  t.ok(drawn.awaited('W').length > LIMITS.assumedReqq);
  drawn.says('W', { type: 'choke' });
  t.equal(drawn.awaited('W').length, 0, 'a choke takes all back');
  drawn.says('W', { type: 'unchoke' });
  t.ok(drawn.awaited('W').length >= START);
});

t.test('a slow one is asked for a megabyte, so that it is not asked often', async t => {
  const drawn = swarmOf(`we: ${none(300)}`, { blocksPerPiece: 16 });
  drawn.join('W', all(300), WEB);
  for (let now = 500; drawn.asked('W').length === START; now += 500)
    drawn.gives('W', drawn.awaited('W')[0] ?? '', now);
  t.equal(drawn.peer('W').pipeline.target, LIMITS.webSeedLeastBytes / BLOCK_LENGTH);
  t.ok(drawn.asked('W').length - START >= drawn.peer('W').pipeline.target / 5);
});

t.test('what is rarer goes before what follows', async t => {
  const drawn = swarmOf('we: ####....', 'A: ....##.#', 'B: ....##.#', { unchoked: false });
  drawn.swarm.downloads.outstandingLimit = 2;
  drawn.join('W', all(8), WEB);
  t.equal(pieces(drawn, 'W')[0], 6);
});

t.test('others go on with what they began; it helps out when nothing is left to begin', async t => {
  const drawn = swarmOf(`we: ${none(40)}`, 'A: #', { blocksPerPiece: 8 });
  t.same(drawn.asked('A'), ['0.0', '0.1', '0.2', '0.3']);
  drawn.join('W', all(40), WEB);
  const asked = drawn.asked('W');
  t.equal(asked.filter(block => block.startsWith('0.')).length, 0, 'not for the rest of piece 0');
  while (drawn.awaited('W').length > 0 && !drawn.asked('W').includes('0.4')) {
    drawn.gives('W', drawn.awaited('W')[0] ?? '');
  }
  t.equal(drawn.asked('W').indexOf('0.4'), 39 * 8, 'last of all');
});

t.test('a piece that it is not asked for in full is its own, so that it goes on with it', async t => {
  const drawn = swarmOf('we: ...', { blocksPerPiece: 2 * START });
  drawn.join('W', '###', WEB);
  const [piece] = pieces(drawn, 'W');
  drawn.join('A', '###');
  t.equal(drawn.peer('W').current?.piece, piece);
  t.notOk(pieces(drawn, 'A').includes(piece ?? -1));
  for (let given = 0; given < START / 2; given++) drawn.gives('W', drawn.awaited('W')[0] ?? '');
  t.same(pieces(drawn, 'W'), [piece], 'nothing else was begun');
  t.ok(drawn.asked('W').length > START);
});

t.test('web seeds together leave half of the memory to peers', async t => {
  const settings = { bufferedPieceBytes: 20 * 16 * BLOCK_LENGTH };
  const drawn = swarmOf(`we: ${none(100)}`, `P: ${none(100)}`, { blocksPerPiece: 16, settings });
  drawn.join('V', all(100), WEB);
  drawn.join('W', all(100), WEB);
  t.equal(pieces(drawn, 'V').length + pieces(drawn, 'W').length, 10);
  drawn.join('A', all(100));
  t.equal(drawn.asked('A').length, LIMITS.pipelineStart);
  const large = swarmOf(`we: ${none(9)}`, { blocksPerPiece: 16, settings: { bufferedPieceBytes: 1 } });
  large.join('W', all(9), WEB);
  t.equal(pieces(large, 'W').length, 2, 'but two pieces at least');
});

t.test('it is not snubbed, for it chokes when it fails; what is late goes to others', async t => {
  const drawn = swarmOf('we: ##.', { blocksPerPiece: 4 });
  drawn.join('W', '###', WEB);
  drawn.join('A', '..#', { unchoked: false });
  drawn.passes(LIMITS.requestTimeoutMs - 1);
  t.same([drawn.toldOf('W', 'cancel'), drawn.peer('W').pipeline.snubbed], [[], false]);
  drawn.passes(LIMITS.requestTimeoutMs);
  t.same(drawn.toldOf('W', 'cancel'), ['2.0']);
  drawn.says('W', { type: 'choke' }, LIMITS.requestTimeoutMs);
  drawn.says('A', { type: 'unchoke' }, LIMITS.requestTimeoutMs);
  t.equal(drawn.awaited('A').length, 4);
});

t.test('at the end, two of them are not asked for the same', async t => {
  const drawn = swarmOf('we: ..', { blocksPerPiece: 4 });
  drawn.join('W', '##', WEB);
  drawn.join('V', '##', WEB);
  t.equal(drawn.asked('W').length, 8);
  t.same(drawn.asked('V'), [], 'all is on its way');
  drawn.says('W', { type: 'choke' });
  t.equal(drawn.asked('V').length, 8, 'until the first one fails');
  drawn.join('A', '##');
  t.ok(drawn.asked('A').length > 0, 'a peer helps all the same');
});

t.test('it has no place among those who are choked and unchoked', async t => {
  const drawn = swarmOf(`we: ${none(50)}`, { settings: { unchokeSlots: 1, optimisticSlots: 0 } });
  drawn.join('W', all(50), WEB);
  drawn.join('A', '#', {});
  drawn.says('A', { type: 'interested' });
  for (let now = 0; now < 40_000; now += 1000) {
    drawn.passes(now);
    drawn.gives('W', drawn.awaited('W').slice(0, 1), now);
  }
  const decisions = drawn.port.log.filter(line => /^(un)?choke /.test(line));
  t.same([...new Set(decisions.map(line => line.split(' ')[1]))], [`${drawn.number('A')}`]);
});

t.test('what it lacks is asked of others and again of it when it is there', async t => {
  const drawn = swarmOf('we: ..', { blocksPerPiece: 2 });
  drawn.join('W', '##', WEB);
  drawn.says('W', { type: 'dontHave', index: 0 });
  for (const block of drawn.awaited('W').filter(block => block.startsWith('0'))) drawn.rejects('W', block);
  drawn.gives('W', ['1.0', '1.1']);
  drawn.checked(1, true);
  drawn.passes(2 * LIMITS.uninterestedMs);
  t.same(
    [drawn.awaited('W'), drawn.closedFor('W')],
    [[], undefined],
    'it stays, though we want nothing of it',
  );
  drawn.says('W', { type: 'haveAll' });
  t.same(drawn.awaited('W'), ['0.0', '0.1']);
});

t.test('with the last piece it goes, whatever it lacks, and also where it comes too late', async t => {
  const drawn = swarmOf('we: ##.', 'A: ..#');
  drawn.join('W', '###', WEB);
  drawn.says('W', { type: 'dontHave', index: 0 });
  drawn.gives('A', '2.0');
  drawn.checked(2, true);
  t.equal(drawn.closedFor('W'), 'both-seeds');
  drawn.connect('V', WEB);
  drawn.says('V', { type: 'haveAll' });
  t.equal(drawn.closedFor('V'), 'both-seeds');
});

t.test('who gave all of a wrong piece goes, with or without others in the swarm', async t => {
  const drawn = swarmOf('we: #.', 'A: .#', { blocksPerPiece: 4, unchoked: false });
  drawn.join('W', '##', WEB);
  drawn.gives('W', ['1.0', '1.1', '1.2', '1.3']);
  drawn.checked(1, false);
  t.equal(drawn.closedFor('W'), 'hash-failed');
});
