import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type FileAccess, FilePool } from '../../src/storage/file-pool.js';
import { bytesIn } from '../../src/storage/scatter.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { sample, storageOf, systemError, writeFiles } from './support.js';

const FILES = [
  { path: 'a.bin', length: 50_000 },
  { path: 'empty', length: 0 },
  { path: 'sub/one', length: 1 },
  { path: '.pad/15535', length: 15_535, pad: true },
  { path: 'sub/deep/b.bin', length: 70_000 },
];

t.test('verify hashes what is there', async t => {
  const torrent = sample([...FILES, { path: 'gone', length: 100_000 }, { path: 'short', length: 65_536 }]);
  const directory = t.testdir({});
  await writeFiles(torrent, directory, 0, 2, 4, 6);
  truncateSync(join(directory, 'name', 'short'), 60_000);
  const path = join(directory, 'name', 'a.bin');
  const spoilt = readFileSync(path);
  spoilt[40_000] = (spoilt[40_000] ?? 0) ^ 1;
  writeFileSync(path, spoilt);
  const { storage, buffers } = storageOf(torrent, directory);
  // Pieces of 32768: a.bin 0-1, one 1, b.bin 2-4, gone 4-7, short 7-9.
  const results = new Map<Piece, boolean>();
  await storage.verify(torrent.pieces, { onPiece: (piece, ok) => results.set(piece, ok) });
  const drawn = torrent.pieces.map(piece => (results.get(piece) ? '#' : '.')).join('');
  t.equal(drawn, '#.##....#.', 'changed byte in 1, gone 4 to 7, short in 9');
  t.equal(buffers.heldBytes, 0);
  t.equal(storage.have.count, 0, 'have is left alone');
  await storage.close();
});

t.test(
  'verify: a file that is not there costs no read, a bad sector is a bad piece, no permission an error',
  async t => {
    const torrent = sample([
      { path: 'a', length: 65_536 },
      { path: 'gone', length: 65_536 },
    ]);
    const directory = t.testdir({});
    await writeFiles(torrent, directory, 0);
    const pool = new FilePool();
    const reads: string[] = [];
    let errno: 'EIO' | 'EACCES' = 'EIO';
    const access: FileAccess = {
      read: async (path, targets, position) => {
        reads.push(path);
        if (position + bytesIn(targets) > 40_000) throw systemError(errno);
        return pool.read(path, targets, position);
      },
      write: () => Promise.reject(systemError('EROFS')),
      size: path => pool.size(path),
      sync: path => pool.sync(path),
      close: paths => pool.close(paths),
    };
    const { storage, buffers } = storageOf(torrent, directory, access);
    const results: string[] = [];
    const onPiece = (piece: Piece, ok: boolean) => results.push(`${ok ? '+' : '-'}${piece}`);
    await storage.verify(torrent.pieces, { onPiece });
    t.same(results.sort(), ['+0', '-1', '-2', '-3']);
    t.ok(reads.every(path => path.endsWith('a')));
    errno = 'EACCES';
    await t.rejects(storage.verify(torrent.pieces, { onPiece }), {
      code: 'DISK_IO',
      message: /permission denied/,
    });
    t.equal(buffers.usedBytes, 0);
    const signal = AbortSignal.abort(new Error('enough'));
    await t.rejects(storage.verify(torrent.pieces, { onPiece, signal }), { message: 'enough' });
    await storage.close();
  },
);

t.test('a path that could leave the directory is refused whoever made it', async t => {
  for (const path of ['../x', 'a/../../x', 'a//b', './x', 'nul\0byte']) {
    t.throws(
      () => storageOf(sample([{ path, length: 1 }]), t.testdirName),
      { code: 'BAD_SOURCE' },
      JSON.stringify(path),
    );
  }
});
