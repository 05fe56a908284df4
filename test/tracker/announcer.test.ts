// When which tracker is told what, on a virtual clock.

import t, { type Test } from 'tap';
import { LIMITS } from '../../src/torrent/limits.js';
import type { AnnounceReply } from '../../src/tracker/announce-reply.js';
import { type AnnounceOrder, Announcer, type Verdict } from '../../src/tracker/announcer.js';
import { seeded } from '../support/random.js';

const MIN = 60_000;
const REPLY: AnnounceReply = {
  peers: [],
  intervalMs: 30 * MIN,
  minIntervalMs: undefined,
  seeds: undefined,
  leechers: undefined,
  trackerId: undefined,
  warning: undefined,
  externalHost: undefined,
};
/** Keeps the order of a tier: each swap is one with itself. */
const UNSHUFFLED = 1 - 1e-9;

class Run {
  readonly announcer: Announcer;
  readonly orders = new Map<string, AnnounceOrder>();
  now = 1000;
  needsPeers = false;
  left = 100;

  constructor(tiers: string[][], options: { isPrivate?: boolean; random?: () => number } = {}) {
    this.announcer = new Announcer(tiers, options.isPrivate ?? false, options.random ?? (() => UNSHUFFLED));
  }

  /** What is due now, `a started` say. */
  due(): string[] {
    const orders = this.announcer.due(this.now, this.needsPeers);
    for (const order of orders) this.orders.set(order.url, order);
    return orders.map(({ url, event }) => (event === undefined ? url : `${url} ${event}`));
  }

  order(url: string): AnnounceOrder {
    const order = this.orders.get(url);
    if (!order) throw new Error(`nothing is under way to ${url}`);
    return order;
  }

  answer(url: string, reply: Partial<AnnounceReply> = {}): Verdict {
    return this.announcer.answered(this.order(url), { ...REPLY, ...reply }, this.left, this.now);
  }

  fail(url: string, retryMs?: number): void {
    this.announcer.failed(this.order(url), retryMs, this.now);
  }

  get nextMs(): number {
    return this.announcer.nextAt(this.now, this.needsPeers) - this.now;
  }

  /** Lets the time pass until something is due. */
  next(): string[] {
    this.now += Math.max(0, this.nextMs);
    return this.due();
  }
}

t.test('started, then each interval', async t => {
  const run = new Run([['a']]);
  t.equal(run.nextMs, Number.NEGATIVE_INFINITY);
  t.same(run.due(), ['a started']);
  t.same(run.due(), [], 'one at a time');
  t.equal(run.nextMs, Number.POSITIVE_INFINITY);
  t.equal(run.answer('a'), 'welcome');
  t.equal(run.nextMs, 30 * MIN);
  run.now += 30 * MIN - 1;
  t.same(run.due(), []);
  run.now += 1;
  t.same(run.due(), ['a']);
  t.equal(run.order('a').numWant, 0, 'nobody is needed');
  run.answer('a', { intervalMs: 45 * MIN });
  t.equal(run.nextMs, 45 * MIN);
  t.ok(run.announcer.isIdle);
});

t.test("intervals: default, floor, ceiling, and the tracker's minimum", async t => {
  const cases: [Partial<AnnounceReply>, number, number][] = [
    [{ intervalMs: undefined }, LIMITS.announceIntervalMs, LIMITS.announceIntervalMs / 2],
    [{ intervalMs: 1 }, LIMITS.announceIntervalMinMs, LIMITS.announceIntervalMinMs],
    [{ intervalMs: 2 ** 50 }, LIMITS.announceIntervalMaxMs, LIMITS.announceIntervalMaxMs / 2],
    [{ intervalMs: 40 * MIN, minIntervalMs: 10 * MIN }, 40 * MIN, 10 * MIN],
    [{ intervalMs: 40 * MIN, minIntervalMs: 50 * MIN }, 50 * MIN, 50 * MIN],
    [{ intervalMs: 40 * MIN, minIntervalMs: 1 }, 40 * MIN, LIMITS.announceIntervalMinMs],
    [{ intervalMs: 40 * MIN }, 40 * MIN, 20 * MIN],
  ];
  for (const [reply, regularMs, earlyMs] of cases) {
    const run = new Run([['a']]);
    run.needsPeers = true;
    run.due();
    t.equal(run.order('a').numWant, LIMITS.announceWant);
    run.answer('a', reply);
    t.equal(run.nextMs, Math.min(earlyMs, regularMs), 'peers are needed');
    run.needsPeers = false;
    t.equal(run.nextMs, regularMs);
  }
});

t.test('started is repeated until it was heard', async t => {
  const run = new Run([['a']]);
  run.due();
  run.fail('a');
  t.same(run.due(), [], 'not at once');
  t.same(run.next(), ['a started']);
  run.announcer.cancelled(run.order('a'));
  t.same(run.due(), ['a started'], 'what was not sent is due as before');
  run.answer('a');
  t.same(run.next(), ['a']);
  run.fail('a');
  t.same(run.next(), ['a'], 'once');
});

t.test(
  'waits after failures grow: 5 s + 5 s x fails^2 x 2.5, at most an hour, and a little chance',
  async t => {
    const waitMs = (count: number, random: () => number) => {
      const run = new Run([['a']], { random });
      for (let fails = 0; fails < count; fails++) {
        run.next();
        run.fail('a');
      }
      return run.nextMs;
    };
    t.same(
      [1, 2, 3, 4, 30].map(count => waitMs(count, () => 0)),
      [17_500, 55_000, 117_500, 205_000, 60 * MIN],
    );
    t.equal(
      waitMs(1, () => 0.5),
      18_375,
    );
    const run = new Run([['a']], { random: () => 0 });
    run.due();
    run.fail('a');
    run.next();
    run.answer('a');
    run.next();
    run.fail('a');
    t.equal(run.nextMs, 17_500, 'an answer ends the row');
  },
);

t.test('retry in (BEP 31)', async t => {
  const run = new Run([['a'], ['b']]);
  run.due();
  run.fail('a', 5 * MIN);
  run.fail('b', Number.POSITIVE_INFINITY);
  t.equal(run.nextMs, 5 * MIN);
  t.same(run.next(), ['a started']);
  run.fail('a', 2 ** 50);
  t.equal(run.nextMs, LIMITS.announceIntervalMaxMs, 'within reason');
  t.same(run.next(), ['a started'], 'never b');
  run.answer('a');
  run.announcer.stop();
  t.same(run.due(), ['a stopped']);
});

t.test(
  'within a tier: shuffled once, the next when one fails, the one that answers goes to the front',
  async t => {
    const run = new Run([['a', 'b', 'c']]);
    t.same(run.due(), ['a started']);
    run.fail('a');
    t.same(run.due(), ['b started'], 'at once');
    run.answer('b');
    t.same(run.next(), ['b'], 'b, a, c');
    run.fail('b');
    t.same(run.due(), ['a started']);
    run.fail('a');
    t.same(run.due(), ['c started']);
    run.answer('c');
    t.same(run.next(), ['c'], 'c, b, a');
    run.fail('c');
    t.same(run.due(), ['b'], 'it has heard started before');
    run.fail('b');
    t.same(run.due(), ['a started']);
    run.fail('a');
    t.same(run.due(), [], 'all have failed');
    t.same(run.next(), ['c'], 'whose turn comes first');

    const urls = ['a', 'b', 'c'];
    const firsts = new Set<string>();
    const random = seeded(5);
    for (let i = 0; i < 60; i++) {
      const one = new Run([urls, ['z']], { random });
      firsts.add(one.due().join());
    }
    t.same([...firsts].sort(), ['a started,z started', 'b started,z started', 'c started,z started']);
    t.same(urls, ['a', 'b', 'c'], 'the list itself stays as it was');
  },
);

t.test('a public torrent announces to one tracker of each tier', async t => {
  const run = new Run([['a', 'b'], ['c'], ['d']]);
  t.same(run.due(), ['a started', 'c started', 'd started']);
  run.answer('a');
  run.answer('c', { intervalMs: 10 * MIN });
  run.fail('d');
  t.same(run.next(), ['d started']);
  t.same(run.next(), ['c']);
});

t.test('a private torrent: one tracker at a time, kept until it fails (BEP 27)', async t => {
  const run = new Run([['a'], ['b', 'c']], { isPrivate: true });
  t.same(run.due(), ['a started']);
  run.fail('a');
  t.same(run.due(), ['b started'], 'the next tier when all of the first failed');
  t.equal(run.answer('b'), 'welcome', 'the first is no change');
  t.same(run.next(), ['b'], 'the first tier waits until this one fails');
  t.equal(run.answer('b'), 'welcome');
  run.next();
  run.fail('b');
  t.same(run.due(), ['a started']);
  t.equal(run.answer('a'), 'tracker-changed');
  run.announcer.stop();
  t.same(run.due(), ['a stopped', 'b stopped']);
});

t.test('completed: once to each that knew us incomplete, after started', async t => {
  const run = new Run([['a'], ['b'], ['c', 'd'], ['e']]);
  run.due();
  run.answer('a');
  run.announcer.completed();
  run.announcer.completed();
  t.equal(run.nextMs, Number.NEGATIVE_INFINITY);
  t.same(run.due(), ['a completed'], 'the others have not heard started');
  run.answer('b');
  t.same(run.due(), ['b completed']);
  run.fail('b');
  t.same(run.next(), ['b completed'], 'repeated');
  run.answer('b');
  run.answer('a');
  run.fail('c');
  run.left = 0;
  t.same(run.due(), ['d started']);
  run.answer('d');
  run.answer('e');
  t.same(run.due(), [], 'd and e never knew us incomplete');
  t.same(run.next(), ['a', 'b', 'd', 'e'], 'once');
});

t.test('stopped: to all that heard started, after what they must hear before', async t => {
  const run = new Run([['a'], ['b'], ['c'], ['d'], ['e']]);
  run.needsPeers = true;
  run.due();
  run.answer('a');
  run.answer('b', { trackerId: Uint8Array.of(7) });
  run.fail('c');
  run.answer('e');
  run.next();
  run.fail('c');
  run.announcer.completed();
  run.announcer.stop();
  t.equal(run.nextMs, Number.POSITIVE_INFINITY);
  const due = () => run.due().sort();
  t.same(due(), ['a completed', 'b completed', 'e completed'], 'c failed, d is under way');
  run.answer('a');
  run.fail('b');
  t.equal(run.answer('d'), 'late');
  t.same(due(), ['a stopped', 'b stopped', 'd completed']);
  t.match(run.order('b'), { numWant: 0, trackerId: Uint8Array.of(7) });
  run.announcer.cancelled(run.order('e'));
  run.fail('a');
  run.answer('b');
  run.answer('d');
  t.same(due(), ['d stopped', 'e completed']);
  run.answer('d');
  run.answer('e');
  t.same(due(), ['e stopped']);
  t.notOk(run.announcer.isIdle);
  run.answer('e');
  t.same(due(), [], 'a is not told twice');
  t.ok(run.announcer.isIdle);
});

t.test('a tracker that failed when it was started hears nothing of the end', async t => {
  const run = new Run([['a', 'b']]);
  run.due();
  run.fail('a');
  run.due();
  run.announcer.stop();
  run.fail('b');
  t.same(run.due(), []);
  t.ok(run.announcer.isIdle);
});

t.test('the tracker id is kept and sent back, a new one replaces it', async t => {
  const run = new Run([['a']]);
  run.due();
  t.equal(run.order('a').trackerId, undefined);
  run.answer('a', { trackerId: Uint8Array.of(1) });
  run.next();
  t.same(run.order('a').trackerId, Uint8Array.of(1));
  run.answer('a');
  run.next();
  t.same(run.order('a').trackerId, Uint8Array.of(1));
  run.answer('a', { trackerId: Uint8Array.of(2) });
  run.next();
  t.same(run.order('a').trackerId, Uint8Array.of(2));
});

t.test('a magnet turns out to be private', async t => {
  await t.test('while several trackers are in use', async t => {
    const run = new Run([['a'], ['b'], ['c']]);
    run.due();
    run.answer('a');
    run.answer('b');
    t.equal(run.announcer.setPrivate(), true, 'their peers are mixed');
    t.equal(run.announcer.setPrivate(), false);
    t.same(run.due(), ['b stopped']);
    t.equal(run.answer('c'), 'late');
    t.same(run.due(), ['c stopped']);
    t.equal(run.answer('b'), 'late');
    run.answer('c');
    t.equal(run.nextMs, 30 * MIN);
    t.same(run.next(), ['a'], 'a goes on as it was');
    run.fail('a');
    t.same(run.due(), ['b started'], 'as if new');
    t.equal(run.answer('b'), 'tracker-changed');
  });
  await t.test('while one is in use', async t => {
    const run = new Run([['a'], ['b']]);
    run.due();
    run.fail('a');
    run.answer('b');
    t.equal(run.announcer.setPrivate(), false);
    t.same(run.next(), ['b']);
    t.equal(run.answer('b'), 'welcome');
  });
  await t.test('before any has answered', async t => {
    const run = new Run([['a'], ['b']]);
    run.due();
    t.equal(run.announcer.setPrivate(), false);
    t.same(run.due(), []);
    t.equal(run.answer('b'), 'late', 'only the first one stays');
    t.same(run.due(), ['b stopped']);
    t.equal(run.answer('a'), 'welcome');
  });
});

t.test('no trackers', async t => {
  for (const run of [new Run([]), new Run([], { isPrivate: true })]) {
    t.same(run.due(), []);
    t.equal(run.nextMs, Number.POSITIVE_INFINITY);
    run.announcer.stop();
    t.ok(run.announcer.isIdle);
  }
});

t.test('whatever happens, each tracker hears started, completed, stopped in this order and once', async t => {
  for (let seed = 1; seed <= 200; seed++) sequence(t, seed);
});

/** A run of chance; what each tracker heard is checked at its end. */
function sequence(t: Test, seed: number): void {
  const random = seeded(seed);
  const chance = (part: number) => random() < part;
  const run = new Run([['a', 'b'], ['c'], ['d', 'e']], { isPrivate: chance(0.3), random });
  const heard = new Map<string, string[]>();
  const open = new Set<AnnounceOrder>();
  const step = () => {
    run.needsPeers = chance(0.5);
    for (const order of run.announcer.due(run.now, run.needsPeers)) open.add(order);
    for (const order of open) {
      if (chance(0.3)) continue;
      open.delete(order);
      if (chance(0.3)) run.announcer.failed(order, undefined, run.now);
      else {
        if (order.event) heard.set(order.url, [...(heard.get(order.url) ?? []), order.event]);
        run.announcer.answered(order, REPLY, run.left, run.now);
      }
    }
    run.now += Math.floor(random() * 20 * MIN);
  };
  for (let i = 0; i < 30; i++) {
    if (i === 15) {
      run.left = 0;
      run.announcer.completed();
    }
    step();
  }
  run.announcer.stop();
  for (let i = 0; i < 60; i++) step();
  const orders = [...heard.values()].map(events => events.join(' '));
  t.ok(
    run.announcer.isIdle && orders.every(events => /^started( completed)?( stopped)?$/.test(events)),
    `seed ${seed}: ${orders.join('; ')}`,
  );
}
