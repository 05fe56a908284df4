import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { FilePool } from '../../src/storage/file-pool.js';
import { findCached } from '../../src/storage/metadata-cache.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { drawn, place, store, TORRENT, tree } from './place.js';
import { fileData, randomBytes, sample, writeFiles } from './support.js';

const p = (index: number) => index as Piece;

t.test('from nothing to complete, and again at once', async t => {
  const { open, path, state, hashed } = place(t);
  const first = await open();
  t.equal(drawn(first), 'fresh ......');
  t.same(first.warnings, []);
  t.equal(statSync(path(2)).size, 0, 'the empty file is there');
  await store(first, TORRENT, 5, 0, 1, 2, 3, 4);
  await first.close();
  await first.close();
  for (const file of [0, 1]) t.ok(readFileSync(path(file)).equals(fileData(TORRENT, file)));
  const second = await open({ bootId: 'boot-2' });
  t.equal(drawn(second), 'resume ######');
  t.same(hashed, [], 'without reading a byte');
  await second.close();
  t.same(tree(join(state, 'locks')), []);
  const cached = await findCached(state, TORRENT.metainfo.infoHash);
  t.same(Buffer.from(cached?.infoBytes ?? []), TORRENT.metainfo.infoBytes, 'the metadata is kept');
});

t.test('closed half-way, it goes on where it was', async t => {
  const { open, hashed } = place(t);
  const first = await open();
  await store(first, TORRENT, 1, 4);
  await first.close();
  const second = await open();
  t.equal(drawn(second), 'resume .#..#.');
  t.same(hashed, []);
  await second.close();
});

t.test('killed, no piece that was told of is lost', async t => {
  const { open, kill, hashed } = place(t);
  const first = await open();
  await store(first, TORRENT, 1, 4);
  await kill(first);
  const second = await open();
  t.equal(drawn(second), 'resume .#..#.');
  t.same(hashed, []);
  await store(second, TORRENT, 0);
  await kill(second);
  const third = await open();
  t.equal(drawn(third), 'resume ##..#.', 'killed twice');
  await third.close();
});

t.test('after a crash of the machine all is hashed', async t => {
  const { open, kill, path, hashed } = place(t);
  const first = await open();
  await store(first, TORRENT, 1, 4, 5);
  await kill(first);
  const bytes = readFileSync(path(1));
  bytes.fill(0, 60_000, 70_000); // inside piece 4: what the page cache had not written
  writeFileSync(path(1), bytes);
  const second = await open({ bootId: 'boot-2' });
  t.equal(drawn(second), 'recheck .#...#');
  t.same(second.warnings, ['the machine stopped before this was closed: what is on disk is hashed again']);
  t.ok(hashed.includes(p(4)));
  await second.close();
});

t.test('a file that changed since is hashed, the others are not', async t => {
  const { open, path, hashed } = place(t);
  const first = await open();
  await store(first, TORRENT, 0, 1, 2, 3, 4, 5);
  await first.close();
  utimesSync(path(1), 5, 5);
  const second = await open();
  t.equal(drawn(second), 'resume ######');
  t.same([...hashed].sort(), [2, 3, 4, 5]);
  await second.close();
  truncateSync(path(1), 60_000);
  const third = await open();
  t.equal(drawn(third), 'resume ####..', 'piece 4 ends at byte 83840 of b');
  await third.close();
  rmSync(path(1));
  const fourth = await open();
  t.equal(drawn(fourth), 'resume ##....');
  await fourth.close();
});

t.test('without state, what matches is kept', async t => {
  const { open, output } = place(t);
  await writeFiles(TORRENT, output);
  const opened = await open();
  t.equal(drawn(opened), 'recheck ######');
  await opened.close();
});

t.test('recheck hashes, trust does not', async t => {
  const { open, output, path, hashed } = place(t);
  await writeFiles(TORRENT, output);
  writeFileSync(path(0), randomBytes(80_000, 5));
  const trusting = await open({ trust: true });
  t.equal(drawn(trusting), 'resume ######');
  t.same(hashed, []);
  await trusting.close();
  await t.rejects(open(), { code: 'EXISTS' }, 'what was believed once is hashed the next time');
  const again = await open({ force: true });
  t.equal(drawn(again), 'resume ...###');
  await again.close();
  const checking = await open({ recheck: true, force: true });
  t.equal(drawn(checking), 'recheck ...###');
  t.equal(hashed.length, 6);
  await checking.close();
});

t.test('what was trusted is not remembered as verified, unless it was hashed a moment ago', async t => {
  const { open, path } = place(t);
  mkdirSync(dirname(path(1)), { recursive: true });
  writeFileSync(path(0), new Uint8Array(80_000));
  writeFileSync(path(1), new Uint8Array(100_000));
  writeFileSync(path(2), '');
  const trusting = await open({ trust: true, writes: false });
  t.ok(trusting.storage.have.full);
  await trusting.close();
  const checking = await open({ writes: false });
  t.equal(checking.storage.have.count, 0, 'zeros are not what the torrent says');
  await checking.close();
  const hashed = await open({ trust: 'hashed', writes: false });
  await hashed.close();
  const believing = await open({ writes: false });
  t.ok(believing.storage.have.full);
  await believing.close();
});

t.test('damaged state is ignored with a warning', async t => {
  const { open, state } = place(t);
  const first = await open();
  await store(first, TORRENT, 1, 4);
  await first.close();
  const [name] = readdirSync(join(state, 'resume'));
  writeFileSync(join(state, 'resume', name as string), 'garbage');
  const second = await open();
  t.equal(drawn(second), 'recheck .#..#.');
  t.same(second.warnings, ['the resume state is damaged and was ignored']);
  await second.close();
});

t.test('hashing can be ended early, the record stays', async t => {
  const { open } = place(t);
  const first = await open();
  await store(first, TORRENT, 1, 4);
  await first.close();
  const signal = AbortSignal.abort(new Error('SIGINT'));
  await t.rejects(open({ recheck: true, signal }), { message: 'SIGINT' });
  const second = await open();
  t.equal(drawn(second), 'resume .#..#.');
  await second.close();
});

t.test('sealed when complete, a crash while seeding costs no recheck', async t => {
  const { open, kill, hashed, path } = place(t);
  const synced: string[] = [];
  const pool = new FilePool();
  const sync = (file: string) => {
    synced.push(file);
    return pool.sync(file);
  };
  const first = await open({ access: Object.assign(new FilePool(), { sync }) });
  await store(first, TORRENT, 0, 1);
  await first.seal();
  t.same(synced, [], 'not complete: nothing to seal');
  await store(first, TORRENT, 2, 3, 4, 5);
  await first.seal();
  await first.seal();
  t.same(synced, [0, 1, 2].map(path), 'on the device, once');
  await pool.closeAll();
  await kill(first);
  const second = await open({ bootId: 'boot-2' });
  t.equal(drawn(second), 'resume ######');
  t.same(hashed, []);
  await kill(second);
  const third = await open({ bootId: 'boot-3' });
  t.equal(drawn(third), 'resume ######', 'nor does one while it was complete from the start');
  await third.close();
  await first.close();
});

t.test('a complete torrent needs no room and no writing', async t => {
  const { open, output, path } = place(t);
  await writeFiles(TORRENT, output);
  const before = [0, 1, 2].map(file => statSync(path(file)).mtimeMs);
  const opened = await open({
    access: Object.assign(new FilePool(), {
      write: () => Promise.reject(new Error('nothing is to be written')),
    }),
  });
  t.equal(drawn(opened), 'recheck ######');
  await opened.close();
  t.same(
    [0, 1, 2].map(file => statSync(path(file)).mtimeMs),
    before,
  );
});

t.test('a torrent of empty files alone is complete when it is opened', async t => {
  const torrent = sample([{ path: 'x/y', length: 0 }]);
  const { open, path } = place(t, torrent);
  const opened = await open();
  t.ok(opened.storage.have.full);
  t.equal(statSync(path(0)).size, 0);
  await opened.close();
});

t.test('a hard link to a file of ours is like any file', { skip: process.platform === 'win32' }, async t => {
  const { open, output, path, directory } = place(t);
  await writeFiles(TORRENT, output);
  linkSync(path(0), join(directory, 'second-name'));
  const opened = await open();
  t.equal(drawn(opened), 'recheck ######');
  await opened.close();
});
