// The built program, as a shell sees it. None of this needs an engine.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { folder } from '../support/engine-run.js';
import { built, Program } from '../support/program.js';

const HOME = folder(t);

/** Runs the program to its end with `input` on its stdin. */
async function run(t: Test, argv: string[], input = '', env: Record<string, string> = {}) {
  const program = new Program(t, HOME, argv, { stdin: input, env });
  const { exit } = await program.ended;
  return { exit, stdout: program.stdout, stderr: program.stderr, events: () => program.events };
}

t.test('--version and --help', built, async t => {
  t.match(await run(t, ['--version']), { exit: 0, stdout: /^rarest \d+\.\d+\.\d+\n$/, stderr: '' });
  const help = await run(t, ['download', '--help']);
  t.equal(help.exit, 0);
  t.ok(help.stdout.split('\n').every(line => Array.from(line).length <= 80));
});

t.test('usage errors', built, async t => {
  t.match(await run(t, []), {
    exit: 2,
    stdout: '',
    stderr: 'rarest: command: none given (USAGE)\nhint: rarest --help lists them\n',
  });
  t.match(await run(t, ['download', '--max-pers', '3', 'x'], '', { RAREST_UNHEARD_OF: '1' }), {
    exit: 2,
    stdout: '',
    stderr: 'rarest: --max-pers: unknown flag (USAGE)\nhint: did you mean --max-peers?\n',
  });
  t.match(await run(t, ['download', 'x'], '', { RAREST_PORT: 'http' }), {
    exit: 2,
    stderr: /^rarest: RAREST_PORT=http: not a whole number/,
  });
});

t.test('sources: those that cannot be read, and the exit code of the first to fail', built, async t => {
  const dir = t.testdir({ folder: {} });
  const bad = join(dir, 'bad.torrent');
  writeFileSync(bad, 'd4:spam4:eggse');
  t.match(await run(t, ['download', bad]), {
    exit: 3,
    stdout: '',
    stderr: /^rarest: .*bad\.torrent: it has no info dictionary \(BAD_SOURCE\)\n/,
  });
  t.match(await run(t, ['download', 'magnet:?xt=urn:btih:123']), { exit: 3, stderr: /\(BAD_SOURCE\)\n/ });
  t.match(await run(t, ['peers', join(dir, 'folder')]), { exit: 4, stderr: /directory \(NOT_FOUND\)\n/ });
  t.match(
    await run(t, ['download', '--jobs', '1', join(dir, 'none'), bad]),
    { exit: 4 },
    'the first failure decides',
  );
  t.match(await run(t, ['download', `magnet:?xt=urn:btmh:1220${'1'.repeat(64)}`]), {
    exit: 15,
    stderr: /\(UNSUPPORTED\)\n/,
  });
});

t.test('stdin', built, async t => {
  t.match(await run(t, ['download', '-'], 'd4:spam4:eggse'), { exit: 3, stderr: /\(BAD_SOURCE\)\n/ });
  const listed = await run(t, ['download', '--json', '--jobs', '1', '-'], '/nowhere/a\n\n/nowhere/b\n');
  t.equal(listed.exit, 4);
  t.match(listed.events(), [
    { v: 1, event: 'start', output: '.' },
    { v: 1, event: 'error', source: '/nowhere/a', code: 'NOT_FOUND', exit: 4 },
    { v: 1, event: 'error', source: '/nowhere/b', code: 'NOT_FOUND', exit: 4 },
  ]);
  t.match(await run(t, ['download', '-'], ''), { exit: 3, stderr: /^rarest: reading stdin: neither/ });
});
