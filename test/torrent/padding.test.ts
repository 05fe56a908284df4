// Blocks that need not be asked for.

import t from 'tap';
import { Geometry } from '../../src/torrent/geometry.js';
import { BLOCK_LENGTH } from '../../src/torrent/limits.js';
import { Padding } from '../../src/torrent/padding.js';

const PIECE = 4 * BLOCK_LENGTH;

/** Files from their lengths, negative ones being padding. */
function paddingOf(...lengths: number[]): readonly number[][] {
  let offset = 0;
  const files = lengths.map(signed => {
    const file = { offset, length: Math.abs(signed), pad: signed < 0 };
    offset += file.length;
    return file;
  });
  const geometry = new Geometry(offset, PIECE);
  const padding = new Padding(files, geometry);
  return [...geometry.pieces()].map(piece => [...padding.blocksOf(piece)]);
}

t.test('blocks that padding covers whole', async t => {
  t.same(paddingOf(2 * PIECE), [[], []], 'no padding at all');
  t.same(paddingOf(1, 1 - PIECE, 5), [[1, 2, 3], []], 'the block with a byte of a file is asked for');
  t.same(paddingOf(BLOCK_LENGTH, BLOCK_LENGTH - PIECE, 5), [[1, 2, 3], []], 'at the border of a block');
  t.same(paddingOf(PIECE - 5, -5, 9), [[], []], 'less than a block');
  t.same(paddingOf(PIECE, 2, 2 - PIECE, 1, 1 - PIECE, 1), [[], [1, 2, 3], [1, 2, 3], []]);
  t.same(
    paddingOf(1, -(PIECE + 2 * BLOCK_LENGTH - 1), 1),
    [
      [1, 2, 3],
      [0, 1],
    ],
    'across pieces',
  );
  t.same(paddingOf(BLOCK_LENGTH + 1, -(BLOCK_LENGTH + 9)), [[2]], 'the short last block');
});

t.test('a piece of nothing but padding is asked for, for it must be checked', async t => {
  t.same(paddingOf(PIECE, -PIECE, 1), [[], [], []]);
  t.same(paddingOf(PIECE, 0, -PIECE), [[], []]);
});
