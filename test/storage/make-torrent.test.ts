import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import bencode from 'bencode';
import t from 'tap';
import { FilePool } from '../../src/storage/file-pool.js';
import { choosePieceLength, type MakeTorrentOptions, makeTorrent } from '../../src/storage/make-torrent.js';
import { openTorrent } from '../../src/storage/open.js';
import { PieceBuffers } from '../../src/storage/piece-buffer.js';
import { toHex } from '../../src/torrent/ids.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { randomBytes } from './support.js';

const MiB = 2 ** 20;

interface Decoded {
  announce?: Uint8Array;
  'announce-list'?: Uint8Array[][];
  'url-list'?: Uint8Array[];
  nodes?: [Uint8Array, number][];
  comment?: Uint8Array;
  'created by'?: Uint8Array;
  'creation date'?: number;
  info: {
    name: Uint8Array;
    length?: number;
    'piece length': number;
    pieces: Uint8Array;
    private?: number;
    source?: Uint8Array;
    files?: { attr?: Uint8Array; length: number; path: Uint8Array[] }[];
  };
}

function decode(bytes: Uint8Array): Decoded {
  return bencode.decode(bytes);
}

const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

/** Path and length of each file, `*` in front of pads. */
function filesIn(bytes: Uint8Array): string[] | undefined {
  return decode(bytes).info.files?.map(
    ({ attr, path, length }) => `${attr ? '*' : ''}${path.map(text).join('/')} ${length}`,
  );
}

function hashes(data: Uint8Array, pieceLength: number): string {
  let hex = '';
  for (let at = 0; at < data.length; at += pieceLength) {
    hex += createHash('sha1')
      .update(data.subarray(at, at + pieceLength))
      .digest('hex');
  }
  return hex;
}

const infoHashOf = async (paths: string[], options?: MakeTorrentOptions) =>
  toHex((await makeTorrent(paths, options)).metainfo.infoHash);

t.test('one small file, byte for byte', async t => {
  const directory = t.testdir({ 'hello.txt': 'hello' });
  const { bytes, warnings, parent } = await makeTorrent([join(directory, 'hello.txt')]);
  const pieces = createHash('sha1').update('hello').digest();
  t.same(
    Buffer.from(bytes).toString('latin1'),
    'd4:infod6:lengthi5e4:name9:hello.txt12:piece lengthi16384e6:pieces20:' +
      `${pieces.toString('latin1')}ee`,
  );
  t.same(warnings, []);
  t.equal(parent, directory);
});

t.test('a folder: files in byte order of their paths, pieces across them', async t => {
  const directory = t.testdir({ folder: { b: {}, empty: {} } });
  const contents: [string, Buffer][] = [
    ['.hidden', randomBytes(3, 7)],
    ['B', randomBytes(20_000, 1)],
    ['a', randomBytes(1, 2)],
    ['b ', randomBytes(1, 2)],
    ['b-', randomBytes(0, 3)],
    ['b.x', randomBytes(4, 8)],
    ['b/x', randomBytes(30_000, 4)],
    ['b/é', randomBytes(5, 5)],
    ['b0', randomBytes(7, 6)],
  ];
  for (const [path, data] of [...contents].reverse()) writeFileSync(join(directory, 'folder', path), data);
  const progress: number[] = [];
  const { bytes } = await makeTorrent([join(directory, 'folder')], {
    onProgress: (hashed, length) => progress.push(hashed, length),
  });
  const { info, announce } = decode(bytes);
  t.equal(text(info.name), 'folder');
  t.equal(announce, undefined);
  t.same(
    filesIn(bytes),
    contents.map(([path, data]) => `${path} ${data.length}`),
  );
  const all = Buffer.concat(contents.map(([, data]) => data));
  t.equal(Buffer.from(info.pieces).toString('hex'), hashes(all, 16_384));
  t.same(progress.slice(-2), [all.length, all.length]);
  utimesSync(join(directory, 'folder', 'a'), 1, 1);
  const again = await makeTorrent([`${directory}/folder/`]);
  t.same(Buffer.from(again.bytes), Buffer.from(bytes), 'the same input, the same bytes');
});

t.test('the info hash is the one that others make', async t => {
  // mktorrent 1.1 with -l 15 (and -p -s SRC) of this folder, mktorrent and transmission-create 3.00 -p of this file.
  const directory = t.testdir({
    d: {
      a: { b: 'b\n', '0': '' },
      'a.b': 'dot\n',
      'a-b': 'dash\n',
      'a b': { c: 'c\n' },
      B: 'B\n',
      '.h': 'h\n',
      é: 'é\n',
    },
    f: 'x'.repeat(100_000),
  });
  const pieceLength = 32_768;
  t.equal(
    await infoHashOf([join(directory, 'd')], { pieceLength }),
    '78b4f74f9fca5c1a4176d28354ea1416855c87d5',
  );
  const own = { pieceLength, private: true, source: 'SRC' };
  t.equal(await infoHashOf([join(directory, 'd')], own), '1f31643526f3d2f171fe349471c5d95a10025e6b');
  t.equal(
    await infoHashOf([join(directory, 'f')], { pieceLength, private: true }),
    '1d11acd9eddf66617a241be6a50c2d260854aa74',
  );
});

t.test('options', async t => {
  const directory = t.testdir({ file: 'x'.repeat(100_000) });
  const { bytes, warnings } = await makeTorrent([join(directory, 'file')], {
    name: 'other',
    pieceLength: 65_536,
    private: true,
    source: 'here',
    comment: 'words',
    createdBy: 'us',
    trackers: [['http://a', 'http://b'], [], ['udp://c:1']],
    webSeeds: ['http://w/'],
    nodes: [{ host: 'n', port: 7 }],
  });
  const { info, ...rest } = decode(bytes);
  t.equal(text(info.name), 'other');
  t.same(warnings, [
    'it cannot be seeded from where it lies: there it is called "file", in the torrent "other"',
  ]);
  t.equal(info.private, 1);
  t.equal(text(info.source), 'here');
  t.equal(info['piece length'], 65_536);
  t.equal(info.pieces.length, 40);
  t.equal(text(rest.announce), 'http://a');
  t.same(
    rest['announce-list']?.map(tier => tier.map(text)),
    [['http://a', 'http://b'], ['udp://c:1']],
  );
  t.same([text(rest.comment), text(rest['created by'])], ['words', 'us']);
  t.same(rest['url-list']?.map(text), ['http://w/']);
  t.same(
    rest.nodes?.map(([host, port]) => [text(host), port]),
    [['n', 7]],
  );
  t.equal(rest['creation date'], undefined);
  const plain = decode(
    (await makeTorrent([join(directory, 'file')], { trackers: [['http://a']], comment: '' })).bytes,
  );
  t.same(Object.keys(plain), ['announce', 'info'], 'one tracker needs no list, and nothing is written empty');
  t.same(Object.keys(plain.info), ['length', 'name', 'piece length', 'pieces']);
});

t.test('pad files let every file begin with a piece', async t => {
  const [a, c, d] = [randomBytes(20_000, 1), randomBytes(16_384, 2), randomBytes(9, 3)];
  const directory = t.testdir({ x: { a, b: '', c, d, e: '' }, f: a });
  const made = await makeTorrent([join(directory, 'x')], { padFiles: true, pieceLength: 16_384 });
  const pads = ['a 20000', '*.pad/12768 12768', 'b 0', 'c 16384', 'd 9', '*.pad/16375 16375', 'e 0'];
  t.same(filesIn(made.bytes), pads);
  const padded = Buffer.concat([a, Buffer.alloc(12_768), c, d, Buffer.alloc(16_375)]);
  t.equal(Buffer.from(made.metainfo.pieceHashes).toString('hex'), hashes(padded, 16_384));
  t.ok(made.metainfo.files.every(({ offset, pad }) => pad || offset % 16_384 === 0));
  const aligned = await makeTorrent([join(directory, 'x', 'a'), join(directory, 'x', 'c')], {
    padFiles: true,
  });
  t.same(filesIn(aligned.bytes), ['a 20000', '*.pad/12768 12768', 'c 16384'], 'none after the last file');
  const single = await makeTorrent([join(directory, 'f')], { padFiles: true });
  t.equal(single.metainfo.length, 20_000, 'one file needs none');
});

t.test('several paths: the root is the nearest folder that holds them all', async t => {
  const directory = t.testdir({
    p: { '1': { 'a.jpg': 'a', 'a.txt': 'no' }, '2': { deep: { 'b.jpg': 'b' } }, 'c.jpg': 'c' },
  });
  const p = join(directory, 'p');
  const paths = [
    join(p, '2'),
    join(p, '1', 'a.jpg'),
    join(p, '2', 'deep', 'b.jpg'),
    join(p, '1', 'a.jpg'),
    `${p}/2/`,
  ];
  const { bytes, metainfo, parent, warnings } = await makeTorrent(paths);
  t.equal(metainfo.name, 'p');
  t.same(filesIn(bytes), ['1/a.jpg 1', '2/deep/b.jpg 1'], 'each once, by its path below the root');
  t.equal(parent, directory);
  t.same(warnings, []);
  t.same(await infoHashOf([...paths].reverse()), toHex(metainfo.infoHash), 'their order plays no role');
  const inner = await makeTorrent([join(p, '1'), p]);
  t.same(
    filesIn(inner.bytes),
    ['1/a.jpg 1', '1/a.txt 2', '2/deep/b.jpg 1', 'c.jpg 1'],
    'one inside the other',
  );
  const single = await makeTorrent([join(p, 'c.jpg'), join(p, '.', 'c.jpg')]);
  t.ok(single.metainfo.singleFile, 'if one is left, it is the root');
  const siblings = await makeTorrent([join(directory, 'p', '1', 'a.jpg'), join(directory, 'p', 'c.jpg')]);
  t.equal(siblings.metainfo.name, 'p', 'the folder of one is the common one');
  await t.rejects(
    makeTorrent([join(p, 'c.jpg'), '']),
    { code: 'USAGE' },
    'an empty path is no working directory',
  );
  await t.rejects(makeTorrent([]), { code: 'USAGE' });
});

t.test('the torrent about to be written is left out', async t => {
  const directory = t.testdir({ x: { a: 'a', s: {} } });
  const x = join(directory, 'x');
  const before = await infoHashOf([x], { exclude: join(x, 's', 'x.torrent') });
  writeFileSync(join(x, 's', 'x.torrent'), 'from an earlier run');
  t.equal(await infoHashOf([x], { exclude: join(x, 's', '..', 's', 'x.torrent') }), before);
  t.not(await infoHashOf([x]), before);
  const listed = [join(x, 'a'), join(x, 's', 'x.torrent')];
  t.ok((await makeTorrent(listed, { exclude: listed[1] })).metainfo.singleFile);
  await t.rejects(makeTorrent([join(x, 'a')], { exclude: join(x, 'a') }), { code: 'USAGE' });
});

t.test('links and special files', { skip: process.platform === 'win32' }, async t => {
  const directory = t.testdir({ folder: { file: 'x', sub: {} }, outside: { secret: 'secret' } });
  const folder = join(directory, 'folder');
  symlinkSync(join(directory, 'outside'), join(folder, 'sub', 'link'));
  symlinkSync('gone', join(folder, 'dangling'));
  symlinkSync(folder, join(directory, 'alias'));
  const server = createServer().listen(relative('', join(folder, 'socket')));
  await new Promise(resolve => server.once('listening', resolve));
  const alias = join(directory, 'alias');
  const { bytes, metainfo, warnings } = await makeTorrent([alias]);
  await new Promise(resolve => server.close(resolve));
  t.same(filesIn(bytes), ['file 1']);
  t.equal(metainfo.name, 'alias', 'the path itself may be a link');
  t.same(warnings, [
    `${alias}/dangling: a symbolic link in a folder is left out`,
    `${alias}/socket: no regular file, so it is left out`,
    `${alias}/sub/link: a symbolic link in a folder is left out`,
    'it cannot be seeded from where it lies: a path that was given is a symbolic link',
  ]);
  const both = await makeTorrent([alias, join(directory, 'outside', 'secret')]);
  t.same(filesIn(both.bytes), ['alias/file 1', 'outside/secret 6']);
  await t.rejects(makeTorrent(['/dev/null']), {
    code: 'BAD_SOURCE',
    message: /neither a file nor a folder/,
  });
  mkdirSync(join(folder, 'many'));
  for (let at = 0; at < LIMITS.fileWarnings; at++) symlinkSync('gone', join(folder, 'many', `${at}`));
  const many = await makeTorrent([folder]);
  t.equal(many.warnings.length, LIMITS.fileWarnings + 1);
  t.equal(many.warnings.at(-1), '2 more files of this kind');
});

t.test('what cannot be a torrent', async t => {
  const directory = t.testdir({ folder: { empty: '' }, file: 'x' });
  mkdirSync(join(directory, 'nothing'));
  const file = join(directory, 'file');
  await t.rejects(makeTorrent([file, join(directory, 'gone')]), {
    code: 'NOT_FOUND',
    message: `reading ${join(directory, 'gone')}: no such file or directory`,
  });
  await t.rejects(makeTorrent([join(directory, 'nothing')]), { code: 'BAD_SOURCE' });
  await t.rejects(makeTorrent([join(directory, 'folder')]), { code: 'BAD_SOURCE' });
  for (const pieceLength of [
    0,
    -16_384,
    16_383,
    8192,
    16_384 * 3,
    2 ** 27,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ]) {
    await t.rejects(makeTorrent([file], { pieceLength }), { code: 'USAGE' }, `${pieceLength}`);
  }
  for (const name of ['', '.', '..', 'a/b', 'a\0b']) {
    await t.rejects(makeTorrent([file], { name }), { code: 'USAGE' }, JSON.stringify(name));
  }
});

t.test('names that are odd, and names that cannot be', { skip: process.platform !== 'linux' }, async t => {
  const directory = t.testdir({ folder: { 'a.': 'x', '\ufffd': 'y' } });
  const folder = join(directory, 'folder');
  const { bytes, warnings } = await makeTorrent([folder]);
  t.same(filesIn(bytes), ['a. 1', '\ufffd 1'], 'they are written as they are');
  t.same(warnings, [
    'unsafe name "a.": written as "folder/a_"',
    'it cannot be seeded from where it lies: some names are not safe everywhere',
  ]);
  writeFileSync(Buffer.concat([Buffer.from(join(folder, 'x')), Buffer.of(0xff)]), 'x');
  await t.rejects(makeTorrent([folder]), { code: 'UNSUPPORTED', message: /x\ufffd: its name is not UTF-8/ });
});

t.test('what may not be read, or changes meanwhile, is named', async t => {
  const directory = t.testdir({ x: { a: 'a'.repeat(24 * MiB), b: 'b' } });
  const x = join(directory, 'x');
  const meanwhile = (change: () => void) => {
    let isFirst = true;
    const onProgress = () => {
      if (isFirst) change();
      isFirst = false;
    };
    return makeTorrent([x], { onProgress, pieceLength: MiB });
  };
  const changed = { code: 'DISK_IO', message: `reading ${x}/b: it changed while it was hashed` };
  await t.rejects(
    meanwhile(() => appendFileSync(join(x, 'b'), '!')),
    changed,
    'it grew',
  );
  await t.rejects(
    meanwhile(() => utimesSync(join(x, 'b'), 1, 1)),
    changed,
    'it was written to',
  );
  await t.rejects(
    meanwhile(() => writeFileSync(join(x, 'a'), 'short')),
    { code: 'DISK_IO', message: /x\/a: it changed/ },
  );
  writeFileSync(join(x, 'a'), Buffer.alloc(24 * MiB));
  await t.rejects(
    meanwhile(() => rmSync(join(x, 'b'))),
    { code: 'DISK_IO', message: /x\/b/ },
  );
  const stop = new AbortController();
  const stopped = makeTorrent([x], {
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('enough')),
    pieceLength: 16_384,
  });
  await t.rejects(stopped, { message: 'enough' });
  if (process.getuid?.() === 0) return;
  chmodSync(join(x, 'a'), 0);
  await t.rejects(makeTorrent([x]), { code: 'DISK_IO', message: `reading ${x}/a: permission denied` });
});

t.test('the chosen piece length makes about 1500 pieces', async t => {
  const cases: [number, number][] = [
    [1, 16_384],
    [32 * MiB, 16_384],
    [32 * MiB + 1, 32_768],
    [45 * MiB, 32_768],
    [2 ** 30, 2 ** 19],
    [2 ** 35, 16 * MiB],
    [2 ** 40, 16 * MiB],
  ];
  for (const [length, expected] of cases) t.equal(choosePieceLength(length), expected, `${length}`);
});

t.test('what was made is read back and found complete where it lies', async t => {
  const directory = t.testdir({ folder: { a: 'x'.repeat(40_000), sub: { b: 'y'.repeat(9), empty: '' } } });
  const { metainfo, parent } = await makeTorrent([join(directory, 'folder')], {
    private: true,
    padFiles: true,
  });
  t.same(metainfo.warnings, []);
  t.ok(metainfo.private);
  const pool = new FilePool();
  const opened = await openTorrent({
    metainfo,
    output: parent,
    stateDirectory: join(directory, 'state'),
    bootId: 'boot',
    access: pool,
    buffers: new PieceBuffers(),
    writes: true,
    force: false,
    trust: false,
    recheck: false,
    onPiece: () => undefined,
    onError: error => t.fail('no error expected', error),
  });
  t.equal(opened.how, 'recheck');
  t.ok(opened.storage.have.full);
  await opened.close();
  await pool.closeAll();
});
