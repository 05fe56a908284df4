// Opening a torrent of which some files are wanted: what is made, what is left alone, what becomes of it when more or
// fewer are wanted later on.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { FilePool } from '../../src/storage/file-pool.js';
import type { OpenOptions, OpenTorrent } from '../../src/storage/open.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { toHex } from '../../src/torrent/ids.js';
import { Selection } from '../../src/torrent/selection.js';
import { drawn, place, store, tree } from './place.js';
import { fileData, pieceData, randomBytes, sample, systemError, writeFiles } from './support.js';

// Pieces of 32 KiB: a is 0 to 2, b 2 to 5, c 5 to 7, two empty files.
const TORRENT = sample([
  { path: 'a', length: 80_000 },
  { path: 'sub/b', length: 100_000 },
  { path: 'sub/empty', length: 0 },
  { path: 'c', length: 70_000 },
  { path: 'empty', length: 0 },
]);
const PARTS = `.${toHex(TORRENT.metainfo.infoHash)}.rarest-parts`;
const [A, B, EMPTY, C] = [0, 1, 2, 3] as const;

function selecting(t: Test) {
  const at = place(t, TORRENT);
  const open = (files: readonly number[] | undefined, options: Partial<OpenOptions> = {}) =>
    at.open({ selection: new Selection(TORRENT.metainfo, files), ...options });
  const isWhole = (...files: number[]) =>
    files.every(file => readFileSync(at.path(file)).equals(fileData(TORRENT, file)));
  return { ...at, open, isWhole, parts: join(at.output, PARTS) };
}

/** Bytes of a piece, in two runs. */
async function bytesOf(
  { storage }: OpenTorrent,
  piece: number,
  begin: number,
  length: number,
): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await storage.read(piece as Piece, begin, [bytes.subarray(0, length >> 1), bytes.subarray(length >> 1)]);
  return bytes;
}

/** Files below the output directory. */
function files(output: string): string[] {
  return tree(output).filter(name => statSync(join(output, name)).isFile());
}

t.test('one file: its neighbours are not made', async t => {
  const { open, output, isWhole, hashed } = selecting(t);
  const first = await open([B]);
  t.same(files(output), [], 'no empty file either');
  await store(first, TORRENT, 2, 3, 4, 5);
  for (const piece of [2, 5] as Piece[]) {
    const bytes = await bytesOf(first, piece, 0, TORRENT.geometry.lengthOf(piece));
    t.ok(pieceData(TORRENT, piece).equals(bytes), 'what others want of it is whole');
  }
  await first.close();
  t.same(files(output), [PARTS, 'name/sub/b']);
  t.ok(isWhole(B));
  const again = await open([B], { bootId: 'boot-2' });
  t.equal(drawn(again), 'resume ..####..');
  t.same(hashed, [], 'run again it reads nothing');
  t.ok(
    pieceData(TORRENT, 5 as Piece)
      .subarray(30_000, 30_100)
      .equals(await bytesOf(again, 5, 30_000, 100)),
  );
  await again.close();
  const hashing = await open([B], { recheck: true });
  t.equal(drawn(hashing), 'recheck ..####..', 'hashed through the part file');
  await hashing.close();
});

t.test('parts of pieces are read across files, part file and pieces', async t => {
  const { open } = selecting(t);
  const first = await open([A, C]);
  await store(first, TORRENT, 0, 1, 2, 5, 6, 7);
  for (const [piece, begin, length] of [
    [2, 0, 32_768],
    [2, 14_000, 5000],
    [5, 16_000, 16_000],
    [5, 1, 2],
  ] as const) {
    const bytes = await bytesOf(first, piece, begin, length);
    t.ok(
      pieceData(TORRENT, piece as Piece)
        .subarray(begin, begin + length)
        .equals(bytes),
      `${piece}+${begin}`,
    );
  }
  await first.close();
});

t.test('all of it later on: what was kept is moved, and only what is missing is to be fetched', async t => {
  const { open, output, path, isWhole, hashed } = selecting(t);
  const first = await open([B]);
  await store(first, TORRENT, 2, 3, 4, 5);
  await first.close();
  const more = await open([A, B, EMPTY]);
  t.equal(drawn(more), 'resume ..####..');
  t.same(hashed, []);
  t.equal(statSync(path(A)).size, 80_000, 'its end is there, the rest is a hole');
  await store(more, TORRENT, 0, 1);
  await more.close();
  t.same(files(output), [PARTS, 'name/a', 'name/sub/b', 'name/sub/empty']);
  t.ok(isWhole(A, B));
  const all = await open(undefined);
  t.equal(drawn(all), 'resume ######..');
  await store(all, TORRENT, 6, 7);
  await all.close();
  t.ok(isWhole(A, B, C));
  t.same(
    files(output),
    ['name/a', 'name/c', 'name/empty', 'name/sub/b', 'name/sub/empty'],
    'the part file is gone',
  );
});

t.test('selected later, a file may be complete at once', async t => {
  const small = sample([
    { path: 'a', length: 20_000 },
    { path: 'tiny', length: 100 },
    { path: 'c', length: 20_000 },
  ]);
  const { open, path, output } = place(t, small);
  const first = await open({ selection: new Selection(small.metainfo, [0, 2]) });
  await store(first, small, 0, 1);
  await first.close();
  t.notOk(existsSync(path(1)));
  const all = await open();
  t.equal(drawn(all), 'resume ##');
  t.ok(readFileSync(path(1)).equals(fileData(small, 1)));
  await all.seal();
  await all.close();
  t.same(files(output), ['name/a', 'name/c', 'name/tiny']);
  const again = await open();
  t.equal(drawn(again), 'resume ##');
  await again.close();
});

t.test('fewer later on: files that are here stay, and are given to others', async t => {
  const { open, output, isWhole, hashed, path } = selecting(t);
  const first = await open(undefined);
  await store(first, TORRENT, 0, 1, 2, 3, 4, 5);
  await first.close();
  const fewer = await open([C]);
  t.equal(drawn(fewer), 'resume ######..');
  await store(fewer, TORRENT, 6, 7);
  await fewer.close();
  t.same(files(output), ['name/a', 'name/c', 'name/empty', 'name/sub/b', 'name/sub/empty'], 'no part file');
  const again = await open([C]);
  t.equal(drawn(again), 'resume ########');
  t.same(hashed, []);
  await again.close();
  t.ok(isWhole(A, B, C));
  rmSync(path(A));
  const without = await open([C]);
  t.equal(drawn(without), 'resume ...#####', 'what was removed is missing, and nobody minds');
  await without.close();
});

t.test('half of a file, then another: what is there of it is neither changed nor lost', async t => {
  const { open, path, isWhole } = selecting(t);
  const first = await open([A]);
  await store(first, TORRENT, 0);
  await first.close();
  const before = readFileSync(path(A));
  const other = await open([B]);
  t.equal(drawn(other), 'resume #.......');
  await store(other, TORRENT, 2, 3, 4, 5);
  await other.close();
  t.ok(readFileSync(path(A)).equals(before), 'piece 2 ends in it, and is in the part file');
  const both = await open([A, B]);
  t.equal(drawn(both), 'resume #.####..');
  await store(both, TORRENT, 1);
  await both.close();
  t.ok(isWhole(A, B));
});

t.test('killed, no piece is lost', async t => {
  const { open, kill, hashed, isWhole } = selecting(t);
  const first = await open([B]);
  await store(first, TORRENT, 2, 3, 5);
  await kill(first);
  const second = await open([B]);
  t.equal(drawn(second), 'resume ..##.#..');
  t.same(hashed, []);
  await store(second, TORRENT, 4);
  await kill(second);
  const third = await open([A, B]);
  t.equal(drawn(third), 'resume ..####..', 'also for who wants more');
  await store(third, TORRENT, 0, 1);
  await third.close();
  t.ok(isWhole(A, B));
});

t.test('killed while what was kept is moved: it is done again', async t => {
  for (const calls of [0, 1, 2, 3]) {
    const { open, output, isWhole, kill, state } = selecting(t);
    const first = await open([B]);
    await store(first, TORRENT, 2, 3, 4, 5);
    await first.close();
    const dying = new FilePool();
    t.teardown(() => dying.closeAll());
    let left = calls;
    const write = dying.write.bind(dying);
    const sync = dying.sync.bind(dying);
    dying.write = async (...args) => {
      if (--left < 0) throw systemError('EIO');
      await write(...args);
    };
    dying.sync = async path => {
      if (--left < 0) throw systemError('EIO');
      await sync(path);
    };
    await t.rejects(open([A, B, C], { access: dying }), { code: 'DISK_IO' }, `after ${calls} calls`);
    rmSync(join(state, 'locks'), { recursive: true, force: true });
    t.ok(existsSync(join(output, PARTS)));
    const again = await open([A, B, C]);
    t.equal(drawn(again), 'resume ..####..');
    await kill(again);
    const last = await open([A, B, C]);
    await store(last, TORRENT, 0, 1, 6, 7);
    await last.close();
    t.ok(isWhole(A, B, C));
    rmSync(join(output, 'name'), { recursive: true });
    rmSync(join(state, 'resume'), { recursive: true });
  }
});

t.test('a part file that is lost or damaged costs its pieces alone', async t => {
  const { open, parts, isWhole } = selecting(t);
  const first = await open([B]);
  await store(first, TORRENT, 2);
  await store(first, TORRENT, 3, 4, 5);
  await first.close();
  truncateSync(parts, statSync(parts).size - 1);
  const short = await open([B]);
  t.equal(drawn(short), 'resume ..###...');
  await store(short, TORRENT, 5);
  await short.close();
  const bytes = readFileSync(parts);
  bytes[28 + 16 + 5] = (bytes[28 + 16 + 5] as number) ^ 1;
  writeFileSync(parts, bytes);
  utimesSync(parts, 5, 5);
  const damaged = await open([B]);
  t.equal(drawn(damaged), 'resume ...###..', 'changed: what is in it is hashed');
  await store(damaged, TORRENT, 2);
  await damaged.close();
  rmSync(parts);
  const lost = await open([A, B]);
  t.equal(drawn(lost), 'resume ...##...');
  await store(lost, TORRENT, 0, 1, 2, 5);
  await lost.close();
  t.ok(isWhole(A, B));
});

t.test('after a crash of the machine all is hashed, the part file too', async t => {
  const { open, kill, parts } = selecting(t);
  const first = await open([B]);
  await store(first, TORRENT, 2);
  await store(first, TORRENT, 3, 4, 5);
  await kill(first);
  const bytes = readFileSync(parts);
  bytes.fill(0, bytes.length - 10);
  writeFileSync(parts, bytes);
  const second = await open([B], { bootId: 'boot-2' });
  t.equal(drawn(second), 'recheck ..###...');
  await second.close();
});

t.test('what lies in the place of a file that is not selected does not matter', async t => {
  const { open, output, path, isWhole } = selecting(t);
  mkdirSync(path(A), { recursive: true });
  writeFileSync(path(C), randomBytes(90_000, 4));
  const first = await open([B]);
  await store(first, TORRENT, 2, 3, 4, 5);
  await first.close();
  t.ok(isWhole(B));
  t.ok(readFileSync(path(C)).equals(randomBytes(90_000, 4)));
  t.ok(statSync(path(A)).isDirectory());
  const again = await open([B]);
  t.equal(drawn(again), 'resume ..####..');
  await again.close();
  rmSync(output, { recursive: true });
  mkdirSync(join(output, 'name'), { recursive: true });
  writeFileSync(join(output, 'name', 'sub'), 'where a folder would be');
  symlinkSync('/', path(C));
  const other = await open([A]);
  await store(other, TORRENT, 0, 1, 2);
  await other.close();
  t.ok(isWhole(A));
});

t.test('it matters once the file is selected, though it was seen before', async t => {
  for (const how of ['closed', 'killed', 'read'] as const) {
    const { open, path, output, kill, parts, isWhole } = selecting(t);
    const foreign = randomBytes(70_000, 4);
    const put = () => {
      mkdirSync(dirname(path(C)), { recursive: true });
      writeFileSync(path(C), foreign);
    };
    put();
    const first = await open(how === 'read' ? undefined : [B], { writes: how !== 'read' });
    if (how !== 'read') await store(first, TORRENT, 2, 3, 4, 5);
    await (how === 'killed' ? kill(first) : first.close());
    await t.rejects(open([B, C]), { code: 'EXISTS' }, how);
    t.ok(readFileSync(path(C)).equals(foreign), 'nothing was moved into it');
    t.equal(existsSync(parts), how !== 'read', 'what was kept is there still');
    const forced = await open([B, C], { force: true });
    await store(forced, TORRENT, 2, 3, 4, 5, 6, 7);
    await forced.close();
    t.ok(isWhole(B, C));
    rmSync(output, { recursive: true });
    rmSync(join(dirname(dirname(output)), 'state'), { recursive: true });
  }
});

t.test('a part file that is gone, and a stranger in the place of a file', async t => {
  const { open, path, parts, kill } = selecting(t);
  const first = await open([B]);
  await store(first, TORRENT, 2, 3, 4, 5);
  await kill(first);
  rmSync(parts);
  writeFileSync(path(C), randomBytes(70_000, 4));
  writeFileSync(path(A), fileData(TORRENT, A));
  const second = await open([B]);
  t.equal(drawn(second), 'resume #####...', 'is hashed: one may be the file');
  await second.close();
});

t.test('without state, what matches is kept, the part file counted in', async t => {
  const { open, state, output, isWhole } = selecting(t);
  const first = await open([B]);
  await store(first, TORRENT, 2, 3, 4, 5);
  await first.close();
  rmSync(state, { recursive: true });
  const second = await open([B]);
  t.equal(drawn(second), 'recheck ..####..');
  await second.close();
  rmSync(state, { recursive: true });
  rmSync(join(output, 'name'), { recursive: true });
  const third = await open([A]);
  t.equal(drawn(third), 'recheck ........', 'it is no whole piece alone');
  await store(third, TORRENT, 0, 1, 2);
  await third.close();
  t.ok(isWhole(A));
});

t.test('what is trusted is not moved unseen', async t => {
  const { open, parts, path } = selecting(t);
  const first = await open([B]);
  await store(first, TORRENT, 2);
  await store(first, TORRENT, 3, 4, 5);
  await first.close();
  const bytes = readFileSync(parts);
  bytes[28 + 16 + 5] = (bytes[28 + 16 + 5] as number) ^ 1;
  writeFileSync(parts, bytes);
  utimesSync(parts, 5, 5);
  const second = await open([A, B], { trust: true });
  t.equal(drawn(second), 'resume ...###..');
  t.notOk(existsSync(path(A)), 'no byte reaches a file before its piece matched');
  await second.close();
});

t.test('who only reads, reads the part file', async t => {
  const { open, output, parts } = selecting(t);
  const first = await open([B]);
  await store(first, TORRENT, 2, 3, 4, 5);
  await first.close();
  const before = [files(output), readFileSync(parts)];
  const seed = await open(undefined, { writes: false });
  t.equal(drawn(seed), 'resume ..####..');
  t.ok(pieceData(TORRENT, 5 as Piece).equals(await bytesOf(seed, 5, 0, 32_768)));
  await seed.close();
  t.same([files(output), readFileSync(parts)], before);
  const again = await open([B]);
  t.equal(drawn(again), 'resume ..####..');
  await again.close();
});

t.test(
  'a file that may not be read, but is not selected',
  { skip: process.getuid?.() === 0 && 'root may read all' },
  async t => {
    const { open, output, path } = selecting(t);
    await writeFiles(TORRENT, output, A);
    chmodSync(path(A), 0);
    const first = await open([B]);
    t.equal(drawn(first), 'recheck ........');
    await first.close();
    chmodSync(path(A), 0o600);
  },
);

t.test('selections, one after the other, make the torrent whole', async t => {
  const { open, output, isWhole, kill } = selecting(t);
  const chosen = [[C], [A], [A, C], [EMPTY], [B], undefined];
  for (const [at, selection] of chosen.entries()) {
    const opened = await open(selection);
    const wanted = new Selection(TORRENT.metainfo, selection).wanted ?? TORRENT.pieces;
    const missing = [...wanted].filter(piece => !opened.storage.have.has(piece));
    await store(opened, TORRENT, ...missing);
    await (at % 2 ? kill(opened) : opened.close());
    t.ok(isWhole(...(selection ?? [A, B, C])), `${selection}`);
  }
  const last = await open(undefined);
  t.equal(drawn(last), 'resume ########');
  await last.close();
  t.notOk(readdirSync(output).includes(PARTS));
});
