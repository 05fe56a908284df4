import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Journal, readJournal } from '../../src/storage/journal.js';
import { Bitfield } from '../../src/torrent/bitfield.js';
import { Geometry, type Piece } from '../../src/torrent/geometry.js';

const p = (index: number) => index as Piece;
const NONCE = '00112233445566ff';
const geometry = new Geometry(300, 1);

async function read(path: string, nonce = NONCE): Promise<number[]> {
  const have = new Bitfield(300);
  await readJournal(path, nonce, geometry, have);
  return [...have];
}

t.test('the bytes: a header, then eight a piece', async t => {
  const path = join(t.testdir({}), 'deep', 'x.journal');
  const journal = await Journal.create(path, NONCE);
  await journal.append(p(1));
  const mark = Buffer.from('rarestj1').toString('hex');
  t.equal(
    readFileSync(path).toString('hex'),
    `${mark}${NONCE}0000000100112232`,
    'there before append returns',
  );
  await Promise.all([journal.append(p(2)), journal.append(p(299)), journal.append(p(0))]);
  t.same(await read(path), [0, 1, 2, 299]);
  await journal.close();
  await journal.close();
});

t.test('cut at any byte, whole entries count and nothing else', async t => {
  const path = join(t.testdir({}), 'x.journal');
  const journal = await Journal.create(path, NONCE);
  for (const piece of [7, 200, 3]) await journal.append(p(piece));
  await journal.close();
  const whole = readFileSync(path);
  t.equal(whole.length, 16 + 3 * 8);
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    const entries = Math.max(0, Math.floor((length - 16) / 8));
    t.same(
      await read(path),
      [7, 200, 3].slice(0, entries).sort((a, b) => a - b),
      `${length} bytes`,
    );
    writeFileSync(path, Buffer.concat([whole.subarray(0, length), Buffer.alloc(64)]));
    t.same(
      await read(path),
      [7, 200, 3].slice(0, entries).sort((a, b) => a - b),
      `${length} bytes and zeros`,
    );
  }
});

t.test('a damaged entry ends it', async t => {
  const path = join(t.testdir({}), 'x.journal');
  const journal = await Journal.create(path, NONCE);
  for (const piece of [7, 200, 3]) await journal.append(p(piece));
  await journal.close();
  const whole = readFileSync(path);
  for (let bit = 0; bit < 64; bit++) {
    const damaged = Buffer.from(whole);
    const at = 24 + (bit >> 3);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(path, damaged);
    t.same(await read(path), [7], `bit ${bit} of the second entry`);
  }
});

t.test('what is not our journal says nothing', async t => {
  const directory = t.testdir({ folder: {}, text: 'not a journal at all, but long enough' });
  const path = join(directory, 'x.journal');
  const journal = await Journal.create(path, NONCE);
  await journal.append(p(7));
  await journal.close();
  t.same(await read(path, 'ffffffffffffffff'), [], 'of another record');
  t.same(await read(join(directory, 'gone')), []);
  t.same(await read(join(directory, 'folder')), []);
  t.same(await read(join(directory, 'text')), []);
  const again = await Journal.create(path, NONCE);
  t.same(await read(path), [], 'a new one is empty');
  await again.close();
});

t.test('a journal that cannot be written is a disk error', async t => {
  const directory = t.testdir({ file: 'x' });
  await t.rejects(Journal.create(join(directory, 'file', 'x.journal'), NONCE), { code: 'DISK_IO' });
  mkdirSync(join(directory, 'taken'));
  await t.rejects(Journal.create(join(directory, 'taken'), NONCE), {
    code: 'DISK_IO',
    message: /^writing .*taken: illegal operation on a directory$/,
  });
  const journal = await Journal.create(join(directory, 'closed'), NONCE);
  await journal.close();
  await t.rejects(journal.append(p(1)), { code: 'DISK_IO' });
});
