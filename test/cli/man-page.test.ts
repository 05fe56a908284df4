import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { manPage } from '../../man/page.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { version } from '../../src/engine/version.js';
import { EXIT_CODES } from '../../src/torrent/errors.js';
import { ROOT } from '../support/root.js';

const page = manPage(version());

t.test('the manual page in man/ is the one that the tables give', async t => {
  t.equal(readFileSync(join(ROOT, 'man/rarest.1'), 'utf8'), page, 'npm run docs writes it anew');
});

t.test('it tells of every command, flag and exit code', async t => {
  for (const { name, flags } of COMMANDS) {
    t.match(page, `\\fBrarest ${name}\\fR`);
    for (const { name, negative } of flags)
      t.ok(page.includes(`\\fB--${negative ? 'no-' : ''}${name}\\fR`.replaceAll('-', '\\-')), name);
  }
  for (const [name, code] of Object.entries(EXIT_CODES))
    t.match(page, new RegExp(`^.TP\n\\\\fB${code}\\\\fR\n${name}: `, 'm'));
});

t.test('no line of text is taken for a macro', async t => {
  const macros = ['TH', 'SH', 'SS', 'TP', 'PP', 'br', 'in', 'nf', 'fi', 'nh', 'ad', '\\"'];
  for (const line of page.split('\n')) {
    const macro = /^[.'](\S*)/.exec(line)?.[1];
    t.ok(macro === undefined || macros.includes(macro), line);
    t.match(line, /^[\x20-\x7e]*$/);
  }
});
