import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DiskThreads } from '../../src/storage/disk-threads.js';
import { type Look, lookAt } from '../../src/storage/look.js';
import { LIMITS } from '../../src/torrent/limits.js';

/** A folder with one of each, and what is to be seen there. */
function sights(t: Test) {
  const directory = t.testdir({ file: 'x'.repeat(1000), empty: '', folder: { inside: 'abc' } });
  symlinkSync('file', join(directory, 'link'));
  symlinkSync('nowhere', join(directory, 'dangling'));
  const names = ['file', 'none', 'folder', 'file/below', 'link', 'dangling', 'empty', 'folder/inside'];
  return { directory, paths: names.map(name => join(directory, name)) };
}

const kinds = (looks: readonly Look[]) =>
  looks.map(look => (look instanceof Error ? look.code : (look?.kind ?? 'nothing')));

for (const [where, budget] of [
  ['in place', 1 << 30],
  ['on a thread', 0],
] as const) {
  t.test(where, async t => {
    const { directory, paths } = sights(t);
    const threads = new DiskThreads(2, budget);
    t.teardown(() => threads.close());
    const looks = await lookAt(paths, threads);
    t.same(kinds(looks), ['file', 'nothing', 'folder', 'nothing', 'link', 'link', 'file', 'file']);
    const { size, mtimeMs, blocks } = lstatSync(paths[0] ?? '');
    t.same(looks[0], { kind: 'file', size, mtimeMs, allocatedBytes: blocks * 512 });
    t.match(looks[7], { size: 3 });
    const long = join(directory, 'n'.repeat(300));
    t.same(kinds(await lookAt([long, paths[0] ?? ''], threads)), ['DISK_IO', 'file']);
    const [refused] = await lookAt([long], threads);
    t.equal(refused instanceof Error && refused.message, `reading ${long}: name too long`);
    t.same(await lookAt([], threads), []);
  });
}

t.test('more than go to a thread at once, in their order', async t => {
  const directory = t.testdir({});
  mkdirSync(join(directory, 'many'));
  writeFileSync(join(directory, 'many', 'last'), 'abc');
  const count = LIMITS.lookPaths + 1;
  const paths = Array.from({ length: count }, (_, at) =>
    join(directory, 'many', at === count - 1 ? 'last' : `${at}`),
  );
  const threads = new DiskThreads(1, 0);
  t.teardown(() => threads.close());
  const looks = await lookAt(paths, threads);
  t.equal(looks.length, count);
  t.match(looks.at(-1), { kind: 'file', size: 3 });
  t.ok(looks.slice(0, -1).every(look => look === undefined));
});
