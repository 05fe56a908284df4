import t from 'tap';
import { toHex } from '../../src/torrent/ids.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { parseInfoHash, parseMagnet } from '../../src/torrent/magnet.js';
import { formatMagnet } from '../../src/torrent/magnet-link.js';
import type { Magnet } from '../../src/torrent/metainfo-types.js';
import { failure, parsed } from './reading.js';

const HASH = 'cd'.repeat(20);
const BASE32 = '2I2UAEFDZJFN4W3UE65QSOTCUOEZ744B';
const V2 = 'ef'.repeat(32);
const LINK = `magnet:?xt=urn:btih:${HASH}`;

const hashes = ({ infoHash, infoHashV2 }: Magnet): (string | undefined)[] =>
  [infoHash, infoHashV2].map(hash => hash && toHex(hash));

t.test('a bare link says nothing but the hash', async t => {
  const magnet = parseMagnet(LINK);
  t.same(hashes(magnet), [HASH, undefined]);
  t.match(magnet, { name: undefined, selectOnly: undefined });
  t.same([magnet.trackers, magnet.webSeeds, magnet.peers], [[], [], []]);
  t.same(parseInfoHash(HASH), magnet);
});

t.test('hashes in every form', async t => {
  const cases: [string, (string | undefined)[]][] = [
    [`magnet:?xt=urn:btih:${HASH.toUpperCase()}`, [HASH, undefined]],
    [`magnet:?xt=urn:btih:${BASE32}`, ['d2354010a3ca4ade5b7427bb093a62a3899ff381', undefined]],
    [`magnet:?xt=urn:btih:${BASE32.toLowerCase()}`, ['d2354010a3ca4ade5b7427bb093a62a3899ff381', undefined]],
    [`magnet:?xt=urn:btmh:1220${V2}`, [undefined, V2]],
    [`magnet:?xt=urn:btmh:1220${V2}&xt=urn:btih:${HASH}`, [HASH, V2]],
    [`magnet:?xt.1=urn:btih:${HASH}&xt.2=urn:btmh:1220${V2}`, [HASH, V2]],
    [`MAGNET:?XT=URN:BTIH:${HASH}`, [HASH, undefined]],
    [`magnet:///?xt=urn%3Abtih%3A${HASH.slice(0, -1)}%64`, [HASH, undefined]],
    [
      `magnet:?xt=urn:ed2k:0&xt=urn:btih:nonsense&xt=urn:btih:${HASH}&xt=urn:btih:${'ab'.repeat(20)}`,
      [HASH, undefined],
    ],
  ];
  for (const [uri, expected] of cases) t.same(hashes(parseMagnet(uri)), expected, uri);
});

t.test('a link without a usable hash is refused and says why', async t => {
  const cases: [string, RegExp][] = [
    ['', /"" does not begin with magnet:\?/],
    ['http://example.org/', /"http:\/\/example.org\/" does not begin/],
    ['magnet:xt=1', /does not begin/],
    ['magnet:?', /no info hash \(xt=/],
    ['magnet:?xt', /no info hash \(xt=/],
    ['magnet:?xt=urn:sha1:YNCKHTQCWBTRNJIV4WNAE52SJUQCZO5C', /no info hash \(xt=/],
    ['magnet:?xt=urn:btih:abababab', /"urn:btih:abababab" is not an info hash: 40 hex/],
    [`magnet:?xt=urn:btih:${HASH}\n`, /is not an info hash/],
    [`magnet:?xt=urn:btih:${HASH}0`, /is not an info hash/],
    [`magnet:?xt=urn:btih:${'z'.repeat(40)}`, /is not an info hash/],
    [`magnet:?xt=urn:btih:${'1'.repeat(32)}`, /is not an info hash/],
    [`magnet:?xt=urn:btih:${'ſ'.repeat(32)}`, /is not an info hash/],
    [`magnet:?xt=urn:btih:${'0'.repeat(40)}`, /is not an info hash/],
    [`magnet:?xt=urn:btmh:1221${V2}`, /is not a v2 info hash/],
    [`magnet:?xt=urn:btmh:1220${V2.slice(2)}`, /is not a v2 info hash/],
    [`magnet:?xt=urn:btmh:1220${'0'.repeat(64)}`, /is not a v2 info hash/],
    ['magnet:?xt=urn:btih:\x1b[2J', /"urn:btih: \[2J" is not/],
    [`${LINK}&dn=${'x'.repeat(LIMITS.magnetChars)}`, /characters, more than 262144/],
  ];
  for (const [uri, why] of cases) {
    const words = failure(() => parseMagnet(uri));
    t.match(words, why, encodeURIComponent(uri.slice(0, 80)));
    t.match(words, /^magnet: .*\(BAD_SOURCE\)$/);
  }
});

t.test('names are unescaped, never throw, and are printable', async t => {
  const name = (dn: string) => parseMagnet(`${LINK}&dn=${dn}`).name;
  t.equal(name('Ubuntu+11.04%20%28Final%29'), 'Ubuntu 11.04 (Final)');
  t.equal(name('%E6%97%A5本'), '日本');
  t.equal(name('100%'), '100%');
  t.equal(name('%zz%4'), '%zz%4');
  t.equal(name('%C0%AE%FF'), '\ufffd\ufffd\ufffd');
  t.equal(name('%1b%5B2Jevil%0Aname'), '[2Jevil name');
  t.equal(name('1%2B1+is+2'), '1+1 is 2');
  t.equal(name('a=b'), 'a=b');
  t.equal(name('%20'), undefined);
  t.equal(name('a&dn=b'), 'a', 'the first counts');
});

t.test('trackers and web seeds', async t => {
  const magnet = parseMagnet(
    `${LINK}&tr=http%3A%2F%2Fa.invalid%2F%3Fx%3D1%2B2&tr.1=udp://b:1&tr=wss://c&tr=udp://b:1&ws=http://d/e+f&ws=ftp://g`,
  );
  t.same(magnet.trackers, [['http://a.invalid/?x=1+2'], ['udp://b:1']], 'each a tier of its own, once');
  t.same(magnet.webSeeds, ['http://d/e+f']);
  const many = Array.from(
    { length: 1000 },
    (_, index) => `&tr=http://t${index}.invalid&ws=http://w${index}.invalid`,
  );
  const bounded = parseMagnet(LINK + many.join(''));
  t.equal(bounded.trackers.length, LIMITS.trackers);
  t.equal(bounded.webSeeds.length, LIMITS.webSeeds);
  t.same(parseMagnet(`${LINK}&tr=http://t.invalid/${'a'.repeat(50_000)}`).trackers, [], 'too long to use');
});

t.test('peers to dial at once', async t => {
  const peers = (query: string) => parseMagnet(LINK + query).peers;
  t.same(peers('&x.pe=127.0.0.1:43&x.pe=%5B::1%5D:45&x.pe=[::2]:46&x.pe=peer.invalid:7&x.pe=127.0.0.1:43'), [
    { host: '127.0.0.1', port: 43 },
    { host: '::1', port: 45 },
    { host: '::2', port: 46 },
    { host: 'peer.invalid', port: 7 },
  ]);
  t.same(peers('&x.pe=<invalid>&x.pe=<invalid>:100&x.pe=&x.pe=h:0&x.pe'), []);
  const many = Array.from({ length: 1000 }, (_, index) => `&x.pe=10.0.0.1:${index + 1}`);
  t.equal(peers(many.join('')).length, LIMITS.magnetPeers);
});

t.test('ranges of files (BEP 53)', async t => {
  const ranges = (so: string) => parseMagnet(`${LINK}&so=${so}`).selectOnly;
  t.same(ranges('0,2,4,6-8'), [
    [0, 0],
    [2, 2],
    [4, 4],
    [6, 8],
  ]);
  t.same(ranges('2-4&so=1'), [
    [2, 4],
    [1, 1],
  ]);
  t.same(ranges('1%2C2'), [
    [1, 1],
    [2, 2],
  ]);
  t.same(ranges('7-4,-4,3-,a,"1,,1.5,0x1,1000000,5'), [[5, 5]], 'what is no range is left out');
  t.same(ranges('0-999999'), [[0, 999_999]]);
  for (const so of ['', ',', '0-4000000000', '99999999999999999999']) t.equal(ranges(so), undefined, so);
});

t.test('bare hashes', async t => {
  const of = (text: string) => {
    const magnet = parseInfoHash(text);
    return magnet && hashes(magnet);
  };
  t.same(of(HASH.toUpperCase()), [HASH, undefined]);
  t.same(of(BASE32), ['d2354010a3ca4ade5b7427bb093a62a3899ff381', undefined]);
  t.same(of(V2), [undefined, V2]);
  for (const text of [
    '',
    HASH.slice(1),
    `${HASH} `,
    'z'.repeat(40),
    '0'.repeat(40),
    '0'.repeat(64),
    `${HASH}${HASH}`,
    LINK,
  ])
    t.equal(parseInfoHash(text), undefined, text);
});

t.test('the link of a torrent reads back', async t => {
  const plain = parsed('plain');
  t.equal(formatMagnet(plain), `magnet:?xt=urn:btih:${toHex(plain.infoHash)}&dn=file.txt`);
  const hybrid = {
    ...parsed('hybrid'),
    name: 'a & b=c+d 100% é',
    trackers: [['http://a/?x=1&y=2', 'udp://b:1'], ['http://c/']],
    webSeeds: ['http://d/e f'.replace(' ', '%20')],
  };
  const magnet = parseMagnet(formatMagnet(hybrid));
  t.same(hashes(magnet), [toHex(hybrid.infoHash), toHex(hybrid.infoHashV2 ?? new Uint8Array())]);
  t.equal(magnet.name, hybrid.name);
  t.same(magnet.trackers, [['http://a/?x=1&y=2'], ['udp://b:1'], ['http://c/']]);
  t.same(magnet.webSeeds, hybrid.webSeeds);
});
