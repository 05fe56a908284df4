import t from 'tap';
import { forEachConcurrently, Gate } from '../../src/storage/concurrency.js';

/** A promise and the key to it. */
function latch() {
  let open = () => {};
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

const turn = () => new Promise(resolve => setImmediate(resolve));

t.test('a gate lets so many in, the others in order', async t => {
  const gate = new Gate(2);
  const latches = [0, 1, 2, 3].map(latch);
  const begun: number[] = [];
  const jobs = latches.map(({ opened }, index) =>
    gate.run(async () => {
      begun.push(index);
      await opened;
      if (index === 1) throw new Error('one fails');
      return index;
    }),
  );
  await turn();
  t.same(begun, [0, 1]);
  const failed = t.rejects(jobs[1] as Promise<number>, { message: 'one fails' });
  latches[1]?.open();
  await turn();
  t.same(begun, [0, 1, 2], 'a failed job gives its place on');
  for (const { open } of latches) open();
  await failed;
  t.same(await Promise.all([jobs[0], jobs[2], jobs[3]]), [0, 2, 3]);
  t.equal(await gate.run(async () => 'again'), 'again');
});

t.test('a place that was handed on is taken', async t => {
  const gate = new Gate(1);
  const latches = [0, 1, 2].map(latch);
  const begun: number[] = [];
  const jobs: Promise<void>[] = [];
  const run = (index: number) => {
    const job = gate.run(async () => {
      begun.push(index);
      await latches[index]?.opened;
    });
    jobs.push(job);
  };
  run(0);
  run(1);
  latches[0]?.open();
  await turn();
  run(2);
  await turn();
  t.same(begun, [0, 1]);
  for (const { open } of latches) open();
  await Promise.all(jobs);
  t.same(begun, [0, 1, 2]);
});

t.test('forEachConcurrently takes items only as it needs them', async t => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await forEachConcurrently([1, 2, 3, 4, 5], 2, async item => {
    most = Math.max(most, ++running);
    await turn();
    running--;
    done.push(item);
  });
  t.equal(most, 2);
  t.same(done, [1, 2, 3, 4, 5]);
});

t.test('after a failure nothing new is begun and nothing is left running', async t => {
  const begun: number[] = [];
  let ended = 0;
  const work = forEachConcurrently([1, 2, 3, 4, 5, 6], 2, async item => {
    begun.push(item);
    await turn();
    if (item === 2) throw new Error('the second');
    await turn();
    ended++;
  });
  await t.rejects(work, { message: 'the second' });
  t.same(begun, [1, 2]);
  t.equal(ended, 1);
});
