import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createWhole, loadState, readCapped, realPath, saveState } from '../../src/storage/state-file.js';

t.test('what was saved is loaded, and no draft is left', async t => {
  const directory = t.testdir({});
  const path = join(directory, 'a', 'b.json');
  t.equal(await loadState(path), 'absent');
  await saveState(path, { n: 1, text: 'é\n' });
  t.same(await loadState(path), { value: { n: 1, text: 'é\n' } });
  await saveState(path, { n: 2 });
  t.same(await loadState(path), { value: { n: 2 } });
  t.same(readdirSync(join(directory, 'a')), ['b.json']);
});

t.test('a file that says the same is left alone', async t => {
  const path = join(t.testdir({}), 'x.json');
  await saveState(path, [1]);
  const { ino } = statSync(path);
  await saveState(path, [1]);
  t.equal(statSync(path).ino, ino);
});

t.test('damage of any byte is noticed', async t => {
  const path = join(t.testdir({}), 'x.json');
  await saveState(path, { have: 'AAAA' });
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    writeFileSync(path, damaged);
    t.equal(await loadState(path), 'malformed', `byte ${at}`);
    writeFileSync(path, whole.subarray(0, at));
    t.equal(await loadState(path), 'malformed', `cut at ${at}`);
  }
  mkdirSync(join(path, '..', 'folder'));
  t.equal(await loadState(join(path, '..', 'folder')), 'malformed');
});

t.test('a state file that cannot be written is a disk error', async t => {
  const directory = t.testdir({ file: 'x', folder: { 'x.json': { inside: 'x' } } });
  await t.rejects(saveState(join(directory, 'file', 'x.json'), 1), { code: 'DISK_IO' });
  await t.rejects(saveState(join(directory, 'folder', 'x.json'), 1), { code: 'DISK_IO' });
  t.same(readdirSync(join(directory, 'folder')), ['x.json'], 'no draft is left');
});

t.test('createWhole wins once', async t => {
  const directory = t.testdir({});
  const path = join(directory, 'x');
  const won = await Promise.all(['a', 'b', 'c', 'd'].map(content => createWhole(path, content)));
  t.equal(won.filter(Boolean).length, 1);
  t.equal(readFileSync(path, 'utf8'), 'abcd'[won.indexOf(true)]);
  t.same(readdirSync(directory), ['x']);
});

t.test('no more is read than asked for', async t => {
  const directory = t.testdir({ x: '12345' });
  t.equal(await readCapped(join(directory, 'x'), 5), '12345');
  t.equal(await readCapped(join(directory, 'x'), 4), undefined);
});

t.test('two spellings of a place are one', { skip: process.platform === 'win32' }, async t => {
  const directory = t.testdir({ real: {} });
  symlinkSync(join(directory, 'real'), join(directory, 'link'));
  t.equal(
    await realPath(join(directory, 'link', 'a', 'b')),
    await realPath(join(directory, 'real', 'a', '.', 'b')),
  );
  t.equal(await realPath('/'), '/');
});
