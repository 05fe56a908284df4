// `rarest cat`: what its words mean, which files are read, and what goes where. The engine is that of the test.

import t from 'tap';
import { eventsWanted, parseCommandLine } from '../../src/cli/args.js';
import { catOptions, streamPlan } from '../../src/cli/commands/cat.js';
import { main } from '../../src/cli/main.js';
import { allFiles, namedFiles, onlyFile } from '../../src/cli/named-files.js';
import { TarWriter } from '../../src/cli/tar.js';
import { TorrentError } from '../../src/torrent/errors.js';
import type { Metainfo } from '../../src/torrent/metainfo-types.js';
import { contentOf } from '../support/content.js';
import { type FakeTorrent, fakeIo, settle, until } from './fake-io.js';

const FOLDER = contentOf({ a: 10, 'sub/b.txt': 20, 'sub/3': 0, c: 5 }, { name: 'folder' });
const SINGLE = contentOf(100, { name: 'single' });
/** The second file is padding. */
const PADDED: Metainfo = {
  ...FOLDER.metainfo,
  files: FOLDER.metainfo.files.map((file, index) => ({ ...file, pad: index === 1 })),
};

async function optionsOf(...argv: string[]) {
  const line = await parseCommandLine(['cat', ...argv], {});
  if (line.kind !== 'command') throw new Error('not a command');
  return catOptions(line.invocation);
}

/** What would be read of the torrent. */
function planOf(
  { metainfo }: { metainfo: Metainfo },
  options: Partial<Awaited<ReturnType<typeof optionsOf>>>,
) {
  const all = { files: [], range: undefined, tar: false, ...options };
  return streamPlan(metainfo, all, async () => true, undefined);
}

/** The code and hint of what is thrown. */
function failing(run: () => unknown): { code: string; message: string; hint: string | undefined } {
  try {
    run();
  } catch (error) {
    if (error instanceof TorrentError) return { code: error.code, message: error.message, hint: error.hint };
  }
  throw new Error('nothing was thrown');
}

t.test('options', async t => {
  t.match(await optionsOf('x.torrent', 'a', 'b'), {
    source: 'x.torrent',
    files: ['a', 'b'],
    tar: false,
    range: undefined,
    keep: false,
  });
  t.match(await optionsOf('x', '-o', 'dir'), { keep: true, torrent: { output: 'dir', data: 'fetch' } });
  t.match(await optionsOf('x', '--range', '0-999'), { range: { from: 0, to: 999 } });
  t.match(await optionsOf('x', '--range=5-'), { range: { from: 5, to: undefined } });
  t.match(await optionsOf('x', '--range', '7-7'), { range: { from: 7, to: 7 } });
  for (const bad of ['5', '-5', '7-6', 'a-b', '1-2-3', ''])
    await t.rejects(optionsOf('x', `--range=${bad}`), { code: 'USAGE', hint: /--range 0-999/ }, bad);
  await t.rejects(optionsOf('x', '--tar', '--range', '0-1'), { code: 'USAGE' });
  await t.rejects(optionsOf('x', 'a', 'b', '--range', '0-1'), { code: 'USAGE' });
});

t.test('events go to stderr, for stdout is taken', async t => {
  t.equal(eventsWanted(['cat', 'x', '--json'], {}), 'stderr');
  t.equal(eventsWanted(['cat', 'x'], {}), undefined);
});

t.test('files by the path that info prints, by the path below the root, by index', async t => {
  const { metainfo } = FOLDER;
  t.same(namedFiles(metainfo, ['folder/sub/b.txt', 'sub/b.txt', '1', 'a', '0']), [1, 1, 1, 0, 0]);
  t.same(namedFiles(metainfo, ['3']), [3], 'a number is an index');
  t.same(namedFiles(metainfo, ['sub/3']), [2]);
  t.same(namedFiles(SINGLE.metainfo, ['single']), [0]);
  t.same(allFiles(PADDED), [0, 2, 3]);
});

t.test('a file that is not there', async t => {
  const { metainfo } = FOLDER;
  const hintOf = (name: string) => failing(() => namedFiles(metainfo, ['a', name]));
  t.match(hintOf('sub/b.tx'), { code: 'SELECT_EMPTY', hint: 'did you mean sub/b.txt?' });
  t.match(hintOf('b.txt'), { hint: 'did you mean sub/b.txt?' }, 'without its folder');
  t.match(hintOf('4'), { code: 'SELECT_EMPTY' });
  t.match(hintOf('something else'), { hint: /rarest info/ });
  t.match(
    failing(() => namedFiles(PADDED, ['1'])),
    { code: 'SELECT_EMPTY' },
    'padding is no file',
  );
});

t.test('what is read', async t => {
  t.match(planOf(SINGLE, {}), { ranges: [{ offset: 0, length: 100 }], files: 1 });
  t.match(
    failing(() => planOf(FOLDER, {})),
    { code: 'USAGE', hint: /--tar/ },
  );
  t.equal(onlyFile({ ...PADDED, files: PADDED.files.slice(1, 3) }), 1, 'but for padding it is the only one');
  const named = planOf(FOLDER, { files: ['c', 'a', 'sub/3', 'a'] });
  t.same(named.ranges, [
    { offset: 30, length: 5 },
    { offset: 0, length: 10 },
    { offset: 30, length: 0 },
    { offset: 0, length: 10 },
  ]);
});

t.test('ranges', async t => {
  const rangeOf = (from: number, to?: number) => planOf(SINGLE, { range: { from, to } }).ranges[0];
  t.same(rangeOf(0, 0), { offset: 0, length: 1 });
  t.same(rangeOf(10, 19), { offset: 10, length: 10 });
  t.same(rangeOf(90), { offset: 90, length: 10 });
  t.same(rangeOf(90, 1000), { offset: 90, length: 10 }, 'cut off at the end');
  t.match(
    failing(() => rangeOf(100)),
    { code: 'USAGE', message: /100 bytes/ },
  );
  t.same(planOf(FOLDER, { files: ['sub/3'], range: { from: 0, to: undefined } }).ranges, [
    { offset: 30, length: 0 },
  ]);
});

/** A tar of these files, whose contents come in pieces of so many bytes. */
async function tarOf(files: { path: string; length: number }[], content: Buffer, step = 7): Promise<Buffer> {
  const parts: Buffer[] = [];
  const tar = new TarWriter(files, async bytes => {
    parts.push(Buffer.from(bytes));
    return true;
  });
  for (let at = 0; at < content.length; at += step) await tar.write(content.subarray(at, at + step));
  await tar.end();
  return Buffer.concat(parts);
}

t.test('an archive: headers, contents, padding', async t => {
  const tar = await tarOf(
    [
      { path: 'x/empty', length: 0 },
      { path: 'x/y', length: 5 },
    ],
    Buffer.from('hello'),
    2,
  );
  t.equal(tar.length, 5 * 512);
  const text = (at: number, length: number) => tar.toString('latin1', at, at + length).replace(/\0.*/s, '');
  t.equal(text(0, 100), 'x/empty');
  t.equal(text(512, 100), 'x/y');
  t.equal(text(512 + 100, 8), '0000644');
  t.equal(text(512 + 124, 12), '00000000005');
  t.equal(text(512 + 136, 12), '00000000000', 'the beginning of time');
  t.equal(text(512 + 257, 8), 'ustar');
  t.equal(text(1024, 512), 'hello');
  const head = Buffer.from(tar.subarray(512, 1024));
  const sum = Number.parseInt(text(512 + 148, 8), 8);
  t.equal(
    head.fill(' ', 148, 156).reduce((total, byte) => total + byte, 0),
    sum,
    'the checksum',
  );
  t.same(
    tar,
    await tarOf(
      [
        { path: 'x/empty', length: 0 },
        { path: 'x/y', length: 5 },
      ],
      Buffer.from('hello'),
      5,
    ),
  );
  t.same(await tarOf([], Buffer.alloc(0)), Buffer.alloc(1024));
});

t.test('an archive: what a header has no room for', async t => {
  const long = `${'d'.repeat(60)}/${'f'.repeat(60)}`;
  const tar = (await tarOf([{ path: long, length: 0 }], Buffer.alloc(0))).toString('latin1');
  t.equal(tar[156], 'x');
  t.equal(tar.slice(512, 512 + 131), `131 path=${long}\n`);
  const accented = (await tarOf([{ path: 'é', length: 0 }], Buffer.alloc(0))).toString();
  t.match(accented, '11 path=é\n');
  t.equal(Buffer.byteLength('11 path=é\n'), 11);
  const huge: Buffer[] = [];
  const writer = new TarWriter([{ path: 'x', length: 2 ** 33 }], async bytes => {
    huge.push(Buffer.from(bytes));
    return true;
  });
  await writer.write(Buffer.alloc(1));
  t.match(Buffer.concat(huge).toString('latin1'), '19 size=8589934592\n');
});

t.test('an archive: nobody reads any more', async t => {
  let left = 2;
  const tar = new TarWriter([{ path: 'x', length: 1000 }], async () => left-- > 0);
  t.equal(await tar.write(Buffer.alloc(500)), true);
  t.equal(await tar.write(Buffer.alloc(500)), false);
});

/** Runs the command with the engine at hand: what it was told, and how to go on. */
async function running(argv: string[], prepare: (io: ReturnType<typeof fakeIo>) => void = () => {}) {
  const io = fakeIo();
  prepare(io);
  const ended = main(['cat', ...argv], io);
  const added = await Promise.race([ended, until(() => (io.engine?.torrents.length ?? 0) > 0)]);
  const torrent = io.engine?.torrents[0];
  return { io, ended, added, torrent: torrent as FakeTorrent };
}

t.test('bytes to stdout and nothing else; words to stderr', async t => {
  const { io, ended, torrent } = await running([SINGLE.magnet]);
  const { stream, data } = torrent.options;
  t.equal(data, 'fetch');
  t.equal(stream?.keep, false);
  const plan = stream?.open(SINGLE.metainfo);
  t.equal(await plan?.write(Buffer.from([0, 255, 10])), true);
  torrent.emit({ event: 'warning', message: 'a word' });
  t.equal(await plan?.end(), true);
  torrent.finish();
  t.equal(await ended, 0);
  t.same(io.stdout.bytes, Buffer.from([0, 255, 10]));
  t.match(io.stderr.text, 'a word');
});

t.test('--json: events to stderr', async t => {
  const { io, ended, torrent } = await running([SINGLE.magnet, '--json']);
  torrent.emit({ event: 'warning', message: 'a word' });
  torrent.fail(new TorrentError('STALLED', 'downloading: nothing new'));
  t.equal(await ended, 6);
  t.equal(io.stdout.text, '');
  const lines = io.stderr.text.split('\n').filter(line => line.startsWith('{'));
  t.same(
    lines.map(line => JSON.parse(line).event),
    ['start', 'warning', 'error'],
  );
});

t.test('nobody reads any more: a normal end', async t => {
  const { io, ended, torrent } = await running([SINGLE.magnet]);
  const plan = torrent.options.stream?.open(SINGLE.metainfo);
  io.stdout.fail('EPIPE');
  t.equal(await plan?.write(Buffer.from('x')), false);
  t.equal(await ended, 0);
  t.equal(io.engine?.closed, 1);
});

t.test('stdout cannot be written', async t => {
  const { io, ended, torrent } = await running([SINGLE.magnet]);
  const plan = torrent.options.stream?.open(SINGLE.metainfo);
  io.stdout.fail('ENOSPC');
  t.equal(await plan?.write(Buffer.from('x')), false);
  torrent.finish();
  t.equal(await ended, 8);
});

t.test('a terminal: text is printed, what is binary is not, nor an archive', async t => {
  const onTerminal = (io: ReturnType<typeof fakeIo>) => {
    io.stdout.isTTY = true;
    io.stderr.isTTY = true;
  };
  const { io, ended, torrent } = await running([SINGLE.magnet], onTerminal);
  const text = torrent.options.stream?.open(SINGLE.metainfo);
  await text?.write(Buffer.from('words\n'));
  const binary = torrent.options.stream?.open(SINGLE.metainfo);
  t.match(
    failing(() => binary?.write(Buffer.from('\x7fELF\0'))),
    { code: 'USAGE', hint: /\| cat/ },
  );
  torrent.finish();
  t.equal(await ended, 0);
  t.equal(io.stdout.text, 'words\n');
  t.notMatch(io.stderr.text, '\x1b', 'no bars beside the text');

  const archive = fakeIo();
  onTerminal(archive);
  t.equal(await main(['cat', SINGLE.magnet, '--tar'], archive), 2);
  await settle();
  t.equal(archive.engine, undefined);
});

t.test('what a .torrent lacks is told before anybody is asked', async t => {
  const io = fakeIo();
  const ended = main(['cat', '-', 'no such file'], io);
  io.input.end(FOLDER.torrentFile);
  t.equal(await ended, 13);
  t.equal(io.engine, undefined);
  t.match(io.stderr.text, '(SELECT_EMPTY)');
});
