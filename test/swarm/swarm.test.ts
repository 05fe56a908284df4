import t from 'tap';
import { LIMITS } from '../../src/torrent/limits.js';
import type { Message } from '../../src/wire/message.js';
import { type Drawing, swarmOf } from '../support/draw.js';

const INTERESTED = { type: 'interested' } as const;
const have = (index: number) => ({ type: 'have', index }) as const;
/** All reasons for which peers were closed, in order. */
const reasons = ({ port }: ReturnType<typeof swarmOf>) => port.closed.map(({ reason }) => reason);

t.test('an index that does not exist', async t => {
  for (const index of [3, 2 ** 32 - 1]) {
    const request = { index, begin: 0, length: 16_384 };
    const messages: Message[] = [
      { type: 'piece', index, begin: 0, block: { length: 16_384 } },
      have(index),
      { type: 'dontHave', index },
      { type: 'suggest', index },
      { type: 'allowedFast', index },
      { type: 'reject', ...request },
      { type: 'request', ...request },
    ];
    for (const message of messages) {
      const drawn = swarmOf('we: ##.', 'A: ###');
      drawn.says('A', message);
      t.same(reasons(drawn), ['bad-index'], message.type);
    }
  }
});

t.test('a cancel of anything is no fault', async t => {
  const drawn = swarmOf('we: ##.', 'A: ###');
  drawn.says('A', { type: 'cancel', index: 99, begin: 1, length: 2 });
  t.equal(drawn.closedFor('A'), undefined);
});

t.test('a bitfield of a wrong length or with spare bits, also one that is heard of late', async t => {
  for (const bits of [[], [0xff], [0xff, 0x80, 0], [0xff, 0x81]]) {
    const drawn = swarmOf(`we: ${'.'.repeat(9)}`);
    drawn.connect('A', { greeted: true });
    drawn.says('A', { type: 'bitfield', bits: Uint8Array.from(bits) });
    t.equal(drawn.closedFor('A'), 'bad-bitfield', `${bits}`);
    t.equal(drawn.swarm.peers.size, 0);
  }
});

t.test('two seeds have nothing for each other', async t => {
  for (const message of [{ type: 'haveAll' }, { type: 'bitfield', bits: Uint8Array.of(0xe0) }] as const) {
    const drawn = swarmOf('we: ###');
    drawn.connect('A');
    drawn.says('A', message);
    t.equal(drawn.closedFor('A'), 'both-seeds', message.type);
  }
});

t.test('a peer that becomes a seed like us', async t => {
  const drawn = swarmOf('we: ###', 'A: ##.');
  drawn.says('A', have(2));
  t.equal(drawn.closedFor('A'), 'both-seeds');
});

t.test('who wants nothing more (BEP 21) has nothing for a seed either', async t => {
  const drawn = swarmOf('we: ##.', 'A: #..', 'B: ..#', 'C: ...');
  drawn.says('A', { type: 'extensionHandshake', uploadOnly: true });
  t.equal(drawn.closedFor('A'), undefined, 'it may have something for us');
  drawn.gives('B', '2.0');
  drawn.checked(2, true);
  t.equal(drawn.closedFor('A'), 'both-seeds');
  drawn.says('B', { type: 'extensionHandshake', uploadOnly: true });
  t.same(reasons(drawn), ['both-seeds', 'both-seeds']);
  t.ok(drawn.peer('C'));
});

t.test('with the last piece seeds are let go, and the others told that we want nothing', async t => {
  const drawn = swarmOf('we: ##.', 'A: ###', 'B: #..');
  drawn.gives('A', '2.0');
  drawn.checked(2, true);
  t.ok(drawn.swarm.complete);
  t.same([drawn.closedFor('A'), drawn.closedFor('B')], ['both-seeds', undefined]);
  t.same(drawn.told('B').slice(-2), ['have', 'extensionHandshake']);
  t.same(drawn.port.sent.at(-1)?.message, { type: 'extensionHandshake', uploadOnly: true });
});

t.test('two that want nothing of each other part after five minutes', async t => {
  const drawn = swarmOf('we: ##.', 'A: ##.', 'B: ..#', 'C: ...');
  drawn.says('C', INTERESTED);
  drawn.passes(LIMITS.uninterestedMs - 1);
  t.same(reasons(drawn), []);
  drawn.passes(LIMITS.uninterestedMs + 1000);
  const closed = ['A', 'B', 'C'].map(name => drawn.closedFor(name));
  t.same(closed, ['both-uninterested', undefined, undefined]);
});

t.test('the five minutes begin anew with any interest, and wait for blocks on their way', async t => {
  const drawn = swarmOf('we: ##.', 'A: ##.', 'B: ##.');
  for (const name of ['A', 'B']) drawn.says(name, INTERESTED);
  drawn.asks('B', '0.0');
  drawn.passes(100_000);
  for (const name of ['A', 'B']) drawn.says(name, { type: 'notInterested' }, 100_000);
  drawn.passes(100_000 + LIMITS.uninterestedMs);
  t.same(reasons(drawn), []);
  drawn.passes(102_000 + LIMITS.uninterestedMs);
  t.same(reasons(drawn), ['both-uninterested'], 'B is still being sent a block');
  drawn.flushes(true, 410_000);
  drawn.passes(412_000 + LIMITS.uninterestedMs);
  t.same(reasons(drawn), ['both-uninterested', 'both-uninterested']);
});

t.test('a closed peer is forgotten: nothing of it counts, nothing it says matters', async t => {
  const drawn = swarmOf('we: #..', 'A: .##', 'B: ..#');
  drawn.says('A', have(7));
  t.equal(drawn.swarm.picker.availability.rarest(), 0);
  t.same(drawn.awaited('B').sort(), ['2.0']);
  const before = drawn.port.log.length;
  drawn.says('A', have(0));
  drawn.gives('A', '1.0');
  drawn.leaves('A');
  drawn.swarm.blockSent(drawn.number('A'), 1, true, 0);
  t.equal(drawn.port.log.length, before);
});

t.test('greetings', async t => {
  const told = (we: string, drawing: Drawing) => swarmOf(we, 'A: ....', drawing).told('A');
  t.same(told('we: ####', { fast: true }), ['haveAll']);
  t.same(told('we: ....', { fast: true }), ['haveNone']);
  t.same(told('we: #.#.', { fast: true }), ['bitfield']);
  t.same(told('we: ####', { fast: false }), ['bitfield']);
  t.same(told('we: ....', { fast: false }), [], 'BEP 3: a bitfield of nothing may be left out');
  t.same(told('we: #.#.', { greeted: true }), ['have', 'have'], 'it was told that we have nothing');
  t.same(told('we: ....', { greeted: true }), []);
});

t.test('a bitfield says what we have, and does not change afterwards', async t => {
  const drawn = swarmOf('we: #.#.......', 'A: .#........');
  const [greeting] = drawn.port.sent;
  drawn.gives('A', '1.0');
  drawn.checked(1, true);
  t.same(greeting?.message, { type: 'bitfield', bits: Uint8Array.of(0xa0, 0) });
});

t.test('a peer says how many requests it takes', async t => {
  const drawn = swarmOf('we: ........', 'A: ########', { unchoked: false });
  drawn.says('A', { type: 'extensionHandshake', reqq: 2 });
  drawn.says('A', { type: 'unchoke' });
  t.equal(drawn.asked('A').length, 2);
});

t.test('an unchoke that is repeated changes nothing', async t => {
  const drawn = swarmOf('we: ........', 'A: ########');
  const before = drawn.port.log.length;
  drawn.says('A', { type: 'unchoke' });
  t.equal(drawn.port.log.length, before);
});

t.test('a have of something new sets an idle peer to work', async t => {
  const drawn = swarmOf('we: ##..', 'A: ##..');
  drawn.says('A', have(2));
  t.same(drawn.asked('A'), ['2.0']);
});

t.test('metadata messages are somebody else’s business', async t => {
  const drawn = swarmOf('we: ##..', 'A: ##..');
  const before = drawn.port.log.length;
  drawn.says('A', { type: 'metadataRequest', piece: 0 });
  t.equal(drawn.port.log.length, before);
});

t.test('slots are filled when interest comes, and again when a peer leaves', async t => {
  const settings = { unchokeSlots: 1, optimisticSlots: 1 };
  const drawn = swarmOf('we: #.', 'A: ..', 'B: ..', { settings });
  const turns = () => drawn.port.log.filter(line => /^(un)?choke/.test(line)).length;
  for (let i = 0; i < 100; i++) drawn.says('A', INTERESTED);
  drawn.says('B', INTERESTED);
  t.equal(turns(), 1);
  drawn.leaves('A');
  t.equal(turns(), 2);
  t.notOk(drawn.peer('B').amChoking);
});

t.test('who changes its mind all the time is heard a few times a second', async t => {
  const drawn = swarmOf('we: #.', 'A: ..', 'B: ..');
  drawn.passes(0);
  for (let i = 0; i < 1000; i++) {
    drawn.says('A', INTERESTED);
    drawn.says('A', { type: 'notInterested' });
  }
  drawn.says('B', INTERESTED);
  const turns = drawn.port.log.filter(line => /^(un)?choke/.test(line)).length;
  t.ok(turns <= 50, `${turns}`);
  t.ok(drawn.peer('B').amChoking);
  drawn.passes(1000);
  t.notOk(drawn.peer('B').amChoking, 'but nobody waits for long');
});

t.test('it wants to be called once a second, and sooner where a rechoke is due', async t => {
  const drawn = swarmOf('we: #.', 'A: ..');
  t.equal(drawn.swarm.tick(0), 1000);
  t.equal(drawn.swarm.tick(500), 1000);
  t.equal(drawn.swarm.tick(9500), 10_000);
});
