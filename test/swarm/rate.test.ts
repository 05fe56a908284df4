import t from 'tap';
import { Rate } from '../../src/swarm/rate.js';

const WINDOW_MS = 20_000;

t.test('nothing came', async t => {
  const rate = new Rate(WINDOW_MS);
  t.equal(rate.bps(0), 0);
  t.equal(rate.bps(1e9), 0);
  t.equal(rate.totalBytes, 0);
});

t.test('early on the time since the first byte counts, at least a second', async t => {
  const rate = new Rate(WINDOW_MS);
  rate.add(16_384, 5000);
  t.equal(rate.bps(5000), 16_384);
  t.equal(rate.bps(5999), 16_384, 'still within the first second');
  t.equal(rate.bps(7000), 8192);
  rate.add(16_384, 9000);
  t.equal(rate.bps(9000), 8192);
});

t.test('a steady flow has its rate from the first second on', async t => {
  const rate = new Rate(WINDOW_MS);
  const wrong: number[] = [];
  for (let now = 0; now < 100_000; now += 100) {
    rate.add(1000, now);
    if (now >= 1000 && Math.abs(rate.bps(now) - 10_000) > 1000) wrong.push(now);
    if (now >= 10_000 && Math.abs(rate.bps(now) - 10_000) > 100) wrong.push(now);
  }
  t.same(wrong, []);
  t.equal(rate.totalBytes, 1_000_000);
});

t.test('what is older than the window is gone', async t => {
  const rate = new Rate(WINDOW_MS);
  rate.add(20_000, 0);
  t.equal(rate.bps(10_000), 2000);
  t.equal(rate.bps(19_999), (20_000 * 1000) / 19_999);
  t.equal(rate.bps(20_000), 0);
  rate.add(1800, 40_000);
  t.equal(rate.bps(40_000), 100, 'a later burst is spread over the time the window covers, here 18 s');
  t.equal(rate.bps(1e12), 0);
  t.equal(rate.totalBytes, 21_800);
});

t.test('a part of the window passes', async t => {
  const rate = new Rate(WINDOW_MS);
  rate.add(1000, 0);
  rate.add(3000, 10_000);
  t.equal(rate.bps(16_000), 250, 'both');
  t.equal(rate.bps(20_000), 3000 / 18, 'the second only');
  t.equal(rate.bps(29_999), (3000 * 1000) / 19_999);
  t.equal(rate.bps(30_000), 0);
});

t.test('time that stands still or starts anywhere', async t => {
  const rate = new Rate(WINDOW_MS);
  const start = 123_456_789;
  for (let i = 0; i < 10; i++) rate.add(100, start);
  t.equal(rate.bps(start), 1000);
  t.equal(rate.bps(start - 1000), 1000, 'earlier than before: as if no time had passed');
});

t.test('more bytes than 32 bits hold', async t => {
  const rate = new Rate(WINDOW_MS);
  rate.add(2 ** 33, 0);
  rate.add(2 ** 33, 0);
  t.equal(rate.bps(1000), 2 ** 34);
  t.equal(rate.totalBytes, 2 ** 34);
  t.equal(rate.bps(20_000), 0);
});

t.test('the window is the one asked for', async t => {
  const rate = new Rate(1000);
  rate.add(1000, 0);
  t.equal(rate.bps(999), 1000);
  t.equal(rate.bps(1000), 0);
});
