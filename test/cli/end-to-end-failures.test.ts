// The built program where it cannot do what it was asked: the exit code, one line and one hint, and nothing left behind.

import { createServer } from 'node:net';
import t from 'tap';
import { contentOf } from '../support/content.js';
import { filesBelow, folder } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { built, Program } from '../support/program.js';
import { ALONE, ran, towards, writeData } from '../support/runs.js';

interface Failure {
  /** `exit CODE NAME: why`. */
  readonly name: string;
  readonly args: (place: { port: number }) => readonly string[];
  /** What lies where it is to be downloaded. */
  readonly files?: Record<string, string>;
}

const SMALL = contentOf(50_000);
const FAILURES: readonly Failure[] = [
  {
    name: 'exit 2 USAGE: a value that does not parse',
    args: () => ['x.torrent', '--max-upload', '10Q', ...ALONE],
  },
  { name: 'exit 3 BAD_SOURCE: the link is malformed', args: () => ['magnet:?xt=urn:btih:1'] },
  {
    name: 'exit 3 BAD_SOURCE: the .torrent is malformed',
    args: () => ['bad.torrent'],
    files: { 'bad.torrent': 'd4:infode' },
  },
  { name: 'exit 4 NOT_FOUND: there is no such file', args: () => ['none.torrent', ...ALONE] },
  {
    name: 'exit 5 NO_METADATA: no peer comes in time; flag --metadata-timeout',
    args: () => [SMALL.magnet, '--metadata-timeout', '0.2s', ...ALONE],
  },
  {
    name: 'exit 7 DISK_IO: the directory is below a file',
    args: () => ['x.torrent', '-o', 'file/out', ...ALONE],
    files: { file: 'x' },
  },
  {
    name: 'exit 10 NETWORK: the port is taken; flag --port',
    args: ({ port }) => ['x.torrent', '--no-dht', '--no-lsd', '--port', `${port}`],
  },
  {
    name: 'exit 10 NETWORK: the bound address is not here; flag --bind',
    args: () => ['x.torrent', ...ALONE, '--bind', '203.0.113.9'],
  },
  {
    name: 'exit 10 NETWORK: there is no such interface',
    args: () => ['http://127.0.0.1:9/x.torrent', ...ALONE, '--bind', 'nosuch0'],
  },
  {
    name: 'exit 14 EXISTS: the file is not ours',
    args: () => ['x.torrent', ...ALONE],
    files: { content: 'something else' },
  },
  { name: 'exit 15 UNSUPPORTED: v2 only', args: () => ['c1'.repeat(32), ...ALONE] },
];

t.test('failures', built, async t => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '::', resolve));
  t.teardown(() => server.close());
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : 0;
  for (const { name, args, files = {} } of FAILURES) {
    const [, exit, code] = /^exit (\d+) (\w+): /.exec(name) ?? [];
    await t.test(name, async t => {
      const directory = folder(t, { 'x.torrent': Buffer.from(SMALL.torrentFile), ...files });
      const before = filesBelow(directory);
      const program = await ran(t, directory, ['download', '--json', ...args({ port })]);
      t.match(program, { exit: Number(exit), signal: null });
      t.match(program.events.at(-1), { event: 'error', code, exit: Number(exit) });
      t.match(
        program.stderr,
        new RegExp(`^rarest: .+: .+ \\(${code}\\)\n(hint: .+\n)?$`),
        'one line, one hint',
      );
      t.same(filesBelow(directory), before, 'nothing is left behind, nothing is changed');
    });
  }
});

for (const [name, flags, why] of [
  ['exit 6 STALLED: flag --timeout: not complete in time', ['--timeout', '0.5s'], /not complete/],
  ['exit 6 STALLED: flag --stall-timeout: nothing new', ['--stall-timeout', '0.5s'], /nothing new for/],
] as const) {
  t.test(name, built, async t => {
    const directory = folder(t, { 'x.torrent': Buffer.from(SMALL.torrentFile) });
    // the last piece is missing, which the first run does not get and the second one lacks still
    const peer = await FakePeer.listen(t, SMALL, { have: [0] });
    const run = await ran(t, directory, [
      'download',
      'x.torrent',
      '--json',
      '-v',
      ...flags,
      ...ALONE,
      ...towards(peer),
    ]);
    t.equal(run.exit, 6);
    t.match(run.events.at(-1), { event: 'error', code: 'STALLED', message: why, exit: 6 });
    t.equal(run.named('piece').length, 1);
    const again = await ran(t, directory, ['download', 'x.torrent', '--json', '--timeout', '0.1s', ...ALONE]);
    t.match(again.named('resumed'), [{ piecesHave: 1, how: 'resume' }], 'what came is kept');
  });
}

t.test('exit 9 VERIFY_FAILED: data on disk does not match', built, async t => {
  const directory = folder(t, { 'x.torrent': Buffer.from(SMALL.torrentFile) });
  writeData(directory, SMALL);
  const good = await ran(t, directory, ['verify', 'x.torrent', '--json']);
  t.match(good, { exit: 0, lines: [/"start"/, /"done"/] }, 'exit 0 OK');
  const bad = await ran(t, folder(t, { 'x.torrent': Buffer.from(SMALL.torrentFile), content: 'other' }), [
    'verify',
    'x.torrent',
    '--json',
  ]);
  t.equal(bad.exit, 9);
  t.match(bad.named('bad'), [
    { piece: 0, files: ['content'] },
    { piece: 1, files: ['content'] },
  ]);
});

t.test(
  'exit 0 OK: all asked for is here and verified; exit 12 LOCKED: another one works on the data',
  built,
  async t => {
    const directory = folder(t, { 'x.torrent': Buffer.from(SMALL.torrentFile) });
    writeData(directory, SMALL);
    const argv = ['download', 'x.torrent', '--json', ...ALONE];
    const first = new Program(t, directory, [...argv, '--seed']);
    await first.until('seeding');
    const second = await ran(t, directory, argv);
    t.match(second, { exit: 12, stderr: /\(LOCKED\)\n/ });
    await first.kill('SIGTERM');
    const third = await ran(t, directory, argv);
    t.match(third, { exit: 0, stderr: '' });
  },
);
