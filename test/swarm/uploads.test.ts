import t from 'tap';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';
import { type Drawing, type DrawnSwarm, swarmOf } from '../support/draw.js';

const INTERESTED = { type: 'interested' } as const;
const NOT_INTERESTED = { type: 'notInterested' } as const;
/** Blocks 0 to `count` of a piece. */
const blocks = (piece: number, count: number) =>
  Array.from({ length: count }, (_, block) => `${piece}.${block}`);
/** We have piece 0 and A is unchoked; pieces have eight blocks unless said. */
function unchoked(drawing: Drawing = {}): DrawnSwarm {
  const drawn = swarmOf('we: #.', 'A: ..', { blocksPerPiece: 8, ...drawing });
  drawn.says('A', INTERESTED);
  return drawn;
}

t.test('an interested peer is unchoked and served, four blocks at first', async t => {
  const drawn = unchoked();
  drawn.asks('A', blocks(0, 8));
  t.same(drawn.served('A'), blocks(0, 4));
  drawn.flushes();
  t.same(drawn.served('A'), blocks(0, 8));
  drawn.flushes();
  t.equal(drawn.swarm.uploads.sentBytes, 8 * BLOCK_LENGTH);
  t.equal(drawn.peer('A').up.totalBytes, 8 * BLOCK_LENGTH);
});

t.test('a choked peer is refused: with fast in words, without in silence', async t => {
  for (const fast of [true, false]) {
    const drawn = swarmOf('we: #.', 'A: ..', { fast });
    drawn.asks('A', '0.0');
    t.same(drawn.served('A'), []);
    t.same(drawn.toldOf('A', 'reject'), fast ? ['0.0'] : []);
  }
});

t.test('what we lack is refused', async t => {
  const drawn = unchoked();
  drawn.asks('A', '1.0');
  t.same([drawn.served('A'), drawn.toldOf('A', 'reject')], [[], ['1.0']]);
});

t.test('a request outside of its piece, of nothing or of too much is a fault', async t => {
  for (const [begin, length] of [
    [0, 0],
    [8 * BLOCK_LENGTH, 1],
    [8 * BLOCK_LENGTH - 1, 2],
    [0, LIMITS.requestBytes + 1],
    [2 ** 32 - 1, 2 ** 32 - 1],
  ] as const) {
    const drawn = unchoked({ blocksPerPiece: length > LIMITS.requestBytes ? 100 : 8 });
    drawn.says('A', { type: 'request', index: 0, begin, length });
    t.equal(drawn.closedFor('A'), 'bad-request', `${length} bytes from ${begin}`);
  }
});

t.test('a request need not be a block: any run of the piece up to the limit', async t => {
  const drawn = unchoked();
  drawn.says('A', { type: 'request', index: 0, begin: 7, length: LIMITS.requestBytes - 7 });
  t.same(drawn.port.reads, [{ peer: 1, piece: 0, begin: 7, length: LIMITS.requestBytes - 7 }]);
});

t.test('no more than so many requests wait', async t => {
  const drawn = unchoked();
  for (let i = 0; i < 4 + LIMITS.incomingRequests; i++) drawn.asks('A', '0.0');
  t.same(drawn.toldOf('A', 'reject'), []);
  drawn.asks('A', '0.1');
  t.same(drawn.toldOf('A', 'reject'), ['0.1']);
  t.equal(drawn.peer('A').uploads.length, LIMITS.incomingRequests);
});

t.test('a request is cancelled before its block is read, not after', async t => {
  const drawn = unchoked();
  drawn.asks('A', blocks(0, 6));
  drawn.cancels('A', '0.4');
  drawn.cancels('A', '0.0');
  drawn.flushes();
  t.same(drawn.served('A'), ['0.0', '0.1', '0.2', '0.3', '0.5']);
  t.same(drawn.toldOf('A', 'reject'), ['0.4'], 'every request is answered');
});

t.test('without fast a cancel is not answered', async t => {
  const drawn = unchoked({ fast: false });
  drawn.asks('A', blocks(0, 6));
  drawn.cancels('A', '0.4');
  t.same([drawn.toldOf('A', 'reject'), drawn.peer('A').uploads.length], [[], 1]);
});

t.test('a choke is said first, then what waits is refused', async t => {
  const drawn = unchoked();
  drawn.asks('A', blocks(0, 6));
  drawn.says('A', NOT_INTERESTED);
  t.same(drawn.port.log.slice(-3), ['choke 1 not-interested', 'send 1 reject', 'send 1 reject']);
  drawn.flushes();
  t.same(drawn.served('A'), blocks(0, 4), 'what was read is sent');
  t.same(drawn.toldOf('A', 'reject'), ['0.4', '0.5']);
});

t.test('without fast a choke says it all', async t => {
  const drawn = unchoked({ fast: false });
  drawn.asks('A', blocks(0, 6));
  drawn.says('A', NOT_INTERESTED);
  t.same([drawn.toldOf('A', 'reject'), drawn.peer('A').uploads], [[], []]);
});

t.test('more is read ahead the faster the peer takes it, within a limit', async t => {
  const drawn = unchoked({ blocksPerPiece: 512 });
  drawn.asks('A', blocks(0, 512));
  const ahead: number[] = [];
  for (let ms = 0; drawn.peer('A').uploads.length > 0; ms += 500) {
    ahead.push(drawn.peer('A').readingBytes / BLOCK_LENGTH);
    drawn.flushes(true, ms);
  }
  t.equal(ahead[0], 4);
  t.ok(
    ahead.every((count, at) => count >= (ahead[at - 1] ?? 0)),
    `${ahead}`,
  );
  t.equal(Math.max(...ahead), LIMITS.sendBufferBytes / BLOCK_LENGTH);
});

t.test('a block that could not be read makes room for the next and is not counted', async t => {
  const drawn = unchoked();
  drawn.asks('A', blocks(0, 5));
  drawn.flushes(false);
  t.same(drawn.served('A'), blocks(0, 5));
  t.equal(drawn.swarm.uploads.sentBytes, 0);
  t.equal(drawn.peer('A').readingBytes, BLOCK_LENGTH);
});

t.test('blocks sent to a peer that has left are nobody’s', async t => {
  const drawn = unchoked();
  drawn.asks('A', '0.0');
  drawn.leaves('A');
  drawn.flushes();
  t.equal(drawn.swarm.uploads.sentBytes, 0);
});

t.test('thousands of requests that are refused in one turn are a flood', async t => {
  const drawn = unchoked();
  for (let i = 0; i < 10 * LIMITS.incomingRequests; i++) drawn.asks('A', '1.0');
  t.equal(drawn.closedFor('A'), undefined);
  drawn.asks('A', '1.0');
  t.equal(drawn.closedFor('A'), 'request-flood');
});

t.test('requests that cross a choke add up to no flood over many turns', async t => {
  const drawn = unchoked();
  for (let turn = 0; turn < 30; turn++) {
    drawn.says('A', NOT_INTERESTED, 2000 * turn);
    for (let i = 0; i < 1000; i++) drawn.asks('A', '0.0', 2000 * turn);
    drawn.says('A', INTERESTED, 2000 * turn);
    drawn.passes(2000 * turn + 1000);
  }
  t.equal(drawn.closedFor('A'), undefined);
});

t.test('allowed fast: told at the start, by those who have something', async t => {
  const settings = { allowedFast: () => [1, 0] };
  t.same(swarmOf('we: #.', 'A: ..', { settings }).toldOf('A', 'allowedFast'), [1, 0]);
  t.same(swarmOf('we: ..', 'A: ..', { settings }).toldOf('A', 'allowedFast'), []);
  t.same(swarmOf('we: #.', 'A: ..', { settings, fast: false }).toldOf('A', 'allowedFast'), []);
});

t.test('allowed fast: a choked peer gets these pieces, twice over, and no others', async t => {
  const drawn = swarmOf('we: ##.', 'A: ...', { blocksPerPiece: 2, settings: { allowedFast: () => [0, 2] } });
  drawn.asks('A', ['1.0', '2.0']);
  t.same(drawn.toldOf('A', 'reject'), ['1.0', '2.0'], 'one is not allowed, one we lack');
  for (let i = 0; i < 4; i++) drawn.asks('A', blocks(0, 2));
  t.same(drawn.toldOf('A', 'reject').slice(2), []);
  drawn.asks('A', '0.0');
  t.same(drawn.toldOf('A', 'reject').slice(2), ['0.0']);
});

t.test('allowed fast: a choke leaves what waits of these pieces, as far as it is free', async t => {
  const drawn = swarmOf('we: ##', 'A: ..', { blocksPerPiece: 2, settings: { allowedFast: () => [0] } });
  drawn.says('A', INTERESTED);
  for (let i = 0; i < 5; i++) drawn.asks('A', blocks(0, 2));
  drawn.asks('A', '1.0');
  drawn.says('A', NOT_INTERESTED);
  t.same(drawn.toldOf('A', 'reject'), ['0.0', '0.1', '1.0']);
  drawn.flushes();
  t.equal(drawn.served('A').length, 8);
});
