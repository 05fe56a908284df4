import t from 'tap';
import { printableJson, shortened, shortenedInside } from '../../src/cli/printable.js';

t.test('JSON keeps every character and shows none that acts on a terminal', async t => {
  const value = { name: 'a\x1b[2J\x7f\x9b\u202eb\u2028\u200b\ufeff', smile: '😀é' };
  const text = printableJson(value);
  t.equal(text, '{"name":"a\\u001b[2J\\u007f\\u009b\\u202eb\\u2028\\u200b\\ufeff","smile":"😀é"}');
  t.same(JSON.parse(text), value);
});

t.test('what is too long is cut between characters', async t => {
  t.equal(shortened('abc', 3), 'abc');
  t.equal(shortened('abcd', 3), 'ab…');
  t.equal(shortened('😀😀😀', 2), '😀…');
  t.equal(shortenedInside('abcdefg', 7), 'abcdefg');
  t.equal(shortenedInside('abcdefgh', 7), 'ab…efgh');
  t.equal(shortenedInside('😀😀😀😀', 3), '😀…😀');
});
