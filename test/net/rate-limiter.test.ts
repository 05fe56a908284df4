import t from 'tap';
import { type RateConsumer, RateLimiter } from '../../src/net/rate-limiter.js';
import { seeded } from '../support/random.js';

/** Counts what it gets; has as much to move as it is told. */
class Counter implements RateConsumer {
  got = 0;
  has: number;
  constructor(has = Number.POSITIVE_INFINITY) {
    this.has = has;
  }
  use(bytes: number): number {
    const used = Math.min(bytes, this.has);
    this.has -= used;
    this.got += used;
    return used;
  }
}

const total = (counters: readonly Counter[]): number => counters.reduce((sum, { got }) => sum + got, 0);

/** Serves as the engine does: when the limiter asks for it, a little late. Returns the bytes of each second. */
function run(
  limiter: RateLimiter,
  counters: readonly Counter[],
  seconds: number,
  lateMs: () => number,
): number[] {
  const perSecond: number[] = [];
  let now = 0;
  for (let second = 1; second <= seconds; second++) {
    const before = total(counters);
    while (now < second * 1000) {
      limiter.serve(now);
      now += Math.max(1, limiter.nextMs(now)) + lateMs();
    }
    perSecond.push(total(counters) - before);
  }
  return perSecond;
}

for (const rateBps of [5_000, 20_000, 500_000, 1_572_864, 2_000_000, 100_000_000]) {
  t.test(`${rateBps} bytes per second among 40 consumers`, async t => {
    const random = seeded(rateBps);
    const limiter = new RateLimiter(rateBps, 0);
    const counters = Array.from({ length: 40 }, () => new Counter());
    for (const counter of counters) limiter.wait(counter);
    const perSecond = run(limiter, counters, 30, () => Math.floor(random() * 10));
    t.ok(Math.abs(total(counters) / (30 * rateBps) - 1) < 0.03, 'exact within 3 % over time');
    const worst = Math.max(...perSecond.map(bytes => Math.abs(bytes / rateBps - 1)));
    t.ok(worst < 0.2, `smooth within 20 % per second: ${worst}`);
    const shares = counters.map(({ got }) => got);
    t.ok(Math.max(...shares) - Math.min(...shares) <= 16_384, 'fair to one turn');
  });
}

t.test('after a pause there is no flood', async t => {
  const limiter = new RateLimiter(1_000_000, 0);
  const counter = new Counter();
  limiter.wait(counter);
  limiter.serve(3_600_000);
  t.ok(counter.got <= 200_000, String(counter.got));
});

t.test('what one does not use goes to the others', async t => {
  const limiter = new RateLimiter(1_000_000, 0);
  const small = new Counter(10_000);
  const large = new Counter();
  limiter.wait(small);
  limiter.wait(small);
  limiter.wait(large);
  run(limiter, [small, large], 10, () => 0);
  t.equal(small.got, 10_000);
  t.ok(large.got > 0.97 * 10_000_000 - 10_000, String(large.got));
});

t.test('bytes that moved unasked, and blocks that overshoot, are made up for', async t => {
  const limiter = new RateLimiter(100_000, 0);
  limiter.spend(100_000, 0);
  const counter = new Counter();
  limiter.wait(counter);
  limiter.serve(1000);
  t.equal(counter.got, 0);
  t.ok(limiter.nextMs(1000) > 0);
  let sent = 0;
  const wholeBlocks = new RateLimiter(100_000, 0);
  wholeBlocks.wait({
    use: () => {
      sent += 16_397;
      return 16_397;
    },
  });
  for (let now = 0; now < 60_000; now += 20) wholeBlocks.serve(now);
  t.ok(Math.abs(sent / 6_000_000 - 1) < 0.03, String(sent));
});

t.test('those who leave get nothing, and nobody waiting means nothing to do', async t => {
  const limiter = new RateLimiter(1000, 0);
  const counter = new Counter();
  t.equal(limiter.nextMs(0), Number.POSITIVE_INFINITY);
  limiter.wait(counter);
  t.ok(limiter.nextMs(0) > 0 && limiter.nextMs(0) < 100);
  limiter.leave(counter);
  limiter.serve(1000);
  t.equal(counter.got, 0);
  t.equal(limiter.nextMs(1000), Number.POSITIVE_INFINITY);
});

t.test('a consumer that uses nothing cannot hold the line up', async t => {
  const limiter = new RateLimiter(1000, 0);
  const idle: RateConsumer = {
    use: () => {
      limiter.wait(idle);
      return 0;
    },
  };
  const counter = new Counter();
  limiter.wait(idle);
  limiter.wait(counter);
  limiter.serve(1000);
  t.ok(counter.got > 0);
});
