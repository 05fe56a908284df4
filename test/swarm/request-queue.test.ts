import t from 'tap';
import { RequestQueue } from '../../src/swarm/request-queue.js';
import { seeded } from '../support/random.js';

t.test('oldest first, whatever order the answers come in', async t => {
  const total = { count: 10 };
  const queue = new RequestQueue(total);
  for (const block of [5, 6, 7]) queue.push(block, block * 10);
  t.same([queue.count, queue.oldest, queue.oldestAtMs], [3, 5, 50]);
  t.ok(queue.remove(6));
  t.notOk(queue.remove(6), 'only once');
  t.ok(queue.remove(5));
  t.same([queue.count, queue.oldest, queue.oldestAtMs], [1, 7, 70]);
  t.same(queue.toArray(), [7]);
  t.equal(total.count, 11);
  queue.clear();
  queue.clear();
  t.same([queue.count, queue.has(7), total.count], [0, false, 10]);
});

t.test('behaves like a list under ten thousand random operations', async t => {
  const random = seeded(3);
  const total = { count: 0 };
  const queue = new RequestQueue(total);
  let list: number[] = [];
  for (let step = 0; step < 10_000; step++) {
    if (random() < 0.52) {
      queue.push(step, step);
      list.push(step);
    } else if (list.length > 0) {
      const block = list[random() < 0.7 ? 0 : Math.floor(random() * list.length)] as number;
      queue.remove(block);
      list = list.filter(other => other !== block);
    }
    if (
      queue.count !== list.length ||
      total.count !== list.length ||
      (list.length > 0 && queue.oldest !== list[0])
    )
      t.fail(`step ${step}`);
  }
  t.same(queue.toArray(), list);
});
