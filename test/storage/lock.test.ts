import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { acquireLock, type Lock } from '../../src/storage/lock.js';
import { sha1Hex } from '../../src/storage/state-file.js';
import { seeded } from '../support/random.js';

const DEAD = 2 ** 30;

/**
 * The outcome of each attempt: a lock or the code of the error. They begin some turns of the event loop apart, so that
 * one finds the lock in any state in which another may leave it.
 */
async function attempts(count: number, state: string, data: string, random: () => number) {
  const tries = Array.from({ length: count }, async () => {
    for (let turns = random() * 20; turns > 0; turns--) await new Promise(resolve => setImmediate(resolve));
    return acquireLock(state, data);
  });
  return (await Promise.allSettled(tries)).map((result): Lock | string =>
    result.status === 'fulfilled' ? result.value : result.reason.code,
  );
}

function locks(state: string): string[] {
  return readdirSync(join(state, 'locks'));
}

t.test('the same data is locked once, this process included, until it is released', async t => {
  const directory = t.testdir({});
  const data = join(directory, 'out', 'name');
  const lock = await acquireLock(directory, data);
  await t.rejects(acquireLock(directory, data), {
    code: 'LOCKED',
    message: `opening ${data}: process ${process.pid} is at work on it`,
    hint: `wait for it or stop it; if that process is no rarest, remove ${lock.path}`,
  });
  const other = await acquireLock(directory, join(directory, 'out', 'other'));
  await lock.release();
  const again = await acquireLock(directory, data);
  await lock.release();
  t.match(
    JSON.parse(readFileSync(again.path, 'utf8')),
    { pid: process.pid },
    'a late release takes no other lock',
  );
  await again.release();
  await other.release();
  t.same(locks(directory), []);
});

t.test('another spelling of the place is the same data', { skip: process.platform === 'win32' }, async t => {
  const directory = t.testdir({ real: {} });
  symlinkSync(join(directory, 'real'), join(directory, 'link'));
  const lock = await acquireLock(directory, join(directory, 'real', 'name'));
  await t.rejects(acquireLock(directory, join(directory, 'link', '.', 'name')), { code: 'LOCKED' });
  await lock.release();
});

t.test('a stale lock is taken over', async t => {
  const directory = t.testdir({});
  const data = join(directory, 'name');
  const { path, release } = await acquireLock(directory, data);
  const own = JSON.parse(readFileSync(path, 'utf8'));
  await release();
  const stale: [string, string][] = [
    ['the process is gone', JSON.stringify({ ...own, pid: DEAD })],
    ['an earlier boot', JSON.stringify({ ...own, boot: 'earlier' })],
    ['nothing in it', ''],
    ['no JSON', '{"pid":'],
    ['null', 'null'],
    ['a pid that would signal a group', JSON.stringify({ ...own, pid: -1 })],
    ['zeros', '\0'.repeat(200)],
  ];
  if (process.platform === 'linux')
    stale.push(['the pid was used again', JSON.stringify({ ...own, start: '1' })]);
  for (const [name, content] of stale) {
    writeFileSync(path, content);
    const lock = await acquireLock(directory, data);
    t.match(JSON.parse(readFileSync(path, 'utf8')), { pid: process.pid }, name);
    await lock.release();
    t.same(locks(directory), [], name);
  }
});

t.test('of many that find a stale lock, one takes it over', async t => {
  const directory = t.testdir({});
  const data = join(directory, 'name');
  const { path, release } = await acquireLock(directory, data);
  await release();
  const random = seeded(4);
  for (let round = 0; round < 25; round++) {
    writeFileSync(path, JSON.stringify({ pid: DEAD, boot: 'x', round }));
    const outcomes = await attempts(8, directory, data, random);
    const won = outcomes.filter(outcome => typeof outcome !== 'string');
    const lost = outcomes.filter(outcome => outcome === 'LOCKED');
    if (won.length !== 1 || lost.length !== 7) t.fail(`round ${round}: ${outcomes}`);
    for (const lock of won) await lock.release();
  }
  t.same(locks(directory), [], 'no draft and no claim is left');
});

t.test('a taker that died half-way is taken over too', async t => {
  const directory = t.testdir({});
  const data = join(directory, 'name');
  const { path, release } = await acquireLock(directory, data);
  await release();
  const content = JSON.stringify({ pid: DEAD, boot: 'x' });
  writeFileSync(path, content);
  const claim = `${path}.${sha1Hex(content).slice(0, 8)}`;
  writeFileSync(claim, JSON.stringify({ pid: DEAD, boot: 'y' }));
  const lock = await acquireLock(directory, data);
  await lock.release();
  t.same(locks(directory), []);
});

t.test('what is no file is never taken for a lock', async t => {
  const directory = t.testdir({});
  const data = join(directory, 'name');
  const { path, release } = await acquireLock(directory, data);
  await release();
  mkdirSync(path);
  await t.rejects(acquireLock(directory, data), { code: 'DISK_IO', hint: `remove ${path}` });
});

t.test('a state directory that cannot be written to is a disk error', async t => {
  const directory = t.testdir({ file: 'x' });
  await t.rejects(acquireLock(join(directory, 'file'), join(directory, 'name')), { code: 'DISK_IO' });
});
