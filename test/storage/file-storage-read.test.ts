// Reading verified bytes back.

import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DiskThreadsLease } from '../../src/storage/disk-threads.js';
import { bytesIn, cut } from '../../src/storage/scatter.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { pieceData, sample, storageOf, writeFiles } from './support.js';

const p = (index: number) => index as Piece;

t.test('bytes read back are those that were stored, wherever they go', async t => {
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
  const ranges = [
    [0, 0, 16_384],
    [0, 262_044, 200],
    [0, 5, 2 ** 20 - 5],
    [0, 699_990, 86_450],
    [1, 0, 1],
    [1, 237_000, 856],
  ] as const;
  for (const [piece, begin, length] of ranges) {
    const expected = pieceData(torrent, p(piece)).subarray(begin, begin + length);
    const whole = Buffer.alloc(length);
    await storage.read(p(piece), begin, [whole]);
    t.ok(expected.equals(whole), `piece ${piece}, ${length} from ${begin}`);
    const lengths = length > 1 ? [length >> 1, 0, 1, length - (length >> 1) - 1] : [0, length];
    const parts = lengths.map(bytes => Buffer.alloc(bytes));
    await storage.read(p(piece), begin, parts);
    t.ok(expected.equals(Buffer.concat(parts)), 'the same in parts');
  }
  await storage.close();
});

t.test('a run that lies in many small files is read by a thread', async t => {
  const files = Array.from({ length: 40 }, (_, at) => ({ path: `f/${at}`, length: 900 + at }));
  const torrent = sample(
    [...files.slice(0, 20), { path: '.pad/1', length: 500, pad: true }, ...files.slice(20)],
    32_768,
  );
  const directory = t.testdir({});
  await writeFiles(torrent, directory);
  const { storage } = storageOf(torrent, directory);
  storage.have.fill();
  // as if so much had been read already that a thread is worth its start
  const lease = new DiskThreadsLease();
  t.teardown(() => lease.give());
  for (let isSmall = true; isSmall; ) isSmall = lease.threads.isSmall(LIMITS.inPlaceFileBytes);
  for (const [piece, begin, length] of [
    [0, 0, 32_768],
    [0, 16_000, 16_768],
    [1, 100, 4000],
  ] as const) {
    const targets = [Buffer.alloc(length - 1000, 1), Buffer.alloc(0), Buffer.alloc(1000, 1)];
    await storage.read(p(piece), begin, targets);
    t.ok(
      pieceData(torrent, p(piece))
        .subarray(begin, begin + length)
        .equals(Buffer.concat(targets)),
      `${begin}`,
    );
  }
  const gone = join(directory, 'name', 'f', '3');
  truncateSync(gone, 10);
  await t.rejects(storage.read(p(0), 0, [Buffer.alloc(16_384)]), {
    code: 'DISK_IO',
    message: `reading ${gone}: the file is gone or shorter than it was`,
  });
  const reading = storage.read(p(1), 0, [Buffer.alloc(4100)]);
  await storage.close();
  await t.resolves(reading, 'what is being read comes before the end');
  const bytes = Buffer.alloc(4100);
  await storage.read(p(1), 0, [bytes]);
  t.ok(pieceData(torrent, p(1)).subarray(0, 4100).equals(bytes), 'and once it is closed, without');
});

t.test('memory is cut as if it were one', async t => {
  const targets = [Buffer.from('ab'), Buffer.from(''), Buffer.from('cdef'), Buffer.from('g')];
  const text = 'abcdefg';
  t.equal(bytesIn(targets), text.length);
  for (let start = 0; start <= text.length; start++) {
    for (let length = 0; start + length <= text.length; length++) {
      const parts = cut(targets, start, length);
      t.equal(Buffer.concat(parts).toString(), text.slice(start, start + length));
      t.ok(parts.every(part => part.length > 0));
    }
  }
});

t.test('reading what we do not have, or what is gone, is an error', async t => {
  const torrent = sample([{ path: 'a', length: 100_000 }]);
  const directory = t.testdir({});
  await writeFiles(torrent, directory);
  const { storage } = storageOf(torrent, directory);
  const target = [Buffer.alloc(16_384)];
  await t.rejects(storage.read(p(0), 0, target), { code: 'INTERNAL' }, 'not verified');
  storage.have.fill();
  await t.rejects(storage.read(p(3), 0, target), { code: 'INTERNAL' }, 'beyond the last piece');
  const path = join(directory, 'name', 'a');
  truncateSync(path, 40_000);
  await t.rejects(storage.read(p(1), 0, target), {
    code: 'DISK_IO',
    message: `reading ${path}: the file is gone or shorter than it was`,
  });
  await t.resolves(storage.read(p(0), 0, target), 'the rest can be read');
  await storage.close();
});
