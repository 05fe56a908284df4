import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { hookEnvironment } from '../../src/cli/hooks.js';
import { main } from '../../src/cli/main.js';
import { processIo } from '../../src/cli/process.js';
import type { TorrentEvent } from '../../src/engine/events.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { type FakeIo, fakeIo, settle, until } from './fake-io.js';
import { METADATA, SUBJECT } from './recorded.js';

const A = 'a'.repeat(40);
const HOOKS = ['--exec', 'all', '--exec-file', 'one'];
const SUCCESS = { status: 0, signal: null };
const FILE = { event: 'file', index: 1, path: 'out/a; rm -rf $HOME', length: 5 } as const;
const DONE = {
  event: 'done',
  path: 'out/Sintel',
  files: 2,
  length: 60_000,
  seconds: 1,
  downloaded: 60_000,
  uploaded: 0,
  ratio: 0,
  wasted: 0,
} as const;

/** A download of one torrent that tells these events and is then at its end. */
function downloading(events: readonly TorrentEvent[], words: readonly string[]) {
  const io = fakeIo();
  io.prepare = engine => {
    engine.onAdd = torrent => {
      for (const event of events) torrent.emit(event);
      torrent.finish();
    };
  };
  return { io, running: main(['download', ...words, A], io) };
}

function commands(io: FakeIo): string[] {
  return io.hooks.map(({ command }) => command);
}

t.test('one after another in the order of the events; the end waits for them', async t => {
  const other = { ...FILE, index: 0, path: 'out/b' };
  const { io, running } = downloading([METADATA, FILE, other, DONE], ['--json', ...HOOKS]);
  let exit: number | undefined;
  void running.then(code => {
    exit = code;
  });
  for (const [at, command] of ['one', 'one', 'all'].entries()) {
    await until(() => io.hooks.length > at);
    await settle();
    t.equal(io.hooks.length, at + 1);
    t.equal(io.hooks[at]!.command, command);
    t.equal(exit, undefined);
    io.hooks[at]!.end(SUCCESS);
  }
  t.equal(await running, 0);
  const lines = io.stdout.text.split(/(?<=\n)/).filter(line => /"event":"(file|done)"/.test(line));
  t.same(
    io.hooks.map(({ input }) => input),
    lines,
    'stdin has the lines of --json',
  );
  t.match(JSON.parse(lines[0]!), { ...FILE, source: A, infoHash: A });
  t.match(io.hooks[0]!.env, {
    RAREST_HOOK_EVENT: 'file',
    RAREST_HOOK_PATH: FILE.path,
    RAREST_HOOK_NAME: 'Sin\x1b[2Jtel',
    RAREST_HOOK_INDEX: '1',
  });
  t.match(io.hooks[2]!.env, { RAREST_HOOK_EVENT: 'done', RAREST_HOOK_FILES: '2' });
  t.equal(io.stderr.text, '');
});

t.test('only what was asked for', async t => {
  const { io, running } = downloading([METADATA, FILE, DONE], ['--exec', 'all']);
  await until(() => io.hooks.length > 0);
  io.hooks[0]!.end(SUCCESS);
  t.equal(await running, 0);
  t.same(commands(io), ['all']);
  const none = downloading([METADATA, FILE, DONE], []);
  t.equal(await none.running, 0);
  t.same(none.io.hooks, []);
  t.equal(none.io.stdout.text, 'out/a; rm -rf $HOME\n');
  t.equal(await main(['download', '--exec', '', A], none.io), 2);
  t.match(
    none.io.stderr.text,
    "rarest: --exec '': not a command (USAGE)\nhint: for example: --exec 'notify-send done'\n",
  );
});

t.test('the environment', async t => {
  const env = {
    HOME: '/home/me',
    RAREST_MAX_UPLOAD: '1M',
    RAREST_EXEC: 'again',
    RAREST_EXEC_FILE: 'again',
    RAREST_HOOK_INDEX: 'that of an outer hook',
  };
  t.same(hookEnvironment(env, DONE, SUBJECT, 'Sintel'), {
    HOME: '/home/me',
    RAREST_MAX_UPLOAD: '1M',
    RAREST_HOOK_EVENT: 'done',
    RAREST_HOOK_PATH: 'out/Sintel',
    RAREST_HOOK_NAME: 'Sintel',
    RAREST_HOOK_SOURCE: SUBJECT.source,
    RAREST_HOOK_INFO_HASH: SUBJECT.infoHash,
    RAREST_HOOK_LENGTH: '60000',
    RAREST_HOOK_FILES: '2',
  });
  const long = { ...SUBJECT, source: '…'.repeat(11_000), infoHash: undefined };
  t.same(
    hookEnvironment({}, { ...FILE, path: '-rf' }, long, 'N\0L'),
    {
      RAREST_HOOK_EVENT: 'file',
      RAREST_HOOK_PATH: './-rf',
      RAREST_HOOK_LENGTH: '5',
      RAREST_HOOK_INDEX: '1',
    },
    'what is no value of a variable is left out; a path is no flag',
  );
});

t.test('one that fails is a warning and exit code 11; the others still run', async t => {
  const events = [METADATA, FILE, FILE, FILE, DONE];
  const { io, running } = downloading(events, HOOKS);
  await until(() => io.hooks.length === 1);
  io.hooks[0]!.end({ status: 3, signal: null });
  await until(() => io.hooks.length === 2);
  io.hooks[1]!.end({ status: null, signal: 'SIGKILL' });
  await until(() => io.hooks.length === 3);
  io.hooks[2]!.fail(Object.assign(new Error('spawn E2BIG'), { errno: -7 }));
  await until(() => io.hooks.length === 4);
  io.hooks[3]!.end(SUCCESS);
  t.equal(await running, 11);
  t.same(
    io.stderr.text.split('\n').filter(line => line.startsWith('rarest: ')),
    [
      'rarest: warning: running --exec-file for out/a; rm -rf $HOME: exit status 3',
      'rarest: warning: running --exec-file for out/a; rm -rf $HOME: killed by SIGKILL',
      'rarest: warning: running --exec-file for out/a; rm -rf $HOME: argument list too long',
      'rarest: running --exec-file: exit status 3 (HOOK_FAILED)',
    ],
  );
});

t.test('in JSON; a download that fails decides the exit code', async t => {
  const io = fakeIo();
  const running = main(['download', '--json', '--exec-file', 'one', A], io);
  await until(() => io.engine?.torrents.length === 1);
  io.engine!.torrents[0]!.emit(FILE);
  await until(() => io.hooks.length === 1);
  io.hooks[0]!.end({ status: 1, signal: null });
  await settle();
  io.engine!.torrents[0]!.fail(new TorrentError('STALLED', 'downloading: no new byte for 60 s'));
  t.equal(await running, 6);
  const events = io.stdout.text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  t.match(events.slice(2), [
    { event: 'warning', infoHash: A, message: `running --exec-file for ${FILE.path}: exit status 1` },
    { event: 'error', code: 'STALLED' },
    { event: 'error', code: 'HOOK_FAILED', message: 'running --exec-file: exit status 1', exit: 11 },
  ]);
});

t.test('a signal: nothing new is started, what runs is waited for, but not for ever', async t => {
  for (const patient of [true, false]) {
    const { io, running } = downloading([METADATA, FILE, DONE], HOOKS);
    await until(() => io.hooks.length === 1);
    io.signal('SIGINT');
    await settle();
    t.equal(io.engine!.closed, 1);
    t.same(io.raised, [], 'it is waited for');
    if (patient) io.hooks[0]!.end({ status: null, signal: 'SIGINT' });
    else io.pass(5_000);
    t.equal(await running, 130);
    t.same(io.raised, ['SIGINT']);
    await settle();
    t.same(commands(io), ['one']);
    t.notMatch(io.stderr.text, /exec/, 'that it died of the signal is no news');
  }
});

t.test('a hook that dies of the signal before we hear of it', async t => {
  for (const heard of [true, false]) {
    const { io, running } = downloading([METADATA, DONE], HOOKS);
    await until(() => io.hooks.length === 1);
    io.hooks[0]!.end({ status: null, signal: 'SIGINT' });
    await settle();
    if (heard) io.signal('SIGINT');
    io.pass(200);
    t.equal(await running, heard ? 130 : 11);
    t.equal(/exec/.test(io.stderr.text), !heard);
  }
});

t.test('by a real shell', { skip: process.platform === 'win32' }, async t => {
  const folder = t.testdir();
  const io = fakeIo();
  io.env.OUT = join(folder, 'out');
  io.runHook = processIo().runHook;
  io.prepare = engine => {
    engine.onAdd = torrent => {
      for (const event of [METADATA, FILE, DONE]) torrent.emit(event);
      torrent.finish();
    };
  };
  const one = `printf '%s|' "$RAREST_HOOK_PATH" "$RAREST_HOOK_INDEX" >>"$OUT"; cat >>"$OUT"`;
  const all = `printf '%s|' "$RAREST_HOOK_EVENT" "$RAREST_HOOK_FILES" >>"$OUT"; exit 3`;
  t.equal(await main(['download', '--exec-file', one, '--exec', all, A], io), 11);
  const { event, ...fields } = FILE;
  const line = JSON.stringify({ v: 1, t: 0, event, source: A, infoHash: A, ...fields });
  t.equal(readFileSync(io.env.OUT, 'utf8'), `${FILE.path}|1|${line}\ndone|2|`);
  t.match(io.stderr.text, 'rarest: running --exec: exit status 3 (HOOK_FAILED)\n');

  const { env, runHook } = processIo();
  t.same(await runHook('exit 4', env, 'x'.repeat(2 ** 20)), { status: 4, signal: null }, 'EPIPE');
  t.same(await runHook('kill -9 $$', env, ''), { status: null, signal: 'SIGKILL' });
  t.same(await runHook('no-such-command-at-all 2>/dev/null', env, ''), { status: 127, signal: null });
  await t.rejects(runHook('exit 0', { LONG: 'x'.repeat(2 ** 22) }, ''), { code: 'E2BIG' });
});

t.test('what a hook prints is no result', { skip: process.platform !== 'linux' }, async t => {
  const { env, runHook } = processIo();
  const same = '[ "$(readlink /proc/$$/fd/1)" = "$(readlink /proc/$$/fd/2)" ]';
  t.same(
    await runHook(
      `${same} && [ "$(readlink /proc/$$/fd/2)" = "$ERR" ]`,
      {
        ...env,
        ERR: readlinkSync('/proc/self/fd/2'),
      },
      '',
    ),
    SUCCESS,
  );
});
