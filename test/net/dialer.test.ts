import t from 'tap';
import { Dialer } from '../../src/net/dialer.js';
import { LIMITS } from '../../src/torrent/limits.js';

/** Takes all that may be dialled now, as `owner:target`. */
function dialled(dialer: Dialer<string, number>, now: number): string[] {
  const begun: string[] = [];
  for (let next = dialer.next(now); next; next = dialer.next(now)) {
    const expired = next.what === 'expired' ? ' expired' : '';
    begun.push(`${next.owner}:${next.target}${expired}`);
  }
  return begun;
}

t.test('torrents take turns', async t => {
  const dialer = new Dialer<string, number>(0);
  for (const target of [1, 2, 3]) dialer.wait('a', target, 1000);
  dialer.wait('b', 4, 1000);
  dialer.wait('c', 5, 1000);
  t.strictSame(dialled(dialer, 0), ['a:1', 'b:4', 'c:5', 'a:2', 'a:3']);
});

t.test('so many are under way at a time', async t => {
  const dialer = new Dialer<string, number>(0);
  for (let target = 0; target < 100; target++) dialer.wait('a', target, 1e9);
  let begun = 0;
  for (let now = 0; now <= 10_000; now += 100) begun += dialled(dialer, now).length;
  t.equal(begun, LIMITS.halfOpen);
  t.equal(dialer.halfOpen, LIMITS.halfOpen);
  t.equal(dialer.nextMs(10_000), 1e9 + 1 - 10_000, 'only a deadline is left to wait for');
  dialer.ended();
  t.equal(dialer.nextMs(10_000), 0);
  t.strictSame(dialled(dialer, 10_000), [`a:${LIMITS.halfOpen}`]);
});

t.test('so many begin per second, after a quick start', async t => {
  const dialer = new Dialer<string, number>(0);
  for (let target = 0; target < 200; target++) dialer.wait('a', target, 1e9);
  const perSecond: number[] = [];
  for (let second = 0; second < 4; second++) {
    let begun = 0;
    for (let now = second * 1000; now < (second + 1) * 1000; now += 10)
      for (const _ of dialled(dialer, now)) {
        begun++;
        dialer.ended();
      }
    perSecond.push(begun);
  }
  t.equal(perSecond[0], 2 * LIMITS.dialsPerSecond - 1);
  t.strictSame(perSecond.slice(1), [30, 30, 30]);
});

t.test('says when to ask again', async t => {
  const dialer = new Dialer<string, number>(0);
  t.equal(dialer.nextMs(0), Number.POSITIVE_INFINITY);
  for (let target = 0; target <= LIMITS.dialsPerSecond; target++) dialer.wait('a', target, 1e9);
  t.equal(dialer.nextMs(0), 0);
  t.equal(dialled(dialer, 0).length, LIMITS.dialsPerSecond);
  const wait = dialer.nextMs(0);
  t.equal(wait, Math.ceil(1000 / LIMITS.dialsPerSecond));
  t.equal(dialled(dialer, wait - 1).length, 0);
  t.equal(dialled(dialer, wait).length, 1);
});

t.test('stale dials are given up, those of a torrent that goes away forgotten', async t => {
  const dialer = new Dialer<string, number>(0);
  for (let target = 0; target < LIMITS.halfOpen; target++) dialer.wait('full', target, 1e9);
  dialled(dialer, 0);
  dialled(dialer, 1000);
  dialer.wait('a', 1, 2000);
  dialer.wait('a', 2, 2000);
  dialer.wait('b', 3, 2000);
  dialer.forget('b');
  t.equal(dialer.nextMs(1500), 501);
  t.strictSame(dialled(dialer, 2000), []);
  t.strictSame(dialled(dialer, 2001), ['a:1 expired', 'a:2 expired']);
  t.equal(dialer.halfOpen, LIMITS.halfOpen, 'an expired dial was never under way');
});
