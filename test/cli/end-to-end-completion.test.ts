// The completion of bash as bash runs it: the script is sourced and asked what it offers, by one bash for all cases.

import { spawnSync } from 'node:child_process';
import t from 'tap';
import { bashScript } from '../../src/cli/completion/bash.js';
import { built, Program } from '../support/program.js';

/** The words that bash makes of a line: it breaks them at : and = too. The last one is completed. */
function wordsOf(line: string): string[] {
  const quoted = /"[^"]*"?|(?:\\.|[^\s\\])+/g;
  const words = [...line.matchAll(quoted)].flatMap(([word]) =>
    word.startsWith('"') ? [word] : word.split(/(?<!\\)([:=]+)/).filter(Boolean),
  );
  return /(?<!\\) $/.test(line) ? [...words, ''] : words;
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** What is offered for each line. */
function offered(directory: string, lines: readonly string[]): string[][] {
  const asked = lines.map(line => {
    const words = wordsOf(line);
    return [
      `COMP_LINE=${quoted(line)} COMP_CWORD=${words.length - 1} COMP_WORDS=(${words.map(quoted).join(' ')})`,
      `_rarest; printf '%s\\n' \${COMPREPLY[@]+"\${COMPREPLY[@]}"} --`,
    ].join('\n');
  });
  const script = [bashScript(), ...asked].join('\n');
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '--noprofile'], {
    cwd: directory,
    input: script,
    encoding: 'utf8',
  });
  if (status !== 0 || stderr !== '') throw new Error(`bash ended with ${status}: ${stderr}`);
  const groups = stdout.split('--\n').slice(0, -1);
  return groups.map(group => group.split('\n').filter(Boolean).sort());
}

t.test('commands, flags, files and nothing else', async t => {
  const directory = t.testdir({
    'a.torrent': '',
    'b c.torrent': '',
    'B.TORRENT': '',
    'x:1.torrent': '',
    "q'[u]*.torrent": '',
    'note.txt': '',
    folder: { 'deep.torrent': '', 'deep.txt': '' },
    'two words': {},
  });
  const cases: Record<string, string[]> = {
    'rarest dow': ['download'],
    'rarest s': ['seed', 'show'],
    'rarest --json ge': ['get'],
    'rarest -o folder cre': ['create'],
    'rarest help se': ['seed'],
    'rarest help seed ': [],
    'rarest nothing ': [],
    'rarest completion ': ['bash', 'zsh'],
    'rarest completion bash ': [],
    'rarest --vers': ['--version'],
    'rarest download --max-d': ['--max-download'],
    'rarest get --seed-': ['--seed-ratio', '--seed-time'],
    'rarest create --no-p': ['--no-pad-files', '--no-private'],
    'rarest create --max-u': [],
    'rarest create -- --na': [],
    'rarest download a': ['a.torrent'],
    'rarest download B': ['B.TORRENT'],
    'rarest download n': [],
    'rarest download b': ['b c.torrent'],
    'rarest download b\\ ': ['b c.torrent'],
    'rarest download "b c': ['b c.torrent'],
    'rarest download f': ['folder'],
    'rarest download folder/d': ['folder/deep.torrent'],
    'rarest download x': ['x:1.torrent'],
    'rarest download x:': ['1.torrent'],
    'rarest download x:1': ['1.torrent'],
    'rarest download x\\:1': ['x:1.torrent'],
    'rarest download q': ["q'[u]*.torrent"],
    'rarest download magnet:?xt=urn:btih:': [],
    'rarest download magnet:?xt=urn:btih:abc a': ['a.torrent'],
    'rarest download a.torrent b': ['b c.torrent'],
    'rarest seed note': ['note.txt'],
    'rarest download --jobs ': [],
    'rarest download --jobs 3 a': ['a.torrent'],
    'rarest download --tracker http://a:1/ a': ['a.torrent'],
    'rarest download --peer=a:1 a': ['a.torrent'],
    'rarest download -o ': ['folder', 'two words'],
    'rarest download --output tw': ['two words'],
    'rarest download --output=fo': ['folder'],
    'rarest download --save-torrent n': ['note.txt'],
    'rarest create -o n': ['note.txt'],
    'rarest create --out=n': ['note.txt'],
    'rarest create --config n': ['note.txt'],
    'rarest create --comment n': [],
    'rarest create --private=n': [],
  };
  const lines = Object.keys(cases);
  const answers = offered(directory, lines);
  t.equal(answers.length, lines.length);
  for (const [at, line] of lines.entries()) t.same(answers[at], cases[line], line);
});

t.test('command completion: the program prints it', built, async t => {
  const directory = t.testdir({ '.config': { rarest: { 'config.toml': 'json = true\n' } } });
  const program = new Program(t, directory, ['completion', 'bash']);
  t.same(await program.ended, { exit: 0, signal: null });
  t.equal(`${program.lines.join('\n')}\n`, bashScript(), 'whatever else is asked for');
  t.equal(program.stderr, '');
});
