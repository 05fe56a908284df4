import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type FileAccess, FilePool } from '../../src/storage/file-pool.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { fileData, pieceData, randomBytes, sample, storageOf, storePiece, systemError } from './support.js';

const p = (index: number) => index as Piece;

const FILES = [
  { path: 'a.bin', length: 50_000 },
  { path: 'empty', length: 0 },
  { path: 'sub/one', length: 1 },
  { path: '.pad/15535', length: 15_535, pad: true },
  { path: 'sub/deep/b.bin', length: 70_000 },
];

t.test('pieces in any order become the files, padding does not', async t => {
  const torrent = sample(FILES);
  const directory = t.testdir({});
  const { storage, told, buffers } = storageOf(torrent, directory);
  for (const piece of [...torrent.pieces].reverse()) {
    storePiece(storage, torrent, piece);
    await storage.flush();
  }
  const expected = torrent.pieces.map(piece => `+${piece}`).reverse();
  t.same(told.pieces, expected);
  t.same(told.log, [...torrent.pieces].reverse(), 'each was logged');
  t.ok(storage.have.full);
  for (const file of [0, 2, 4]) {
    const path = join(directory, ...(torrent.metainfo.files[file]?.path ?? []));
    t.ok(readFileSync(path).equals(fileData(torrent, file)), path);
  }
  t.notOk(existsSync(join(directory, 'name', '.pad')));
  await storage.close();
  t.equal(buffers.heldBytes, 0, 'no piece memory is left');
  t.same(told.errors, []);
});

t.test('a file is as long as what was written of it', async t => {
  const torrent = sample([{ path: 'f', length: 100_000 }]);
  const directory = t.testdir({});
  const { storage } = storageOf(torrent, directory);
  storePiece(storage, torrent, p(1));
  await storage.close();
  t.equal(statSync(join(directory, 'name', 'f')).size, 65_536);
});

t.test('a piece with a wrong byte is told of and not written; then it may come again', async t => {
  const torrent = sample([{ path: 'f', length: 100_000 }]);
  const directory = t.testdir({});
  const { storage, told, buffers } = storageOf(torrent, directory);
  const wrong = Buffer.from(pieceData(torrent, p(0)));
  wrong[20_000] = (wrong[20_000] ?? 0) ^ 1;
  storePiece(storage, torrent, p(0), wrong);
  await storage.flush();
  t.same(told.pieces, ['-0']);
  t.same(readdirSync(directory), [], 'not even a folder');
  t.same(told.log, []);
  t.notOk(storage.have.has(p(0)));
  t.equal(buffers.usedBytes, 0);
  storePiece(storage, torrent, p(0));
  await storage.flush();
  t.same(told.pieces, ['-0', '+0']);
  await storage.close();
});

t.test('blocks of a discarded piece do not count', async t => {
  const torrent = sample([{ path: 'f', length: 32_768 }]);
  const { storage, told, buffers } = storageOf(torrent, t.testdir({}));
  const data = pieceData(torrent, p(0));
  storage.store(p(0), 0, randomBytes(16_384, 9));
  t.equal(buffers.usedBytes, 32_768);
  storage.discard(p(0));
  storage.discard(p(0));
  t.equal(buffers.usedBytes, 0);
  storage.store(p(0), 16_384, data.subarray(16_384));
  await storage.flush();
  t.same(told.pieces, [], 'half of it is missing again');
  storage.store(p(0), 0, data.subarray(0, 16_384));
  await storage.flush();
  t.same(told.pieces, ['+0']);
  storage.store(p(0), 0, data.subarray(0, 16_384));
  t.equal(buffers.usedBytes, 0, 'a piece that is here takes no more blocks');
  await storage.close();
});

t.test('the block is copied: the caller may use its memory again at once', async t => {
  const torrent = sample([{ path: 'f', length: 16_384 }]);
  const { storage, told } = storageOf(torrent, t.testdir({}));
  const block = Buffer.from(pieceData(torrent, p(0)));
  storage.store(p(0), 0, block);
  block.fill(0);
  await storage.flush();
  t.same(told.pieces, ['+0']);
  await storage.close();
});

t.test('when the disk fails, the piece is not ours and the error says why', async t => {
  const cases = [
    ['ENOSPC', 'DISK_FULL', 'no space left on device'],
    ['EDQUOT', 'DISK_FULL', 'disk quota exceeded'],
    ['EIO', 'DISK_IO', 'i/o error'],
    ['EACCES', 'DISK_IO', 'permission denied'],
  ] as const;
  for (const [errno, code, why] of cases) {
    const torrent = sample([{ path: 'f', length: 100_000 }]);
    const directory = t.testdir({});
    const pool = new FilePool();
    const full: FileAccess = Object.assign(Object.create(pool), {
      write: async (path: string, data: Uint8Array, position: number) => {
        if (position > 0) throw systemError(errno);
        await pool.write(path, data, position);
      },
      read: pool.read.bind(pool),
      close: pool.close.bind(pool),
    });
    const { storage, told, buffers } = storageOf(torrent, directory, full);
    storage.store(p(3), 0, new Uint8Array(1000));
    for (const piece of [0, 1, 2]) storePiece(storage, torrent, p(piece));
    await storage.flush();
    t.same(told.pieces, ['+0'], errno);
    t.same(told.log, [0]);
    t.equal(told.errors.length, 1, 'told once');
    t.match(told.errors[0], { code, message: `writing ${join(directory, 'name', 'f')}: ${why}` });
    t.equal(buffers.usedBytes, 0, 'half a piece is forgotten');
    storePiece(storage, torrent, p(1));
    t.equal(buffers.usedBytes, 0, 'further blocks are ignored');
    const read = Buffer.alloc(32_768);
    await storage.read(p(0), 0, [read]);
    t.ok(pieceData(torrent, p(0)).equals(read), 'what was verified can be read');
    await storage.close();
  }
});

t.test('a folder of the torrent that is a file is a disk error', async t => {
  const torrent = sample([{ path: 'below/f', length: 1000 }]);
  const { storage, told } = storageOf(torrent, t.testdir({ name: { below: 'a file' } }));
  storePiece(storage, torrent, p(0));
  await storage.flush();
  t.same(told.pieces, []);
  t.match(told.errors, [{ code: 'DISK_IO', message: /^writing .*below[/\\]f: not a directory$/ }]);
  await storage.close();
});

t.test('closing waits for the checks that have begun', async t => {
  const torrent = sample([{ path: 'f', length: 9 * 2 ** 16 + 5 }], 2 ** 16);
  const { storage, told } = storageOf(torrent, t.testdir({}));
  for (const piece of torrent.pieces) storePiece(storage, torrent, piece);
  t.same(told.pieces, [], 'nothing is told from inside store');
  await storage.close();
  t.equal(told.pieces.length, 10);
  t.ok(storage.have.full);
});
