import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import bencode from 'bencode';
import t from 'tap';
import { FilePool } from '../../src/storage/file-pool.js';
import { choosePieceLength, makeTorrent } from '../../src/storage/make-torrent.js';
import { openTorrent } from '../../src/storage/open.js';
import { PieceBuffers } from '../../src/storage/piece-buffer.js';
import { parseTorrent } from '../../src/torrent/metainfo.js';
import { randomBytes } from './support.js';

const MiB = 2 ** 20;

interface Decoded {
  announce?: Uint8Array;
  'announce-list'?: Uint8Array[][];
  info: {
    name: Uint8Array;
    length?: number;
    'piece length': number;
    pieces: Uint8Array;
    private?: number;
    files?: { length: number; path: Uint8Array[] }[];
  };
}

function decode(bytes: Uint8Array): Decoded {
  return bencode.decode(bytes);
}

const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

function hashes(data: Uint8Array, pieceLength: number): string {
  let hex = '';
  for (let at = 0; at < data.length; at += pieceLength) {
    hex += createHash('sha1')
      .update(data.subarray(at, at + pieceLength))
      .digest('hex');
  }
  return hex;
}

t.test('one small file, byte for byte', async t => {
  const directory = t.testdir({ 'hello.txt': 'hello' });
  const { bytes, skipped } = await makeTorrent(join(directory, 'hello.txt'));
  const pieces = createHash('sha1').update('hello').digest();
  t.same(
    Buffer.from(bytes).toString('latin1'),
    'd10:created by6:rarest4:infod6:lengthi5e4:name9:hello.txt12:piece lengthi16384e6:pieces20:' +
      `${pieces.toString('latin1')}ee`,
  );
  t.same(skipped, []);
});

t.test('a folder: files in byte order of their paths, pieces across them', async t => {
  const directory = t.testdir({ folder: { b: {}, empty: {} } });
  const contents: [string, Buffer][] = [
    ['B', randomBytes(20_000, 1)],
    ['a', randomBytes(1, 2)],
    ['b-', randomBytes(0, 3)],
    ['b/x', randomBytes(30_000, 4)],
    ['b/é', randomBytes(5, 5)],
    ['b0', randomBytes(7, 6)],
  ];
  for (const [path, data] of [...contents].reverse()) writeFileSync(join(directory, 'folder', path), data);
  const progress: number[] = [];
  const { bytes } = await makeTorrent(join(directory, 'folder'), {
    onProgress: (hashed, length) => progress.push(hashed, length),
  });
  const { info, announce } = decode(bytes);
  t.equal(text(info.name), 'folder');
  t.equal(announce, undefined);
  t.same(
    info.files?.map(file => [file.path.map(text).join('/'), file.length]),
    contents.map(([path, data]) => [path, data.length]),
  );
  const all = Buffer.concat(contents.map(([, data]) => data));
  t.equal(Buffer.from(info.pieces).toString('hex'), hashes(all, 16_384));
  t.same(progress.slice(-2), [50_013, 50_013]);
  utimesSync(join(directory, 'folder', 'a'), 1, 1);
  const again = await makeTorrent(`${directory}/folder/`);
  t.same(Buffer.from(again.bytes), Buffer.from(bytes), 'the same input, the same bytes');
});

t.test('options', async t => {
  const directory = t.testdir({ file: 'x'.repeat(100_000) });
  const { bytes } = await makeTorrent(join(directory, 'file'), {
    name: 'other',
    pieceLength: 65_536,
    private: true,
    trackers: [['http://a', 'http://b'], [], ['udp://c:1']],
  });
  const { info, ...rest } = decode(bytes);
  t.equal(text(info.name), 'other');
  t.equal(info.private, 1);
  t.equal(info['piece length'], 65_536);
  t.equal(info.pieces.length, 40);
  t.equal(text(rest.announce), 'http://a');
  t.same(
    rest['announce-list']?.map(tier => tier.map(text)),
    [['http://a', 'http://b'], ['udp://c:1']],
  );
  const single = await makeTorrent(join(directory, 'file'), { trackers: [['http://a']] });
  t.equal(decode(single.bytes)['announce-list'], undefined, 'one tracker needs no list');
});

t.test(
  'links and special files are left out and told of',
  { skip: process.platform === 'win32' },
  async t => {
    const directory = t.testdir({ folder: { file: 'x', sub: {} }, outside: { secret: 'secret' } });
    symlinkSync(join(directory, 'outside'), join(directory, 'folder', 'sub', 'link'));
    symlinkSync('gone', join(directory, 'folder', 'dangling'));
    symlinkSync(join(directory, 'folder'), join(directory, 'alias'));
    const { bytes, skipped } = await makeTorrent(join(directory, 'alias'));
    const { info } = decode(bytes);
    t.same(
      info.files?.map(file => file.path.map(text).join('/')),
      ['file'],
    );
    t.equal(text(info.name), 'alias', 'the path itself may be a link');
    t.same([...skipped].sort(), [
      join(directory, 'folder', 'dangling'),
      join(directory, 'folder', 'sub', 'link'),
    ]);
  },
);

t.test('what cannot be a torrent', async t => {
  const directory = t.testdir({ folder: { empty: '' }, file: 'x' });
  mkdirSync(join(directory, 'nothing'));
  const file = join(directory, 'file');
  await t.rejects(makeTorrent(join(directory, 'gone')), {
    code: 'NOT_FOUND',
    message: `reading ${join(directory, 'gone')}: no such file or directory`,
  });
  await t.rejects(makeTorrent(join(directory, 'nothing')), { code: 'BAD_SOURCE' });
  await t.rejects(makeTorrent(join(directory, 'folder')), { code: 'BAD_SOURCE' });
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
    await t.rejects(makeTorrent(file, { pieceLength }), { code: 'USAGE' }, `${pieceLength}`);
  }
  for (const name of ['', '.', '..', 'a/b', 'a\0b']) {
    await t.rejects(makeTorrent(file, { name }), { code: 'USAGE' }, JSON.stringify(name));
  }
});

t.test(
  'a name that is not UTF-8 is refused, not mangled',
  { skip: process.platform !== 'linux' },
  async t => {
    const directory = t.testdir({ folder: {} });
    writeFileSync(Buffer.concat([Buffer.from(join(directory, 'folder', 'x')), Buffer.of(0xff)]), 'x');
    await t.rejects(makeTorrent(join(directory, 'folder')), { code: 'UNSUPPORTED' });
  },
);

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
  const { bytes } = await makeTorrent(join(directory, 'folder'), { private: true });
  const metainfo = parseTorrent(bytes);
  t.same(metainfo.warnings, []);
  t.ok(metainfo.private);
  const pool = new FilePool();
  const opened = await openTorrent({
    metainfo,
    output: directory,
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
