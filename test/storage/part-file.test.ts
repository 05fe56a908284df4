// The part file alone: what it keeps, what it believes of what it finds, how it is rewritten.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FilePool } from '../../src/storage/file-pool.js';
import { PartFile } from '../../src/storage/part-file.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { toHex } from '../../src/torrent/ids.js';
import { seeded } from '../support/random.js';
import { sample, systemError } from './support.js';

const p = (index: number) => index as Piece;
// Pieces of 16 KiB: a is 0, 1 and 2, b is 2 to 4, padding 4, an empty one, c is 5.
const TORRENT = sample(
  [
    { path: 'a', length: 40_000 },
    { path: 'b', length: 40_000 },
    { path: 'pad', length: 1920, pad: true },
    { path: 'empty', length: 0 },
    { path: 'c', length: 100 },
  ],
  16 * 1024,
);
const NAME = `.${toHex(TORRENT.metainfo.infoHash)}.rarest-parts`;
/** Bytes of piece 2 in a, of piece 2 and piece 4 in b. */
const IN_A = 40_000 - 2 * 16_384;
const IN_B = 16_384 - IN_A;
const [A2, B2, B4] = [IN_A, IN_B, 14_464].map((length, at) => Buffer.alloc(length, at + 1)) as [
  Buffer,
  Buffer,
  Buffer,
];

function at(t: Test, directory = t.testdir({})) {
  const pool = new FilePool();
  t.teardown(() => pool.closeAll());
  const path = join(directory, NAME);
  /** The part file as a new run finds it. */
  const load = async () => {
    const parts = new PartFile(TORRENT.metainfo, directory, pool);
    await parts.load();
    return parts;
  };
  return { directory, path, pool, load };
}

function drawn(parts: PartFile): string[] {
  return [...parts].map(({ piece, file }) => `${piece}/${file}`);
}

t.test('what was kept is there again', async t => {
  const { load, path } = at(t);
  const parts = await load();
  t.ok(parts.isEmpty);
  t.equal(parts.stamp, undefined);
  t.notOk(existsSync(path), 'to look makes nothing');
  await Promise.all([parts.append(p(2), 0, A2), parts.append(p(4), 1, B4)]);
  await parts.append(p(2), 1, B2);
  for (const kept of [parts, await load()]) {
    t.same(drawn(kept), ['2/0', '4/1', '2/1']);
    t.ok(kept.has(p(2), 1));
    t.notOk(kept.has(p(3), 1));
    t.same(await kept.read({ piece: p(2), file: 0 }), new Uint8Array(A2));
    t.same(await kept.read({ piece: p(4), file: 1 }), new Uint8Array(B4));
  }
  t.equal(statSync(path).size, 28 + 3 * 16 + A2.length + B2.length + B4.length);
});

t.test('a record that was cut off is ignored, and no part of it is taken for another', async t => {
  const { load, path } = at(t);
  const first = await load();
  await first.append(p(2), 0, A2);
  await first.append(p(4), 1, B4);
  const whole = readFileSync(path);
  for (const length of [0, 10, 28, 30, 28 + 16 + 100, whole.length - B4.length, whole.length - 1]) {
    writeFileSync(path, whole.subarray(0, length));
    const parts = await load();
    const left = length > 28 + 16 + A2.length ? ['2/0'] : [];
    t.same(drawn(parts), left, `${length} bytes`);
    await parts.append(p(2), 1, B2);
    t.same(drawn(await load()), [...left, '2/1'], 'and what follows is kept');
  }
});

t.test('killed before the header of a record: bytes alone are none', async t => {
  const { load, path } = at(t);
  const first = await load();
  await first.append(p(2), 0, A2);
  const header = Buffer.from(readFileSync(path).subarray(28, 44));
  // What follows the hole looks like records, as the bytes of a torrent may.
  writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(16), header, A2, header, A2]));
  const parts = await load();
  t.same(drawn(parts), ['2/0']);
  await parts.append(p(5), 4, Buffer.alloc(100));
  t.equal(statSync(path).size, 28 + 16 + A2.length + 16 + 100, 'it is cut off');
  t.same(drawn(await load()), ['2/0', '5/4']);
});

t.test('hostile headers', async t => {
  const { load, path } = at(t);
  const first = await load();
  await first.append(p(2), 0, A2);
  const good = readFileSync(path);
  const record = (...[piece, file, length]: [number, number, number]) => {
    const header = Buffer.alloc(16);
    [piece, file, length, (piece ^ file ^ length ^ 0x72617265) >>> 0].forEach((value, n) => {
      header.writeUInt32BE(value, 4 * n);
    });
    return Buffer.concat([header, Buffer.alloc(20_000)]);
  };
  const cases: [string, Buffer][] = [
    ['a piece that there is not', record(6, 4, 100)],
    ['the largest piece', record(0xffffffff, 0, 100)],
    ['a file that there is not', record(5, 5, 100)],
    ['a file without bytes of the piece', record(5, 0, 100)],
    ['padding', record(4, 2, 1920)],
    ['an empty file', record(5, 3, 0)],
    ['too few bytes', record(5, 4, 99)],
    ['too many', record(5, 4, 101)],
    ['the largest length', record(5, 4, 0xffffffff)],
    ['zeros', Buffer.alloc(20_000)],
  ];
  for (const [name, bytes] of cases) {
    writeFileSync(path, Buffer.concat([good, bytes]));
    t.same(drawn(await load()), ['2/0'], name);
  }
  writeFileSync(path, Buffer.concat([good, record(5, 4, 100).subarray(0, 116)]));
  t.same(drawn(await load()), ['2/0', '5/4'], 'a good one is believed');
  for (const [name, byte] of [
    ['another mark', 0],
    ['another torrent', 20],
  ] as const) {
    const bytes = Buffer.from(good);
    bytes[byte] = (bytes[byte] as number) ^ 1;
    writeFileSync(path, bytes);
    const parts = await load();
    t.same(drawn(parts), [], name);
    await parts.append(p(2), 1, B2);
    t.same(drawn(await load()), ['2/1'], 'it is begun anew');
  }
});

t.test('seeded damage never leads outside', async t => {
  const { load, path } = at(t);
  const first = await load();
  for (const [piece, file, data] of [
    [2, 0, A2],
    [2, 1, B2],
    [4, 1, B4],
  ] as const)
    await first.append(p(piece), file, data);
  const whole = readFileSync(path);
  const random = seeded(5);
  let fewer = 0;
  for (let round = 0; round < 200; round++) {
    const bytes = Buffer.from(whole);
    for (let n = 0; n < 3; n++) {
      const headers = [0, 28, 28 + 16 + A2.length, 28 + 32 + A2.length + B2.length];
      const near = headers[Math.floor(random() * headers.length)] as number;
      bytes[near + Math.floor(random() * 16)] = random() * 256;
    }
    writeFileSync(path, bytes.subarray(0, Math.floor(random() * 2 * bytes.length)));
    const parts = await load();
    const kept = [...parts];
    if (kept.length < 3) fewer++;
    for (const one of kept) t.ok((await parts.read(one)).length > 0);
  }
  t.ok(fewer > 100);
});

t.test('rewritten without what is needed no more', async t => {
  const { load, path, directory } = at(t);
  const parts = await load();
  await parts.append(p(2), 0, A2);
  await parts.append(p(2), 1, B2);
  await parts.append(p(4), 1, B4);
  writeFileSync(`${path}.tmp`, 'of a run that was killed');
  await parts.rewrite(({ file }) => file === 1);
  t.same(drawn(parts), ['2/1', '4/1']);
  t.same(await parts.read({ piece: p(4), file: 1 }), new Uint8Array(B4));
  await parts.append(p(2), 0, A2);
  const again = await load();
  t.same(drawn(again), ['2/1', '4/1', '2/0']);
  t.same(await again.read({ piece: p(2), file: 0 }), new Uint8Array(A2));
  await again.rewrite(() => false);
  t.ok(again.isEmpty);
  t.same(readdirSync(directory), [], 'with nothing in it, it is gone');
  await again.append(p(2), 0, A2);
  t.same(drawn(await load()), ['2/0'], 'and comes again');
});

t.test('what is no regular file is not read, and not written through', async t => {
  const { load, path, directory } = at(t);
  const elsewhere = join(directory, 'elsewhere');
  writeFileSync(elsewhere, 'precious');
  symlinkSync(elsewhere, path);
  const parts = await load();
  t.ok(parts.isEmpty);
  await t.rejects(parts.append(p(2), 0, A2), { code: 'DISK_IO' });
  t.equal(readFileSync(elsewhere, 'utf8'), 'precious');
  const folder = at(t, join(directory, 'sub'));
  mkdirSync(folder.path, { recursive: true });
  t.ok((await folder.load()).isEmpty);
});

t.test('a full disk', async t => {
  const { load, path, pool, directory } = at(t);
  const parts = await load();
  await parts.append(p(2), 0, A2);
  const write = pool.write.bind(pool);
  pool.write = async (where, data, position) => {
    await write(where, data.subarray(0, data.length >> 1), position);
    throw systemError('ENOSPC');
  };
  await t.rejects(parts.append(p(4), 1, B4), {
    code: 'DISK_FULL',
    message: `writing ${path}: no space left on device`,
  });
  pool.write = write;
  t.same(drawn(parts), ['2/0']);
  await parts.append(p(2), 1, B2);
  t.same(drawn(await load()), ['2/0', '2/1'], 'nothing of the failed one is left');
  t.same(readdirSync(directory), [NAME]);
});
