import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ResumeState } from '../../src/storage/resume.js';
import { saveState } from '../../src/storage/state-file.js';
import { Bitfield } from '../../src/torrent/bitfield.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { seeded } from '../support/random.js';
import { sample } from './support.js';

const p = (index: number) => index as Piece;
const torrent = sample([
  { path: 'a', length: 200_000 },
  { path: 'b', length: 100_000 },
]); // 10 pieces

function stateIn(directory: string, output = '/out', boot = 'boot-1'): ResumeState {
  return new ResumeState(directory, torrent.metainfo, output, boot);
}

const NONE = new Set<number>();

function field(...pieces: number[]): Bitfield {
  const have = new Bitfield(10);
  for (const piece of pieces) have.add(p(piece));
  return have;
}

t.test('closed in order: pieces and stamps', async t => {
  const directory = t.testdir({});
  const state = stateIn(directory);
  t.equal(await state.load(), 'absent');
  const journal = await state.begin(field(), NONE);
  await journal.append(p(4));
  await journal.close();
  const stamps = [{ size: 5, mtimeMs: 1700000000123.25 }, undefined];
  await state.seal(field(4, 9), { stamps, untouched: new Set([1]), parts: { size: 7, mtimeMs: 8.5 } });
  const record = await stateIn(directory, '/out', 'boot-2').load();
  t.match(record, {
    clean: true,
    bootId: 'boot-1',
    stamps,
    parts: { size: 7, mtimeMs: 8.5 },
  });
  if (typeof record !== 'string') t.same([...record.untouched], [1]);
  if (typeof record !== 'string') t.same([...record.have], [4, 9]);
  t.equal(readdirSync(join(directory, 'resume')).length, 1, 'the journal is gone');
  t.equal(await stateIn(directory, '/elsewhere').load(), 'absent', 'another place is another record');
});

t.test('killed: the record of the beginning and the journal', async t => {
  const directory = t.testdir({});
  const journal = await stateIn(directory).begin(field(1), NONE);
  await journal.append(p(7));
  const record = await stateIn(directory).load();
  t.match(record, { clean: false, bootId: 'boot-1', stamps: [] });
  if (typeof record !== 'string') t.same([...record.have], [1, 7]);
  const second = await stateIn(directory).begin(field(1, 7), NONE);
  const again = await stateIn(directory).load();
  if (typeof again !== 'string') t.same([...again.have], [1, 7]);
  await second.append(p(8));
  const [journalName] = readdirSync(join(directory, 'resume')).filter(name => name.endsWith('.journal'));
  writeFileSync(join(directory, 'resume', journalName as string), 'damaged');
  const damaged = await stateIn(directory).load();
  if (typeof damaged !== 'string') t.same([...damaged.have], [1, 7], 'the record alone');
  t.type(damaged, 'object');
  await journal.close();
  await second.close();
});

t.test('a hostile record is malformed, never a crash', async t => {
  const directory = t.testdir({});
  await stateIn(directory).seal(field(3), {
    stamps: [undefined, { size: 1, mtimeMs: 2 }],
    untouched: new Set([0]),
    parts: undefined,
  });
  const path = join(directory, 'resume', readdirSync(join(directory, 'resume'))[0] as string);
  const fine = JSON.parse(readFileSync(path, 'utf8').slice(41));
  await saveState(path, { ...fine, more: 1 });
  t.type(await stateIn(directory).load(), 'object', 'fields of later versions do no harm');
  const cases: [string, unknown][] = [
    ['nothing', null],
    ['a list', []],
    ['version', { ...fine, version: 2 }],
    ['another torrent', { ...fine, infoHash: '00'.repeat(20) }],
    ['another place', { ...fine, output: '/etc' }],
    ['clean', { ...fine, clean: 'yes' }],
    ['boot id', { ...fine, bootId: 1 }],
    ['short nonce', { ...fine, journal: 'abcd' }],
    ['nonce of no hex', { ...fine, journal: '../../../etc/pas' }],
    ['have of another type', { ...fine, have: 17 }],
    ['short bitfield', { ...fine, have: 'gA==' }],
    ['spare bits', { ...fine, have: Buffer.from([255, 255]).toString('base64') }],
    ['too few files', { ...fine, files: [null] }],
    ['files as an object', { ...fine, files: { length: 2 } }],
    ['stamp', { ...fine, files: [null, [1]] }],
    ['stamp of text', { ...fine, files: [null, ['1', 2]] }],
    ['stamps of a record that is not clean', { ...fine, clean: false }],
    ['stamp of the part file', { ...fine, parts: [1] }],
    ['untouched files as numbers', { ...fine, untouched: [1] }],
    ['an untouched file that there is not', { ...fine, untouched: [[0, 2]] }],
    ['a range that ends before it begins', { ...fine, untouched: [[1, 0]] }],
    [
      'ranges that overlap',
      {
        ...fine,
        untouched: [
          [0, 1],
          [1, 1],
        ],
      },
    ],
    ['a range of a thousand million', { ...fine, untouched: [[0, 1e9]] }],
    ['__proto__', JSON.parse(`{"__proto__":${JSON.stringify(fine)}}`)],
  ];
  for (const [name, value] of cases) {
    await saveState(path, value);
    t.equal(await stateIn(directory).load(), 'malformed', name);
  }
});

t.test('seeded damage never invents a piece', async t => {
  const directory = t.testdir({});
  const journal = await stateIn(directory).begin(field(3), NONE);
  for (const piece of [1, 5]) await journal.append(p(piece));
  await journal.close();
  const paths = readdirSync(join(directory, 'resume')).map(name => join(directory, 'resume', name));
  const whole = paths.map(path => readFileSync(path));
  const random = seeded(99);
  const outcomes = { malformed: 0, loaded: 0 };
  for (let round = 0; round < 300; round++) {
    const victim = Math.floor(random() * paths.length);
    const bytes = Buffer.from(whole[victim] as Buffer);
    for (let n = 1 + Math.floor(random() * 4); n > 0; n--)
      bytes[Math.floor(random() * bytes.length)] = random() * 256;
    const end = random() < 0.3 ? Math.floor(random() * bytes.length) : bytes.length;
    writeFileSync(paths[victim] as string, bytes.subarray(0, end));
    const record = await stateIn(directory).load();
    if (typeof record === 'string') outcomes.malformed++;
    else {
      outcomes.loaded++;
      const invented = [...record.have].filter(piece => ![1, 3, 5].includes(piece));
      if (invented.length > 0) t.fail(`round ${round}: ${invented}`);
    }
    writeFileSync(paths[victim] as string, whole[victim] as Buffer);
  }
  t.ok(outcomes.malformed > 50 && outcomes.loaded > 50, JSON.stringify(outcomes));
});
