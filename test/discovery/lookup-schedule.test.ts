import t from 'tap';
import { LookupPace, LookupSchedule } from '../../src/discovery/lookup-schedule.js';
import { LIMITS } from '../../src/torrent/limits.js';

t.test('asks again soon until something is found', async t => {
  const schedule = new LookupSchedule();
  t.strictSame(
    [1, 2, 3, 4].map(() => schedule.nextMs(false)),
    [200, 500, 1000, 2000],
  );
  t.strictSame(
    [1, 2, 3].map(() => schedule.nextMs(false)),
    [5000, 10_000, 20_000],
  );
});

t.test('asks ever more rarely, down to the announce interval', async t => {
  const schedule = new LookupSchedule();
  const waits = Array.from({ length: 10 }, () => schedule.nextMs(true));
  t.strictSame(waits.slice(0, 4), [5000, 10_000, 20_000, 40_000]);
  t.equal(waits.at(-1), LIMITS.dhtAnnounceMs);
  schedule.restart();
  t.strictSame(
    [1, 2].map(() => schedule.nextMs(true)),
    [5000, 10_000],
    'and begins anew when told to',
  );
});

t.test('all together keep a pace that libtorrent nodes bear', async t => {
  const pace = new LookupPace(1000);
  let begun = 0;
  for (let now = 1000; now < 11_000; now += 10) {
    while (pace.waitMs(now) === 0) {
      pace.spend(8);
      begun++;
    }
  }
  t.equal(begun, LIMITS.dhtLookupBurst + Math.floor(9990 / LIMITS.dhtLookupEveryMs));
  t.ok(begun <= 36, 'leaves room for answers among 50 datagrams in 10 s');
  const wait = pace.waitMs(10_990);
  t.ok(wait > 0 && wait <= LIMITS.dhtLookupEveryMs);
  t.equal(pace.waitMs(10_990 + wait), 0, 'waiting as long as it says is enough');
});

t.test('what announces spend beyond the pace is made up for', async t => {
  const pace = new LookupPace(0);
  for (let i = 0; i < LIMITS.dhtLookupBurst + 2; i++) pace.spend(8);
  t.equal(pace.waitMs(0), 3 * LIMITS.dhtLookupEveryMs);
});

t.test('in a large DHT the pace is quicker', async t => {
  const pace = new LookupPace(0);
  let begun = 0;
  for (; pace.waitMs(0) === 0; begun++) pace.spend(500);
  t.ok(begun > 4 * LIMITS.dhtLookupBurst, String(begun));
});
