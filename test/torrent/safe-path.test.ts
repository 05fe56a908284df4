import t from 'tap';
import { LIMITS } from '../../src/torrent/limits.js';
import { type SafePaths, safeComponent, safePaths } from '../../src/torrent/safe-path.js';
import { seeded } from '../support/random.js';

const safe = (...paths: string[][]): SafePaths =>
  safePaths(
    'name',
    paths.map(path => ({ path, pad: false })),
  );
const joined = (result: SafePaths): string[] => result.paths.map(path => path.join('/'));
const bytes = (text: string): number => Buffer.byteLength(text);

t.test('ordinary names stay as they are', async t => {
  const names = [
    ...[
      'a',
      'file.txt',
      'Some Film (2010) [1080p].mkv',
      '.hidden',
      '..a',
      'a..b',
      '...',
      '-rf',
      '~',
      '$HOME',
      '%TEMP%',
    ],
    ...[
      '日本語.txt',
      'café',
      'cafe\u0301',
      '👩‍👩‍👧',
      'Zażółć',
      'Note: x',
      'console',
      'com10',
      'nul_',
      'aux-in.txt',
      ' leading',
    ],
    ...['__proto__', 'constructor', 'n'.repeat(255), `${'é'.repeat(127)}x`],
  ];
  for (const name of names) t.equal(safeComponent(name), name, name.slice(0, 40));
});

t.test('nothing is left of names that only navigate', async t => {
  for (const name of ['', '.', '..']) t.equal(safeComponent(name), '', JSON.stringify(name));
});

t.test('what is unsafe in a name becomes harmless', async t => {
  const cases: [string, string][] = [
    ['/', '_'],
    ['/etc/passwd', '_etc_passwd'],
    ['..\\..\\evil.exe', '.._.._evil.exe'],
    ['nul\0byte', 'nul_byte'],
    ['\x1b[2J\r\n\t\x7f\x9b', '_[2J_____'],
    ['invoice\u202efdp.exe', 'invoice_fdp.exe'],
    ['a\u200b\u2066b\ufeff', 'a__b_'],
    ['a\u2028b', 'a_b'],
    ['C:', 'C_'],
    ['c:evil', 'c_evil'],
    ['CON', '_CON'],
    ['nul.txt', '_nul.txt'],
    ['Aux .tar.gz', '_Aux .tar.gz'],
    ['lpt¹', '_lpt¹'],
    ['COM1.', '_COM1_'],
    ['file.', 'file_'],
    ['file. . ', 'file____'],
    ['   ', '___'],
    [' ..', '___'],
    ['.. ', '___'],
  ];
  for (const [raw, name] of cases) t.equal(safeComponent(raw), name, encodeURIComponent(raw));
});

t.test('long names are cut between characters and keep their extension', async t => {
  t.equal(safeComponent(`${'n'.repeat(252)}.txt`), `${'n'.repeat(251)}.txt`);
  t.equal(safeComponent('é'.repeat(200)), 'é'.repeat(127));
  t.equal(safeComponent(`${'日'.repeat(100)}.mkv`), `${'日'.repeat(83)}.mkv`);
  t.equal(safeComponent('😀'.repeat(100)), '😀'.repeat(63));
  t.equal(
    safeComponent(`a.${'x'.repeat(300)}`),
    `a.${'x'.repeat(253)}`,
    'what is too long to be an extension',
  );
  t.equal(
    safeComponent(`${'n'.repeat(254)}..`),
    `${'n'.repeat(254)}_`,
    'a tail that is unsafe after the cut',
  );
  t.equal(safeComponent(`${'n'.repeat(254)} n`), `${'n'.repeat(254)}_`);
  t.equal(bytes(safeComponent(`con.${'x'.repeat(252)}`)), 255);
});

t.test('folders are cleaned like files, and what navigates is dropped', async t => {
  const result = safe(['..', '..', 'etc', 'passwd'], ['a', '.', '', 'b'], ['..'], ['C:', 'x']);
  t.same(joined(result), ['name/etc/passwd', 'name/a/b', 'name/_', 'name/C_/x']);
  t.equal(result.warnings.length, 4);
  t.equal(result.warnings[0], 'unsafe name "../../etc/passwd": written as "name/etc/passwd"');
});

t.test('equal names get numbers before the extension', async t => {
  const result = safe(
    ['bar.txt'],
    ['bar.txt'],
    ['bar.1.txt'],
    ['bar.txt'],
    ['.rc'],
    ['.rc'],
    ['d', 'x'],
    ['d', 'x'],
  );
  t.same(joined(result), [
    ...['name/bar.txt', 'name/bar.1.txt', 'name/bar.1.1.txt', 'name/bar.2.txt'],
    ...['name/.rc', 'name/.rc.1', 'name/d/x', 'name/d/x.1'],
  ]);
  t.equal(result.warnings[0], 'two files share the name "name/bar.txt": one is written as "bar.1.txt"');
});

t.test('names are equal where any file system takes them for equal', async t => {
  t.same(joined(safe(['a'], ['A'])), ['name/a', 'name/A.1']);
  t.same(joined(safe(['É'], ['e\u0301'])), ['name/É', 'name/e\u0301.1']);
  t.same(joined(safe(['ΟΔΟΣ'], ['οδος'])), ['name/ΟΔΟΣ', 'name/οδος.1']);
  t.same(joined(safe(['D', 'x'], ['d', 'X'])), ['name/D/x', 'name/d/X.1'], 'in folders that are equal');
  t.same(joined(safe(['a.'], ['a_'])), ['name/a_', 'name/a_.1'], 'only after cleaning');
  t.same(safe(['a'], ['b'], ['d', 'a']).warnings, []);
});

t.test('no file is the folder of another', async t => {
  t.same(joined(safe(['a'], ['a', 'b'])), ['name/a.1', 'name/a/b']);
  t.same(joined(safe(['a', 'b'], ['A'])), ['name/a/b', 'name/A.1']);
  t.same(joined(safe(['a'], ['a', 'b'], ['a', 'b', 'c'])), ['name/a.1', 'name/a/b.1', 'name/a/b/c']);
});

t.test('pad files share paths and take no names', async t => {
  const pad = { path: ['.pad', '5'], pad: true };
  const result = safePaths('name', [
    pad,
    { path: ['.pad'], pad: false },
    pad,
    { path: ['.pad'], pad: false },
  ]);
  t.same(joined(result), ['name/.pad/5', 'name/.pad', 'name/.pad/5', 'name/.pad.1']);
  t.equal(result.warnings.length, 1);
  t.same(joined(safePaths('name', [{ path: ['..', 'x'], pad: true }])), ['name/x'], 'safe all the same');
});

t.test('a path too long as a whole loses the folders between', async t => {
  const deep = Array<string>(200).fill('d');
  t.equal(joined(safe([...deep, 'f']))[0]?.length, 4 + 2 * 200 + 2, 'many short ones are fine');
  const long = Array<string>(25).fill('d'.repeat(200));
  const result = safe([...long, 'f'], [...long, 'F']);
  t.same(joined(result), ['name/f', 'name/F.1']);
  t.equal(result.warnings.length, 3);
});

t.test('numbers fit into names of full length', async t => {
  const name = `${'n'.repeat(251)}.txt`;
  const paths = joined(safe([name], [name], [name]));
  t.equal(new Set(paths).size, 3);
  for (const path of paths)
    t.ok(bytes(path) <= 'name/'.length + LIMITS.pathComponentBytes && path.endsWith('.txt'));
});

t.test('only the first changes are worded, the rest is counted', async t => {
  const result = safe(...Array.from({ length: 100 }, () => ['\x1b[31m']));
  t.equal(result.warnings.length, LIMITS.nameWarnings + 1);
  t.equal(result.warnings.at(-1), `${200 - 1 - LIMITS.nameWarnings} more names were changed in the same way`);
  t.notOk(/\p{Cc}/u.test(result.warnings.join('')), 'and nothing raw reaches the terminal');
});

t.test('many equal names do not take their square', async t => {
  const equal = joined(safe(...Array.from({ length: 20_000 }, () => ['a.txt'])));
  t.equal(equal.at(-1), 'name/a.19999.txt');
  // Names that differ only where the number goes share one series.
  const full = (index: number) => `${'n'.repeat(250)}${String(index % 10_000).padStart(5, '0')}`;
  t.equal(new Set(joined(safe(...Array.from({ length: 20_000 }, (_, index) => [full(index)])))).size, 20_000);
});

t.test('drawn from hostile parts, paths are always safe and distinct', async t => {
  const random = seeded(5);
  const parts = [
    '..',
    '.',
    '',
    '/',
    '\\',
    '\0',
    'a',
    'A',
    'é',
    'e\u0301',
    ' ',
    'con',
    'C:',
    '.txt',
    '\u202e',
    '😀',
    'x'.repeat(130),
  ];
  const pick = () => parts[Math.floor(random() * parts.length)] as string;
  const files = Array.from({ length: 3000 }, () =>
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick() + (random() < 0.5 ? pick() : '')),
  );
  const paths = safe(...files).paths;
  const folded = paths.map(path => path.join('/').normalize('NFC').toLowerCase());
  const names = new Set(folded);
  t.equal(names.size, files.length, 'distinct');
  for (const [index, path] of paths.entries()) {
    const bad = path.find(
      part => part === '' || part === '.' || part === '..' || bytes(part) > 255 || /[/\\\p{Cc}]/u.test(part),
    );
    if (bad !== undefined) t.fail(JSON.stringify(path));
    const parents = path.slice(1, -1).map(
      (_, depth) =>
        folded[index]
          ?.split('/')
          .slice(0, depth + 2)
          .join('/') ?? '',
    );
    if (parents.some(parent => names.has(parent))) t.fail(`a file is a folder of ${JSON.stringify(path)}`);
  }
});
