// The completion scripts in shells at a terminal, as a user presses TAB.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { bashScript } from '../../src/cli/completion/bash.js';
import { zshScript } from '../../src/cli/completion/zsh.js';

const TAB = '\t';
/** The key that has the shell print the line and empty it. */
const TELL = '\x18';

const FILES = {
  'a.torrent': '',
  'b c.torrent': '',
  'x:1.torrent': '',
  'note.txt': '',
  'my folder': { 'deep.torrent': '' },
};

/** Lines before TAB, and after it. A space behind what is complete is left out. */
const CASES: readonly (readonly [typed: string, completed: string])[] = [
  ['rarest dow', 'rarest download'],
  ['rarest --json dow', 'rarest --json download'],
  ['rarest help se', 'rarest help seed'],
  ['rarest completion z', 'rarest completion zsh'],
  ['rarest peers --sc', 'rarest peers --scrape'],
  ['rarest download --no-l', 'rarest download --no-lsd'],
  ['rarest download a', 'rarest download a.torrent'],
  ['rarest get b', 'rarest get b\\ c.torrent'],
  ['rarest download "b', 'rarest download "b c.torrent"'],
  ['rarest download x:', 'rarest download x:1.torrent'],
  ['rarest download my', 'rarest download my\\ folder/'],
  ['rarest download my\\ folder/', 'rarest download my\\ folder/deep.torrent'],
  ['rarest download -o my', 'rarest download -o my\\ folder/'],
  ['rarest download --output=my', 'rarest download --output=my\\ folder/'],
  ['rarest download -o n', 'rarest download -o n'],
  ['rarest create -o n', 'rarest create -o note.txt'],
  ['rarest seed n', 'rarest seed note.txt'],
  ['rarest download --jobs n', 'rarest download --jobs n'],
  ['rarest download magnet:?xt=urn:btih:a', 'rarest download magnet:?xt=urn:btih:a'],
];

/** What the lines have become when TAB was pressed behind each. */
async function completed(t: Test, command: string, directory: string): Promise<string[]> {
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    ZDOTDIR: directory,
    TERM: 'dumb',
    LC_ALL: 'C.UTF-8',
  };
  const shell = spawn('script', ['-qfec', command, '/dev/null'], { cwd: directory, env });
  t.teardown(() => shell.kill('SIGKILL'));
  const told: string[] = [];
  // one line after the other: what is typed ahead is not the shell's editor's
  const type = () => {
    const next = CASES[told.length];
    shell.stdin.write(next === undefined ? 'exit\n' : `${next[0]}${TAB}${TELL}`);
  };
  for await (const line of createInterface({ input: shell.stdout })) {
    if (line.includes('<ready>')) type();
    const tale = /<told (.*)>/.exec(line)?.[1];
    if (tale === undefined) continue;
    told.push(tale.trimEnd());
    type();
  }
  return told;
}

const expected = CASES.map(([, completed]) => completed);

t.test('bash', async t => {
  const directory = t.testdir(FILES);
  const start = [
    bashScript(),
    'tell() { printf "\\n<told %s>\\n" "$READLINE_LINE"; READLINE_LINE=; }',
    `bind -x '"\\C-x": tell'`,
    // a shell prompts once its editor is at work
    `PROMPT_COMMAND='[[ $told ]] || printf "<ready>\\n"; told=yes'`,
  ];
  writeFileSync(join(directory, '.start'), start.join('\n'));
  t.same(await completed(t, 'bash --noprofile --rcfile .start -i', directory), expected);
});

t.test('zsh', async t => {
  const directory = t.testdir(FILES);
  const start = [
    zshScript(),
    'tell() { print -r -- $\'\\n\'"<told $BUFFER>"; BUFFER= }',
    "zle -N tell; bindkey '^X' tell",
    "ready() { print '<ready>'; zle -D zle-line-init }",
    'zle -N zle-line-init ready',
  ];
  writeFileSync(join(directory, '.zshrc'), start.join('\n'));
  t.same(await completed(t, 'zsh -i', directory), expected);
});
