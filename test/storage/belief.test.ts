import t from 'tap';
import { believe, type FoundParts } from '../../src/storage/belief.js';
import { Layout } from '../../src/storage/layout.js';
import type { FileStamp, ResumeRecord } from '../../src/storage/resume.js';
import { Bitfield } from '../../src/torrent/bitfield.js';
import { Geometry, type Piece } from '../../src/torrent/geometry.js';

// Pieces of 10 bytes: file a is 0 and 1, b is 2 and 3, c is 4.
const layout = new Layout(
  [
    { offset: 0, length: 20, pad: false },
    { offset: 20, length: 15, pad: false },
    { offset: 35, length: 5, pad: true },
    { offset: 40, length: 10, pad: false },
  ],
  new Geometry(50, 10),
);

const stamp = (size: number, mtimeMs = 1): FileStamp => ({ size, mtimeMs });
const WHOLE = [stamp(20), stamp(15), undefined, stamp(10)];

function recordOf(drawn: string, fields: Partial<ResumeRecord> = {}): ResumeRecord {
  const have = new Bitfield(5);
  [...drawn].forEach((char, index) => {
    if (char === '#') have.add(index as Piece);
  });
  const nothing = { untouched: new Set<number>(), parts: undefined };
  return { have, clean: true, bootId: 'now', stamps: WHOLE, ...nothing, ...fields };
}

const KILLED = { clean: false, stamps: [] };
const CRASHED = { clean: false, stamps: [], bootId: 'before' };

/** `#` believed, `?` hashed, `.` neither; then the files that are explained. */
function drawn(
  found: readonly (FileStamp | undefined)[],
  record: ResumeRecord | undefined,
  flags: { recheck?: boolean; trust?: boolean } = {},
  parts?: FoundParts,
): string {
  const options = { bootId: 'now', recheck: false, trust: false, ...flags };
  const belief = believe(layout, found, record, options, parts);
  const pieces = [...layout.geometry.pieces()].map(piece =>
    belief.isCertain(piece) ? '#' : belief.isDoubtful(piece) ? '?' : '.',
  );
  const explained = [0, 1, 3].filter(file => belief.isExplained(file));
  return `${belief.how} ${pieces.join('')} ${explained.join('')}`.trim();
}

t.test('what is believed', async t => {
  const none = [undefined, undefined, undefined, undefined];
  const touched = [stamp(20), stamp(15, 2), undefined, stamp(10)];
  const shorter = [stamp(20), stamp(12), undefined, stamp(10)];
  const cases: [string, string, string][] = [
    ['nothing there, nothing known', drawn(none, undefined), 'fresh .....'],
    ['files, nothing known', drawn(WHOLE, undefined), 'recheck ?????'],
    ['a short file has no last piece', drawn(shorter, undefined), 'recheck ???.?'],
    ['closed, unchanged', drawn(WHOLE, recordOf('##.#.')), 'resume ##.#. 013'],
    ['closed, a file touched', drawn(touched, recordOf('##.#.')), 'resume ##??. 03'],
    ['closed, a file shorter', drawn(shorter, recordOf('#####')), 'resume ##?.# 03'],
    ['closed, all deleted since', drawn(none, recordOf('#####')), 'resume .....'],
    [
      'closed, never had a file, yet claims its piece',
      drawn(none, recordOf('#####', { stamps: none })),
      'resume ..... 013',
    ],
    ['killed', drawn(WHOLE, recordOf('#..#.', KILLED)), 'resume #..#. 013'],
    ['killed, a file shorter', drawn(shorter, recordOf('#..##', KILLED)), 'resume #...# 013'],
    ['the machine crashed', drawn(WHOLE, recordOf('#..#.', CRASHED)), 'recheck ????? 013'],
    [
      'the machine crashed after a clean end',
      drawn(WHOLE, recordOf('#..#.', { bootId: 'before' })),
      'resume #..#. 013',
    ],
    ['recheck', drawn(WHOLE, recordOf('#####'), { recheck: true }), 'recheck ????? 013'],
    ['trust', drawn(WHOLE, undefined, { trust: true }), 'resume ##### 013'],
    ['trust what is long enough', drawn(shorter, undefined, { trust: true }), 'resume ###.# 013'],
    ['trust where nothing is', drawn(none, undefined, { trust: true }), 'resume ..... 013'],
    ['recheck wins over trust', drawn(WHOLE, undefined, { trust: true, recheck: true }), 'recheck ?????'],
  ];
  for (const [name, outcome, expected] of cases) t.equal(outcome, expected, name);
});

t.test('what the part file has, and files that are not ours', async t => {
  // File b (1) is not selected: the part file has what piece 2 has of it, and nothing of piece 3.
  const parts = (mtimeMs = 7): FoundParts => ({
    has: (piece, file) => piece === 2 && file === 1,
    stamp: stamp(99, mtimeMs),
  });
  const without = [stamp(20), undefined, undefined, stamp(10)];
  const untouched = new Set([1]);
  const closed = recordOf('#####', { stamps: without, parts: stamp(99, 7), untouched });
  const killed = recordOf('#####', { ...KILLED, untouched });
  const cases: [string, string, string][] = [
    ['it stands for the file', drawn(without, closed, {}, parts()), 'resume ###.# 03'],
    ['changed since', drawn(without, closed, {}, parts(8)), 'resume ##?.# 03'],
    ['lost', drawn(without, closed), 'resume ##..# 03'],
    ['killed', drawn(without, killed, {}, parts()), 'resume ###.# 03'],
    ['killed, and lost', drawn(without, killed), 'resume ##..# 03'],
    ['a stranger in the place of the file', drawn(WHOLE, closed, {}, parts()), 'resume ###?# 03'],
    ['killed, a stranger', drawn(WHOLE, killed, {}, parts()), 'resume ###?# 03'],
    ['a stranger, and the part file is lost', drawn(WHOLE, killed), 'resume ##??# 03'],
    ['recheck', drawn(without, closed, { recheck: true }, parts()), 'recheck ???.? 03'],
    ['nothing known, nothing else there', drawn([], undefined, {}, parts()), 'recheck ..?..'],
    ['trust', drawn(without, undefined, { trust: true }, parts()), 'resume ###.# 013'],
  ];
  for (const [name, outcome, expected] of cases) t.equal(outcome, expected, name);
});
