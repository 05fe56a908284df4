// What makes torrents of data: `create`, and `seed` of what has no torrent yet.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import t, { type Test } from 'tap';
import { main } from '../../src/cli/main.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { toHex } from '../../src/torrent/ids.js';
import { parseTorrent } from '../../src/torrent/metainfo.js';
import { type FakeIo, fakeIo, settle, until } from './fake-io.js';
import { torrentFile } from './torrent-file.js';

/** A folder with data in it; nothing is written but there. Paths are relative to where the test runs, as a user's are. */
function place(t: Test) {
  const dir = relative('', t.testdir({ data: { a: 'x'.repeat(20_000), sub: { b: 'yy' } }, file: 'content' }));
  return { dir, data: join(dir, 'data'), out: join(dir, 'out.torrent') };
}

/** Runs a command to its end. */
async function run(argv: readonly string[], prepare: (io: FakeIo) => void = () => {}) {
  const io = fakeIo();
  prepare(io);
  const exit = await main(argv, io);
  return { io, exit, stdout: io.stdout.text, stderr: io.stderr.text };
}

t.test('create: the path on stdout, the hash for people', async t => {
  const { dir, data, out } = place(t);
  const { exit, stdout, stderr, io } = await run(['create', data, '-o', out, '--private', '--source', 'S']);
  t.equal(exit, 0);
  t.equal(stdout, `${out}\n`);
  const metainfo = parseTorrent(readFileSync(out));
  t.match(metainfo, { name: 'data', private: true, source: 'S', length: 20_002 });
  t.equal(stderr, `data: info hash ${toHex(metainfo.infoHash)}\n`);
  t.equal(io.engine, undefined, 'there is nothing to connect to');
  t.same(readdirSync(dir).toSorted(), ['data', 'file', 'out.torrent'], 'nothing else is left');

  const again = await run(['create', data, '-o', `${out}2`, '--private', '--source', 'S', '-0', '-q']);
  t.equal(again.stdout, `${out}2\0`);
  t.equal(again.stderr, '');
  t.ok(readFileSync(out).equals(readFileSync(`${out}2`)), 'the same input gives the same bytes');
});

t.test('create: every word reaches the torrent', async t => {
  const { data, out } = place(t);
  const flags = [
    ...['--name', 'called', '--comment', 'c', '--tracker', 'udp://a:1,http://b/', '--tracker', 'udp://c:1'],
    ...['--web-seed', 'http://w/', '--node', 'router.example.org:6881', '--piece-length', '32KiB'],
  ];
  t.equal((await run(['create', data, '-o', out, ...flags, '--pad-files'])).exit, 0);
  const metainfo = parseTorrent(readFileSync(out));
  t.match(metainfo, {
    name: 'called',
    comment: 'c',
    trackers: [['udp://a:1', 'http://b/'], ['udp://c:1']],
    webSeeds: ['http://w/'],
    nodes: [{ host: 'router.example.org', port: 6881 }],
    pieceLength: 32_768,
  });
  t.ok(metainfo.files.some(({ pad }) => pad));
});

t.test('create: to stdout', async t => {
  const { data } = place(t);
  const { exit, io, stderr } = await run(['create', data, '-o', '-']);
  t.equal(exit, 0);
  const metainfo = parseTorrent(io.stdout.bytes);
  t.equal(metainfo.name, 'data');
  t.equal(stderr, `data: info hash ${toHex(metainfo.infoHash)}\n`);

  const json = await run(['create', data, '--out', '-', '--json']);
  t.ok(json.io.stdout.bytes.equals(io.stdout.bytes));
  t.match(JSON.parse(json.stderr), { event: 'created', path: '-', infoHash: toHex(metainfo.infoHash) });

  const failed = await run(['create', join(data, 'nothing'), '--out', '-', '--json']);
  t.equal(failed.exit, 4);
  t.equal(failed.stdout, '', 'not even an error lands in the pipe');
  t.match(JSON.parse(failed.stderr.split('\n')[0]!), { event: 'error', code: 'NOT_FOUND' });
  const misused = await run(['create', data, '--out', '-', '--json', '--nonsense']);
  t.equal(misused.stdout, '');
  t.match(misused.stderr, /^\{.*"code":"USAGE".*\}\nrarest: --nonsense: unknown flag/);

  const terminal = await run(['create', data, '-o', '-'], io => {
    io.stdout.isTTY = true;
  });
  t.equal(terminal.exit, 2);
  t.equal(terminal.stdout, '');
  t.match(terminal.stderr, /^rarest: --out -: stdout is a terminal, a .torrent is binary \(USAGE\)\nhint: /);
});

t.test('create: the file that stdout is has no place in it', async t => {
  const { data } = place(t);
  const { io } = await run(['create', data, '-o', '-'], io => {
    io.stdoutPath = async () => resolve(data, 'a');
  });
  t.same(
    parseTorrent(io.stdout.bytes).files.map(({ path }) => path.at(-1)),
    ['b'],
  );
});

t.test('create: stdout whose reader leaves', async t => {
  const { data } = place(t);
  const { exit, stderr } = await run(['create', data, '-o', '-'], io => {
    setImmediate(() => io.stdout.fail('EPIPE'));
  });
  t.equal(exit, 0);
  t.notMatch(stderr, 'EPIPE');
  const full = await run(['create', data, '-o', '-'], io => {
    io.stdout._write = (_chunk, _encoding, done) => {
      done(Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC', errno: -28 }));
    };
  });
  t.equal(full.exit, 8);
  t.equal(
    full.stderr,
    'rarest: writing to stdout: no space left on device (DISK_FULL)\n',
    'nothing was created, and nobody says so',
  );
});

t.test('create --json', async t => {
  const { data, out } = place(t);
  const { exit, stdout, stderr } = await run(['create', data, '-o', out, '--json']);
  t.equal(exit, 0);
  t.equal(stderr, '');
  const infoHash = toHex(parseTorrent(readFileSync(out)).infoHash);
  t.same(JSON.parse(stdout), { v: 1, t: 0, event: 'created', source: data, infoHash, path: out });
});

t.test('create: a file in the way', async t => {
  const { dir, data, out } = place(t);
  writeFileSync(out, 'mine');
  const reasons = {
    [out]: 'it exists (EXISTS)\nhint: --force overwrites it, -o FILE writes elsewhere',
    [dir]: 'it is a folder (EXISTS)\nhint: -o FILE writes elsewhere',
  };
  for (const [path, why] of Object.entries(reasons)) {
    const { exit, stderr, stdout } = await run(['create', data, '-o', path]);
    t.equal(exit, 14);
    t.equal(stdout, '');
    t.equal(stderr, `rarest: writing ${path}: ${why}\n`);
  }
  t.equal(readFileSync(out, 'utf8'), 'mine');
  const link = join(dir, 'link.torrent');
  symlinkSync('out.torrent', link);
  t.equal((await run(['create', data, '-o', link, '--force'])).exit, 0);
  t.equal(parseTorrent(readFileSync(out)).name, 'data', 'where the link leads');
  const onto = await run(['create', data, '-o', dir, '--force']);
  t.equal(onto.exit, 14, 'no file takes the place of a folder');
  t.ok(statSync(dir).isDirectory());
  const nowhere = await run(['create', data, '-o', join(dir, 'none', 'x.torrent')]);
  t.equal(nowhere.exit, 7);
  t.match(nowhere.stderr, /x.torrent: no such file or directory \(DISK_IO\)\n/);
  t.equal((await run(['create', data, '-o', '/dev/null'])).exit, 0, 'a device is no file in the way');
  t.notOk(statSync('/dev/null').isFile());
});

t.test('create: named as the torrent is, beside which it may lie', async t => {
  const { data } = place(t);
  const old = process.cwd();
  process.chdir(data);
  t.teardown(() => process.chdir(old));
  const first = await run(['create', '.']);
  t.equal(first.stdout, 'data.torrent\n');
  t.equal((await run(['create', '.'])).exit, 14);
  const bytes = readFileSync('data.torrent');
  t.equal((await run(['create', '.', '--force'])).exit, 0);
  t.ok(readFileSync('data.torrent').equals(bytes), 'it is no part of itself');
  t.equal((await run(['create', '.', '--name', 'other'])).stdout, 'other.torrent\n');
});

t.test('create: a list of paths on stdin', async t => {
  const { dir, data, out } = place(t);
  const odd = join(data, '#odd \n name');
  writeFileSync(odd, 'z');
  const { exit } = await run(['create', '-', '-0', '-o', out], io => {
    io.input.end(`${join(data, 'a')}\0${odd}\0`);
  });
  t.equal(exit, 0);
  t.equal(parseTorrent(readFileSync(out)).files.length, 2);
  const unnamed = await run(['create', '-', '-o', join(dir, 'unnamed')], io => {
    io.input.end(`${join(data, 'a')}\n${join(data, 'sub')}\n`);
  });
  t.match(unnamed.stderr, /^data: info hash /, 'the name of the torrent, not of the first path');
  const junk = await run(['create', '-', '-o', join(dir, 'none')], io => io.input.end('a\0b\n'));
  t.equal(junk.stderr, 'rarest: reading stdin: this is no list of paths (BAD_SOURCE)\n');
  const lines = await run(['create', '-', '--name', 'n', '-o', join(dir, 'lines')], io => {
    io.input.end(`${join(data, 'a')}\n\n${join(data, 'sub')}\n`);
  });
  t.equal(lines.exit, 0);
  const empty = await run(['create', '-', '-o', join(dir, 'none')], io => io.input.end('\n'));
  t.equal(empty.exit, 3);
  t.match(empty.stderr, /^rarest: reading stdin: no path in it \(BAD_SOURCE\)\n/);
  const long = await run(['create', '-', '-o', join(dir, 'none')], io => io.input.end('x'.repeat(5_000)));
  t.match(long.stderr, /^rarest: reading stdin: a path longer than 3072 bytes \(BAD_SOURCE\)\n/);
});

t.test('create: a signal ends it, and nothing is written', async t => {
  const { data, out } = place(t);
  const io = fakeIo();
  const running = main(['create', data, '-', '-o', out], io);
  io.input.write(`${data}\n`);
  await until(() => io.input.readableLength === 0);
  io.signal('SIGINT');
  t.equal(await running, 130);
  io.input.destroy();
  await settle();
  t.notOk(existsSync(out));
  t.same(io.raised, ['SIGINT']);
  t.equal(io.stderr.text, 'rarest: stopping; once more to leave at once\n', 'there is no state');
});

/** `seed` with an engine that says what it was given. */
function seeding(argv: readonly string[], io = fakeIo()) {
  return { io, exit: main(['seed', ...argv], io) };
}

t.test('seed: a folder is hashed, then seeded where it lies', async t => {
  const { dir, data } = place(t);
  const { io, exit } = seeding([data, '--tracker', 'udp://a:1', '--web-seed', 'http://w/', '--super-seed']);
  await until(() => io.engine?.torrents.length === 1);
  const [torrent] = io.engine!.torrents;
  const { source, options } = torrent!;
  t.match(source, {
    kind: 'torrent',
    metainfo: { name: 'data', trackers: [['udp://a:1']], webSeeds: ['http://w/'] },
  });
  t.match(options, {
    output: dir,
    data: 'complete',
    trust: 'hashed',
    superSeed: true,
    trackers: [],
    webSeeds: [],
    seed: { ratio: undefined, timeMs: undefined },
  });
  t.equal(io.stdout.text, '', 'the link is worth something once we listen');
  torrent!.emit({ event: 'seeding', magnet: 'magnet:?xt=1' });
  t.equal(io.stdout.text, 'magnet:?xt=1\n');
  t.equal(io.stderr.text, 'data: seeding\n');
  io.signal('SIGTERM');
  t.equal(await exit, 143);
});

t.test('seed: a link leads to what is seeded; -o is not for data', async t => {
  const { dir, data } = place(t);
  symlinkSync('data', join(dir, 'link'));
  for (const path of ['link', `link${sep}`]) {
    const { io, exit } = seeding([dir + sep + path, '-o', 'elsewhere']);
    await until(() => io.engine?.torrents.length === 1);
    t.match(io.engine!.torrents[0]!.source, { metainfo: { name: 'data' } });
    t.equal(io.engine!.torrents[0]!.options.output, realpathSync(dir));
    t.match(io.stderr.text, /link\/?: a symbolic link, seeding .*data$/m);
    t.match(io.stderr.text, /^rarest: warning: .*link\/?: -o says where /m);
    io.engine!.torrents[0]!.finish();
    await exit;
  }
  const { io, exit } = seeding([data, '-o', dir]);
  await until(() => io.engine?.torrents.length === 1);
  t.equal(io.stderr.text, '', 'that is where it lies');
  io.engine!.torrents[0]!.finish();
  await exit;
});

t.test('seed: what a file holds says what it is', async t => {
  const { bytes, infoHash } = torrentFile('a');
  const dir = t.testdir({
    'real.torrent': bytes,
    disguised: bytes,
    'fake.torrent': 'no bencode',
    'like-one': 'd8:announce3:abce',
    'no-info': 'd1:a1:be',
    text: 'd8 is how some texts begin',
  });
  const added = async (name: string) => {
    const { io, exit } = seeding([join(dir, name), '--partial', '-o', 'there', '--json']);
    let ended: number | undefined;
    void exit.then(code => {
      ended = code;
    });
    await until(() => ended !== undefined || io.engine?.torrents.length === 1);
    const [torrent] = io.engine?.torrents ?? [];
    torrent?.finish();
    return { exit: await exit, torrent, io };
  };
  for (const name of ['real.torrent', 'disguised']) {
    const { torrent } = await added(name);
    t.equal(torrent?.infoHash, infoHash, name);
    t.match(torrent?.options, { data: 'partial', trust: false, output: 'there' }, name);
  }
  for (const name of ['like-one', 'no-info', 'text']) {
    const { torrent } = await added(name);
    t.match(torrent?.source, { metainfo: { name } });
    t.match(torrent?.options, { data: 'complete', trust: 'hashed', output: dir }, 'just hashed');
  }
  const fake = await added('fake.torrent');
  t.equal(fake.exit, 3);
  t.match(fake.io.stdout.text, '"code":"BAD_SOURCE"');
  const missing = await added('missing');
  t.equal(missing.exit, 4);
  t.match(
    missing.io.stderr.text,
    /missing: no such file or directory \(NOT_FOUND\)\nhint: rarest seed takes a file, /,
  );
  const link = seeding(['a'.repeat(40), '--seed-time', '1m']);
  await until(() => link.io.engine?.torrents.length === 1);
  t.match(link.io.engine?.torrents[0]?.options, { data: 'complete', seed: { timeMs: 60_000 } });
  link.io.engine?.torrents[0]?.finish();
  t.equal(await link.exit, 0);
});

t.test('seed: all at once, one failure does not end the others', async t => {
  const { dir, data } = place(t);
  const empty = join(dir, 'empty');
  mkdirSync(empty);
  const { io, exit } = seeding([data, empty, join(dir, 'file'), '-'], fakeIo());
  io.input.write(`${'b'.repeat(40)}\n`);
  await until(() => io.engine?.torrents.length === 3 && io.stderr.text.includes('BAD_SOURCE'));
  io.input.end();
  for (const torrent of io.engine!.torrents.slice(1)) torrent.finish();
  await settle();
  t.equal(io.engine?.closed, 0);
  io.engine?.torrents[0]?.fail(new TorrentError('VERIFY_FAILED', 'seeding: 1 piece is missing'));
  t.equal(await exit, 3, 'the first failure decides');
  t.match(io.stderr.text, /^rarest: .*empty.*\(BAD_SOURCE\)$/m);
  t.match(io.stderr.text, /: seeding: 1 piece is missing \(VERIFY_FAILED\)$/m);
});

t.test('seed: a port that is taken is known before anything is hashed', async t => {
  const { data } = place(t);
  const io = fakeIo();
  io.prepare = engine => {
    engine.onStart = async () => {
      throw new TorrentError('NETWORK', 'listening on port 1: taken');
    };
  };
  const { exit } = seeding([data, '--port', '1'], io);
  t.equal(await exit, 10);
  t.equal(io.stderr.text, 'rarest: listening on port 1: taken (NETWORK)\n');
});

t.test('seed: nobody reads stdout', async t => {
  const { io, exit } = seeding(['c'.repeat(40)]);
  await until(() => io.engine?.torrents.length === 1);
  io.stdout.fail('EPIPE');
  io.engine?.torrents[0]?.emit({ event: 'seeding', magnet: 'magnet:?xt=1' });
  await settle();
  t.equal(io.engine?.closed, 0, 'it carries on in silence');
  io.engine?.torrents[0]?.finish();
  t.equal(await exit, 0);
});
