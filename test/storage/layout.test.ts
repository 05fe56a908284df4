import t from 'tap';
import { FileProgress, Layout } from '../../src/storage/layout.js';
import { Bitfield } from '../../src/torrent/bitfield.js';
import { Geometry, type Piece } from '../../src/torrent/geometry.js';
import { seeded } from '../support/random.js';

/** Files of these lengths; a negative one is padding. */
function layoutOf(lengths: number[], pieceLength: number): Layout {
  let offset = 0;
  const files = lengths.map(signed => {
    const file = { offset, length: Math.abs(signed), pad: signed < 0 };
    offset += file.length;
    return file;
  });
  return new Layout(files, new Geometry(offset, pieceLength));
}

const p = (index: number) => index as Piece;

/** `file@position+length<-start` of each segment. */
function drawn(layout: Layout, offset: number, length: number): string {
  return layout
    .segments(offset, length)
    .map(s => `${s.file}@${s.position}+${s.length}<-${s.start}`)
    .join(' ');
}

t.test('a range falls into files', async t => {
  const cases: [name: string, lengths: number[], offset: number, length: number, expected: string][] = [
    ['one byte', [1], 0, 1, '0@0+1<-0'],
    ['inside one file', [100], 10, 20, '0@10+20<-0'],
    ['two files', [10, 10], 5, 10, '0@5+5<-0 1@0+5<-5'],
    ['exactly the second', [10, 10], 10, 10, '1@0+10<-0'],
    ['over small files', [2, 1, 3, 9], 1, 8, '0@1+1<-0 1@0+1<-1 2@0+3<-2 3@0+3<-5'],
    ['empty files hold nothing', [0, 4, 0, 0, 4, 0], 2, 4, '1@2+2<-0 4@0+2<-2'],
    ['empty files at the place asked for', [4, 0, 4], 4, 4, '2@0+4<-0'],
    ['padding is a file', [3, -5, 8], 0, 16, '0@0+3<-0 1@0+5<-3 2@0+8<-8'],
    ['no longer than the torrent', [5], 3, 10, '0@3+2<-0'],
    ['nothing of nothing', [0], 0, 10, ''],
    ['past the end', [5], 5, 1, ''],
  ];
  for (const [name, lengths, offset, length, expected] of cases) {
    t.equal(drawn(layoutOf(lengths, 16), offset, length), expected, name);
  }
});

t.test('pieces to files and back', async t => {
  const layout = layoutOf([10, 0, 6, 1, -15, 20, 0], 16);
  const ranges = layout.files.map((_, file) => layout.piecesOf(file));
  t.same(ranges, [
    { first: 0, end: 1 },
    { first: 0, end: 0 },
    { first: 0, end: 1 },
    { first: 1, end: 2 },
    { first: 1, end: 2 },
    { first: 2, end: 4 },
    { first: 3, end: 3 },
  ]);
  t.same(layout.segmentsOf(p(0)), [
    { file: 0, position: 0, length: 10, start: 0 },
    { file: 2, position: 0, length: 6, start: 10 },
  ]);
  t.same(layout.segmentsOf(p(3)), [{ file: 5, position: 16, length: 4, start: 0 }], 'the short last piece');
  t.same(layout.segmentsOf(p(2), 4, 8), [{ file: 5, position: 4, length: 8, start: 0 }], 'part of a piece');
});

t.test('seeded torrents: every byte lies in one place', async t => {
  const random = seeded(7);
  for (let round = 0; round < 50; round++) {
    const lengths = Array.from({ length: 12 }, () => Math.floor(random() * 3) * Math.floor(random() * 40));
    const layout = layoutOf(lengths, 1 + Math.floor(random() * 50));
    const places: string[] = [];
    lengths.forEach((length, file) => {
      for (let position = 0; position < length; position++) places.push(`${file}@${position}`);
    });
    const seen: string[] = [];
    let fits = true;
    for (const piece of layout.geometry.pieces()) {
      let filled = 0;
      for (const s of layout.segmentsOf(piece)) {
        const range = layout.piecesOf(s.file);
        fits &&= s.start === filled && piece >= range.first && piece < range.end;
        filled += s.length;
        for (let i = 0; i < s.length; i++) seen.push(`${s.file}@${s.position + i}`);
      }
      fits &&= filled === layout.geometry.lengthOf(piece);
    }
    t.ok(fits, 'segments follow each other, fill the piece, and the piece is among those of the file');
    t.equal(seen.join(), places.join());
  }
});

t.test('files become complete with their last piece', async t => {
  const layout = layoutOf([20, 0, 12, -16, 1], 16); // pieces: 0 | 0,2 | 3 | 4
  const have = new Bitfield(4);
  have.add(p(0));
  const progress = new FileProgress(layout, have);
  t.same(
    [0, 1, 2, 3, 4].map(file => progress.left(file)),
    [1, 0, 1, 1, 1],
  );
  t.same(progress.pieceDone(p(2)), [], 'padding is no file to tell of');
  t.same(progress.pieceDone(p(1)), [0, 2], 'two at once');
  t.same(progress.pieceDone(p(3)), [4]);
});
