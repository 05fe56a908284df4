import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { TORRENTS } from '../fixtures/make.js';
import { ROOT } from '../support/root.js';

const FOLDER = join(ROOT, 'test/fixtures/torrents');

if (t.writeSnapshot) {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, bytes] of TORRENTS) writeFileSync(join(FOLDER, `${name}.torrent`), bytes);
}

t.test('the torrents on disk are those that make.ts makes', async t => {
  const names = [...TORRENTS.keys()].map(name => `${name}.torrent`);
  t.same(readdirSync(FOLDER).sort(), names.sort());
  for (const [name, bytes] of TORRENTS)
    t.ok(readFileSync(join(FOLDER, `${name}.torrent`)).equals(bytes), name);
});
