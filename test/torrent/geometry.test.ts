import t from 'tap';
import { Geometry, type Piece } from '../../src/torrent/geometry.js';
import { BLOCK_LENGTH } from '../../src/torrent/limits.js';

function pieceOf(geometry: Geometry, index: number): Piece {
  const piece = geometry.piece(index);
  if (piece === undefined) throw new Error(`no piece ${index}`);
  return piece;
}

t.test('only pieces that exist are minted', async t => {
  const geometry = new Geometry(100, 40);
  t.equal(geometry.pieceCount, 3);
  t.same([...geometry.pieces()], [0, 1, 2]);
  for (const index of [-1, 3, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32])
    t.equal(geometry.piece(index), undefined, `${index}`);
});

t.test('the last piece may be one byte', async t => {
  const geometry = new Geometry(2 * 3 * BLOCK_LENGTH + 1, 3 * BLOCK_LENGTH);
  const [first, last] = [pieceOf(geometry, 0), pieceOf(geometry, 2)];
  t.same([geometry.lengthOf(first), geometry.lengthOf(last)], [3 * BLOCK_LENGTH, 1]);
  t.same([geometry.blocksIn(first), geometry.blocksIn(last)], [3, 1]);
  t.equal(geometry.blockLength(last, 0), 1);
  t.equal(geometry.blockCount, 7);
  t.equal(geometry.offsetOf(last), 6 * BLOCK_LENGTH);
  t.equal(geometry.blockAt(last, 0, 1), 0);
  t.equal(geometry.blockAt(last, 0, BLOCK_LENGTH), -1);
});

t.test('a length that the pieces divide has a whole last piece', async t => {
  const geometry = new Geometry(80, 40);
  t.equal(geometry.pieceCount, 2);
  t.equal(geometry.lengthOf(pieceOf(geometry, 1)), 40);
});

t.test('no bytes, no pieces, no blocks', async t => {
  const geometry = new Geometry(0, BLOCK_LENGTH);
  t.same([geometry.pieceCount, geometry.blockCount, geometry.piece(0)], [0, 0, undefined]);
  t.same([...geometry.pieces()], []);
});

t.test('a piece length that blocks do not divide', async t => {
  const geometry = new Geometry(100_000, 20_000);
  const piece = pieceOf(geometry, 1);
  t.equal(geometry.blocksIn(piece), 2);
  t.same([geometry.blockLength(piece, 0), geometry.blockLength(piece, 1)], [16384, 3616]);
  t.equal(geometry.blockCount, 10);
  t.equal(new Geometry(10, 1).blockCount, 10, 'pieces smaller than a block');
});

t.test('a block is named by where it begins and its exact length', async t => {
  const geometry = new Geometry(100_000, 40_000);
  const piece = pieceOf(geometry, 0);
  t.equal(geometry.blockAt(piece, 0, 16384), 0);
  t.equal(geometry.blockAt(piece, 32768, 7232), 2);
  for (const [begin, length] of [
    [1, 16384],
    [0, 16383],
    [0, 0],
    [32768, 16384],
    [49152, 16384],
    [-16384, 16384],
    [0.5, 16384],
  ] as const)
    t.equal(geometry.blockAt(piece, begin, length), -1, `${begin} ${length}`);
});

t.test('block numbers go through the torrent and back', async t => {
  const geometry = new Geometry(100_000, 40_000);
  const numbers: number[] = [];
  for (const piece of geometry.pieces())
    for (let block = 0; block < geometry.blocksIn(piece); block++) {
      const number = geometry.blockNumber(piece, block);
      t.same([geometry.pieceOf(number), geometry.blockOf(number)], [piece, block]);
      numbers.push(number);
    }
  t.same(
    numbers,
    Array.from({ length: geometry.blockCount }, (_, index) => index),
  );
});

t.test('what a peer may ask for lies inside the piece', async t => {
  const geometry = new Geometry(100, 40);
  const [first, last] = [pieceOf(geometry, 0), pieceOf(geometry, 2)];
  t.ok(geometry.contains(first, 0, 40));
  t.ok(geometry.contains(first, 39, 1));
  t.ok(geometry.contains(last, 0, 20));
  for (const [begin, length] of [
    [0, 41],
    [40, 1],
    [0, 0],
    [-1, 2],
    [4294967295, 4294967295],
  ] as const)
    t.notOk(geometry.contains(first, begin, length), `${begin} ${length}`);
  t.notOk(geometry.contains(last, 0, 21));
});

t.test('offsets beyond 32 bits are exact', async t => {
  const geometry = new Geometry(2 ** 45 + 1, 2 ** 24);
  const last = pieceOf(geometry, 2 ** 21);
  t.equal(geometry.offsetOf(last), 2 ** 45);
  t.equal(geometry.lengthOf(last), 1);
});
