// Reading verified blocks back for peers.

import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type FileAccess, FilePool } from '../../src/storage/file-pool.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { pieceData, sample, storageOf, systemError, writeFiles } from './support.js';

const p = (index: number) => index as Piece;

t.test('blocks read back are those that were stored', async t => {
  const torrent = sample(
    [
      { path: 'a', length: 700_000 },
      { path: '.pad/1', length: 86_432, pad: true },
      { path: 'b', length: 500_000 },
    ],
    2 ** 20,
  );
  const directory = t.testdir({});
  await writeFiles(torrent, directory);
  const { storage } = storageOf(torrent, directory);
  storage.have.fill();
  t.equal(storage.cached(p(0), 0, 16_384), undefined);
  const ranges = [
    [0, 0, 16_384],
    [0, LIMITS.readAheadBytes - 16_384, 16_384],
    [0, LIMITS.readAheadBytes - 100, 200],
    [0, 5, 2 ** 20 - 5],
    [0, 699_990, 86_450],
    [1, 0, 1],
    [1, 237_000, 856],
  ] as const;
  for (const [piece, begin, length] of ranges) {
    const expected = pieceData(torrent, p(piece)).subarray(begin, begin + length);
    t.ok(
      expected.equals(await storage.read(p(piece), begin, length)),
      `piece ${piece}, ${length} from ${begin}`,
    );
  }
  const hit = storage.cached(p(0), 16_384, 16_384);
  t.ok(hit && pieceData(torrent, p(0)).subarray(16_384, 32_768).equals(hit), 'its run is in memory now');
  t.equal(storage.cached(p(0), LIMITS.readAheadBytes - 1, 2), undefined, 'no view spans two runs');
  await storage.close();
});

t.test('one disk read serves all that ask for a run', async t => {
  const torrent = sample([{ path: 'a', length: 300_000 }], 2 ** 19);
  const directory = t.testdir({});
  await writeFiles(torrent, directory);
  const pool = new FilePool();
  const reads: string[] = [];
  const counting: FileAccess = {
    read: (path, target, position) => {
      reads.push(`${position}+${target.length}`);
      return pool.read(path, target, position);
    },
    write: () => Promise.reject(systemError('EROFS')),
    size: path => pool.size(path),
    sync: path => pool.sync(path),
    close: paths => pool.close(paths),
  };
  const { storage } = storageOf(torrent, directory, counting);
  storage.have.fill();
  await Promise.all([0, 16_384, 32_768, 0].map(begin => storage.read(p(0), begin, 16_384)));
  await storage.read(p(0), 49_152, 16_384);
  t.same(reads, [`0+${LIMITS.readAheadBytes}`]);
  await storage.read(p(0), 299_000, 1000);
  t.same(
    reads.slice(1),
    [`${LIMITS.readAheadBytes}+${300_000 - LIMITS.readAheadBytes}`],
    'no further than the piece',
  );
  await storage.close();
});

t.test('reading what we do not have, or what is gone, is an error', async t => {
  const torrent = sample([{ path: 'a', length: 100_000 }]);
  const directory = t.testdir({});
  await writeFiles(torrent, directory);
  const { storage } = storageOf(torrent, directory);
  await t.rejects(storage.read(p(0), 0, 16_384), { code: 'INTERNAL' }, 'not verified');
  storage.have.fill();
  await t.rejects(storage.read(p(3), 0, 16_384), { code: 'INTERNAL' }, 'beyond the last piece');
  const path = join(directory, 'name', 'a');
  truncateSync(path, 40_000);
  await t.rejects(storage.read(p(1), 0, 16_384), {
    code: 'DISK_IO',
    message: `reading ${path}: the file is gone or shorter than it was`,
  });
  t.equal((await storage.read(p(0), 0, 16_384)).length, 16_384, 'the rest can be read');
  await storage.close();
});
