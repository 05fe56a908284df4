// The layers of ARCHITECTURE.md, kept by reading the import lines: who may know whom, and what the pure rooms must not touch.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import t from 'tap';
import { ROOT } from './support/root.js';

/** Rooms each room may import besides itself. `wire/message` is a type-only door. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  torrent: [],
  wire: ['torrent'],
  swarm: ['torrent', 'wire/message'],
  storage: ['torrent'],
  tracker: ['torrent'],
  webseed: ['torrent', 'wire/message'],
  discovery: ['torrent'],
  net: ['wire', 'torrent'],
  engine: ['net', 'wire', 'swarm', 'storage', 'tracker', 'webseed', 'discovery', 'torrent'],
  sim: ['swarm', 'torrent', 'wire/message'],
  cli: ['engine', 'sim', 'torrent'],
};
const PURE = ['torrent', 'wire', 'swarm', 'sim'];
/** Files of pure rooms that read foreign formats and so may use these packages. */
const MAY_USE: Record<string, readonly string[]> = {
  'src/wire/extension.ts': ['bencode'],
  'src/torrent/metainfo.ts': ['bencode'],
  'src/torrent/sha.ts': ['node:crypto'],
  'src/torrent/bencode-values.ts': ['bencode'],
  'src/torrent/magnet-link.ts': ['parse-torrent'],
};
const IMPURE =
  /\b(Date\.|new Date|performance\.|Math\.random|setTimeout|setInterval|setImmediate|process\.|console\.)/;

interface Source {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sources: Source[] = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => {
    const path = relative(ROOT, join(ROOT, 'src', name));
    const text = readFileSync(join(ROOT, path), 'utf8');
    const imports = [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(match => match[1] ?? '');
    return { path, room: path.split('/')[1] ?? '', text, imports };
  });

/** The room and file an import leads to, `swarm/port` say, or undefined for a package. */
function target(source: Source, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return relative(join(ROOT, 'src'), join(ROOT, dirname(source.path), specifier)).replace(/\.js$/, '');
}

t.test('every room is one of the plan', async t => {
  t.ok(sources.length > 20, 'the sources were found');
  for (const { room, path } of sources) t.ok(room in MAY_IMPORT, path);
});

t.test('rooms import only what is below them', async t => {
  for (const source of sources) {
    for (const specifier of source.imports) {
      const to = target(source, specifier);
      if (to === undefined || to.startsWith(`${source.room}/`)) continue;
      const allowed = MAY_IMPORT[source.room] ?? [];
      t.ok(
        allowed.some(door => to === door || to.startsWith(`${door}/`)),
        `${source.path} -> ${to}`,
      );
    }
  }
});

t.test('the pure rooms use no packages, clock, randomness or process', async t => {
  for (const source of sources.filter(({ room }) => PURE.includes(room))) {
    const packages = source.imports.filter(specifier => !specifier.startsWith('.'));
    const allowed = MAY_USE[source.path] ?? [];
    for (const name of packages) t.ok(allowed.includes(name), `${source.path} uses ${name}`);
    const code = source.text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    t.notOk(IMPURE.test(code), `${source.path} is pure`);
  }
});

t.test('files are short', async t => {
  for (const { path, text } of sources) t.ok(text.split('\n').length <= 301, path);
});

t.test('every test is run', async t => {
  const tests = join(ROOT, 'test');
  const rooms = readdirSync(join(tests, 'rooms')).map(name => name.replace('.ts', ''));
  for (const folder of readdirSync(tests).filter(name => !name.includes('.') && name !== 'interop')) {
    for (const name of readdirSync(join(tests, folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.test.ts')) continue;
      t.ok(rooms.includes(folder) && dirname(name) === '.', `${folder}/${name} is of a room in test/rooms`);
    }
  }
});

t.test('what the program prints is watched: tests start it by one of two doors', async t => {
  const doors = ['test/support/program.ts', 'test/support/runs.ts', 'test/interop/support/rarest.ts'];
  // whose programs are run by the demonstration, and what they print is shown by it
  doors.push('test/demo.test.ts', 'test/architecture.test.ts');
  for (const name of readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })) {
    const path = `test/${name}`;
    if (!path.endsWith('.ts') || doors.includes(path)) continue;
    t.notMatch(readFileSync(join(ROOT, path), 'utf8'), /bin\/rarest|\bPROGRAM\b/, path);
  }
});
