import t from 'tap';
import { runJobs } from '../../src/cli/jobs.js';
import { settle } from './fake-io.js';

async function* items(...list: string[]): AsyncGenerator<string, void, undefined> {
  yield* list;
}

/** Work that goes on until the test ends it. */
function workers() {
  const begun: string[] = [];
  const by = new Map<string, { leave: () => void; end: () => void; fail: (error: Error) => void }>();
  const work = (item: string, leave: () => void) =>
    new Promise<void>((end, fail) => {
      begun.push(item);
      by.set(item, { leave, end, fail });
    });
  return { begun, work, of: (item: string) => by.get(item)! };
}

t.test('so many at a time', async t => {
  const { begun, work, of } = workers();
  const all = runJobs(items('a', 'b', 'c', 'd'), 2, work);
  await settle();
  t.same(begun, ['a', 'b']);
  of('a').leave();
  of('a').leave();
  await settle();
  t.same(begun, ['a', 'b', 'c'], 'leaving twice frees one place');
  of('a').end();
  await settle();
  t.same(begun, ['a', 'b', 'c'], 'as does leaving and ending');
  of('b').end();
  await settle();
  t.same(begun, ['a', 'b', 'c', 'd']);
  let ended = false;
  all.then(() => {
    ended = true;
  });
  of('d').leave();
  of('c').end();
  await settle();
  t.notOk(ended, 'what has left is still waited for');
  of('d').end();
  await all;
});

t.test('items are not taken before there is a place', async t => {
  const { work, of } = workers();
  let taken = 0;
  async function* counted() {
    for (;;) {
      taken++;
      yield `${taken}`;
    }
  }
  void runJobs(counted(), 1, work);
  await settle();
  t.equal(taken, 1);
  of('1').end();
  await settle();
  t.equal(taken, 2);
});

t.test('a failure of one, or of the items, is that of all', async t => {
  const { work, of } = workers();
  const all = runJobs(items('a', 'b'), 2, work);
  await settle();
  of('b').fail(new Error('of b'));
  await t.rejects(all, { message: 'of b' });
  async function* broken() {
    yield 'a';
    throw new Error('of the items');
  }
  await t.rejects(
    runJobs(broken(), 2, async () => {}),
    { message: 'of the items' },
  );
});

t.test('nothing to do', async t => {
  await runJobs(items(), 1, async () => void t.fail('there is no item'));
  t.pass('ends');
});
