import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DiskDesk } from '../../src/storage/disk-job.js';
import { DiskThreads } from '../../src/storage/disk-threads.js';
import { PieceBuffers } from '../../src/storage/piece-buffer.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { randomBytes, sha1 } from './support.js';

const hashes = (data: Buffer, pieceLength: number) =>
  Array.from({ length: Math.ceil(data.length / pieceLength) }, (_, at) =>
    sha1(data.subarray(at * pieceLength, (at + 1) * pieceLength)).toString('hex'),
  ).join('');

function memoryOf(data: Buffer): SharedArrayBuffer {
  const memory = new PieceBuffers(0, 0).take(data.length);
  memory.set(data);
  return memory.buffer;
}

t.test('a run of several files with a hole between them is hashed, the hole as zeros', async t => {
  const directory = t.testdir({});
  const data = randomBytes(1000, 1);
  data.fill(0, 400, 450);
  writeFileSync(join(directory, 'a'), Buffer.concat([randomBytes(7, 2), data.subarray(0, 400)]));
  writeFileSync(join(directory, 'b'), data.subarray(450, 980));
  data.fill(0, 980);
  const desk = new DiskDesk();
  const job = {
    kind: 'hash',
    owner: 1,
    length: 1000,
    pieceLength: 300,
    parts: [
      { path: join(directory, 'a'), position: 7, start: 0, length: 400 },
      { path: join(directory, 'b'), position: 0, start: 450, length: 530 },
    ],
  } as const;
  const dirty = { ...job, length: 2000, parts: [{ ...job.parts[0], length: 1 }] };
  for (const first of [job, dirty, job]) desk.run(first);
  const answer = desk.run(job);
  t.equal(answer.kind, 'hashed');
  if (answer.kind === 'hashed') t.equal(Buffer.from(answer.hashes).toString('hex'), hashes(data, 300));
  const part = { path: join(directory, 'b'), position: 500, start: 0, length: 31 };
  t.same(desk.run({ ...job, parts: [part] }), { kind: 'unread', path: part.path, fault: undefined }, 'short');
  const missing = { ...part, path: join(directory, 'c') };
  t.match(desk.run({ ...job, parts: [missing] }), {
    kind: 'unread',
    path: missing.path,
    fault: { code: 'ENOENT' },
  });
  t.same(desk.run({ kind: 'close', owner: 1 }), { kind: 'closed' });
});

t.test('a piece is written where it belongs, and only if its hash is right', async t => {
  const directory = t.testdir({ there: '0123456789' });
  const data = randomBytes(100, 3);
  const path = join(directory, 'new', 'folder', 'f');
  const job = {
    kind: 'store',
    owner: 1,
    memory: memoryOf(data),
    offset: 0,
    length: 100,
    hash: new Uint8Array(20),
    parts: [
      { path: join(directory, 'there'), position: 8, start: 0, length: 40 },
      { path, position: 5, start: 40, length: 60 },
    ],
  } as const;
  const desk = new DiskDesk();
  t.same(desk.run(job), { kind: 'stored', ok: false });
  t.notOk(existsSync(path), 'nothing was made');
  t.same(desk.run({ ...job, hash: sha1(data) }), { kind: 'stored', ok: true });
  const there = Buffer.concat([Buffer.from('01234567'), data.subarray(0, 40)]);
  t.ok(readFileSync(join(directory, 'there')).equals(there));
  t.ok(readFileSync(path).equals(Buffer.concat([Buffer.alloc(5), data.subarray(40)])));
  desk.run({ kind: 'close', owner: 1 });
});

t.test('what cannot be written is told with its path', async t => {
  const directory = t.testdir({ folder: {}, outside: 'x' });
  symlinkSync(join(directory, 'outside'), join(directory, 'link'));
  const data = randomBytes(10, 4);
  const desk = new DiskDesk();
  const written = (name: string) =>
    desk.run({
      kind: 'store',
      owner: 1,
      memory: memoryOf(data),
      offset: 0,
      length: 10,
      hash: sha1(data),
      parts: [{ path: join(directory, name), position: 0, start: 0, length: 10 }],
    });
  for (const [name, code] of [
    ['folder', 'EISDIR'],
    ['link', 'ELOOP'],
    ['outside/f', 'ENOTDIR'],
  ] as const)
    t.match(written(name), { kind: 'unwritten', path: join(directory, name), fault: { code } }, name);
  t.equal(readFileSync(join(directory, 'outside'), 'utf8'), 'x', 'no link is followed');
});

t.test('more files than a thread holds open', async t => {
  const directory = t.testdir({});
  mkdirSync(join(directory, 'd'));
  const count = 2 * LIMITS.threadFiles + 1;
  const data = randomBytes(count, 5);
  const parts = [...data.keys()].map(at => ({
    path: join(directory, 'd', `${at}`),
    position: 0,
    start: at,
    length: 1,
  }));
  const desk = new DiskDesk();
  const hash = sha1(data);
  const owner = 2;
  t.same(desk.run({ kind: 'store', owner, memory: memoryOf(data), offset: 0, length: count, hash, parts }), {
    kind: 'stored',
    ok: true,
  });
  t.match(desk.run({ kind: 'hash', owner, length: count, pieceLength: count, parts }), {
    kind: 'hashed',
    hashes: new Uint8Array(hash),
  });
  desk.run({ kind: 'close', owner });
});

t.test('threads do what is too much to be done in place, as many as it takes', async t => {
  const directory = t.testdir({ f: randomBytes(100_000, 6) });
  const data = readFileSync(join(directory, 'f'));
  const threads = new DiskThreads(2, 50_000);
  t.equal(threads.lanes, 4);
  t.ok(threads.isSmall(30_000));
  t.notOk(threads.isSmall(30_000), 'that would be too much');
  t.ok(threads.isSmall(20_000));
  const parts = [{ path: join(directory, 'f'), position: 0, start: 0, length: 100_000 }];
  const lengths = [16_384, 32_768, 200_000, 70_000];
  const answers = await Promise.all(
    lengths.map(pieceLength =>
      threads.run({ kind: 'hash', owner: 1, length: 100_000, pieceLength, parts }, 1, 0),
    ),
  );
  for (const [at, answer] of answers.entries()) {
    const expected = hashes(data, lengths[at] ?? 0);
    t.equal(answer.kind === 'hashed' && Buffer.from(answer.hashes).toString('hex'), expected);
  }
  t.notOk(threads.isSmall(1), 'a thread that is there is used');
  await threads.closeFiles(1);
  await threads.close();
});

t.test('many pieces go to a thread in one message, and their answers come back in order', async t => {
  const directory = t.testdir({ folder: {} });
  const threads = new DiskThreads(1, 0);
  const memory = new PieceBuffers();
  const datas = Array.from({ length: 20 }, (_, at) => randomBytes(at + 1, at));
  const order: string[] = [];
  const jobs = datas.map((data, at) => {
    const buffer = memory.take(32);
    buffer.set(data);
    const half = data.length >> 1;
    const name = at === 7 ? 'folder' : `f${at % 3}`;
    return {
      kind: 'store',
      owner: 1,
      memory: buffer.buffer,
      offset: buffer.byteOffset,
      length: data.length,
      hash: at % 5 === 4 ? new Uint8Array(20) : sha1(data),
      parts: [
        { path: join(directory, name), position: 100 * at, start: 0, length: half },
        { path: join(directory, `g${at % 2}`), position: 50 * at, start: half, length: data.length - half },
      ],
    } as const;
  });
  const asked = jobs.map((job, at) =>
    threads.run(job, job.length, 1000).then(answer => {
      order.push(`${at} ${answer.kind === 'stored' ? answer.ok : `${answer.kind}`}`);
    }),
  );
  asked.push(threads.closeFiles(1).then(() => void order.push('closed')));
  await Promise.all(asked);
  const expected = datas.map((_, at) => `${at} ${at === 7 ? 'unwritten' : at % 5 !== 4}`);
  t.same(order, [...expected, 'closed']);
  for (const [at, data] of datas.entries()) {
    if (at === 7 || at % 5 === 4) continue;
    const half = data.length >> 1;
    const written = readFileSync(join(directory, `g${at % 2}`)).subarray(50 * at);
    t.ok(data.subarray(half).equals(written.subarray(0, data.length - half)), `piece ${at}`);
  }
  await threads.close();
});

t.test('a thread that dies answers all the same, and the rest is done in place', async t => {
  const threads = new DiskThreads(1, 0);
  t.notOk(threads.isSmall(1));
  const job = { kind: 'hash', owner: 1, length: 10, pieceLength: Number.NaN, parts: [] } as const;
  await t.rejects(threads.run(job, 10, 0), RangeError);
  t.ok(threads.isSmall(1000));
  await threads.close();
});
