import t from 'tap';
import { Bitfield } from '../../src/torrent/bitfield.js';
import type { Piece } from '../../src/torrent/geometry.js';

const p = (index: number) => index as Piece;

t.test('the high bit of the first byte is piece 0', async t => {
  const field = new Bitfield(10);
  t.ok(field.add(p(0)));
  t.notOk(field.add(p(0)), 'a second time changes nothing');
  t.ok(field.add(p(9)));
  t.same([...field.bytes], [0x80, 0x40]);
  t.equal(field.count, 2);
  t.same([...field], [0, 9]);
  t.ok(field.delete(p(0)));
  t.notOk(field.delete(p(0)));
  t.equal(field.count, 1);
});

t.test('a field from the wire has the exact length and no spare bits', async t => {
  t.equal(Bitfield.from(Uint8Array.of(0xff), 10), undefined, 'too short');
  t.equal(Bitfield.from(Uint8Array.of(0xff, 0, 0), 10), undefined, 'too long');
  t.equal(Bitfield.from(Uint8Array.of(0xff, 0xe0), 10), undefined, 'spare bit');
  const full = Bitfield.from(Uint8Array.of(0xff, 0xc0), 10);
  t.equal(full?.count, 10);
  t.ok(full?.full);
});

t.test('fill keeps the spare bits clear', async t => {
  for (const size of [0, 1, 7, 8, 9, 16]) {
    const field = new Bitfield(size);
    field.fill();
    t.ok(field.full);
    t.ok(Bitfield.from(field.bytes, size)?.full, `${size} pieces`);
  }
});
