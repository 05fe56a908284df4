// Each row of the command-line contract is claimed by a test that runs the program. A claim is the beginning of a test's
// name, such as `exit 12 LOCKED: …` or `flag --exec, --exec-file: …`; several stand one behind the other with `; ` between.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EXIT_CODES } from '../../src/torrent/errors.js';
import { eventFields } from '../support/event-line.js';
import { ROOT } from '../support/root.js';

const CONTRACT = join(ROOT, '../shared/design/cli.md');
const present = existsSync(CONTRACT) ? {} : { skip: 'the contract is not here' };

/** Rows of which what they promise is not built yet. */
const AWAITED = ['command simulate'];
/** Claimed by tests that are no runs of the program: why. */
const CLAIMED_INSIDE = ['exit 1 INTERNAL'];

/** Bullets and sentences in prose, by their first words, and the names of the tests that prove them. */
const PROSE: Readonly<Record<string, readonly string[]>> = {
  '- **stdout carries results only**': ['streams: stdout carries results only'],
  '- A person at a terminal': [
    'streams: a person at a terminal',
    'streams: -q silences',
    'streams: NO_COLOR',
  ],
  '- `--json`: stdout is NDJSON': ['streams: --json: every command', 'streams: events go to stderr'],
  '- Paths are printed': ['streams: paths are printed'],
  '- Errors: one line': ['streams: an error is one line'],
  '- The reader of stdout goes away': ['streams: EPIPE: ', 'command cat: '],
  'A source is a magnet URI': [
    'sources: a magnet link, hex or base32',
    'sources: tr, ws and dn',
    'sources: btmh and 64 hex',
  ],
  '(size and redirects capped)': ['sources: the path of a .torrent, an http URL'],
  'one .torrent or a list of sources': ['sources: stdin: the bytes', 'sources: a list that never ends'],
  'time (one that is complete': [
    'sources: one that seeds holds no place',
    'sources: those that cannot be read, and the exit code',
  ],
};

/** The cells of the table below this heading, a row at a time. */
function table(heading: string): string[][] {
  const section =
    readFileSync(CONTRACT, 'utf8')
      .split(/^## /m)
      .find(text => text.startsWith(heading)) ?? '';
  const rows = section.split('\n').filter(line => line.startsWith('| ') && !line.startsWith('|-'));
  return rows.slice(1).map(row =>
    row
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  );
}

const wordsIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** What stands behind an event in parentheses is when it comes. */
const eventsIn = (cell: string): string[] => wordsIn(cell.replace(/\([^)]*\)/g, ''));

function rows(): string[] {
  const flags = table('Flags').flatMap(([cell = '']) =>
    wordsIn(cell).flatMap(code => code.match(/(?<![\w-])--?[a-z0-9][a-z0-9-]*/g) ?? []),
  );
  return [
    ...table('Commands').map(([cell = '']) => `command ${wordsIn(cell)[0]?.split(' ')[0]}`),
    ...flags.map(flag => `flag ${flag}`),
    ...table('Events').flatMap(([cell = '']) => eventsIn(cell).map(event => `event ${event}`)),
    ...table('Exit').flatMap(([code = '', name = '']) =>
      code.split(', ').map((exit, at) => `exit ${exit} ${name || ['SIGINT', 'SIGTERM'][at]}`),
    ),
    'signal SIGUSR2',
  ];
}

/** Of `flag --seed, --seed-time: …`. */
const CLAIM = /\b(command|flag|event|exit|signal) ((?:[\w-]+(?: [A-Z_]+)?(?:, )?)+)(?=[:'`])/g;

/** Those that run the program. */
function testFiles(): string[] {
  return ['test/cli', 'test/interop'].flatMap(folder =>
    readdirSync(join(ROOT, folder))
      .filter(
        name => name.endsWith('.test.ts') && (folder !== 'test/cli' || /^(binary|end-to-end)/.test(name)),
      )
      .map(name => join(ROOT, folder, name)),
  );
}

/** What tests of the program claim, by their names. */
function claims(): Set<string> {
  const found = new Set<string>();
  for (const file of testFiles()) {
    for (const [name] of readFileSync(file, 'utf8').matchAll(/(?<=test\(|name: |\[)\s*['`][^'`\n]+['`]/g)) {
      for (const [, kind, subjects = ''] of name.matchAll(CLAIM))
        for (const subject of subjects.split(', ')) found.add(`${kind} ${subject}`);
    }
  }
  return found;
}

t.test('each row of the contract is claimed by a test', present, async t => {
  const claimed = claims();
  const all = rows();
  t.ok(all.length > 90, `${all.length} rows`);
  for (const row of all) {
    if (AWAITED.includes(row) || CLAIMED_INSIDE.includes(row)) continue;
    t.ok(claimed.has(row), row);
  }
});

t.test('so is each bullet of Streams, and each line of Sources', present, async t => {
  const sections = readFileSync(CONTRACT, 'utf8').split(/^## /m);
  const lines = sections.flatMap(text => {
    const rest = text.trimEnd().split('\n').slice(1);
    if (text.startsWith('Streams')) return rest.filter(line => line.startsWith('- '));
    return text.startsWith('Sources') ? rest : [];
  });
  t.equal(lines.length, Object.keys(PROSE).length);
  const files = testFiles().map(file => readFileSync(file, 'utf8'));
  for (const line of lines) {
    const [, names = []] = Object.entries(PROSE).find(([beginning]) => line.startsWith(beginning)) ?? [];
    t.ok(names.length > 0, line);
    for (const name of names)
      t.ok(
        files.some(text => text.includes(`'${name}`)),
        name,
      );
  }
});

t.test('exit codes are those of the contract', present, async t => {
  const named = table('Exit').filter(([, name]) => name);
  t.same(Object.fromEntries(named.map(([code, name = '']) => [name, Number(code)])), EXIT_CODES);
});

t.test('events and their fields are those of the contract', present, async t => {
  for (const [names = '', cell = ''] of table('Events')) {
    const events = eventsIn(names);
    for (const [at, event] of events.entries()) {
      const known = eventFields(event);
      t.ok(known, event);
      // `index; address, how, why; …` for three of them
      const own = events.length > 1 ? (cell.split('; ')[at] ?? '') : cell;
      const fields = own
        .replace(/\([^)]*\)/g, '')
        .replace(/:\[.*?\]/g, '')
        .split(/, | and /);
      for (const field of fields.map(word => word.trim()).filter(word => /^[a-z][A-Za-z0-9]*$/.test(word)))
        t.ok(known?.includes(field), `${event}: ${field}`);
    }
  }
});
