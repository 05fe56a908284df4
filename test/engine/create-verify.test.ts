// `create` and `verify` without a command line: what is made is found good where it lies, damage is found, and the
// outcome of a check is what a download goes on from.

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { type CreateOptions, createTorrent } from '../../src/engine/create.js';
import { verifyData } from '../../src/engine/verify.js';
import { version } from '../../src/engine/version.js';
import { bootId } from '../../src/storage/boot.js';
import { FilePool } from '../../src/storage/file-pool.js';
import { acquireLock } from '../../src/storage/lock.js';
import { openTorrent } from '../../src/storage/open.js';
import { PieceBuffers } from '../../src/storage/piece-buffer.js';
import type { Metainfo } from '../../src/torrent/metainfo-types.js';
import { contentOf } from '../support/content.js';

const DEFAULTS: Omit<CreateOptions, 'paths'> = {
  pieceLength: 16_384,
  name: undefined,
  private: false,
  source: undefined,
  comment: undefined,
  trackers: [],
  webSeeds: [],
  nodes: [],
  padFiles: false,
  exclude: undefined,
  onProgress: () => undefined,
  signal: new AbortController().signal,
};

/** Pieces: a 0 to 2, sub/b 2 to 6, sub/empty none, z 6. */
function folder(t: Test) {
  const { data } = contentOf(120_000);
  const directory = t.testdir({
    root: {
      a: data.subarray(0, 40_000),
      sub: { b: data.subarray(40_000, 110_000), empty: '' },
      z: data.subarray(110_000),
    },
  });
  return { directory, root: join(directory, 'root') };
}

async function verify(metainfo: Metainfo, path: string, stateDirectory?: string) {
  const bad: [number, readonly string[]][] = [];
  const progress: number[] = [];
  const verified = await verifyData({
    metainfo,
    select: undefined,
    path,
    stateDirectory,
    onBad: (piece, files) => bad.push([piece, files]),
    onProgress: hashed => progress.push(hashed),
    signal: new AbortController().signal,
  });
  t.equal(progress.at(-1), metainfo.length, 'progress reaches the end');
  return { ...verified, list: bad };
}

t.test('create says what made it, and what it cannot use itself', async t => {
  const { root } = folder(t);
  const trackers = [['http://t/a', 'wss://t/b']];
  const { metainfo, warnings, parent } = await createTorrent({
    ...DEFAULTS,
    paths: [root],
    trackers,
    webSeeds: ['ftp://w/'],
  });
  t.equal(metainfo.createdBy, `rarest ${version()}`);
  t.equal(metainfo.creationDate, undefined);
  t.equal(parent, dirname(root));
  t.same(warnings, [
    'wss://t/b: written, but rarest itself cannot use it',
    'ftp://w/: written, but rarest itself cannot use it',
  ]);
});

t.test('relative paths have a relative parent', async t => {
  const { directory } = folder(t);
  const before = process.cwd();
  t.teardown(() => process.chdir(before));
  process.chdir(directory);
  const parentOf = async (...paths: string[]) => (await createTorrent({ ...DEFAULTS, paths })).parent;
  t.equal(await parentOf('root'), '.');
  t.equal(await parentOf('root/sub'), 'root');
  t.equal(await parentOf('root/a', './root/sub/b'), '.');
  const { metainfo } = await createTorrent({ ...DEFAULTS, paths: ['root'] });
  process.chdir('root');
  t.equal(await parentOf('a', 'z'), '..');
  t.match(
    await verify(metainfo, '.'),
    { bad: 0, output: directory },
    'the name of `.` is that of the folder',
  );
});

t.test('what was made is good, wherever it is said to be', async t => {
  const { directory, root } = folder(t);
  const { metainfo } = await createTorrent({ ...DEFAULTS, paths: [root], padFiles: true });
  for (const path of [directory, root, `${root}/`]) {
    t.match(
      await verify(metainfo, path),
      { pieces: 9, bad: 0, badBytes: 0, output: directory, warnings: [], list: [] },
      path,
    );
  }
  renameSync(root, join(directory, 'other'));
  t.match(await verify(metainfo, join(directory, 'other')), { bad: 0 }, 'under another name too');
  symlinkSync('other', join(directory, 'root'));
  t.match(await verify(metainfo, directory), { bad: 0 }, 'and by a link');
  const single = await createTorrent({ ...DEFAULTS, paths: [join(directory, 'other', 'z')] });
  for (const path of [join(directory, 'other'), join(directory, 'other', 'z')])
    t.match(await verify(single.metainfo, path), { pieces: 1, bad: 0, output: join(directory, 'other') });
});

t.test('a folder in a folder of the same name is no riddle', async t => {
  const directory = t.testdir({ root: { root: { root: 'r' }, x: 'x' } });
  const { metainfo } = await createTorrent({ ...DEFAULTS, paths: [join(directory, 'root')] });
  t.match(await verify(metainfo, directory), { bad: 0, output: directory });
  t.match(await verify(metainfo, join(directory, 'root')), { bad: 0, output: directory });
});

t.test('bad pieces in order with their files, and what is wrong with those', async t => {
  const { root } = folder(t);
  const { metainfo } = await createTorrent({ ...DEFAULTS, paths: [root] });
  const paths = {
    a: join(root, 'a'),
    b: join(root, 'sub', 'b'),
    empty: join(root, 'sub', 'empty'),
    z: join(root, 'z'),
  };
  const bytes = readFileSync(paths.a);
  bytes[35_000] = (bytes[35_000] ?? 0) ^ 1;
  writeFileSync(paths.a, bytes);
  truncateSync(paths.b, 65_000);
  rmSync(paths.empty);
  appendFileSync(paths.z, 'more');
  const { list, ...verified } = await verify(metainfo, root);
  t.same(list, [
    [2, [paths.a, paths.b]],
    [6, [paths.b, paths.z]],
  ]);
  t.same(verified, {
    files: 4,
    length: 120_000,
    pieces: 8,
    bad: 2,
    badBytes: 2 * 16_384,
    output: dirname(root),
    warnings: [
      `${paths.b}: 65000 of 70000 bytes`,
      `${paths.empty}: missing`,
      `${paths.z}: 4 bytes more than the 10000 of the torrent`,
    ],
  });
  rmSync(paths.b);
  symlinkSync(paths.a, paths.b);
  t.match(await verify(metainfo, root), { bad: 5, list: [[2], [3], [4], [5], [6]] }, 'a link is no file');
});

t.test('where nothing of it is', async t => {
  const { directory, root } = folder(t);
  const { metainfo } = await createTorrent({ ...DEFAULTS, paths: [root] });
  const single = await createTorrent({ ...DEFAULTS, paths: [join(root, 'z')] });
  mkdirSync(join(directory, 'nothing'));
  await t.rejects(verify(metainfo, join(directory, 'gone')), { code: 'NOT_FOUND', message: /no such file/ });
  await t.rejects(verify(metainfo, join(directory, 'nothing')), { code: 'NOT_FOUND', hint: /root/ });
  await t.rejects(verify(metainfo, join(root, 'a')), { code: 'NOT_FOUND' }, 'a file where a folder belongs');
  await t.rejects(
    verify(single.metainfo, directory),
    { code: 'NOT_FOUND' },
    'the folder above is not looked through',
  );
});

t.test('a check that is kept: the download that follows knows what is bad', async t => {
  const { directory, root } = folder(t);
  const state = join(directory, 'state');
  const { metainfo } = await createTorrent({ ...DEFAULTS, paths: [root] });
  const z = join(root, 'z');
  writeFileSync(z, Buffer.alloc(10_000));
  await verify(metainfo, root);
  t.notOk(existsSync(state), 'nothing is written unless asked for');
  const { output, bad } = await verify(metainfo, root, state);
  t.equal(bad, 2);
  t.same(readdirSync(join(state, 'locks')), [], 'the lock is given up');
  const pool = new FilePool();
  t.teardown(() => pool.closeAll());
  const opened = await openTorrent({
    metainfo,
    output,
    stateDirectory: state,
    bootId: await bootId(),
    access: pool,
    buffers: new PieceBuffers(),
    writes: true,
    force: false,
    trust: false,
    recheck: false,
    onVerified: piece => t.fail(`piece ${piece} is hashed again`),
    onPiece: () => undefined,
    onError: error => t.fail('no error expected', error),
  });
  t.equal(opened.how, 'resume');
  t.same([...opened.storage.have], [0, 1, 2, 3, 4, 5], 'not even a file without a good piece is foreign');
  await t.rejects(verify(metainfo, root, state), { code: 'LOCKED' });
  await opened.close();
  const lock = await acquireLock(state, join(output, basename(root)));
  await t.rejects(verify(metainfo, directory, state), { code: 'LOCKED' }, 'by any way to say where it is');
  await lock.release();
  renameSync(root, join(directory, 'other'));
  await t.rejects(verify(metainfo, join(directory, 'other'), state), { code: 'UNSUPPORTED', hint: /name/ });
  symlinkSync('other', root);
  await t.rejects(verify(metainfo, directory, state), { code: 'UNSUPPORTED' }, 'a download follows no link');
});
