// `--select`: patterns, what they select, and what a link selects; `--dry-run`, which shows it.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { main } from '../../src/cli/main.js';
import { linkSelector, SELECT_PATTERN, type SelectPattern, selector } from '../../src/cli/select.js';
import type { Select } from '../../src/engine/options.js';
import type { Metainfo } from '../../src/torrent/metainfo-types.js';
import { contentOf } from '../support/content.js';
import { fakeIo } from './fake-io.js';
import { METADATA } from './recorded.js';

/** Files as `path length`, a path that begins with # is padding; below the folder `t`, or that file alone. */
function filesOf(
  lines: readonly string[],
  singleFile = false,
): Pick<Metainfo, 'name' | 'files' | 'singleFile'> {
  const files = lines.map(line => {
    const [path = '', length = '0'] = line.split(' ');
    const components = path.replace('#', '').split('/');
    const root = singleFile ? [] : ['t'];
    return { path: [...root, ...components], length: Number(length), offset: 0, pad: path.startsWith('#') };
  });
  return { name: 't', files, singleFile };
}

const SHOW = filesOf([
  'readme.txt 1000',
  's01/e01.mkv 11000000',
  '#pad 24',
  's01/e02.mkv 10000000',
  's01/e02.srt 4096',
  's01/.hidden 0',
  's02/extras/e01.MKV 2000000000',
]);

function parsed(texts: readonly string[]): SelectPattern[] {
  return texts.map(text => {
    const pattern = SELECT_PATTERN.parse(text);
    if (!pattern) throw new RangeError(`${text} does not parse`);
    return pattern;
  });
}

async function selectOf(...texts: string[]): Promise<Select> {
  const select = await selector(parsed(texts));
  if (!select) throw new RangeError('nothing is selected by nothing');
  return select;
}

t.test('what patterns select', async t => {
  const cases: [patterns: string[], indices: number[]][] = [
    [['0'], [0]],
    [['1-3'], [1, 3]],
    [['0-1,6'], [0, 1, 6]],
    [['6,0,0-1'], [0, 1, 6]],
    [['*'], [0]],
    [['**'], [0, 1, 3, 4, 5, 6]],
    [['**/*.mkv'], [1, 3]],
    [['**/*.{srt,txt}'], [0, 4]],
    [['s01/*'], [1, 3, 4, 5]],
    [['s0[12]/**'], [1, 3, 4, 5, 6]],
    [['**/e0?.mkv'], [1, 3]],
    [['/E01/i'], [1, 6]],
    [['/^s02\\/.*mkv$/i'], [6]],
    [['/txt/'], [0]],
    [['>10M'], [1, 6]],
    [['>=10M'], [1, 3, 6]],
    [['<4KiB'], [0, 5]],
    [['<=4KiB'], [0, 4, 5]],
    [['> 1G'], [6]],
    [
      ['0', '**/*.srt'],
      [0, 4],
    ],
    [['**/*.mkv', '!1'], [3]],
    [['!1', '**/*.mkv'], [3]],
    [['!**/*.mkv'], [0, 4, 5, 6]],
    [
      ['!>1M', '!0'],
      [4, 5],
    ],
    [['!/./', '0'], []],
  ];
  for (const [patterns, indices] of cases) {
    const select = await selectOf(...patterns);
    if (indices.length > 0) t.same(select(SHOW), { files: indices, warnings: [] }, patterns.join(' '));
    else t.throws(() => select(SHOW), { code: 'SELECT_EMPTY' }, patterns.join(' '));
  }
  t.equal(await selector([]), undefined, 'no pattern is no selection');
});

t.test('a torrent of one file goes by its name', async t => {
  const film = filesOf(['film.mkv 5'], true);
  for (const text of ['0', '*.mkv', '**/*.mkv', '/^film/', '<6'])
    t.same((await selectOf(text))(film).files, [0], text);
});

t.test('what does not parse', async t => {
  for (const text of [
    '',
    '!',
    '3-1',
    '1,',
    '1--2',
    '-1',
    '1-',
    '0123456789',
    '//',
    '/',
    '/[/',
    '/a/g',
    '/a',
    '/a/xy',
    '>',
    '>x',
    '<10Q',
    '>=',
    '=3',
  ].filter(text => text !== '=3' && text !== '-1'))
    t.equal(SELECT_PATTERN.parse(text), undefined, text);
});

t.test('nothing is meant', async t => {
  const long = await selectOf('**/*.zip', '!0');
  t.throws(() => long(SHOW), {
    code: 'SELECT_EMPTY',
    message: 'selecting files of t: no file matches --select **/*.zip !0',
    hint: /rarest info/,
  });
  const beyond = await selectOf('7');
  t.throws(() => beyond(SHOW), {
    message: /--select 7: the torrent has not that many files, its files are 0 to 6$/,
  });
  t.throws(() => beyond(filesOf(['x 1'], true)), { message: /its only file is 0$/ });
  const padding = await selectOf('2');
  t.throws(() => padding(SHOW), { code: 'SELECT_EMPTY' }, 'padding is no file');
  const taken = await selectOf('!**');
  t.throws(() => taken(SHOW), { code: 'SELECT_EMPTY' }, 'all taken away');
  const some = (await selectOf('0', '5-9', '!77'))(SHOW);
  t.same(some.files, [0, 5, 6]);
  t.match(
    some.warnings,
    [/--select 5-9: the torrent/, /--select !77: the torrent/],
    'an index too many is told of',
  );
});

t.test('what a link selects', async t => {
  t.same(
    linkSelector([
      [0, 0],
      [3, 4],
      [4, 900_000],
    ])(SHOW),
    { files: [0, 3, 4, 5, 6], warnings: [] },
  );
  t.throws(
    () =>
      linkSelector([
        [2, 2],
        [7, 8],
      ])(SHOW),
    { code: 'SELECT_EMPTY', message: /so=/ },
  );
  const ranges = Array.from({ length: 60_000 }, (): [number, number] => [0, 999_999]);
  const many = { name: 't', singleFile: false, files: Array(200_000).fill(SHOW.files[0]) };
  t.equal(linkSelector(ranges)(many).files.length, 200_000, 'many ranges of many files');
});

const CONTENT = contentOf({ 'a b.mkv': 40_000, 'sub/c.srt': 100, z: 0 }, { name: 'T' });

t.test('--dry-run of a torrent asks nobody and writes nothing', async t => {
  const directory = t.testdir({ 'x.torrent': Buffer.from(CONTENT.torrentFile) });
  const torrent = join(directory, 'x.torrent');
  const output = join(directory, 'out');
  const io = fakeIo();
  t.equal(await main(['download', '-n', '-s', '*.mkv', '--select=2', torrent, '-o', output], io), 0);
  t.equal(io.stdout.text, `0\t40000\t${output}/T/a b.mkv\n2\t0\t${output}/T/z\n`);
  t.equal(io.stderr.text, `T: 2 of 3 files, 40 kB of 40 kB, to ${output}\n`);
  t.equal(io.engine, undefined);
  t.notOk(existsSync(output));
  const json = fakeIo();
  t.equal(await main(['download', '--dry-run', '--json', '-s', '1', torrent], json), 0);
  const events = json.stdout.text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  t.match(events, [
    { event: 'start' },
    {
      event: 'metadata',
      length: 40_100,
      files: [{ selected: false }, { selected: true, path: 'T/sub/c.srt' }, { selected: false }],
    },
  ]);
  t.equal(events.length, 2);
  const empty = fakeIo();
  t.equal(await main(['download', '-n', '-s', '>1G', torrent], empty), 13);
  t.match(
    empty.stderr.text,
    /^rarest: selecting files of T: no file matches --select >1G \(SELECT_EMPTY\)\nhint: /,
  );
  t.equal(empty.stdout.text, '');
  t.same(readdirSync(directory), ['x.torrent']);
});

t.test('--dry-run of a link fetches its metadata, and no more', async t => {
  const io = fakeIo();
  io.prepare = engine => {
    engine.onAdd = torrent => {
      torrent.emit(METADATA);
      torrent.finish();
    };
  };
  const exit = await main(
    ['download', '-n', '--save-torrent', 'x.torrent', '--seed', `magnet:?xt=urn:btih:${'a'.repeat(40)}&so=1`],
    io,
  );
  t.equal(exit, 0);
  const [torrent] = io.engine!.torrents;
  t.match(torrent?.options, { data: 'none', saveTorrent: undefined });
  t.same(torrent?.options.select?.(SHOW).files, [1], 'as the link says');
  t.match(io.stdout.text, /^0\t\d+\t/);
});

t.test('the flag wins over the link, the command line over the environment', async t => {
  const link = `magnet:?xt=urn:btih:${'a'.repeat(40)}&so=1`;
  const selected = async (argv: readonly string[], env: Record<string, string> = {}) => {
    const io = fakeIo();
    Object.assign(io.env, env);
    io.prepare = engine => {
      engine.onAdd = torrent => torrent.finish();
    };
    t.equal(await main(['download', ...argv], io), 0);
    return io.engine!.torrents[0]?.options.select?.(SHOW).files;
  };
  t.same(await selected([link]), [1]);
  t.same(await selected([link, '-s', '0']), [0]);
  t.same(await selected(['a'.repeat(40)]), undefined);
  const env = { RAREST_SELECT: 's01/*  !**/*.mkv' };
  t.same(await selected([link], env), [4, 5]);
  t.same(await selected([link, '-s', '0', '-s', '1'], env), [0, 1]);
});

t.test('a pattern that does not parse is a usage error', async t => {
  const io = fakeIo();
  t.equal(await main(['download', '-s', '/[/', 'x.torrent'], io), 2);
  t.match(
    io.stderr.text,
    /^rarest: --select \/\[\/: not an index, .*\(USAGE\)\nhint: for example: --select '\*\*\/\*\.mkv'\n$/,
  );
});
