import t from 'tap';
import { decodeStrictUtf8, decodeUtf8, printable, quoted } from '../../src/torrent/text.js';

t.test('bytes that are not UTF-8', async t => {
  for (const hex of ['ff', 'c080', 'e080ae', 'eda080', 'e282']) {
    const bytes = Buffer.from(`61${hex}`, 'hex');
    t.match(decodeUtf8(bytes), /^a\ufffd+$/, hex);
    t.equal(decodeStrictUtf8(bytes), undefined, hex);
  }
  t.equal(decodeStrictUtf8(Buffer.from('日本😀')), '日本😀');
  t.equal(decodeUtf8(Buffer.from('efbbbf61', 'hex')), '\ufeffa', 'a byte order mark is not swallowed');
});

t.test('printable text is one line without controls and invisible characters', async t => {
  t.equal(printable(' a\r\nb\x1b[0m\x7f\x9b\u2028\u202e\u200bc\0 '), 'a  b [0m     c');
  t.equal(printable('héllo 👩‍👧 日本'), 'héllo 👩‍👧 日本', 'joiners stay');
});

t.test('quoted text is bounded', async t => {
  t.equal(quoted('a\nb'), '"a b"');
  t.equal(quoted('x'.repeat(100)), `"${'x'.repeat(100)}"`);
  t.equal(quoted('x'.repeat(101)), `"${'x'.repeat(99)}…"`);
  t.equal(quoted(`${' '.repeat(400)}x`), '"…"', 'what is left out is not hidden');
});
