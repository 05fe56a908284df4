import t from 'tap';
import { MetadataFetch, type MetadataPort } from '../../src/swarm/metadata-fetch.js';
import type { PeerFacts, PeerNumber } from '../../src/swarm/port.js';
import type { CloseReason } from '../../src/torrent/errors.js';
import { equalBytes, peerId } from '../../src/torrent/ids.js';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';
import type { Message } from '../../src/wire/message.js';
import { seeded } from '../support/random.js';

const SECOND = 1000;
/** Five parts, the last one short. */
const METADATA = Uint8Array.from(
  { length: 4 * BLOCK_LENGTH + 100 },
  (_, index) => (index * 7 + (index >> 8)) & 255,
);

/** Part of these bytes as a peer sends it. */
function partOf(bytes: Uint8Array, piece: number): Message {
  const data = bytes.subarray(piece * BLOCK_LENGTH, (piece + 1) * BLOCK_LENGTH);
  return { type: 'metadataData', piece, totalSize: bytes.length, data };
}

/** The same size, other bytes. */
const junk = (bytes: Uint8Array): Uint8Array => bytes.map(byte => byte ^ 1);

function factsOf(peer: PeerNumber, extended = true): PeerFacts {
  const id = peerId(new Uint8Array(20).fill(peer));
  if (id === undefined) throw new RangeError('20 bytes');
  const address = { host: `10.0.0.${peer}`, port: 6881 };
  return { address, incoming: false, peerId: id, fast: true, extended, greeted: false, webSeed: false };
}

/** A fetch, a clock, and peers that answer when told to. */
class Bench implements MetadataPort {
  readonly fetch = new MetadataFetch(this);
  readonly metadata: Uint8Array;
  /** Requests not answered yet, by peer. */
  readonly asked = new Map<PeerNumber, number[]>();
  readonly closed: string[] = [];
  completed: Uint8Array | undefined;
  checks = 0;
  now = 0;

  constructor(metadata: Uint8Array = METADATA) {
    this.metadata = metadata;
  }

  send(peer: PeerNumber, message: Message): void {
    if (message.type !== 'metadataRequest') throw new RangeError(`unexpected ${message.type}`);
    this.asked.set(peer, [...this.askedOf(peer), message.piece]);
  }
  close(peer: PeerNumber, reason: CloseReason): void {
    this.closed.push(`${peer} ${reason}`);
    this.asked.delete(peer);
  }
  matches(bytes: Uint8Array): boolean {
    this.checks++;
    return equalBytes(bytes, this.metadata);
  }
  complete(infoBytes: Uint8Array): void {
    if (this.completed) throw new RangeError('complete twice');
    this.completed = infoBytes;
  }

  /** A comparison by tap would take seconds. */
  get succeeded(): boolean {
    return this.completed !== undefined && equalBytes(this.completed, this.metadata);
  }

  askedOf(peer: PeerNumber): number[] {
    return this.asked.get(peer) ?? [];
  }

  /** Peers connect and claim a size. */
  join(peers: readonly PeerNumber[], size = this.metadata.length): void {
    for (const peer of peers) {
      this.fetch.peerConnected(peer, factsOf(peer), this.now);
      this.say(peer, { type: 'extensionHandshake', utMetadata: 3, metadataSize: size });
    }
  }

  say(peer: PeerNumber, message: Message): void {
    this.fetch.message(peer, message, this.now);
  }

  /** The peer answers up to `most` of its requests, oldest first, with parts of these bytes. */
  answer(peer: PeerNumber, bytes = this.metadata, most = Number.POSITIVE_INFINITY): void {
    for (let answers = 0; answers < most; answers++) {
      const [part, ...rest] = this.askedOf(peer);
      if (part === undefined) return;
      this.asked.set(peer, rest);
      this.say(peer, partOf(bytes, part));
    }
  }

  leave(peer: PeerNumber): void {
    this.asked.delete(peer);
    this.fetch.peerClosed(peer, this.now);
  }

  /** Lets time pass; the fetch is called whenever it asked for it, and not else. */
  wait(ms: number): void {
    const end = this.now + ms;
    let wakeMs = this.fetch.tick(this.now);
    while (wakeMs <= end) {
      if (wakeMs <= this.now) throw new RangeError('woken without need');
      this.now = wakeMs;
      wakeMs = this.fetch.tick(this.now);
    }
    this.now = end;
  }
}

t.test('one peer gives all in one round trip', async t => {
  const bench = new Bench();
  bench.join([1]);
  t.same(bench.askedOf(1), [0, 1, 2, 3, 4]);
  bench.answer(1);
  t.ok(bench.succeeded);
  t.equal(bench.checks, 1);
  t.same(bench.closed, []);
  t.equal(bench.fetch.tick(0), Number.POSITIVE_INFINITY);
});

t.test('the bytes are copied on receipt', async t => {
  const bench = new Bench(METADATA.slice(0, 50));
  bench.join([1]);
  const data = METADATA.slice(0, 50);
  bench.say(1, { type: 'metadataData', piece: 0, totalSize: 50, data });
  data.fill(0);
  t.ok(bench.succeeded);
});

t.test('a large one: few requests at a time, each part asked for once while there are others', async t => {
  const bench = new Bench(new Uint8Array(40 * BLOCK_LENGTH).fill(9));
  bench.join([1, 2, 3]);
  t.same(
    [1, 2, 3].map(peer => bench.askedOf(peer).length),
    [LIMITS.metadataRequests, LIMITS.metadataRequests, LIMITS.metadataRequests],
  );
  const asked = [1, 2, 3].flatMap(peer => bench.askedOf(peer));
  t.same(
    asked,
    Array.from({ length: 24 }, (_, part) => part),
  );
  bench.answer(2, bench.metadata, 1);
  t.same(bench.askedOf(2).at(-1), 24, 'each answer makes room for a request');
  while (!bench.completed) for (const peer of [1, 2, 3]) bench.answer(peer, bench.metadata, 1);
  t.ok(bench.succeeded);
});

t.test('once all is asked for a second peer is asked too, a third is not', async t => {
  const bench = new Bench();
  bench.join([1, 2, 3]);
  t.same(bench.askedOf(2), [0, 1, 2, 3, 4]);
  t.same(bench.askedOf(3), []);
  bench.answer(2);
  t.ok(bench.succeeded);
  bench.answer(1);
  t.same(bench.closed, [], 'what comes too late does no harm');
});

t.test('a liar among three is found, and the download completes', async t => {
  for (const liar of [1, 2, 3]) {
    const bench = new Bench(new Uint8Array(40 * BLOCK_LENGTH).fill(liar));
    const lies = junk(bench.metadata);
    bench.join([1, 2, 3]);
    for (let round = 0; round < 200 && !bench.completed; round++) {
      for (const peer of [1, 2, 3]) bench.answer(peer, peer === liar ? lies : bench.metadata, 1);
      bench.wait(100);
    }
    t.ok(bench.succeeded, `peer ${liar} lies`);
    t.ok(bench.checks <= 3);
    t.ok(
      bench.closed.every(entry => entry === `${liar} bad-metadata`),
      'no other is closed',
    );
  }
});

t.test(
  'after a mixed failure one peer at a time gives everything; a wrong whole then has one author',
  async t => {
    const bench = new Bench(new Uint8Array(10 * BLOCK_LENGTH).fill(5));
    bench.join([1, 2]);
    bench.answer(1, junk(bench.metadata), 3);
    bench.answer(2);
    bench.answer(1, junk(bench.metadata));
    t.equal(bench.checks, 2, 'mixed, then all from the liar');
    t.same(bench.closed, ['1 bad-metadata']);
    t.equal(bench.completed, undefined);
    bench.answer(2);
    t.ok(bench.succeeded);
  },
);

t.test('one peer that gave all of a wrong whole is closed', async t => {
  const bench = new Bench();
  bench.join([1]);
  bench.answer(1, junk(METADATA));
  t.same(bench.closed, ['1 bad-metadata']);
  bench.join([2]);
  t.same(bench.askedOf(2), [0, 1, 2, 3, 4], 'nothing of it is kept');
  bench.answer(2);
  t.ok(bench.succeeded);
});

t.test('of several liars each is found', async t => {
  const bench = new Bench(new Uint8Array(30 * BLOCK_LENGTH).fill(3));
  const peers = [1, 2, 3, 4, 5, 6];
  const lies = peers.map(peer => new Uint8Array(bench.metadata.length).fill(100 + peer));
  bench.join(peers);
  for (let round = 0; round < 1000 && !bench.completed; round++) {
    for (const peer of peers) bench.answer(peer, peer < 5 ? lies[peer - 1] : bench.metadata, 1);
    bench.wait(50);
  }
  t.ok(bench.succeeded);
  t.notMatch(bench.closed.join(), /[56] /, 'the honest ones stay');
});

t.test('a peer whose turn it is to give everything and that dawdles loses the turn', async t => {
  const bench = new Bench(new Uint8Array(30 * BLOCK_LENGTH).fill(3));
  const lies = junk(bench.metadata);
  bench.join([1, 2]);
  while (bench.checks === 0) {
    bench.answer(1, lies, 1);
    bench.answer(2, bench.metadata, 1);
  }
  for (let round = 0; round < 30 && !bench.completed; round++) {
    bench.wait(2.5 * SECOND);
    bench.answer(1, lies, 1);
    for (const _ of bench.askedOf(2)) bench.answer(2, bench.metadata, 1);
  }
  t.ok(bench.succeeded);
  t.ok(bench.now <= 40 * SECOND, `after ${bench.now} ms`);
});

t.test('a slow but honest swarm with a liar gets there in the end', async t => {
  const bench = new Bench(new Uint8Array(60 * BLOCK_LENGTH).fill(3));
  const lies = junk(bench.metadata);
  bench.join([1, 2, 3]);
  let checkedAt = 0;
  for (let round = 0; round < 2000 && !bench.completed; round++) {
    bench.wait(2 * SECOND);
    bench.answer(1, lies, 1);
    bench.answer(2, bench.metadata, 1);
    bench.answer(3, bench.metadata, 1);
    if (bench.checks === 1) checkedAt ||= bench.now;
  }
  t.ok(checkedAt > 0, 'the first whole was mixed');
  t.ok(bench.succeeded, 'turns grow longer');
});

t.test('rejects: others are asked, the peer is left alone and asked again later', async t => {
  const bench = new Bench(METADATA.slice(0, 10));
  bench.join([1]);
  t.same(bench.askedOf(1), [0]);
  bench.asked.delete(1);
  bench.say(1, { type: 'metadataReject', piece: 0 });
  t.same(bench.askedOf(1), []);
  bench.join([2]);
  t.same(bench.askedOf(2), [0]);
  bench.asked.delete(2);
  bench.say(2, { type: 'metadataReject', piece: 0 });
  bench.wait(LIMITS.metadataBackoffMs - 1);
  t.same([bench.askedOf(1), bench.askedOf(2)], [[], []]);
  bench.wait(1);
  t.same([bench.askedOf(1), bench.askedOf(2)], [[0], [0]]);
  bench.asked.delete(1);
  bench.say(1, { type: 'metadataReject', piece: 0 });
  bench.wait(2 * LIMITS.metadataBackoffMs - 1);
  t.same(bench.askedOf(1), [], 'longer each time');
  bench.wait(1);
  t.same(bench.askedOf(1), [0]);
  bench.answer(2);
  t.ok(bench.succeeded);
});

t.test('a reject of what was not asked for is nothing to us', async t => {
  const bench = new Bench();
  bench.join([1]);
  bench.say(1, { type: 'metadataReject', piece: 7 });
  bench.answer(1);
  t.ok(bench.succeeded);
});

t.test('silence: others are asked after three seconds, the silent one again after its time', async t => {
  const bench = new Bench(METADATA.slice(0, 10));
  bench.join([1, 2, 3]);
  t.same([bench.askedOf(1), bench.askedOf(2), bench.askedOf(3)], [[0], [0], []]);
  bench.wait(LIMITS.metadataQuietMs);
  t.same(bench.askedOf(3), [0]);
  bench.wait(60 * SECOND);
  t.ok(bench.askedOf(1).length >= 2, 'asked again');
  t.ok(bench.askedOf(1).length <= 4, 'not all the time');
  bench.answer(1);
  t.ok(bench.succeeded);
  t.same(bench.closed, []);
});

t.test('a peer that answers now and then cannot hold up a part', async t => {
  const bench = new Bench(new Uint8Array(20 * BLOCK_LENGTH).fill(1));
  bench.join([1, 2]);
  bench.wait(2 * SECOND);
  for (let round = 0; round < 3; round++) {
    const [first, ...others] = bench.askedOf(1);
    bench.asked.set(1, others.length > 0 && first !== undefined ? [...others, first] : []);
    bench.answer(1, bench.metadata, 1);
    bench.wait(SECOND);
    bench.answer(2);
  }
  t.ok(bench.succeeded);
  t.ok(bench.now <= 5 * SECOND);
});

t.test('a peer that leaves takes nothing with it', async t => {
  const bench = new Bench();
  bench.join([1]);
  bench.answer(1, METADATA, 3);
  bench.leave(1);
  bench.wait(SECOND);
  bench.join([2]);
  t.same(bench.askedOf(2), [3, 4], 'the parts that came are kept');
  bench.leave(2);
  bench.join([1]);
  t.same(bench.askedOf(1), [3, 4]);
  bench.answer(1);
  t.ok(bench.succeeded);
});

t.test('a peer that leaves in the middle: its requests go to another', async t => {
  const bench = new Bench(new Uint8Array(12 * BLOCK_LENGTH).fill(1));
  bench.join([1, 2]);
  const before = bench.askedOf(2).length;
  t.equal(before, 8);
  bench.answer(2, bench.metadata, 4);
  bench.leave(1);
  bench.answer(2);
  t.ok(bench.succeeded);
});

t.test('different sizes are kept apart', async t => {
  const bench = new Bench();
  bench.join([1], METADATA.length - 50);
  bench.join([2], 10 * BLOCK_LENGTH);
  bench.join([3]);
  bench.answer(1, METADATA.subarray(0, METADATA.length - 50));
  t.same(bench.closed, ['1 bad-metadata'], 'a wrong size ends in a wrong whole');
  t.equal(bench.askedOf(2).length, LIMITS.metadataRequests, 'the other never answers');
  bench.answer(3);
  t.ok(bench.succeeded);
});

t.test('sizes that cannot be', async t => {
  const bench = new Bench();
  for (const [peer, size] of [0, -5, 2 ** 40, LIMITS.metadataBytes + 1].entries()) bench.join([peer], size);
  t.equal(bench.asked.size, 0);
  t.equal(bench.fetch.tick(0), Number.POSITIVE_INFINITY);
  bench.say(3, { type: 'extensionHandshake', utMetadata: 3, metadataSize: METADATA.length });
  t.equal(bench.askedOf(3).length, 5, 'said better later');
});

t.test('a peer that changes its size lies at least once', async t => {
  const bench = new Bench();
  bench.join([1]);
  bench.say(1, { type: 'extensionHandshake', metadataSize: METADATA.length + 1 });
  t.same(bench.closed, ['1 bad-metadata']);
});

t.test('faults', async t => {
  const cases: readonly (readonly [string, Message, CloseReason])[] = [
    ['a part never asked for', partOf(new Uint8Array(METADATA.length), 9), 'bad-metadata'],
    ['another total size', { ...partOf(METADATA, 0), totalSize: 5 } as Message, 'bad-metadata'],
    [
      'a short part',
      { type: 'metadataData', piece: 0, totalSize: METADATA.length, data: new Uint8Array(100) },
      'bad-metadata',
    ],
    [
      'a long last part',
      { type: 'metadataData', piece: 4, totalSize: METADATA.length, data: new Uint8Array(101) },
      'bad-metadata',
    ],
    ['a block', { type: 'piece', index: 0, begin: 0, block: { length: 1 } }, 'unrequested-block'],
    ['a piece beyond all torrents', { type: 'have', index: LIMITS.pieces }, 'bad-index'],
    [
      'a field beyond all torrents',
      { type: 'bitfield', bits: new Uint8Array(LIMITS.pieces / 8 + 1) },
      'bad-bitfield',
    ],
  ];
  for (const [what, message, reason] of cases) {
    const bench = new Bench();
    bench.join([1]);
    bench.say(1, message);
    t.same(bench.closed, [`1 ${reason}`], what);
    bench.say(1, message);
    t.equal(bench.closed.length, 1, 'a closed peer is heard no more');
    bench.join([2]);
    bench.answer(2);
    t.ok(bench.succeeded, what);
  }
  const bench = new Bench();
  bench.fetch.peerConnected(1, factsOf(1), 0);
  bench.say(1, partOf(METADATA, 0));
  t.same(bench.closed, ['1 bad-metadata'], 'a part before any size was claimed');
});

t.test('the same part twice is once too often', async t => {
  const bench = new Bench();
  bench.join([1]);
  bench.say(1, partOf(METADATA, 0));
  bench.say(1, partOf(METADATA, 0));
  t.same(bench.closed, ['1 bad-metadata']);
});

t.test('but not where it was asked for twice', async t => {
  const bench = new Bench();
  bench.join([1]);
  bench.wait(5 * LIMITS.metadataTimeoutMs);
  t.ok(bench.askedOf(1).filter(part => part === 0).length > 2);
  bench.answer(1);
  t.ok(bench.succeeded);
  t.same(bench.closed, []);
});

t.test('whoever else is there, one honest peer is enough', async t => {
  const kinds = ['liar', 'silent', 'refuses', 'dawdles', 'honest', 'leaves'] as const;
  for (let seed = 1; seed <= 100; seed++) {
    const random = seeded(seed);
    const bench = new Bench(new Uint8Array(Math.ceil(random() * 12 * BLOCK_LENGTH)).fill(seed));
    const lies = junk(bench.metadata);
    const others = Array.from({ length: 8 }, () => kinds[Math.floor(random() * kinds.length)]);
    for (const peer of [...others.keys(), 8]) bench.join([peer]);
    for (let round = 0; round < 3000 && !bench.completed; round++) {
      bench.answer(8, bench.metadata, 1);
      for (const [peer, kind] of others.entries()) {
        if (random() < 0.5 || bench.closed.some(entry => entry.startsWith(`${peer} `))) continue;
        if (kind === 'honest') bench.answer(peer, bench.metadata, 2);
        if (kind === 'liar') bench.answer(peer, lies, 3);
        if (kind === 'dawdles' && round % 20 === 0) bench.answer(peer, lies, 1);
        if (kind === 'refuses') {
          const [part] = bench.askedOf(peer);
          bench.asked.set(peer, bench.askedOf(peer).slice(1));
          if (part !== undefined) bench.say(peer, { type: 'metadataReject', piece: part });
        }
        if (kind === 'leaves') {
          bench.answer(peer, random() < 0.5 ? lies : bench.metadata, 1);
          bench.leave(peer);
          bench.join([peer]);
        }
      }
      bench.wait(100);
    }
    t.ok(bench.succeeded, `seed ${seed}: ${others.join(' ')}`);
    const honest = [8, ...[...others.keys()].filter(peer => others[peer] === 'honest')];
    t.notOk(
      bench.closed.some(entry => honest.includes(Number.parseInt(entry, 10))),
      bench.closed.join(),
    );
  }
});

t.test('a peer may stop and start to serve metadata', async t => {
  const bench = new Bench();
  bench.join([1]);
  bench.say(1, { type: 'extensionHandshake', utMetadata: 0 });
  bench.say(1, partOf(METADATA, 0));
  t.same(bench.closed, [], 'what was on its way is ignored');
  bench.asked.delete(1);
  bench.say(1, { type: 'extensionHandshake', utMetadata: 5 });
  t.ok(bench.askedOf(1).includes(0));
  bench.answer(1);
  t.ok(bench.succeeded);
});

t.test('junk that never becomes a whole is bounded', async t => {
  const bench = new Bench(new Uint8Array(2 * BLOCK_LENGTH).fill(1));
  const size = LIMITS.metadataBytes;
  const parts = Math.ceil(size / BLOCK_LENGTH);
  const block = new Uint8Array(BLOCK_LENGTH);
  bench.join([1, 2], size);
  bench.join([3, 4], size - 1);
  bench.join([5], size - 2);
  let sent = 0;
  for (const peer of [1, 3, 5]) {
    for (let count = 0; count < parts - 1; count++) {
      const piece = bench.askedOf(peer).find(part => part < parts - 1);
      if (piece === undefined) break;
      bench.asked.set(
        peer,
        bench.askedOf(peer).filter(part => part !== piece),
      );
      bench.say(peer, { type: 'metadataData', piece, totalSize: size - (peer >> 1), data: block });
      sent += block.length;
    }
  }
  t.ok(sent > LIMITS.metadataKeptBytes, 'more was sent than is kept');
  t.same(bench.closed, []);
  bench.wait(LIMITS.metadataQuietMs);
  t.ok(bench.askedOf(5).includes(0), 'the size that fewest claim was forgotten, and is asked for again');
  bench.join([6]);
  bench.answer(6);
  t.ok(bench.succeeded, 'an honest peer is served');
});

t.test('counts for the user', async t => {
  const bench = new Bench();
  bench.join([1]);
  bench.fetch.peerConnected(2, factsOf(2, false), 0);
  bench.fetch.peerConnected(3, factsOf(3), 0);
  t.same(bench.fetch.counts, { connected: 3, withoutMetadata: 1 });
  bench.say(3, { type: 'extensionHandshake', client: 'x' });
  t.same(bench.fetch.counts, { connected: 3, withoutMetadata: 2 });
  bench.say(3, { type: 'extensionHandshake', utMetadata: 1 });
  t.same(bench.fetch.counts, { connected: 3, withoutMetadata: 1 });
  bench.leave(2);
  t.same(bench.fetch.counts, { connected: 3, withoutMetadata: 1 }, 'over the whole run');
});

t.test('what peers said is said again to the swarm', async t => {
  const bench = new Bench();
  bench.join([1]);
  const bits = Uint8Array.of(0xa0, 0);
  const said: Message[] = [
    { type: 'bitfield', bits },
    { type: 'have', index: 1 },
    { type: 'have', index: 9 },
    { type: 'dontHave', index: 1 },
    { type: 'allowedFast', index: 4 },
    { type: 'unchoke' },
    { type: 'choke' },
    { type: 'unchoke' },
    { type: 'interested' },
    { type: 'suggest', index: 3 },
    { type: 'extensionHandshake', reqq: 100 },
  ];
  for (const message of said) bench.say(1, message);
  bits.fill(0);
  t.same(bench.fetch.replay(1), [
    { type: 'bitfield', bits: Uint8Array.of(0xa0, 0) },
    { type: 'extensionHandshake', utMetadata: 3, metadataSize: METADATA.length, reqq: 100 },
    { type: 'have', index: 9 },
    { type: 'dontHave', index: 1 },
    { type: 'allowedFast', index: 4 },
    { type: 'unchoke' },
    { type: 'interested' },
  ]);
  bench.answer(1);
  bench.say(1, { type: 'choke' });
  bench.say(1, { type: 'notInterested' });
  t.notOk(
    bench.fetch.replay(1).some(({ type }) => type === 'unchoke' || type === 'interested'),
    'also what is said once the metadata is here',
  );
  t.same(bench.fetch.replay(2), []);
});

t.test('a peer that connects once the metadata is here', async t => {
  const bench = new Bench();
  bench.join([1]);
  bench.answer(1);
  bench.join([2]);
  bench.say(2, { type: 'haveAll' });
  t.same(bench.askedOf(2), []);
  t.same(bench.fetch.replay(2)[0], { type: 'haveAll' });
});

t.test('what is kept of a peer is bounded', async t => {
  const bench = new Bench();
  bench.join([1]);
  for (let index = 0; index < 10_000; index++) {
    bench.say(1, { type: 'have', index });
    bench.say(1, { type: 'allowedFast', index });
  }
  const replay = bench.fetch.replay(1);
  t.equal(replay.filter(({ type }) => type === 'have').length, LIMITS.rememberedHaves);
  t.equal(replay.filter(({ type }) => type === 'allowedFast').length, LIMITS.hintedPieces);
});

t.test('messages of peers nobody knows', async t => {
  const bench = new Bench();
  bench.say(9, { type: 'unchoke' });
  bench.leave(9);
  t.same(bench.closed, []);
});
