import t from 'tap';
import { copyFrom, copyInto, PieceBuffers } from '../../src/storage/piece-buffer.js';

t.test('memory is used again, and let go when told', async t => {
  const buffers = new PieceBuffers(100, 0);
  const [a, b] = [buffers.take(40), buffers.take(40)];
  t.equal(buffers.usedBytes, 80);
  buffers.give(a);
  t.equal(buffers.usedBytes, 40);
  t.equal(buffers.heldBytes, 80);
  t.equal(buffers.take(40), a, 'the same memory');
  buffers.give(a);
  const small = buffers.take(20);
  t.not(small, a, 'another length is other memory');
  t.equal(buffers.heldBytes, 100, '40 and 20 handed out, 40 unused');
  buffers.give(b);
  t.equal(buffers.heldBytes, 100);
  buffers.give(small);
  t.equal(buffers.usedBytes, 0);
  t.equal(buffers.heldBytes, 100, 'also while nothing is in use');
  buffers.letGo();
  t.equal(buffers.heldBytes, 0);
});

t.test('beyond the cap a piece still has its place, but nothing unused is kept', async t => {
  const buffers = new PieceBuffers(100, 0);
  const [a, b, c] = [buffers.take(40), buffers.take(40), buffers.take(40)];
  t.equal(buffers.usedBytes, 120);
  buffers.give(c);
  t.equal(buffers.heldBytes, 80, 'did not fit under the cap');
  buffers.give(b);
  buffers.take(64);
  t.equal(buffers.heldBytes, 104, 'the unused 40 made room');
  buffers.give(a);
});

t.test('of pieces larger than all that is to be held, two are kept for the next', async t => {
  const buffers = new PieceBuffers(100, 0);
  const [a, b, c] = [buffers.take(300), buffers.take(300), buffers.take(300)];
  for (const buffer of [a, b, c]) buffers.give(buffer);
  t.equal(buffers.heldBytes, 600);
  t.same(new Set([buffers.take(300), buffers.take(300)]), new Set([b, c]));
});

t.test('memory of small pieces is made many at a time, and no two share a byte', async t => {
  const buffers = new PieceBuffers(100, 32);
  const taken = [buffers.take(10)];
  t.equal(buffers.heldBytes, 30);
  while (taken.length < 6) taken.push(buffers.take(10));
  t.equal(buffers.heldBytes, 60);
  t.equal(new Set(taken.map(({ buffer }) => buffer)).size, 2);
  for (const [at, buffer] of taken.entries()) buffer.fill(at);
  for (const [at, buffer] of taken.entries()) t.ok(buffer.length === 10 && buffer.every(byte => byte === at));
  t.equal(buffers.take(40).length, 40, 'larger than a slab');
});

t.test('blocks are copied to their place, also those of nothing', async t => {
  const memory = new PieceBuffers(100, 0).take(8);
  memory.fill(0);
  copyInto(memory, Uint8Array.of(1, 2, 3), 2);
  copyInto(memory, new Uint8Array(16).fill(9).subarray(4, 6), 6);
  copyInto(memory, new Uint8Array(), 8);
  t.same([...memory], [0, 0, 1, 2, 3, 0, 9, 9]);
  t.throws(() => copyInto(memory, Uint8Array.of(1, 2), 7), RangeError);
});

t.test('and from there, to any memory', async t => {
  const memory = new PieceBuffers(100, 0).take(8);
  for (const at of memory.keys()) memory[at] = at;
  const target = new Uint8Array(new ArrayBuffer(6), 2, 3);
  copyFrom(memory, target, 4);
  copyFrom(memory, new Uint8Array(), 8);
  t.same([...target], [4, 5, 6]);
  t.same([...new Uint8Array(target.buffer)], [0, 0, 4, 5, 6, 0], 'nothing beside it');
});
