import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeDirectory } from '../../src/storage/make-directory.js';

t.test('all that is missing', async t => {
  const directory = t.testdir({ there: {} });
  const path = join(directory, 'there', 'a', 'b', 'c');
  t.equal(await makeDirectory(path, 0o700), join(directory, 'there', 'a'));
  for (const made of ['a', 'a/b', 'a/b/c']) {
    t.equal(
      statSync(join(directory, 'there', made)).mode & 0o777,
      process.platform === 'win32' ? 0o666 : 0o700,
    );
  }
  t.equal(await makeDirectory(path), undefined, 'all is there');
  t.equal(await makeDirectory(join(path, 'd')), join(path, 'd'));
});

t.test('many at the same time', async t => {
  const path = join(t.testdir({}), 'a', 'b', 'c');
  await Promise.all(Array.from({ length: 20 }, () => makeDirectory(path)));
  t.ok(statSync(path).isDirectory());
});

t.test('a file in the way', async t => {
  const directory = t.testdir({ file: 'x', there: t.fixture('symlink', 'file') });
  await t.rejects(makeDirectory(join(directory, 'file')), { code: 'EEXIST' });
  await t.rejects(makeDirectory(join(directory, 'there')), { code: 'EEXIST' });
  await t.rejects(makeDirectory(join(directory, 'file', 'a', 'b')), { code: 'ENOTDIR' });
});

t.test('a link to a directory', async t => {
  const directory = t.testdir({ real: {}, link: t.fixture('symlink', 'real') });
  t.equal(await makeDirectory(join(directory, 'link', 'a')), join(directory, 'link', 'a'));
  t.ok(existsSync(join(directory, 'real', 'a')));
});

t.test('a place that takes no directories', { skip: !existsSync('/proc/self') }, async t => {
  await t.rejects(makeDirectory('/proc/rarest/a/b'), { code: 'ENOENT' });
});
