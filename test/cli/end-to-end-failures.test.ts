// The built program where it cannot do what it was asked: the exit code, one line and one hint, and nothing left behind.

import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import t from 'tap';
import { contentOf } from '../support/content.js';
import { filesBelow, folder } from '../support/engine-run.js';
import { built, Program } from '../support/program.js';

const OFFLINE = ['--no-dht', '--no-lsd', '--port', '0'];

interface Failure {
  readonly because: string;
  readonly exit: number;
  readonly code: string;
  readonly args: (place: { port: number }) => readonly string[];
  /** What lies where it is to be downloaded. */
  readonly files?: Record<string, string>;
  readonly skip?: boolean;
}

const SMALL = contentOf(50_000);
const FAILURES: readonly Failure[] = [
  { because: 'the link is malformed', exit: 3, code: 'BAD_SOURCE', args: () => ['magnet:?xt=urn:btih:1'] },
  {
    because: 'no peer comes in time',
    exit: 5,
    code: 'NO_METADATA',
    args: () => [SMALL.magnet, '--metadata-timeout', '1s', ...OFFLINE],
  },
  {
    because: 'the directory is below a file',
    exit: 7,
    code: 'DISK_IO',
    args: () => ['x.torrent', '-o', 'file/out', ...OFFLINE],
    files: { file: 'x' },
  },
  {
    because: 'no directory can be made there',
    exit: 7,
    code: 'DISK_IO',
    args: () => ['x.torrent', '-o', '/proc/rarest', ...OFFLINE],
    skip: !existsSync('/proc/self'),
  },
  {
    because: 'the port is taken',
    exit: 10,
    code: 'NETWORK',
    args: ({ port }) => ['x.torrent', '--no-dht', '--no-lsd', '--port', `${port}`],
  },
  {
    because: 'the bound address is not here',
    exit: 10,
    code: 'NETWORK',
    args: () => ['x.torrent', ...OFFLINE, '--bind', '203.0.113.9'],
  },
  {
    because: 'there is no such interface',
    exit: 10,
    code: 'NETWORK',
    args: () => ['http://127.0.0.1:9/x.torrent', ...OFFLINE, '--bind', 'nosuch0'],
  },
  {
    because: 'the file is not ours',
    exit: 14,
    code: 'EXISTS',
    args: () => ['x.torrent', ...OFFLINE],
    files: { content: 'something else' },
  },
];

t.test('failures', built, async t => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '::', resolve));
  t.teardown(() => server.close());
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : 0;
  for (const { because, exit, code, args, files = {}, skip = false } of FAILURES) {
    await t.test(because, { skip }, async t => {
      const directory = folder(t, { 'x.torrent': Buffer.from(SMALL.torrentFile), ...files });
      const before = filesBelow(directory);
      const program = new Program(t, directory, ['download', '--json', ...args({ port })]);
      t.same(await program.ended, { exit, signal: null });
      t.match(program.events.at(-1), { event: 'error', code, exit });
      t.match(
        program.stderr,
        new RegExp(`^rarest: .+: .+ \\(${code}\\)\n(hint: .+\n)?$`),
        'one line, one hint',
      );
      t.same(filesBelow(directory), before, 'nothing is left behind, nothing is changed');
    });
  }
});
