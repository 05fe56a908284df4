// What openTorrent refuses, and that it leaves nothing behind then.

import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { drawn, place, store, TORRENT, tree } from './place.js';
import { fileData, sample, writeFiles } from './support.js';

t.test('a file that is not of this torrent is left alone, unless forced', async t => {
  const { open, output, path, state } = place(t);
  await writeFiles(TORRENT, output, 0);
  mkdirSync(dirname(path(1)));
  writeFileSync(path(1), 'my diary');
  await t.rejects(open(), {
    code: 'EXISTS',
    message: `using ${path(1)}: no piece of the torrent is in it`,
    hint: /--force/,
  });
  t.equal(readFileSync(path(1), 'utf8'), 'my diary');
  t.same(tree(output), ['name', 'name/a', 'name/sub', 'name/sub/b']);
  t.same(tree(state), ['locks'], 'nothing is remembered of it');
  const forced = await open({ force: true });
  t.equal(drawn(forced), 'recheck ##....', 'what matches is kept even so');
  await store(forced, TORRENT, 2, 3, 4, 5);
  await forced.close();
  t.ok(readFileSync(path(1)).equals(fileData(TORRENT, 1)));
});

t.test("an empty file is nobody's", async t => {
  const { open, path } = place(t);
  mkdirSync(dirname(path(1)), { recursive: true });
  writeFileSync(path(1), '');
  const opened = await open();
  t.equal(drawn(opened), 'recheck ......');
  await opened.close();
});

t.test('a file of ours without a whole piece is ours', async t => {
  const { open, path, kill } = place(t);
  const first = await open();
  mkdirSync(dirname(path(1)), { recursive: true });
  writeFileSync(path(1), 'half a piece, then the power of kill -9');
  await kill(first);
  const second = await open();
  await second.close();
  const third = await open();
  t.equal(drawn(third), 'resume ......', 'also after a clean end');
  await third.close();
  writeFileSync(path(1), 'something else since then');
  await t.rejects(open(), { code: 'EXISTS' }, 'not what somebody put there in between');
});

t.test('a file longer than the torrent says is refused, or cut when forced', async t => {
  const { open, output, path } = place(t);
  await writeFiles(TORRENT, output);
  writeFileSync(path(0), Buffer.concat([fileData(TORRENT, 0), Buffer.from('tail')]));
  await t.rejects(open(), {
    code: 'EXISTS',
    message: `using ${path(0)}: it is longer (80004 bytes) than the torrent's file (80000)`,
  });
  writeFileSync(path(2), 'not empty');
  const forced = await open({ force: true });
  t.equal(drawn(forced), 'recheck ######');
  await forced.close();
  t.equal(statSync(path(0)).size, 80_000);
  t.equal(statSync(path(2)).size, 0);
  const again = await open();
  t.equal(drawn(again), 'resume ######');
  await again.close();
});

t.test('what is no file, or no folder, in the way', async t => {
  const cases: [string, (path: (file: number) => string, elsewhere: string) => void, RegExp][] = [
    [
      'directory',
      path => mkdirSync(path(0), { recursive: true }),
      /name.a: a directory is where a file belongs$/,
    ],
    [
      'parent is a file',
      path => {
        mkdirSync(dirname(path(0)), { recursive: true });
        writeFileSync(dirname(path(1)), 'x');
      },
      /name.sub: a file is where a folder belongs$/,
    ],
  ];
  if (process.platform !== 'win32') {
    cases.push(
      [
        'link for a file',
        (path, elsewhere) => {
          mkdirSync(dirname(path(0)), { recursive: true });
          writeFileSync(join(elsewhere, 'secret'), 'secret');
          symlinkSync(join(elsewhere, 'secret'), path(0));
        },
        /name.a: a symbolic link is where a file belongs$/,
      ],
      [
        'link that leads outside',
        (path, elsewhere) => {
          mkdirSync(dirname(path(0)), { recursive: true });
          symlinkSync(elsewhere, dirname(path(1)));
        },
        /name.sub: a symbolic link is where a folder belongs$/,
      ],
    );
  }
  for (const [name, prepare, message] of cases) {
    await t.test(name, async t => {
      const { open, path, directory, state } = place(t);
      const elsewhere = join(directory, 'elsewhere');
      mkdirSync(elsewhere);
      prepare(path, elsewhere);
      const before = [tree(directory), tree(elsewhere)];
      await t.rejects(open({ force: true }), { code: 'EXISTS', message });
      rmSync(state, { recursive: true });
      t.same([tree(directory), tree(elsewhere)], before, 'not even force touches it');
    });
  }
});

t.test(
  "an output directory that is a link is the user's choice",
  { skip: process.platform === 'win32' },
  async t => {
    const { open, output, directory } = place(t);
    mkdirSync(join(directory, 'real'));
    mkdirSync(dirname(output));
    symlinkSync(join(directory, 'real'), output);
    const first = await open();
    await store(first, TORRENT, 0);
    await t.rejects(open({ output: join(directory, 'real') }), { code: 'LOCKED' }, 'one place by two names');
    await first.close();
    const second = await open({ output: join(directory, 'real') });
    t.equal(drawn(second), 'resume #.....');
    await second.close();
  },
);

t.test('an output directory that cannot be made or used', async t => {
  const { open, directory, state } = place(t);
  writeFileSync(join(directory, 'file'), 'x');
  const below = join(directory, 'file', 'out');
  await t.rejects(open({ output: below }), {
    code: 'DISK_IO',
    message: `creating ${below}: not a directory`,
  });
  const file = join(directory, 'file');
  await t.rejects(open({ output: file }), { code: 'DISK_IO', message: `using ${file}: not a directory` });
  t.same(tree(state), ['locks']);
  if (process.getuid?.() === 0) {
    t.comment('root may write everywhere: the read-only directory is not tried');
    return;
  }
  mkdirSync(join(directory, 'closed'), { mode: 0o500 });
  const inside = join(directory, 'closed', 'out');
  await t.rejects(open({ output: inside }), {
    code: 'DISK_IO',
    message: `creating ${inside}: permission denied`,
  });
  await t.rejects(open({ output: dirname(inside) }), { code: 'DISK_IO', message: /permission denied$/ });
});

t.test('a torrent that does not fit on the disk leaves nothing behind', async t => {
  const huge = 64 * 2 ** 20 * 2 ** 21; // 128 TiB, the largest a torrent can be here
  const torrent = sample([{ path: 'a', length: 1 }]);
  const metainfo = {
    ...torrent.metainfo,
    length: huge,
    pieceLength: 64 * 2 ** 20,
    pieceHashes: new Uint8Array(0),
    files: [{ path: ['name', 'a'], offset: 0, length: huge, pad: false }],
  };
  const { open, output, directory, state } = place(t);
  await t.rejects(open({ metainfo }), {
    code: 'DISK_FULL',
    message: new RegExp(`^storing name in ${output}: ${huge} bytes are needed, [0-9]+ are free$`),
  });
  t.same(tree(directory), ['state', 'state/locks']);
  t.same(tree(state), ['locks']);
  writeFileSync(join(directory, 'file'), 'x');
  const below = join(directory, 'file', 'out');
  const message = `creating ${below}: not a directory`;
  await t.rejects(open({ metainfo, output: below }), { code: 'DISK_IO', message }, 'the place comes first');
});

t.test('nothing written, nothing left', async t => {
  const torrent = sample([{ path: 'a', length: 80_000 }]);
  const { open, directory, output } = place(t, torrent);
  const opened = await open();
  t.ok(existsSync(output), 'it was made early, so that one hears early that it cannot be');
  await opened.close();
  t.notOk(existsSync(join(directory, 'some')));
});

t.test('the state directory fails after the output was made', async t => {
  const { open, directory, state } = place(t);
  mkdirSync(join(state), { recursive: true });
  writeFileSync(join(state, 'metadata'), 'a file where a folder belongs');
  await t.rejects(open(), { code: 'DISK_IO' });
  t.same(tree(directory), ['state', 'state/locks', 'state/metadata']);
});

t.test('only one at a time; a failure gives the lock back', async t => {
  const { open, path } = place(t);
  const first = await open();
  await t.rejects(open(), { code: 'LOCKED' });
  await first.close();
  mkdirSync(path(0), { recursive: true });
  await t.rejects(open(), { code: 'EXISTS' });
  await t.rejects(open(), { code: 'EXISTS' }, 'and not LOCKED');
});
