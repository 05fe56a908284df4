import t from 'tap';
import { Choker, type ChokerPeer, type ChokerSettings, type Decision } from '../../src/swarm/choker.js';
import type { Random } from '../../src/swarm/port.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { seeded } from '../support/random.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

type Peer = { -readonly [Key in keyof ChokerPeer]: ChokerPeer[Key] };

/**
 * Draws peers, one a row: `number rate flags`. Flags: i interested, u unchoked by us, s snubbed. Rates in bytes per
 * second; who gives something counts as having given a megabyte.
 */
function draw(...rows: string[]): Peer[] {
  return rows.map(row => {
    const [peer = '', rate = '', flags = ''] = row.split(/\s+/);
    return {
      peer: Number(peer),
      host: `10.0.0.${peer}`,
      connectedAtMs: 0,
      peerInterested: flags.includes('i'),
      amChoking: !flags.includes('u'),
      unchokedAtMs: 0,
      downBps: Number(rate),
      snubbed: flags.includes('s'),
      receivedBytes: Number(rate) > 0 ? 1e6 : 0,
      sentBytes: 0,
    };
  });
}

/** A choker, its peers and a clock; decisions are carried out as the swarm does. */
class Bench {
  readonly choker = new Choker();
  readonly settings: ChokerSettings;
  readonly random: Random;
  peers: Peer[];
  now = 0;
  /** ms unchoked so far, by peer. */
  readonly servedMs = new Map<number, number>();
  readonly log: string[] = [];

  constructor(peers: Peer[], settings: Partial<ChokerSettings> = {}, seed = 1) {
    this.peers = peers;
    this.settings = { slots: 4, optimisticSlots: 1, seeding: false, freeBiteBytes: 1e6, ...settings };
    this.random = seeded(seed);
  }

  /** Decides now; answers with what changed, `+3 rate` or `-5 outranked`. */
  choose(): string[] {
    const decisions = this.choker.choose(this.peers, this.settings, this.now, this.random);
    for (const { peer, choke } of decisions) {
      const found = this.of(peer);
      found.amChoking = choke;
      if (!choke) found.unchokedAtMs = this.now;
    }
    const changes = decisions.map(show);
    for (const change of changes) this.log.push(`${this.now} ${change}`);
    return changes;
  }

  of(peer: number): Peer {
    const found = this.peers.find(candidate => candidate.peer === peer);
    if (found === undefined) throw new RangeError(`no peer ${peer}`);
    return found;
  }

  /** Lets time pass in steps of the full decisions. */
  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.choose();
      const step = Math.min(this.choker.dueMs, end) - this.now;
      for (const { peer, peerInterested, amChoking } of this.peers)
        if (peerInterested && !amChoking) this.servedMs.set(peer, (this.servedMs.get(peer) ?? 0) + step);
      this.now += step;
    }
  }

  unchoked(): number[] {
    return this.peers.filter(({ amChoking }) => !amChoking).map(({ peer }) => peer);
  }
}

function show({ peer, choke, reason }: Decision): string {
  return `${choke ? '-' : '+'}${peer} ${reason}`;
}

/** Four that give nothing and wait for their turn. */
const FOUR_WAITING = ['5 0 i', '6 0 i', '7 0 i', '8 0 i'];

t.test('the best givers have the regular slots, one of the others the optimistic', async t => {
  const bench = new Bench(draw('1 100 i', '2 400 i', '3 200 i', '4 300 i', ...FOUR_WAITING));
  const changes = bench.choose();
  t.same(changes.filter(change => change.endsWith(' rate')).sort(), ['+2 rate', '+3 rate', '+4 rate']);
  t.equal(changes.length, 4);
  t.equal(changes.filter(change => change.endsWith(' newcomer')).length, 1);
});

t.test('who gives more takes the slot of who gives less', async t => {
  const bench = new Bench(draw('1 100 i', '2 400 i', '3 200 i', '4 300 i', ...FOUR_WAITING));
  bench.choose();
  bench.of(3).downBps = 50;
  bench.now = 10 * SECOND;
  const changes = bench.choose();
  t.ok(changes.includes('-3 outranked'));
  t.notOk(bench.of(1).amChoking);
});

t.test('near-equal rates do not swap places', async t => {
  const bench = new Bench(draw('1 100 i', '2 100 i', '3 100 i', '4 100 i', '5 100 i', '6 100 i'), {
    slots: 3,
    optimisticSlots: 0,
  });
  bench.choose();
  const first = bench.unchoked();
  const random = seeded(2);
  for (let round = 0; round < 100; round++) {
    bench.now += 10 * SECOND;
    for (const peer of bench.peers) peer.downBps = 100 + 9 * random();
    t.same(bench.choose(), [], 'rates differ by less than a tenth');
  }
  t.same(bench.unchoked(), first);
  const outsider = bench.peers.find(({ amChoking }) => amChoking);
  if (outsider) outsider.downBps = 130;
  bench.now += 10 * SECOND;
  t.equal(bench.choose().length, 2, 'a clearly better one replaces the worst');
});

t.test('who gives nothing has no claim by rate, but unclaimed slots are filled', async t => {
  const bench = new Bench(draw('1 100 i', ...FOUR_WAITING));
  const changes = bench.choose();
  t.ok(changes.includes('+1 rate'));
  t.equal(changes.filter(change => change.endsWith(' newcomer')).length, 3, 'all four slots are used');
  bench.now = 30 * SECOND;
  t.match(bench.choose(), [/^-[5678] rotation$/, /^\+[5678] newcomer$/], 'the slot nobody claimed goes on');
  bench.now = 60 * SECOND;
  const again = bench.choose();
  t.equal(again.filter(change => change.endsWith(' rotation')).length, 1, 'one at a time');
  t.ok(again.some(change => /(spare|optimistic)$/.test(change)));
});

t.test('with fewer interested peers than slots all are unchoked at once and stay so', async t => {
  const bench = new Bench(draw('1 0 i', '2 0', '3 0 i'));
  t.same(bench.choose().sort(), ['+1 newcomer', '+3 newcomer']);
  bench.now = 3 * SECOND;
  bench.of(2).peerInterested = true;
  t.same(bench.choose(), ['+2 newcomer'], 'without waiting for the next full decision');
  for (let round = 0; round < 50; round++) {
    bench.now += 7 * SECOND;
    t.same(bench.choose(), [], 'nothing changes while nobody waits');
  }
});

t.test(
  'a better giver that wants nothing is unchoked besides, and takes the worst slot once it wants',
  async t => {
    const bench = new Bench(
      draw('1 100 i', '2 400 i', '3 200 i', '4 300', '5 50', '6 0', ...['7 0 i', '8 0 i']),
    );
    bench.choose();
    t.same(
      bench.unchoked().filter(peer => peer < 7),
      [1, 2, 3, 4],
      '4 gives more than 1; 5 and 6 do not',
    );
    bench.now = 4 * SECOND;
    bench.of(4).peerInterested = true;
    t.same(bench.choose(), ['-1 outranked'], 'between two full decisions too');
  },
);

t.test('an uninterested peer that stops giving is choked', async t => {
  const bench = new Bench(draw('1 100 u'));
  t.same(bench.choose(), []);
  bench.of(1).downBps = 0;
  bench.now = 10 * SECOND;
  t.same(bench.choose(), ['-1 not-interested']);
});

t.test('a slot that becomes free between two decisions is filled, and nothing else happens', async t => {
  const bench = new Bench(draw('1 100 i', '2 400 i', '3 200 i', ...FOUR_WAITING));
  bench.choose();
  const optimistic = bench.unchoked().find(peer => peer > 4);
  bench.now = 5 * SECOND;
  bench.of(5).downBps = bench.of(5).amChoking ? 1000 : 0;
  t.same(bench.choose(), [], 'no slot is free: a higher rate waits for the full decision');
  bench.peers = bench.peers.filter(({ peer }) => peer !== 1);
  const changes = bench.choose();
  t.equal(changes.length, 1);
  t.match(changes[0], /^\+/);
  t.ok(bench.unchoked().includes(optimistic ?? -1), 'the optimistic peer keeps its turn');
});

t.test('asking often ends no turn early', async t => {
  const bench = new Bench(draw('1 100 i', '2 400 i', '3 200 i', ...FOUR_WAITING));
  bench.choose();
  const optimistic = bench.unchoked().find(peer => peer > 4);
  for (bench.now = SECOND; bench.now < 30 * SECOND; bench.now += SECOND) t.same(bench.choose(), []);
  t.match(
    bench.choose(),
    [new RegExp(`^-${optimistic} rotation$`), /^\+/],
    'after 30 s it is the turn of another',
  );
});

t.test('an optimistic peer that reciprocates keeps a slot by rate, and the turn goes on', async t => {
  const bench = new Bench(draw('1 100 i', '2 400 i', '3 200 i', ...FOUR_WAITING));
  bench.choose();
  const optimistic = bench.unchoked().find(peer => peer > 4) ?? -1;
  bench.of(optimistic).downBps = 300;
  bench.now = 10 * SECOND;
  const changes = bench.choose();
  t.ok(changes.includes('-1 outranked'), 'the worst giver makes room');
  t.ok(
    changes.some(change => change.endsWith(' newcomer')),
    'the next has its turn',
  );
  t.ok(bench.unchoked().includes(optimistic));
});

t.test('a snubbed peer loses its regular slot, and waits behind the others', async t => {
  const bench = new Bench(draw('1 100 i', '2 400 i', '3 200 i', '5 0 i', '6 0 i'));
  bench.choose();
  bench.of(2).snubbed = true;
  bench.now = 10 * SECOND;
  t.match(bench.choose(), ['-2 snubbed', /^\+[56] newcomer$/]);
  bench.now = 40 * SECOND;
  bench.peers.push(...draw('9 0 i').map(peer => ({ ...peer, connectedAtMs: 40 * SECOND })));
  t.match(bench.choose(), [/^-[56] rotation$/, '+9 newcomer'], 'a new peer goes before the snubbed one');
});

t.test('a regular slot taken from a snubbed peer by a giver', async t => {
  const bench = new Bench(draw('1 100 iu', '2 0 ius', '3 50 i'), { slots: 2, optimisticSlots: 0 });
  t.same(bench.choose(), ['-2 snubbed', '+3 rate']);
});

t.test('turns are shared equally over 30 minutes', async t => {
  const rows = Array.from({ length: 17 }, (_, index) => `${index + 10} 0 i`);
  const bench = new Bench(draw('1 100 i', '2 400 i', '3 200 i', ...rows), { freeBiteBytes: 1e9 });
  bench.run(30 * MINUTE);
  const served = rows.map((_, index) => bench.servedMs.get(index + 10) ?? 0);
  t.equal(
    served.reduce((sum, ms) => sum + ms),
    30 * MINUTE,
    'the optimistic slot was never empty',
  );
  t.ok(Math.max(...served) - Math.min(...served) <= LIMITS.optimisticMs, `${served}`);
  for (const giver of [1, 2, 3]) t.equal(bench.servedMs.get(giver), 30 * MINUTE, 'givers lose nothing');
});

t.test('a newcomer is three times as likely to be next', async t => {
  const RUNS = 2000;
  const WAITING = 9;
  let next = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const rows = Array.from({ length: WAITING + 1 }, (_, index) => `${index + 1} 0 i`);
    const bench = new Bench(draw(...rows), { slots: 1 }, seed);
    bench.choose();
    bench.now = 30 * SECOND;
    bench.peers.push(...draw('99 0 i').map(peer => ({ ...peer, connectedAtMs: 30 * SECOND })));
    if (bench.choose().some(change => change.startsWith('+99'))) next++;
  }
  const expected = 3 / (WAITING + 1 + 3);
  t.ok(Math.abs(next / RUNS - expected) < 0.03, `${next / RUNS}, expected ${expected}`);
});

t.test('coming again is no way to the front', async t => {
  for (let seed = 1; seed <= 20; seed++) {
    const rows = Array.from({ length: 9 }, (_, index) => `${index + 1} 0 i`);
    const bench = new Bench(draw(...rows), { slots: 1 }, seed);
    bench.choose();
    const again = bench.peers.find(({ amChoking }) => amChoking)?.peer ?? -1;
    for (let round = 1; round < 20; round++) {
      bench.now = round * 30 * SECOND;
      bench.peers = bench.peers.map(peer =>
        peer.peer === again ? { ...peer, connectedAtMs: bench.now } : peer,
      );
      bench.choose();
      t.ok(bench.of(again).amChoking, 'all others go first');
    }
  }
});

t.test('who took a free bite and returned nothing is last in line, also when it comes again', async t => {
  const bench = new Bench(draw('1 0 i', '2 0 i', '3 0 i'), { slots: 1, freeBiteBytes: 1e6 });
  bench.of(1).sentBytes = 1e6 + 1;
  const turns = (): number[] => {
    const order: number[] = [];
    for (let turn = 0; turn < 6; turn++) {
      bench.choose();
      order.push(...bench.unchoked());
      bench.now += 30 * SECOND;
    }
    return order;
  };
  t.notOk(turns().includes(1), 'while others want the slot');
  const [taker] = bench.peers.splice(0, 1);
  bench.choose();
  if (taker) bench.peers.push({ ...taker, peer: 7, connectedAtMs: bench.now, sentBytes: 0, amChoking: true });
  t.notOk(turns().includes(7), 'a new connection of the same host');
  bench.of(7).receivedBytes = 1e6 / LIMITS.returnRatio;
  t.ok(turns().includes(7), 'once it returned enough');
  bench.peers = bench.peers.filter(({ peer }) => peer === 7);
  bench.of(7).receivedBytes = 0;
  t.same(turns(), [7, 7, 7, 7, 7, 7], 'and where nobody else wants the slot');
});

t.test('a peer that had its turn makes room even for those last in line', async t => {
  const bench = new Bench(draw('1 100 i', '2 0 i'), { slots: 1 });
  bench.of(2).sentBytes = 1e9;
  t.same(bench.choose(), ['+1 newcomer']);
  bench.now = 30 * SECOND;
  t.same(bench.choose(), ['-1 rotation', '+2 newcomer']);
  bench.now = 60 * SECOND;
  t.same(bench.choose(), ['-2 rotation', '+1 optimistic']);
});

t.test('a seed serves everybody for the same time', async t => {
  const rows = Array.from({ length: 20 }, (_, index) => `${index + 1} 0 i`);
  const bench = new Bench(draw(...rows), { seeding: true });
  for (const peer of bench.peers) peer.sentBytes = peer.peer * 1e9;
  bench.run(60 * MINUTE);
  const served = rows.map((_, index) => bench.servedMs.get(index + 1) ?? 0);
  t.equal(
    served.reduce((sum, ms) => sum + ms),
    4 * 60 * MINUTE,
    'all slots were used all the time',
  );
  t.ok(Math.max(...served) / Math.min(...served) <= 1.15, `${served}`);
  t.ok(
    bench.log.every(entry => entry.endsWith(' rotation')),
    'no other reason',
  );
});

t.test('a seed changes one slot after the other, and keeps each for a minute at least', async t => {
  const rows = Array.from({ length: 20 }, (_, index) => `${index + 1} 0 i`);
  const bench = new Bench(draw(...rows), { seeding: true });
  const since = new Map<number, number>();
  for (; bench.now < 10 * MINUTE; bench.now += 10 * SECOND) {
    const changes = bench.choose();
    if (bench.now > 0) t.ok(changes.length <= 2, changes.join());
    for (const change of changes) {
      const peer = Number.parseInt(change.slice(1), 10);
      if (change.startsWith('+')) since.set(peer, bench.now);
      else t.ok(bench.now - (since.get(peer) ?? 0) >= LIMITS.seedTurnMs);
    }
  }
});

t.test('a seed takes no notice of rates, and of who gave what', async t => {
  const bench = new Bench(draw('1 900 i', '2 0 i', '3 0 i'), { seeding: true, slots: 1 });
  bench.of(2).sentBytes = 1e12;
  bench.run(3 * MINUTE);
  t.same(
    [1, 2, 3].map(peer => bench.servedMs.get(peer)),
    [MINUTE, MINUTE, MINUTE],
  );
});

t.test('a download that ends chokes nobody at once', async t => {
  const bench = new Bench(draw('1 100 i', '2 400 i', '3 200 i', ...FOUR_WAITING));
  bench.choose();
  const before = bench.unchoked();
  const seed = new Bench(bench.peers, { seeding: true });
  seed.now = 10 * SECOND;
  seed.choose();
  t.equal(before.filter(peer => !seed.unchoked().includes(peer)).length, 1, 'they go one by one');
});

t.test('peers that come, go and take the number of another', async t => {
  const bench = new Bench(draw('1 0 i', '2 0 i'), { slots: 1 });
  bench.choose();
  const [held = -1] = bench.unchoked();
  bench.now = 5 * SECOND;
  const [other] = draw(`${held} 0`);
  bench.peers = bench.peers.map(peer =>
    peer.peer === held && other ? { ...other, host: '10.9.9.9', connectedAtMs: bench.now } : peer,
  );
  t.match(bench.choose(), [/^\+\d newcomer$/], 'the slot is free again');
  t.not(bench.unchoked()[0], held, 'the new peer of that number has not inherited it');
  bench.peers = [];
  t.same(bench.choose(), []);
});

t.test('no slots: nobody is unchoked', async t => {
  const bench = new Bench(draw('1 100 iu', '2 400 i', '3 200'), { slots: 0, optimisticSlots: 0 });
  t.same(bench.choose(), ['-1 outranked']);
});

t.test('the same seed gives the same decisions', async t => {
  const play = (seed: number): string[] => {
    const rows = Array.from({ length: 40 }, (_, index) => `${index + 1} ${index % 5 ? 0 : index * 10} i`);
    const bench = new Bench(draw(...rows), {}, seed);
    bench.run(20 * MINUTE);
    return bench.log;
  };
  t.same(play(1), play(1));
  t.notSame(play(1), play(2));
});
