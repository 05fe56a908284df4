import t from 'tap';
import { COMMANDS } from '../../src/cli/commands.js';
import { bashScript } from '../../src/cli/completion/bash.js';
import { zshScript } from '../../src/cli/completion/zsh.js';
import { main } from '../../src/cli/main.js';
import { fakeIo } from './fake-io.js';

async function run(argv: readonly string[], SHELL?: string) {
  const io = fakeIo();
  if (SHELL !== undefined) io.env.SHELL = SHELL;
  const exit = await main(['completion', ...argv], io);
  return { exit, stdout: io.stdout.text, stderr: io.stderr.text };
}

t.test('the shell is the one named, or the user’s own', async t => {
  t.same(await run(['bash']), { exit: 0, stdout: bashScript(), stderr: '' });
  t.same(await run(['zsh']), { exit: 0, stdout: zshScript(), stderr: '' });
  t.same(await run([], '/usr/bin/zsh'), { exit: 0, stdout: zshScript(), stderr: '' });
  t.same(await run(['bash'], '/bin/zsh'), { exit: 0, stdout: bashScript(), stderr: '' });
  t.same(await run([], '/bin/fish'), {
    exit: 2,
    stdout: '',
    stderr: 'rarest: fish: no shell that we know (USAGE)\nhint: rarest completion bash, or zsh\n',
  });
  for (const [argv, why] of [
    [[], 'no shell given, and SHELL is not set'],
    [['bash', 'zsh'], 'one shell at a time, not 2'],
  ] as const) {
    const { exit, stderr } = await run(argv);
    t.equal(exit, 2);
    t.match(stderr, `rarest: completion: ${why} (USAGE)\n`);
  }
});

t.test('events go where the script does not', async t => {
  const { exit, stdout, stderr } = await run(['--json', 'fish']);
  t.equal(exit, 2);
  t.equal(stdout, '');
  t.match(JSON.parse(stderr.split('\n')[0] ?? ''), { event: 'error', code: 'USAGE' });
});

t.test('the scripts know every command and every flag', async t => {
  for (const script of [bashScript(), zshScript()]) {
    for (const { name, aliases, flags } of COMMANDS) {
      // what stands between the names of a command and the end of its case
      const pattern = [name, ...aliases].join('\\|');
      const part = new RegExp(`^ +${pattern}\\)\\n([^]*?);;$`, 'm').exec(script)?.[1] ?? '';
      for (const flag of flags) t.ok(part.includes(`--${flag.negative ? 'no-' : ''}${flag.name}`), flag.name);
      t.ok(part.includes('--json'), name);
    }
  }
});
