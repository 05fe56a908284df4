import t from 'tap';
import { main } from '../../src/cli/main.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { fakeIo, settle, until } from './fake-io.js';
import { METADATA } from './recorded.js';
import { torrentFile } from './torrent-file.js';

const [A, B, C] = ['a', 'b', 'c'].map(digit => digit.repeat(40)) as [string, string, string];

t.test('one torrent to its end', async t => {
  const io = fakeIo();
  io.prepare = engine => {
    engine.onAdd = torrent => {
      torrent.emit(METADATA);
      torrent.emit({ event: 'file', index: 0, path: 'out/Sintel/a.mkv', length: 50_000 });
      torrent.complete();
      torrent.finish();
    };
  };
  t.equal(await main(['download', '-o', 'out', '--max-upload', '1K', '--sequential', A], io), 0);
  t.equal(io.stdout.text, 'out/Sintel/a.mkv\n');
  t.equal(io.stderr.text, 'Sin [2Jtel: 2 files, 60 kB in 4 pieces\n');
  t.equal(io.engine?.closed, 1);
  t.match(io.engine?.options, { maxUploadBps: 1_000, stateDirectory: '/state', dht: true });
  t.match(io.engine?.torrents, [
    { infoHash: A, options: { output: 'out', sequential: true, maxPeers: 100 } },
  ]);
  t.same(io.raised, []);
});

t.test('JSON of a run that fails', async t => {
  const io = fakeIo();
  io.prepare = engine => {
    engine.onAdd = torrent => {
      io.pass(1_500);
      torrent.fail(new TorrentError('NO_METADATA', 'metadata: no peer gave it', { hint: 'wait longer' }));
    };
  };
  t.equal(await main(['download', '--json', A], io), 5);
  const lines = io.stdout.text.trimEnd().split('\n');
  t.match(lines[0], /^\{"v":1,"t":0,"event":"start","output":".","version":"\d+\.\d+\.\d+"\}$/);
  t.equal(
    lines[1],
    `{"v":1,"t":1500,"event":"error","source":"${A}","infoHash":"${A}","code":"NO_METADATA",` +
      '"message":"metadata: no peer gave it","exit":5}',
  );
  t.equal(lines.length, 2);
  t.equal(io.stderr.text, 'rarest: metadata: no peer gave it (NO_METADATA)\nhint: wait longer\n');
});

t.test('the exit code is that of the first to fail; the others still run', async t => {
  const io = fakeIo();
  const running = main(['download', 'missing.torrent', A, B], io);
  await until(() => io.engine?.torrents.length === 2 && io.stderr.text !== '');
  const [a, b] = io.engine!.torrents;
  b!.fail(new TorrentError('STALLED', 'downloading: no new byte for 60 s'));
  await settle();
  a!.finish();
  t.equal(await running, 4);
  t.same(io.stderr.text.split('\n'), [
    'rarest: reading missing.torrent: no such file or directory (NOT_FOUND)',
    'hint: a source is a magnet link, a .torrent, its URL, an info hash, or - for stdin',
    `rarest: ${B}: downloading: no new byte for 60 s (STALLED)`,
    '',
  ]);
});

t.test('where no source can be read no engine is made', async t => {
  const io = fakeIo();
  t.equal(await main(['download', 'missing.torrent'], io), 4);
  t.equal(io.engine, undefined);
});

t.test('a bug is INTERNAL, with the stack for -v', async t => {
  const io = fakeIo();
  io.prepare = engine => {
    engine.onAdd = torrent => torrent.fail(new TypeError('x is undefined'));
  };
  t.equal(await main(['download', A], io), 1);
  t.equal(
    io.stderr.text,
    'rarest: internal error: x is undefined (INTERNAL)\nhint: this is a bug in rarest; -v shows where\n',
  );
  const thrown = fakeIo();
  thrown.prepare = engine => {
    engine.onAdd = () => {
      throw new TypeError('thrown by add');
    };
  };
  t.equal(await main(['download', '-v', A], thrown), 1);
  t.match(thrown.stderr.text, /\(INTERNAL\)\nhint: .*\n {4}at /);
});

t.test('an engine that cannot start ends it all, said once', async t => {
  const io = fakeIo();
  io.prepare = engine => {
    engine.onStart = async () => {
      throw new TorrentError('NETWORK', 'listening on port 1: permission denied');
    };
  };
  io.input.write(`${C}\n`);
  t.equal(await main(['download', '--port', '1', A, B, '-'], io), 10);
  t.equal(io.stderr.text, 'rarest: listening on port 1: permission denied (NETWORK)\n');
  t.equal(io.engine?.closed, 1);
  t.ok(io.input.destroyed);
});

t.test('--jobs at a time; one that is complete and seeding holds no place', async t => {
  const io = fakeIo();
  const running = main(['download', '--seed', '--jobs', '1', A, B], io);
  await until(() => io.engine?.torrents.length === 1);
  await settle();
  t.equal(io.engine?.torrents.length, 1);
  const [a] = io.engine!.torrents;
  t.same(a!.options.seed, { ratio: undefined, timeMs: undefined });
  a!.complete();
  await until(() => io.engine?.torrents.length === 2);
  let ended = false;
  running.then(() => {
    ended = true;
  });
  io.engine!.torrents[1]!.finish();
  await settle();
  t.notOk(ended, 'the first one goes on seeding');
  a!.finish();
  t.equal(await running, 0);
});

t.test('an endless list on stdin', async t => {
  const io = fakeIo();
  const running = main(['download', '--jobs', '2', '-'], io);
  io.input.write(`${A}\nnot a source\n`);
  await until(() => io.engine?.torrents.length === 1);
  await until(() => io.stderr.text.includes('NOT_FOUND'));
  for (let round = 0; round < 20; round++) {
    const hash = (round + 1).toString(16).padStart(40, '0');
    io.input.write(`${hash}\n`);
    await until(() => io.engine?.torrents.at(-1)?.infoHash === hash);
    io.engine!.torrents.at(-1)!.finish();
  }
  io.engine!.torrents[0]!.finish();
  await settle();
  t.equal(io.engine?.closed, 0, 'more may come');
  io.input.end();
  t.equal(await running, 4, 'the failure is remembered');
  t.equal(io.engine?.torrents.length, 21);
});

t.test('a .torrent on stdin', async t => {
  const io = fakeIo();
  const { bytes, infoHash } = torrentFile('a');
  io.input.end(bytes);
  const running = main(['get', '-', '--json'], io);
  await until(() => io.engine?.torrents.length === 1);
  t.equal(io.engine?.torrents[0]?.infoHash, infoHash);
  io.engine!.torrents[0]!.emit({ event: 'warning', message: 'w' });
  io.engine!.torrents[0]!.finish();
  t.equal(await running, 0);
  t.match(io.stdout.text, `"event":"warning","source":"-","infoHash":"${infoHash}","message":"w"}\n`);
});

t.test('a signal: state is saved, then it is raised again', async t => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const io = fakeIo();
    const running = main(['download', A, '-'], io);
    await until(() => io.engine?.torrents.length === 1);
    io.signal(signal);
    t.equal(await running, code);
    t.equal(io.engine?.closed, 1);
    t.same(io.raised, [signal]);
    t.ok(io.input.destroyed, 'stdin does not hold us');
    t.equal(io.stderr.text, 'rarest: saving state; once more to leave at once\n');
    io.engine!.torrents[0]!.fail(new TorrentError('STALLED', 'too late'));
    await settle();
    t.notMatch(io.stderr.text, 'too late');
    io.signal(signal);
    t.same(io.raised, [signal], 'nobody listens any more');
  }
});

t.test('a second signal leaves at once', async t => {
  const io = fakeIo();
  io.prepare = engine => {
    engine.close = () => new Promise(() => {});
  };
  void main(['download', A], io);
  await until(() => io.engine?.torrents.length === 1);
  io.signal('SIGINT');
  await settle();
  t.same(io.raised, []);
  io.signal('SIGINT');
  t.same(io.raised, ['SIGINT']);
});

t.test('a signal while the engine is still being loaded', async t => {
  const io = fakeIo();
  let loaded: (() => void) | undefined;
  const { loadEngine } = io;
  io.loadEngine = async () => {
    await new Promise<void>(resolve => {
      loaded = resolve;
    });
    return loadEngine();
  };
  const running = main(['download', A], io);
  await until(() => loaded !== undefined);
  io.signal('SIGTERM');
  t.equal(await running, 143);
  loaded?.();
  await settle();
  t.equal(io.engine, undefined, 'none is made afterwards');
});

t.test('SIGUSR2 asks for a status line', async t => {
  const io = fakeIo();
  const running = main(['download', '-q', A], io);
  await until(() => io.engine?.torrents.length === 1);
  io.signal('SIGUSR2');
  t.equal(io.stderr.text, `${A}: waiting for metadata\n`);
  io.engine!.torrents[0]!.finish();
  t.equal(await running, 0);
});

t.test('the reader of stdout goes away: in silence we carry on', async t => {
  const io = fakeIo();
  const running = main(['download', A], io);
  await until(() => io.engine?.torrents.length === 1);
  const [torrent] = io.engine!.torrents;
  io.stdout.fail('EPIPE');
  torrent!.emit({ event: 'file', index: 0, path: 'unread', length: 1 });
  await settle();
  t.equal(io.engine?.closed, 0);
  torrent!.finish();
  t.equal(await running, 0);
  t.equal(io.stdout.text + io.stderr.text, '');
});

t.test('stdout on a full disk is a failure', async t => {
  const io = fakeIo();
  const running = main(['download', A], io);
  await until(() => io.engine?.torrents.length === 1);
  io.stdout.fail('ENOSPC');
  io.engine!.torrents[0]!.finish();
  t.equal(await running, 8);
  t.equal(io.stderr.text, 'rarest: writing to stdout: write ENOSPC (DISK_FULL)\n');
});

t.test('a crash gives the terminal back and says so', async t => {
  const io = fakeIo();
  void main(['download', A], io);
  await until(() => io.engine?.torrents.length === 1);
  io.crash(new RangeError('out of range'));
  t.match(io.stderr.text, /^rarest: internal error: out of range \(INTERNAL\)\n/);
});

t.test('a person at a terminal', async t => {
  const io = fakeIo();
  io.stderr.isTTY = true;
  io.stdout.isTTY = true;
  const running = main(['download', A], io);
  await until(() => io.engine?.torrents.length === 1);
  const [torrent] = io.engine!.torrents;
  torrent!.emit({ event: 'file', index: 0, path: 'a path', length: 1 });
  t.equal(io.stdout.text, 'a path\n', 'results go to stdout all the same');
  t.match(io.stderr.text, 'waiting for metadata 0 peers');
  torrent!.finish();
  t.equal(await running, 0);
  t.match(io.stderr.text, '\x1b[?25h', 'the cursor is given back');
});

t.test('a dumb terminal is none', async t => {
  const io = fakeIo();
  io.stderr.isTTY = true;
  io.env.TERM = 'dumb';
  const running = main(['download', A], io);
  await until(() => io.engine?.torrents.length === 1);
  io.engine!.torrents[0]!.emit(METADATA);
  io.engine!.torrents[0]!.finish();
  t.equal(await running, 0);
  t.notMatch(io.stderr.text, '\x1b');
});
