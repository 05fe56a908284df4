import t from 'tap';
import {
  dictEntries,
  endOfValue,
  findValue,
  findValues,
  listItems,
  type Span,
  scanValue,
  stringBody,
} from '../../src/torrent/bencode-scanner.js';
import { seeded } from '../support/random.js';

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const textAt = (bytes: Uint8Array, span: Span | undefined): string | undefined =>
  span && Buffer.from(bytes.subarray(span.start, span.end)).toString('latin1');

const GOOD = [
  ...['i0e', 'i42e', 'i-42e', `i${'9'.repeat(1000)}e`],
  ...['0:', '4:spam', '3:\xff\x00e', '10:0123456789'],
  ...['le', 'l4:spami42ee', 'llleee'],
  ...['de', 'd0:i1ee', 'd3:cow3:moo4:spam4:eggse', 'd1:ad1:bl1:cdeeee', 'd9:__proto__i1ee'],
];

t.test('a well-formed value ends at its end, whatever follows', async t => {
  for (const text of GOOD) {
    t.same(scanValue(bytesOf(text), 0), { end: text.length }, text.slice(0, 40));
    t.equal(
      endOfValue(bytesOf(`xx${text}5:trail`), 2),
      text.length + 2,
      `${text.slice(0, 40)} with more behind`,
    );
  }
});

t.test('a value cut short anywhere is refused', async t => {
  for (const text of GOOD)
    for (let length = 0; length < text.length; length++)
      t.ok('fault' in scanValue(bytesOf(text.slice(0, length)), 0), text.slice(0, Math.min(length, 40)));
});

t.test('each fault is named and placed', async t => {
  const cases: [string, string][] = [
    ['', 'it ends in the middle, after 0 bytes'],
    ['l', 'it ends in the middle, after 1 bytes'],
    ['x', 'malformed value at byte 0'],
    ['e', 'malformed value at byte 0'],
    ['ie', 'malformed integer at byte 0'],
    ['i-e', 'malformed integer at byte 0'],
    ['i-0e', 'malformed integer at byte 0'],
    ['i-01e', 'malformed integer at byte 0'],
    ['i00e', 'malformed integer at byte 0'],
    ['i04e', 'malformed integer at byte 0'],
    ['i+5e', 'malformed integer at byte 0'],
    ['i5.0e', 'malformed integer at byte 0'],
    ['i 5e', 'malformed integer at byte 0'],
    ['i1e5e', 'trailing'],
    ['00:', 'malformed value at byte 0'],
    ['04:spam', 'malformed value at byte 0'],
    ['-0:', 'malformed value at byte 0'],
    ['+4:spam', 'malformed value at byte 0'],
    [':', 'malformed value at byte 0'],
    ['4;spam', 'malformed value at byte 0'],
    ['5:spam', 'malformed value at byte 0'],
    ['4294967297:x', 'malformed value at byte 0'],
    [`${'9'.repeat(400)}:x`, 'malformed value at byte 0'],
    ['li1e-1:ae', 'malformed value at byte 4'],
    ['di1ei2ee', 'malformed key at byte 1'],
    ['dle1:ae', 'malformed key at byte 1'],
    ['d1:ae', 'malformed value at byte 4'],
    ['d1:ai1e1:be', 'malformed value at byte 10'],
    ['d1:ai1e1:ai2ee', 'duplicate key at byte 7'],
    ['d1:bi1e1:ai1e1:bi1ee', 'a dictionary with a duplicate key ends at byte 19'],
  ];
  for (const [text, fault] of cases) {
    const scan = scanValue(bytesOf(text), 0);
    if (fault === 'trailing') t.same(scan, { end: 3 }, text);
    else t.same(scan, { fault }, text.slice(0, 40));
    t.equal(endOfValue(bytesOf(text), 0), 'end' in scan ? scan.end : undefined);
  }
});

t.test('keys out of order are accepted, but not twice', async t => {
  for (const text of ['d1:bi1e1:ai2ee', 'd2:aai1e1:ai2ee', 'd1:\xffi1e1:ai2ee', 'd1:ci1e1:ai1e1:bi1ee'])
    t.same(scanValue(bytesOf(text), 0), { end: text.length }, text);
  const keys = Array.from({ length: 5000 }, (_, index) => `4:${String(9999 - index)}le`);
  t.ok('end' in scanValue(bytesOf(`d${keys.join('')}e`), 0));
  t.ok('fault' in scanValue(bytesOf(`d${keys.join('')}4:7000lee`), 0));
});

t.test('depth has a limit and costs no stack', async t => {
  const nested = (depth: number) => bytesOf('l'.repeat(depth) + 'e'.repeat(depth));
  t.same(scanValue(nested(100), 0), { end: 200 });
  t.same(scanValue(nested(101), 0), { fault: 'nesting deeper than 100 at byte 100' });
  t.same(scanValue(nested(3), 0, 2), { fault: 'nesting deeper than 2 at byte 2' });
  t.same(scanValue(nested(100_000), 0, 100_000), { end: 200_000 });
  t.equal([...listItems(nested(100_000), 0)].length, 1);
});

t.test('entries of a dictionary, raw', async t => {
  const bytes = bytesOf('xd1:ali1ee0:0:2:b:4:spame');
  const entries = [...dictEntries(bytes, 1)].map(({ key, value }) => [
    textAt(bytes, key),
    textAt(bytes, value),
  ]);
  t.same(entries, [
    ['a', 'li1ee'],
    ['', '0:'],
    ['b:', '4:spam'],
  ]);
  t.same([...dictEntries(bytesOf('i1e'), 0)], []);
  t.same([...dictEntries(bytesOf('d1:a'), 0)], [], 'one that was never scanned ends the walk');
});

t.test('items of a list, raw', async t => {
  const bytes = bytesOf('li1e0:ldeee');
  t.same(
    [...listItems(bytes, 0)].map(item => textAt(bytes, item)),
    ['i1e', '0:', 'ldee'],
  );
  t.same([...listItems(bytesOf('de'), 0)], []);
  t.same([...listItems(bytesOf('li1e'), 0)].length, 1, 'one that was never scanned ends the walk');
});

t.test('values by key: exact keys of this dictionary alone', async t => {
  const bytes = bytesOf('d1:ad4:infoi1ee4:infoi2e6:\xef\xbb\xbfabci3e9:__proto__i4ee');
  t.equal(textAt(bytes, findValue(bytes, 'info')), 'i2e');
  t.equal(textAt(bytes, findValue(bytes, 'info', 4)), 'i1e');
  t.equal(findValue(bytes, 'abc'), undefined, 'a byte order mark is part of a key');
  t.equal(findValue(bytes, 'toString'), undefined);
  const found = findValues(bytes, 0, ['a', '__proto__', 'none']);
  t.same(
    [...found].map(([key, value]) => [key, textAt(bytes, value)]),
    [
      ['a', 'd4:infoi1ee'],
      ['__proto__', 'i4e'],
    ],
  );
});

t.test('the text of a string', async t => {
  const bytes = bytesOf('l4:spami1ee');
  t.equal(Buffer.from(stringBody(bytes, 1) ?? []).toString(), 'spam');
  t.equal(stringBody(bytes, 7), undefined);
  t.equal(stringBody(bytesOf('5:spam'), 0), undefined);
});

t.test('damaged bytes end in a span or a fault', async t => {
  const random = seeded(3);
  const good = bytesOf(
    'd8:announce4:http4:infod5:filesld6:lengthi7e4:pathl1:a1:beee4:name1:n6:pieces5:\x00\xff1:eee',
  );
  for (let round = 0; round < 5000; round++) {
    const bytes = Uint8Array.from(good);
    for (let flips = 1 + Math.floor(random() * 3); flips > 0; flips--)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const scan = scanValue(bytes, 0);
    if ('fault' in scan) continue;
    if (scan.end > bytes.length || scan.end < 2)
      t.fail(`end ${scan.end} in ${Buffer.from(bytes).toString('hex')}`);
    for (const { value } of dictEntries(bytes, 0)) if (value.end > scan.end) t.fail('a value outside');
  }
  t.same(scanValue(good, 0), { end: good.length });
});
