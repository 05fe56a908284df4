import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { FilePool } from '../../src/storage/file-pool.js';

const text = (value: string) => new Uint8Array(Buffer.from(value));

t.test('files and their folders are made by the first write, holes and all', async t => {
  const directory = t.testdir({});
  const pool = new FilePool(2);
  const path = join(directory, 'a', 'b', 'c');
  await pool.write(path, text('xyz'), 5);
  t.same(readFileSync(path), Buffer.from('\0\0\0\0\0xyz'));
  const target = new Uint8Array(10);
  t.equal(await pool.read(path, [target], 4), 4, 'as far as the file reaches');
  t.same(target.subarray(0, 4), text('\0xyz'));
  t.equal(await pool.size(path), 8);
  t.equal(await pool.size(join(directory, 'none')), undefined);
  t.equal(await pool.size(join(path, 'below a file')), undefined);
  await pool.sync(path);
  t.equal(pool.openCount, 1, 'reading and syncing go through the handle that writes');
  await pool.closeAll();
  t.equal(pool.openCount, 0);
});

t.test('no more files are open than the cap, however many are in use', async t => {
  const names = Array.from({ length: 12 }, (_, index) => `f${index}`);
  const directory = t.testdir(Object.fromEntries(names.map(name => [name, name])));
  const pool = new FilePool(3);
  let most = 0;
  const read = async (name: string) => {
    const target = new Uint8Array(8);
    const length = await pool.read(join(directory, name), [target], 0);
    most = Math.max(most, pool.openCount);
    return Buffer.from(target.subarray(0, length)).toString();
  };
  t.same(await Promise.all([...names, ...names].map(read)), [...names, ...names]);
  t.equal(most, 3);
  t.equal(pool.openCount, 3, 'they stay open for the next');
  await pool.closeAll();
});

t.test('the file unused for longest is closed, and reads the same when it is opened again', async t => {
  const directory = t.testdir({ a: 'old', b: 'b', c: 'c' });
  const pool = new FilePool(2);
  const read = async (name: string) => {
    const target = new Uint8Array(3);
    await pool.read(join(directory, name), [target], 0);
    return Buffer.from(target).toString();
  };
  await read('a');
  await read('b');
  await read('c');
  t.equal(await read('a'), 'old');
  t.equal(pool.openCount, 2);
  await pool.close([join(directory, 'a'), join(directory, 'not open')]);
  t.equal(pool.openCount, 1);
  await pool.closeAll();
});

t.test('a file that cannot be opened holds no place and nobody up', async t => {
  const directory = t.testdir({ file: 'file' });
  const pool = new FilePool(1);
  const gone = () => pool.read(join(directory, 'gone'), [new Uint8Array(1)], 0);
  const refused = [gone(), gone(), pool.write(join(directory, 'file', 'below'), text('x'), 0)];
  const fine = pool.read(join(directory, 'file'), [new Uint8Array(4)], 0);
  await t.rejects(refused[0] as Promise<number>, { code: 'ENOENT' });
  await t.rejects(refused[1] as Promise<number>, { code: 'ENOENT' });
  await t.rejects(refused[2] as Promise<void>, { code: 'ENOTDIR' });
  t.equal(await fine, 4);
  await pool.closeAll();
  t.equal(pool.openCount, 0);
});

t.test('closing waits for the file in use', async t => {
  const directory = t.testdir({});
  const pool = new FilePool();
  const path = join(directory, 'file');
  const writing = pool.write(path, text('content'), 0);
  await pool.close([path]);
  t.equal(readFileSync(path, 'utf8'), 'content');
  t.equal(pool.openCount, 0);
  await writing;
});

t.test("a link in a file's place is not followed", { skip: process.platform === 'win32' }, async t => {
  const directory = t.testdir({ outside: {}, inside: {} });
  writeFileSync(join(directory, 'outside', 'secret'), 'secret');
  await mkdir(join(directory, 'inside', 'sub'));
  await symlink(join(directory, 'outside', 'secret'), join(directory, 'inside', 'link'));
  const pool = new FilePool();
  await t.rejects(pool.write(join(directory, 'inside', 'link'), text('x'), 0), { code: 'ELOOP' });
  await t.rejects(pool.read(join(directory, 'inside', 'link'), [new Uint8Array(1)], 0), { code: 'ELOOP' });
  t.equal(readFileSync(join(directory, 'outside', 'secret'), 'utf8'), 'secret');
  await pool.closeAll();
});
