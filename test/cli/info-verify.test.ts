// What reads torrents: `info`, `magnet`, `verify`.

import { existsSync, mkdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t, { type Test } from 'tap';
import { main } from '../../src/cli/main.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { toHex } from '../../src/torrent/ids.js';
import { parseMagnet } from '../../src/torrent/magnet.js';
import { formatMagnet } from '../../src/torrent/magnet-link.js';
import { buildTorrent, parseTorrent } from '../../src/torrent/metainfo.js';
import { contentOf } from '../support/content.js';
import { ROOT } from '../support/root.js';
import { type FakeIo, fakeIo, until } from './fake-io.js';
import { METADATA } from './recorded.js';
import { torrentFile } from './torrent-file.js';

const HASH = 'd'.repeat(40);
const CONTENT = contentOf({ 'first file': 70_000, 'sub/second': 30_000, empty: 0 }, { name: 'both' });
const TRACKERS = [['udp://a:1', 'http://b/'], ['http://c/']];
const FULL = buildTorrent({
  ...CONTENT.metainfo,
  trackers: TRACKERS,
  webSeeds: ['http://w/'],
  nodes: [{ host: '2001:db8::1', port: 1 }],
  comment: 'two\nlines \u202e',
  createdBy: 'somebody',
  creationDate: 1_709_208_000,
});

const fixture = (name: string) => join(ROOT, `test/fixtures/torrents/${name}.torrent`);

/** Runs a command to its end. */
async function run(argv: readonly string[], prepare: (io: FakeIo) => void = () => {}) {
  const io = fakeIo();
  prepare(io);
  const exit = await main(argv, io);
  return { io, exit, stdout: io.stdout.text, stderr: io.stderr.text };
}

t.test('info for scripts', async t => {
  const path = join(t.testdir({ 'x.torrent': Buffer.from(FULL) }), 'x.torrent');
  const { exit, stdout, stderr, io } = await run(['info', path]);
  t.equal(exit, 0);
  t.equal(stderr, '');
  t.equal(io.engine, undefined, 'there is nothing to connect to');
  t.same(stdout.split('\n'), [
    '# name\tboth',
    `# infoHash\t${toHex(CONTENT.metainfo.infoHash)}`,
    '# length\t100000',
    '# pieces\t4',
    '# pieceLength\t32768',
    '# private\tno',
    '# comment\ttwo lines',
    '# createdBy\tsomebody',
    '# creationDate\t2024-02-29T12:00:00Z',
    '# tracker\tudp://a:1 http://b/',
    '# tracker\thttp://c/',
    '# webSeed\thttp://w/',
    '# node\t[2001:db8::1]:1',
    `0\t70000\t${join('both', 'first file')}`,
    `1\t30000\t${join('both', 'sub', 'second')}`,
    `2\t0\t${join('both', 'empty')}`,
    '',
  ]);
  const nul = await run(['show', '-0', path]);
  t.equal(nul.stdout, stdout.replaceAll('\n', '\0'));
});

t.test('info for people', async t => {
  const path = join(t.testdir({ 'x.torrent': Buffer.from(FULL) }), 'x.torrent');
  const { exit, stdout } = await run(['info', path], io => {
    io.stdout.isTTY = true;
  });
  t.equal(exit, 0);
  t.same(stdout.split('\n'), [
    'both',
    `  info hash     ${toHex(CONTENT.metainfo.infoHash)}`,
    '  length        100 kB (100000 bytes)',
    '  pieces        4 of 32 KiB',
    '  comment       two lines',
    '  created by    somebody',
    '  created on    2024-02-29T12:00:00Z',
    '  trackers      udp://a:1, http://b/',
    '                http://c/',
    '  web seeds     http://w/',
    '  DHT nodes     [2001:db8::1]:1',
    '  files         3',
    `  0    70 kB  ${join('both', 'first file')}`,
    `  1    30 kB  ${join('both', 'sub', 'second')}`,
    `  2      0 B  ${join('both', 'empty')}`,
    '',
  ]);
});

t.test('info as one event', async t => {
  const path = join(t.testdir({ 'x.torrent': Buffer.from(FULL) }), 'x.torrent');
  const { exit, stdout } = await run(['info', '--json', path]);
  t.equal(exit, 0);
  t.equal(stdout.split('\n').length, 2);
  t.same(JSON.parse(stdout), {
    v: 1,
    t: 0,
    event: 'metadata',
    source: path,
    infoHash: toHex(CONTENT.metainfo.infoHash),
    name: 'both',
    pieces: 4,
    pieceLength: 32_768,
    length: 100_000,
    private: false,
    trackers: TRACKERS,
    webSeeds: ['http://w/'],
    files: [
      { index: 0, path: join('both', 'first file'), length: 70_000, selected: true },
      { index: 1, path: join('both', 'sub', 'second'), length: 30_000, selected: true },
      { index: 2, path: join('both', 'empty'), length: 0, selected: true },
    ],
    from: 'torrent',
    nodes: [{ host: '2001:db8::1', port: 1 }],
    comment: 'two lines',
    createdBy: 'somebody',
    creationDate: 1_709_208_000,
  });
});

t.test('info of some files: piped they alone are listed, elsewhere they are marked', async t => {
  const path = join(t.testdir({ 'x.torrent': Buffer.from(FULL) }), 'x.torrent');
  const all = await run(['info', path]);
  const one = await run(['info', path, '-s', 'sub/**']);
  t.equal(one.exit, 0);
  t.same(
    one.stdout.split('\n'),
    all.stdout.split('\n').filter(line => !/^[02]\t/.test(line)),
    'what is said of the torrent stays, and the index',
  );
  const planned = await run(['download', '-n', path, '-s', 'sub/**']);
  t.equal(planned.stdout, one.stdout.split('\n').slice(-2).join('\n'), 'as a download would tell');

  const table = await run(['info', path, '--select', '!1'], io => {
    io.stdout.isTTY = true;
  });
  t.same(table.stdout.split('\n').slice(-5), [
    '  files         2 of 3, 70 kB of 100 kB',
    `* 0    70 kB  ${join('both', 'first file')}`,
    `  1    30 kB  ${join('both', 'sub', 'second')}`,
    `* 2      0 B  ${join('both', 'empty')}`,
    '',
  ]);

  const json = await run(['info', '--json', path, '-s', '1,7']);
  const [event, warning] = json.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  t.same(
    event.files.map(({ selected }: { selected: boolean }) => selected),
    [false, true, false],
  );
  t.match(warning, { event: 'warning', message: /^--select 1,7: the torrent has not that many files/ });

  const none = await run(['info', path, '-s', '*.mkv']);
  t.same([none.exit, none.stdout], [13, '']);
  t.match(
    none.stderr,
    /^rarest: selecting files of both: no file matches --select \*\.mkv \(SELECT_EMPTY\)\n/,
  );
});

t.test('info of some files of every version', async t => {
  for (const name of ['hybrid', 'v2-only', 'pad-file']) {
    const listed = (text: string) => text.split('\n').filter(line => /^\d/.test(line));
    const all = listed((await run(['info', fixture(name)])).stdout);
    const last = await run(['info', fixture(name), '-s', all.at(-1)?.split('\t')[0] ?? '']);
    t.same(listed(last.stdout), all.slice(-1), name);
    t.same(listed((await run(['info', fixture(name), '-s', '**'])).stdout), all, name);
  }
});

t.test('info of every version, and of padding', async t => {
  const hybrid = await run(['info', fixture('hybrid')]);
  t.equal(hybrid.exit, 0);
  t.match(hybrid.stdout, /^# infoHash\t[0-9a-f]{40}\n# infoHashV2\t[0-9a-f]{64}$/m);
  const v2 = await run(['info', fixture('v2-only')]);
  t.equal(v2.exit, 0, 'it can be read, though not downloaded');
  t.match(v2.stdout, /^# infoHashV2\t[0-9a-f]{64}$/m);
  t.notMatch(v2.stdout, '# infoHash\t');
  const json = await run(['info', '--json', fixture('v2-only')]);
  const event = JSON.parse(json.stdout.split('\n')[0]!);
  t.equal(event.infoHash, event.infoHashV2);
  const padded = await run(['info', '--json', fixture('pad-file')]);
  const { files } = JSON.parse(padded.stdout.split('\n')[0]!) as { files: { index: number }[] };
  t.same(
    files.map(({ index }) => index),
    [0, 2],
    'padding is no file, but has an index',
  );
});

t.test('info of several; what cannot be read decides the exit code', async t => {
  const dir = relative('', t.testdir({ 'a.torrent': torrentFile('a').bytes, bad: 'no bencode' }));
  const sources = [join(dir, 'bad'), join(dir, 'a.torrent'), '-'];
  const { exit, stdout, stderr } = await run(['info', ...sources], io => {
    io.input.end(`${join(dir, 'a.torrent')}\n/nowhere/at all\n`);
  });
  t.equal(exit, 3);
  t.same(
    stdout.split('\n').filter(line => /^# name/.test(line)),
    ['# name\ta', '# name\ta'],
  );
  t.match(stderr, new RegExp(`^rarest: ${join(dir, 'bad')}: it is malformed: .* \\(BAD_SOURCE\\)\n`));
  t.match(stderr, /\(NOT_FOUND\)\n/);
});

t.test('info of a magnet link: metadata from peers, and no data', async t => {
  const io = fakeIo();
  const running = main(['info', HASH, '--metadata-timeout', '1m', '--tracker', 'udp://a:1'], io);
  await until(() => io.engine?.torrents.length === 1);
  const [torrent] = io.engine!.torrents;
  t.match(torrent?.options, { data: 'none', metadataTimeoutMs: 60_000, trackers: [['udp://a:1']] });
  torrent!.emit(METADATA);
  torrent!.finish();
  t.equal(await running, 0);
  t.match(io.stdout.text, `# name\tSin [2Jtel\n# infoHash\t${HASH}\n# length\t60000\n`);
  t.match(io.stdout.text, '\n1\t10000\tout/Sintel/b.srt\n');
  t.equal(io.stderr.text, '', 'said once is enough');

  t.equal(torrent!.options.select, undefined);

  const json = fakeIo();
  const told = main(['info', '--json', '-v', HASH], json);
  await until(() => json.engine?.torrents.length === 1);
  json.engine!.options.onEvent({ event: 'listening', host: '::', port: 1, dhtPort: null });
  json.engine!.torrents[0]!.emit({ event: 'dht', nodes: 1, found: 1 });
  json.engine!.torrents[0]!.emit(METADATA);
  json.engine!.torrents[0]!.finish();
  t.equal(await told, 0);
  t.match(JSON.parse(json.stdout.text), { event: 'metadata', infoHash: HASH, name: 'Sin\x1b[2Jtel' });

  const none = await run(['info', HASH], io => {
    io.prepare = engine => {
      engine.onAdd = torrent => torrent.fail(new TorrentError('NO_METADATA', 'metadata: no peer gave it'));
    };
  });
  t.equal(none.exit, 5);
  t.equal((await run(['info', '1'.repeat(64)])).exit, 15, 'v2 metadata cannot be fetched');
});

t.test('info of a link that selects says what a download would fetch', async t => {
  const asked = async (...argv: string[]) => {
    const io = fakeIo();
    const running = main(['info', ...argv], io);
    await until(() => io.engine?.torrents.length === 1);
    const [torrent] = io.engine!.torrents;
    const { select } = torrent!.options;
    torrent!.finish();
    t.equal(await running, 0);
    return select;
  };
  const link = `magnet:?xt=urn:btih:${HASH}&so=0,2`;
  t.same((await asked(link))?.(CONTENT.metainfo).files, [0, 2]);
  t.same((await asked(link, '-s', '**'))?.(CONTENT.metainfo).files, [0, 1, 2], 'the flag counts alone');
  t.same((await asked(HASH, '-s', '1'))?.(CONTENT.metainfo).files, [1]);
  const beyond = await asked(`magnet:?xt=urn:btih:${HASH}&so=9`);
  t.throws(() => beyond?.(CONTENT.metainfo), {
    code: 'SELECT_EMPTY',
    hint: /^rarest info -s '\*\*' lists all files/,
  });
});

t.test('the reader of a listing leaves', async t => {
  const io = fakeIo();
  const running = main(['info', HASH], io);
  await until(() => io.engine?.torrents.length === 1);
  io.stdout.fail('EPIPE');
  t.equal(await running, 0);
  t.equal(io.engine?.closed, 1);
  t.equal(io.stderr.text, '');
});

t.test('a listing that cannot be written is no success', async t => {
  const path = join(t.testdir({ 'x.torrent': Buffer.from(FULL) }), 'x.torrent');
  for (const command of ['info', 'magnet']) {
    const { exit, stderr } = await run([command, path], io => {
      io.stdout._write = (_chunk, _encoding, done) => {
        done(Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC', errno: -28 }));
      };
    });
    t.equal(exit, 8, command);
    t.equal(stderr, 'rarest: writing to stdout: no space left on device (DISK_FULL)\n');
  }
});

t.test('magnet', async t => {
  const path = join(t.testdir({ 'x.torrent': Buffer.from(FULL) }), 'x.torrent');
  const link = formatMagnet(parseTorrent(FULL));
  const { exit, stdout, stderr } = await run(['magnet', path]);
  t.same([exit, stdout, stderr], [0, `${link}\n`, '']);
  const piped = await run(['magnet', '-', '-0'], io => io.input.end(FULL));
  t.equal(piped.stdout, `${link}\0`);
  const infoHash = toHex(CONTENT.metainfo.infoHash);
  const json = await run(['magnet', '--json', path]);
  t.same(JSON.parse(json.stdout), { v: 1, t: 0, event: 'magnet', source: path, infoHash, magnet: link });

  const v2 = await run(['magnet', fixture('v2-only')]);
  t.equal(v2.exit, 0);
  const magnet = parseMagnet(v2.stdout.trim());
  t.equal(magnet.infoHash, undefined);
  t.equal(magnet.infoHashV2?.length, 32);
  const hybrid = await run(['magnet', fixture('hybrid')]);
  t.match(parseMagnet(hybrid.stdout.trim()), { infoHash: { length: 20 }, infoHashV2: { length: 32 } });
  t.same(
    [(await run(['magnet', HASH])).exit, (await run(['magnet', '/nowhere'])).exit],
    [2, 4],
    'a link has no link, nothing has none either',
  );
});

/** Data and its torrent, in a folder of its own. */
function place(t: Test) {
  const dir = relative('', t.testdir({ 'x.torrent': Buffer.from(CONTENT.torrentFile), state: {} }));
  const root = join(dir, 'both');
  mkdirSync(join(root, 'sub'), { recursive: true });
  for (const { path, offset, length } of CONTENT.metainfo.files)
    writeFileSync(join(dir, ...path), CONTENT.data.subarray(offset, offset + length));
  return { dir, root, torrent: join(dir, 'x.torrent') };
}

/** Turns one byte of a file over. */
function spoil(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

t.test('verify: all is well', async t => {
  const { dir, root, torrent } = place(t);
  for (const where of [dir, root]) {
    const { exit, stdout, stderr, io } = await run(['verify', torrent, where]);
    t.equal(exit, 0);
    t.equal(stdout, '');
    t.equal(stderr, 'both: all of 100 kB verified\n');
    t.equal(io.engine, undefined);
  }
  const json = await run(['verify', torrent, dir, '--json']);
  const events = json.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  t.match(events, [
    { event: 'start', output: dir },
    { event: 'done', path: root, files: 3, length: 100_000, downloaded: 0, wasted: 0 },
  ]);
});

t.test('verify: what does not match', async t => {
  const { dir, root, torrent } = place(t);
  spoil(join(root, 'first file'), 40_000);
  unlinkSync(join(root, 'sub', 'second'));
  const first = join(root, 'first file');
  const second = join(root, 'sub', 'second');
  const { exit, stdout, stderr } = await run(['verify', torrent, dir]);
  t.equal(exit, 9);
  t.same(stdout.split('\n'), [`1\t${first}`, `2\t${first}`, `2\t${second}`, `3\t${second}`, '']);
  t.match(stderr, /^rarest: warning: both: .*second: missing$/m);
  t.match(
    stderr,
    /^rarest: verifying both: 3 of 4 pieces do not match \(VERIFY_FAILED\)\nhint: --repair fetches just these\n$/m,
  );
  t.notOk(existsSync(second), 'nothing was touched');
  const json = await run(['verify', torrent, dir, '--json']);
  t.equal(json.exit, 9);
  const events = json.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  t.same(
    events.map(({ event }) => event).filter(name => name !== 'warning'),
    ['start', 'bad', 'bad', 'bad', 'error'],
  );
  t.match(events[2], { event: 'bad', piece: 2, files: [first, second], infoHash: /^[0-9a-f]{40}$/ });
  t.equal(events.at(-1).exit, 9);
});

t.test('verify: the files that are named, and no others', async t => {
  const { dir, root, torrent } = place(t);
  spoil(join(root, 'first file'), 0);
  unlinkSync(join(root, 'empty'));
  const second = await run(['verify', torrent, dir, '-s', 'sub/*']);
  t.equal(second.exit, 0);
  t.equal(second.stderr, 'both: all of 30 kB verified\n');
  const first = await run(['verify', torrent, dir, '--select', '0']);
  t.equal(first.exit, 9);
  t.equal(first.stdout, `0\t${join(root, 'first file')}\n`);
  t.match(
    first.stderr,
    /^rarest: verifying both: 1 of 3 pieces does not match/,
    'of what is missing besides, no word',
  );
  t.equal((await run(['verify', torrent, dir, '-s', 'none'])).exit, 13);
});

t.test('verify: what cannot be', async t => {
  const { dir, root, torrent } = place(t);
  const two = await run(['verify', torrent, torrent]);
  t.equal(two.exit, 2);
  t.match(two.stderr, /^rarest: verify: one torrent at a time \(USAGE\)\nhint: /);
  spoil(join(root, 'sub', 'second'), 29_999);
  t.match((await run(['verify', torrent, dir])).stderr, 'both: 1 of 4 pieces does not match (VERIFY_FAILED)');
  spoil(join(root, 'sub', 'second'), 29_999);
  t.equal((await run(['verify', torrent, join(dir, 'state')])).exit, 4);
  t.equal((await run(['verify', join(dir, 'none.torrent')])).exit, 4);
  t.equal((await run(['verify', fixture('v2-only'), dir])).exit, 15);
  const link = await run(['verify', `magnet:?xt=urn:btih:${HASH}`, dir]);
  t.equal(link.exit, 2);
  t.match(
    link.stderr,
    /: this is no .torrent \(USAGE\)\nhint: give it a .torrent, its URL, or - for stdin\n/,
  );
  t.equal((await run(['verify', '-', dir], io => io.input.end(CONTENT.torrentFile))).exit, 0);
});

t.test('verify --repair: just the bad pieces', async t => {
  const { dir, root, torrent } = place(t);
  truncateSync(join(root, 'first file'), 60_000);
  const io = fakeIo();
  io.stateDirectory = join(dir, 'state');
  const running = main(['verify', torrent, dir, '--repair', '--force', '--peer', '127.0.0.1:1'], io);
  await until(() => io.engine?.torrents.length === 1);
  const [repair] = io.engine!.torrents;
  t.match(repair?.options, {
    data: 'fetch',
    output: dir,
    peers: [{ port: 1 }],
    seed: undefined,
    force: true,
  });
  t.equal(repair?.infoHash, toHex(CONTENT.metainfo.infoHash));
  const first = join(root, 'first file');
  const bad = [`1\t${first}`, `2\t${first}`, `2\t${join(root, 'sub', 'second')}`, ''].join('\n');
  t.equal(io.stdout.text, bad);
  t.match(io.stderr.text, /^both: fetching 2 pieces, 66 kB$/m);
  repair!.emit({ event: 'file', index: 0, path: first, length: 70_000 });
  repair!.finish();
  t.equal(await running, 0);
  t.equal(io.stdout.text, bad, 'files are no result of this command');

  truncateSync(first, 0);
  const lost = fakeIo();
  lost.stateDirectory = join(dir, 'state');
  lost.prepare = engine => {
    engine.onAdd = torrent => torrent.fail(new TorrentError('STALLED', 'repairing: no new byte'));
  };
  t.equal(await main(['verify', torrent, dir, '--repair', '-q'], lost), 6);
});

t.test('verify --repair of what is well needs nobody', async t => {
  const { dir, torrent } = place(t);
  const { exit, io } = await run(['verify', torrent, dir, '--repair'], io => {
    io.stateDirectory = join(dir, 'state');
  });
  t.equal(exit, 0);
  t.equal(io.engine, undefined);
});
