// The built program, as a shell sees it. None of this needs an engine.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { BARE_NODE, built, PROGRAM } from '../support/program.js';

interface Ran {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end with `input` on its stdin. */
function run(argv: string[], input = '', env: Record<string, string> = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn('env', [...BARE_NODE, PROGRAM, ...argv], { env: { PATH: process.env.PATH, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', chunk => {
      stdout += chunk;
    });
    child.stderr.on('data', chunk => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', exit => resolve({ exit, stdout, stderr }));
    // it may end without reading
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

t.test('--version and --help', built, async t => {
  t.match(await run(['--version']), { exit: 0, stdout: /^rarest \d+\.\d+\.\d+\n$/, stderr: '' });
  const help = await run(['download', '--help']);
  t.equal(help.exit, 0);
  t.ok(help.stdout.split('\n').every(line => Array.from(line).length <= 80));
});

t.test('usage errors', built, async t => {
  t.same(await run([]), {
    exit: 2,
    stdout: '',
    stderr: 'rarest: command: none given (USAGE)\nhint: rarest --help lists them\n',
  });
  t.same(await run(['download', '--max-pers', '3', 'x'], '', { RAREST_UNHEARD_OF: '1' }), {
    exit: 2,
    stdout: '',
    stderr: 'rarest: --max-pers: unknown flag (USAGE)\nhint: did you mean --max-peers?\n',
  });
  t.match(await run(['download', 'x'], '', { RAREST_PORT: 'http' }), {
    exit: 2,
    stderr: /^rarest: RAREST_PORT=http: not a whole number/,
  });
});

t.test('sources that cannot be read', built, async t => {
  const dir = t.testdir({ folder: {} });
  const bad = join(dir, 'bad.torrent');
  writeFileSync(bad, 'd4:spam4:eggse');
  t.match(await run(['download', bad]), {
    exit: 3,
    stdout: '',
    stderr: /^rarest: .*bad\.torrent: it has no info dictionary \(BAD_SOURCE\)\n/,
  });
  t.match(await run(['download', 'magnet:?xt=urn:btih:123']), { exit: 3, stderr: /\(BAD_SOURCE\)\n/ });
  t.match(await run(['peers', join(dir, 'folder')]), { exit: 4, stderr: /directory \(NOT_FOUND\)\n/ });
  t.match(
    await run(['download', '--jobs', '1', join(dir, 'none'), bad]),
    { exit: 4 },
    'the first failure decides',
  );
  t.match(await run(['download', `magnet:?xt=urn:btmh:1220${'1'.repeat(64)}`]), {
    exit: 15,
    stderr: /\(UNSUPPORTED\)\n/,
  });
});

t.test('stdin', built, async t => {
  t.match(await run(['download', '-'], 'd4:spam4:eggse'), { exit: 3, stderr: /\(BAD_SOURCE\)\n/ });
  const listed = await run(['download', '--json', '--jobs', '1', '-'], '/nowhere/a\n\n/nowhere/b\n');
  t.equal(listed.exit, 4);
  const events = listed.stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  t.match(events, [
    { v: 1, event: 'start', output: '.' },
    { v: 1, event: 'error', source: '/nowhere/a', code: 'NOT_FOUND', exit: 4 },
    { v: 1, event: 'error', source: '/nowhere/b', code: 'NOT_FOUND', exit: 4 },
  ]);
  t.match(await run(['download', '-'], ''), { exit: 3, stderr: /^rarest: reading stdin: neither/ });
});
