import t from 'tap';
import { Bitfield } from '../../src/torrent/bitfield.js';
import { Geometry, type Piece } from '../../src/torrent/geometry.js';
import type { TorrentFile } from '../../src/torrent/metainfo-types.js';
import { Selection } from '../../src/torrent/selection.js';
import { seeded } from '../support/random.js';

/** Files of these lengths; a negative one is padding. */
function torrentOf(lengths: readonly number[], pieceLength: number) {
  let offset = 0;
  const files = lengths.map((signed, index): TorrentFile => {
    const file = { path: ['t', `${index}`], offset, length: Math.abs(signed), pad: signed < 0 };
    offset += file.length;
    return file;
  });
  return { files, length: offset, pieceLength };
}

function drawn({ wanted, length, fileCount }: Selection): string {
  const bits =
    wanted && Array.from({ length: wanted.size }, (_, at) => (wanted.has(at as Piece) ? '#' : '.'));
  return `${bits?.join('') ?? 'all'} ${length} in ${fileCount}`;
}

// Pieces of 10 bytes: a is 0 to 2, an empty one, b is 2, padding 2, c is 3 and 4.
const TORRENT = torrentOf([22, 0, 5, -3, 15], 10);

t.test('files to pieces', async t => {
  const cases: [string, number[] | undefined, string][] = [
    ['all', undefined, 'all 45 in 4'],
    ['each', [0, 1, 2, 4], 'all 45 in 4'],
    ['the first', [0], '###.. 22 in 1'],
    ['one that shares its piece', [2], '..#.. 5 in 1'],
    ['the last', [4], '...## 15 in 1'],
    ['the empty one', [1], '..... 0 in 1'],
    ['padding is none', [3], '..... 0 in 0'],
    ['nothing', [], '..... 0 in 0'],
    ['none that there is', [9], '..... 0 in 0'],
    ['two', [4, 2, 4], '..### 20 in 2'],
  ];
  for (const [name, chosen, expected] of cases)
    t.equal(drawn(new Selection(TORRENT, chosen)), expected, name);
});

t.test('whether it is complete', async t => {
  const have = new Bitfield(5);
  const [all, b, empty] = [undefined, [2], [1]].map(chosen => new Selection(TORRENT, chosen));
  t.same(
    [all, b, empty].map(selection => selection?.isComplete(have)),
    [false, false, true],
  );
  for (const piece of [1, 2]) have.add(piece as Piece);
  t.same(
    [all, b, empty].map(selection => selection?.isComplete(have)),
    [false, true, true],
  );
  t.same(
    [all, b, empty].map(selection => selection?.countOf(have)),
    [2, 1, 0],
  );
  have.fill();
  t.same(
    [all, b, empty].map(selection => selection?.isComplete(have)),
    [true, true, true],
  );
});

t.test('seeded torrents: wanted is each piece with a byte that is', async t => {
  const random = seeded(11);
  for (let round = 0; round < 100; round++) {
    const lengths = Array.from({ length: 9 }, () => Math.floor(random() * 30) * (random() < 0.2 ? -1 : 1));
    const torrent = torrentOf([...lengths, 1], 1 + Math.floor(random() * 20));
    const chosen = [...torrent.files.keys()].filter(() => random() < 0.4);
    const selection = new Selection(torrent, chosen);
    const geometry = new Geometry(torrent.length, torrent.pieceLength);
    const wanted = new Set<number>();
    let length = 0;
    for (const [index, { offset, length: bytes, pad }] of torrent.files.entries()) {
      if (pad || !selection.isSelected(index)) continue;
      length += bytes;
      for (let at = offset; at < offset + bytes; at++) wanted.add(Math.floor(at / torrent.pieceLength));
    }
    if (selection.wanted) {
      t.same(
        [...selection.wanted],
        [...wanted].sort((a, b) => a - b),
      );
      t.equal(selection.length, length);
    } else t.equal(selection.length, geometry.length);
  }
});
