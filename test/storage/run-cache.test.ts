import t from 'tap';
import { RunCache } from '../../src/storage/run-cache.js';

t.test('who asks for the same run shares one load', async t => {
  const cache = new RunCache(100, 2);
  let loads = 0;
  const load = async () => {
    loads++;
    return Uint8Array.of(1, 2, 3);
  };
  const [a, b] = await Promise.all([cache.fetch(7, load), cache.fetch(7, load)]);
  t.equal(a, b);
  t.equal(await cache.fetch(7, load), a, 'afterwards it is here');
  t.equal(loads, 1);
  t.equal(cache.get(7), a);
  t.equal(cache.get(8), undefined);
});

t.test('the run unused for longest goes first', async t => {
  const cache = new RunCache(100, 2);
  const load = (length: number) => async () => new Uint8Array(length);
  await cache.fetch(1, load(40));
  await cache.fetch(2, load(40));
  cache.get(1);
  await cache.fetch(3, load(60));
  t.equal(cache.get(2), undefined);
  t.equal(cache.get(1)?.length, 40);
  t.equal(cache.get(3)?.length, 60);
  await cache.fetch(4, load(200));
  t.same(
    [1, 2, 3, 4].map(key => cache.get(key)),
    [undefined, undefined, undefined, undefined],
    'larger than the cap',
  );
});

t.test('a failed load is told to all and tried again by the next', async t => {
  const cache = new RunCache(100, 1);
  const failing = async () => {
    throw new Error('disk');
  };
  const both = [cache.fetch(1, failing), cache.fetch(1, failing)];
  for (const one of both) await t.rejects(one, { message: 'disk' });
  t.same(await cache.fetch(1, async () => Uint8Array.of(5)), Uint8Array.of(5));
});
