// The manual page as a reader of manual pages sees it.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { ROOT } from '../support/root.js';

const PAGE = join(ROOT, 'man/rarest.1');

function mandoc(...options: string[]): string {
  const { error, stdout } = spawnSync('mandoc', [...options, PAGE], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return stdout;
}

t.test('mandoc finds no fault but the date, which it lacks to be the same each time', async t => {
  const faults = mandoc('-Tlint', '-Wwarning').split('\n').filter(Boolean);
  t.same(
    faults.filter(fault => !fault.includes('missing date')),
    [],
  );
});

t.test('what is to be copied is shown as it was written', async t => {
  const shown = mandoc('-Tascii', '-Owidth=100').replace(/.[\b]/g, '');
  t.match(shown, "find photos -name '*.jpg' | rarest create - -o - > photos.torrent");
  t.match(shown, 'output = "~/Downloads"');
  t.match(shown, String.raw`xargs -d '\n' ls -l`);
});
