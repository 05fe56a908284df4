import t from 'tap';
import { equalBytes, fromBase32, fromHex, infoHash, peerId, toHex } from '../../src/torrent/ids.js';

t.test('hashes and ids are 20 bytes', async t => {
  for (const length of [0, 19, 21, 32]) {
    t.equal(infoHash(new Uint8Array(length)), undefined);
    t.equal(peerId(new Uint8Array(length)), undefined);
  }
  const bytes = new Uint8Array(20);
  t.equal(infoHash(bytes), bytes, 'no copy');
  t.equal(peerId(bytes), bytes, 'no copy');
});

t.test('hex there and back', async t => {
  t.equal(toHex(Uint8Array.of(0, 1, 0x0f, 0x10, 0xff)), '00010f10ff');
  t.same(fromHex('00010f10ff'), Uint8Array.of(0, 1, 0x0f, 0x10, 0xff));
  t.same(fromHex('aAfF'), Uint8Array.of(0xaa, 0xff), 'either case');
  t.same(fromHex(''), new Uint8Array());
  for (const text of ['0', '0g', ' 0', '0x', '-1', '00\n', '٠٠'])
    t.equal(fromHex(text), undefined, JSON.stringify(text));
});

t.test('base32 as in RFC 4648, without padding', async t => {
  const cases: [string, string][] = [
    ['', ''],
    ['MY', 'f'],
    ['MZXQ', 'fo'],
    ['MZXW6', 'foo'],
    ['MZXW6YQ', 'foob'],
    ['MZXW6YTB', 'fooba'],
    ['mzxw6ytboi', 'foobar'],
  ];
  for (const [base32, text] of cases) t.same(fromBase32(base32), new Uint8Array(Buffer.from(text)), base32);
  const hash = fromBase32('2I2UAEFDZJFN4W3UE65QSOTCUOEZ744B');
  t.equal(toHex(hash ?? new Uint8Array()), 'd2354010a3ca4ade5b7427bb093a62a3899ff381');
  for (const text of ['M0', 'M1', 'M8', 'MY======', 'M Y']) t.equal(fromBase32(text), undefined, text);
});

t.test('equal bytes', async t => {
  t.ok(equalBytes(Uint8Array.of(1, 2), Buffer.from([1, 2])));
  t.notOk(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  t.notOk(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)));
});
