// A web seed on a virtual clock, with answers as scripted.

import t from 'tap';
import { BlockList } from '../../src/torrent/block-list.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';
import { judge } from '../../src/webseed/answer.js';
import { fileRanges, pieceSpan, takeRun } from '../../src/webseed/ranges.js';
import { fileUrl } from '../../src/webseed/url.js';
import { WebSeed } from '../../src/webseed/web-seed.js';
import { Bench, PIECE, type Script } from './bench.js';

const KiB = 1024;
const MiB = 1024 * KiB;

const single = (length: number, url = 'http://host/file.bin', pieceLength = PIECE) =>
  new Bench([{ name: 'file.bin', length }], { url, pieceLength, single: true });

t.test('where a file is', async t => {
  const one = (seed: string, name = 'a b.bin') => fileUrl(seed, { singleFile: true }, { path: [name] });
  const many = (seed: string, ...path: string[]) => fileUrl(seed, { singleFile: false }, { path });
  t.equal(one('http://h/x.bin'), 'http://h/x.bin', 'as given, whatever the name');
  t.equal(one('http://h/dir/'), 'http://h/dir/a%20b.bin');
  t.equal(one('http://h/get?id=5#top'), 'http://h/get?id=5');
  t.equal(one('https://u:p@h'), 'https://u:p@h/a%20b.bin');
  t.equal(
    many('http://mirror.com/pub/', 'michael', 'Readme.txt'),
    'http://mirror.com/pub/michael/Readme.txt',
  );
  t.equal(many('http://h/pub', 'n', 'a', 'b'), 'http://h/pub/n/a/b');
  t.equal(many('http://h/pub?key=1', 'n', 'a'), 'http://h/pub/n/a?key=1');
  t.equal(many('http://h/pub/?key=1', 'n', 'a'), 'http://h/pub/n/a?key=1');
  t.equal(many('http://h/get?path=/pub/', 'n', 'a'), 'http://h/get?path=/pub/n/a');
  t.equal(
    many('http://h/', 'ü%#?&', 'a/b', "!*'()"),
    "http://h/%C3%BC%25%23%3F%26/a%2Fb/!*'()",
    'every component is encoded for itself',
  );
  const renamed = { path: ['safe', 'con_'], rawPath: ['safe', 'con.'] };
  t.equal(
    fileUrl('http://h/', { singleFile: false }, renamed),
    'http://h/safe/con.',
    'as the torrent has it',
  );
  const climbing = { path: ['safe', '_'], rawPath: ['safe', '..'] };
  t.equal(fileUrl('http://h/', { singleFile: false }, climbing), 'http://h/safe/_', 'but for what climbs');
  t.equal(many('http://h/', '\ud800'), 'http://h/%EF%BF%BD');
  for (const seed of ['ftp://h/', 'no URL', 'file:///etc/']) t.equal(many(seed, 'n'), undefined, seed);
});

t.test('which blocks lie together, and in which files', async t => {
  const block = (offset: number, length = 16) => ({ piece: 0, begin: 0, offset, length });
  const queue = [block(32), block(48), block(64, 5), block(0), block(69)];
  t.same(takeRun(queue, 1000), [block(32), block(48), block(64, 5)]);
  t.same(takeRun(queue, 1), [block(0)], 'one at least');
  t.same(takeRun([block(0), block(16), block(32)], 32), [block(0), block(16)], 'no more than the limit');
  t.same(takeRun([], 1), []);
  const files = [
    { offset: 0, length: 10 },
    { offset: 10, length: 0 },
    { offset: 10, length: 5 },
    { offset: 15, length: 0 },
    { offset: 15, length: 100 },
  ];
  t.same(fileRanges(files, 8, 10), [
    { file: 0, position: 8, length: 2 },
    { file: 2, position: 0, length: 5 },
    { file: 4, position: 0, length: 3 },
  ]);
  t.same(fileRanges(files, 10, 1), [{ file: 2, position: 0, length: 1 }], 'empty files have no bytes');
  t.same(fileRanges(files, 100, 1000), [{ file: 4, position: 85, length: 15 }], 'nothing behind the end');
  t.same(pieceSpan({ offset: 15, length: 17 }, { pieceLength: 16 }), [0, 1]);
  t.same(pieceSpan({ offset: 16, length: 16 }, { pieceLength: 16 }), [1, 1]);
});

t.test('what an answer means', async t => {
  const range = { file: 3, position: 100, length: 50 };
  const meaning = (status: number, headers: Record<string, string>) =>
    judge({ status, headers }, range, 1000);
  const part = (text: string) => meaning(206, { 'content-range': text });
  const accepted = { kind: 'accepted', skipBytes: 0, restBytes: 0 };
  t.same(part('bytes 100-149/1000'), accepted);
  t.same(part('Bytes 100-149/*'), accepted);
  t.same(meaning(200, {}), { kind: 'accepted', skipBytes: 100, restBytes: 850 });
  for (const text of [
    'bytes 0-49/1000',
    'bytes 100-148/1000',
    'bytes 100-150/1000',
    'bytes 100-149',
    '',
    'bytes */1000',
  ])
    t.match(part(text), { kind: 'failed' }, `"${text}"`);
  const other = { kind: 'absent', file: 3, why: 'the file has 999 bytes there instead of 1000' };
  t.same(part('bytes 100-149/999'), other);
  t.same(meaning(200, { 'content-length': '999' }), other);
  t.match(meaning(206, { 'content-range': 'bytes 100-149/1000', 'content-length': '51' }), {
    kind: 'failed',
  });
  t.match(meaning(206, { 'content-range': 'bytes 100-149/1000', 'content-encoding': 'gzip' }), {
    kind: 'failed',
  });
  for (const status of [401, 403, 404, 410, 416]) t.match(meaning(status, {}), { kind: 'absent' });
  for (const status of [204, 302, 400, 429, 500, 503]) t.match(meaning(status, {}), { kind: 'failed' });
  const wait = (text: string, date = '') => {
    const answer = meaning(503, { 'retry-after': text, date });
    return answer.kind === 'failed' ? answer.retryAfterMs : undefined;
  };
  t.equal(wait('120'), 120_000);
  t.equal(wait('Wed, 21 Oct 2015 07:29:00 GMT', 'Wed, 21 Oct 2015 07:28:00 GMT'), 60_000);
  for (const text of ['', '-1', 'soon', '1e9', 'Wed, 21 Oct 2015 07:29:00 GMT'])
    t.equal(wait(text), undefined);
});

t.test('blocks that lie together are one request, and come one by one', async t => {
  const bench = single(10 * PIECE + 5);
  t.same(bench.told(), ['haveAll', 'unchoke']);
  bench.request(...bench.pieces(1, 2, 3), ...bench.pieces(10));
  t.same(bench.blocks, [], 'nothing within the call');
  await bench.settled();
  t.same(bench.asked, [
    { url: 'http://host/file.bin', range: `${PIECE}-${4 * PIECE - 1}` },
    { url: 'http://host/file.bin', range: `${10 * PIECE}-${10 * PIECE + 4}` },
  ]);
  t.same(bench.blocks.sort(), [...bench.pieces(1, 2, 3), '10.0'].sort());
  t.same([bench.wrong, bench.pending, bench.said.length], [[], 0, 2 + 7]);
  t.equal(bench.seed.tick(bench.now), Number.POSITIVE_INFINITY, 'nothing to wait for');
});

t.test('a request has a limit, a server so many at a time, in order', async t => {
  const count = (4.5 * LIMITS.webSeedRequestBytes) / PIECE;
  const bench = single(count * PIECE);
  bench.answers({ hangs: 'before' }, { hangs: 'before' }, { hangs: 'before' });
  bench.request(...bench.pieces(...Array.from({ length: count }, (_, index) => index)));
  await bench.settled();
  const starts = bench.asked.map(({ range }) => Number(range.split('-')[0]) / (4 * MiB));
  t.same(starts, [0, 1, 2, 3, 4], 'the fourth is over, so there is a fifth');
  t.equal(bench.pending, 3);
  t.equal(bench.blocks.length, (1.5 * LIMITS.webSeedRequestBytes) / BLOCK_LENGTH);
  t.same(bench.wrong, []);
});

t.test('a piece of more than the limit is one request', async t => {
  const pieceLength = 2 * LIMITS.webSeedRequestBytes;
  const bench = single(2 * pieceLength, 'http://host/file.bin', pieceLength);
  await bench.request(...bench.pieces(1)).settled();
  t.same(
    bench.asked.map(({ range }) => range),
    [`${pieceLength}-${2 * pieceLength - 1}`],
  );
});

t.test('a run over several files: each its range, padding is not asked for', async t => {
  const bench = new Bench([
    { name: 'a', length: 20_000 },
    { name: 'empty', length: 0 },
    { name: '.pad/12768', length: PIECE - 20_000, pad: true },
    { name: 'dir/b c', length: 10 },
    { name: 'd', length: PIECE },
    { name: '.pad/end', length: PIECE - 10, pad: true },
  ]);
  await bench.request(...bench.pieces(0, 1, 2)).settled();
  t.same(bench.asked, [
    { url: 'http://host/pub/torrent/a', range: '0-19999' },
    { url: 'http://host/pub/torrent/dir/b%20c', range: '0-9' },
    { url: 'http://host/pub/torrent/d', range: `0-${PIECE - 1}` },
  ]);
  t.same(bench.blocks, bench.pieces(0, 1, 2));
  t.same([bench.wrong, bench.pending], [[], 0]);
  const padding = new Bench([
    { name: 'a', length: PIECE },
    { name: '.pad', length: PIECE, pad: true },
  ]);
  padding.request('1.0', '1.1');
  t.same(padding.blocks, []);
  await padding.settled();
  t.same([padding.asked, padding.blocks, padding.wrong], [[], ['1.0', '1.1'], []]);
});

t.test('the body comes in parts of any size', async t => {
  for (const size of [101, BLOCK_LENGTH - 1, BLOCK_LENGTH, BLOCK_LENGTH + 1, 3 * BLOCK_LENGTH]) {
    const bench = single(3 * PIECE - 100);
    const body = (right: () => Uint8Array) => {
      const whole = right();
      const parts = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) => at * size);
      return parts.map(at => whole.subarray(at, at + size));
    };
    bench.answers({ body }).request(...bench.pieces(0, 1, 2));
    while (bench.pending > 0 || bench.asked.length === 0) await bench.settled();
    t.same([bench.blocks, bench.wrong], [bench.pieces(0, 1, 2), []], `${size} bytes`);
  }
});

t.test('without ranges: of a long file what begins early, then it is given up', async t => {
  const bench = single(100 * MiB, 'http://host/long', 64 * KiB);
  bench.answers({
    ignoresRange: true,
    body: () => Array.from({ length: 64 }, () => new Uint8Array(64 * KiB)),
  });
  await bench.request(...bench.pieces(2)).settled();
  t.same(bench.blocks, bench.pieces(2));
  t.equal(bench.readBytes, 192 * KiB, 'no more is read than needed');
  t.equal(bench.pending, 0);
  t.equal(bench.gone, 'the server has no ranges');
});

t.test('without ranges: never a long way to the bytes wanted', async t => {
  const bench = single(100 * MiB, 'http://host/long', MiB);
  bench.answers({ ignoresRange: true, body: () => [new Uint8Array(1)] });
  await bench.request(...bench.pieces(2)).settled();
  t.same([bench.gone, bench.readBytes, bench.pending], ['the server has no ranges', 0, 0]);
});

t.test('without ranges: short files are used, the pieces of others are not to be had', async t => {
  const bench = new Bench(
    [
      { name: 'long', length: 3 * MiB },
      { name: 'short', length: 512 * KiB },
    ],
    { pieceLength: 256 * KiB },
  );
  bench.answers({ ignoresRange: true }, { ignoresRange: true }, { ignoresRange: true });
  await bench.request(...bench.pieces(13)).settled();
  t.same(bench.blocks, bench.pieces(13));
  t.same(
    bench.told().slice(2),
    Array.from({ length: 12 }, (_, index) => `dontHave ${index}`),
  );
  t.match(bench.warnings, [/^torrent\/long: the server has no ranges/]);
  await bench.request(...bench.pieces(12)).settled();
  t.same(bench.blocks, bench.pieces(13, 12));
  t.same([bench.wrong, bench.gone, bench.warnings.length], [[], undefined, 1]);
  await bench.after(LIMITS.webSeedBackoffMaxMs);
  t.same(bench.told().slice(-1), ['haveAll'], 'asked again some day');
});

t.test('a whole file with status 200 says nothing about ranges', async t => {
  const bench = single(2 * PIECE, 'http://host/f');
  await bench
    .answers({ ignoresRange: true })
    .request(...bench.pieces(0, 1))
    .settled();
  t.same([bench.blocks, bench.wrong, bench.gone], [bench.pieces(0, 1), [], undefined]);
  t.same(bench.told(), ['haveAll', 'unchoke']);
});

t.test('a file that is not there: its pieces come from others, the rest from here', async t => {
  const files = ['a', 'b', 'c'].map(name => ({ name, length: 1.5 * PIECE }));
  const bench = new Bench(files);
  // The first file of each run, then the second one of the first run.
  bench.answers({}, {}, { status: 404 });
  await bench.request(...bench.pieces(0, 1, 4)).settled();
  t.same(bench.told().slice(2), ['dontHave 1', 'dontHave 2', 'reject 1'], 'of piece 1 the second half');
  t.same(bench.blocks, ['0.0', '0.1', '1.0', '4.0']);
  t.match(bench.warnings, ['torrent/b: HTTP status 404; what it lacks has to come from peers']);
  bench.request(...bench.pieces(3));
  await bench.settled();
  t.same(bench.blocks.slice(4), ['3.0', '3.1']);
  await bench.after(LIMITS.webSeedBackoffMaxMs - 1);
  t.equal(bench.told().length, 5);
  await bench.after(1);
  t.same(bench.told().slice(5), ['haveAll']);
});

t.test('nothing is there: left alone for long, given up at last', async t => {
  for (const script of [
    { status: 404 },
    { status: 416 },
    { headers: { 'content-range': 'bytes 0-32767/99' } },
  ]) {
    const bench = single(PIECE);
    for (let failure = 1; failure < LIMITS.webSeedFailures; failure++) {
      await bench
        .answers(script)
        .request(...bench.pieces(0))
        .settled();
      t.equal(bench.told().at(-1), 'choke');
      await bench.after(LIMITS.webSeedBackoffMaxMs - 1);
      t.equal(bench.told().at(-1), 'choke');
      await bench.after(1);
      t.same(bench.told().slice(-2), ['haveAll', 'unchoke']);
    }
    await bench
      .answers(script)
      .request(...bench.pieces(0))
      .settled();
    t.match(bench.gone, /404|416|99 bytes/);
    t.same([bench.blocks, bench.asked.length], [[], LIMITS.webSeedFailures]);
  }
});

t.test('what fails is left alone for twice as long each time, then given up', async t => {
  const bench = single(4 * PIECE);
  for (let failure = 1; failure < LIMITS.webSeedFailures; failure++) {
    await bench
      .answers({ status: 500 })
      .request(...bench.pieces(2))
      .settled();
    const waitMs = LIMITS.webSeedBackoffMs * 2 ** (failure - 1);
    t.equal(bench.told().at(-1), 'choke');
    t.equal(bench.seed.tick(bench.now), bench.now + waitMs);
    t.equal(bench.warnings.at(-1), `HTTP status 500; tried again in ${waitMs / 1000} s`);
    await bench.after(waitMs - 1);
    t.equal(bench.told().at(-1), 'choke');
    await bench.after(1);
    t.equal(bench.told().at(-1), 'unchoke');
  }
  await bench
    .answers({ status: 500 })
    .request(...bench.pieces(2))
    .settled();
  t.equal(bench.gone, 'HTTP status 500');
  const heard = bench.said.length;
  await bench.request(...bench.pieces(1)).after(3_600_000);
  t.same([bench.asked.length, bench.said.length], [LIMITS.webSeedFailures, heard], 'silent for good');
});

t.test('a success ends the row of failures', async t => {
  const bench = single(4 * PIECE);
  for (let round = 0; round < 3 * LIMITS.webSeedFailures; round++) {
    await bench
      .answers({ refuses: 'connection refused' })
      .request(...bench.pieces(0))
      .settled();
    await bench.after(LIMITS.webSeedBackoffMs);
    await bench.request(...bench.pieces(0)).settled();
  }
  t.equal(bench.gone, undefined);
  t.equal(bench.blocks.length, 6 * LIMITS.webSeedFailures);
});

t.test('Retry-After is kept to, within bounds; the back-off has jitter', async t => {
  for (const [after, waitMs] of [
    ['120', 120_000],
    ['1', LIMITS.webSeedBackoffMs],
    ['999999999', LIMITS.webSeedBackoffMaxMs],
  ] as const) {
    const bench = single(PIECE).answers({ status: 503, headers: { 'retry-after': after } });
    await bench.request(...bench.pieces(0)).settled();
    t.equal(bench.seed.tick(bench.now), bench.now + waitMs, after);
  }
  const bench = new Bench([{ name: 'a', length: PIECE }], { random: 0.8 }).answers({ status: 429 });
  await bench.request(...bench.pieces(0)).settled();
  t.equal(bench.seed.tick(bench.now), bench.now + 1.2 * LIMITS.webSeedBackoffMs);
});

t.test('bodies that are not what was announced', async t => {
  const cut = (right: () => Uint8Array) => [right().subarray(0, BLOCK_LENGTH + 5)];
  const more = (right: () => Uint8Array) => [right(), new Uint8Array(1)];
  const cases: readonly (readonly [Script, RegExp, number])[] = [
    [{ body: cut }, /^the answer is shorter/, 1],
    [{ body: more }, /^the answer is longer/, 2],
    [{ body: right => [Buffer.concat(more(right))] }, /^the answer is longer/, 2],
    [{ body: cut, breaks: 'connection\n reset\u202e' }, /^connection {2}reset;/, 1],
    [{ headers: { 'content-range': 'bytes 1-32768/32768' } }, /^another range/, 0],
    [{ headers: { 'content-length': '5' } }, /^the body is not as long/, 0],
    [{ headers: { 'content-encoding': 'gzip' } }, /^the answer is compressed/, 0],
  ];
  for (const [script, why, blocks] of cases) {
    const bench = single(PIECE).answers(script);
    await bench.request(...bench.pieces(0)).settled();
    t.match(bench.warnings, [why]);
    t.same([bench.blocks.length, bench.pending, bench.told().at(-1)], [blocks, 0, 'choke']);
  }
});

t.test('who is silent has failed; who goes on slowly has not', async t => {
  for (const hangs of ['before', 'after'] as const) {
    const bench = single(4 * PIECE);
    const body = (right: () => Uint8Array) => [right().subarray(0, BLOCK_LENGTH + 1)];
    await bench
      .answers({ hangs, body })
      .request(...bench.pieces(0))
      .settled();
    t.equal(bench.wakeAtMs, bench.now + LIMITS.webSeedTimeoutMs);
    await bench.after(LIMITS.webSeedTimeoutMs - 1);
    t.same([bench.pending, bench.told().at(-1)], [1, 'unchoke']);
    await bench.after(1);
    t.same([bench.pending, bench.told().at(-1)], [0, 'choke']);
    t.match(bench.warnings, ['no answer for 25 s; tried again in 30 s']);
  }
  const bench = single(4 * PIECE);
  let drip = () => {};
  const next = () =>
    new Promise<void>(resolve => {
      drip = resolve;
    });
  const slow = new WebSeed({
    url: 'http://host/f',
    metainfo: { files: bench.files, pieceLength: PIECE, singleFile: true },
    fetch: async (_url, { signal }) => ({
      status: 206,
      headers: { 'content-range': `bytes 0-${PIECE - 1}/${4 * PIECE}` },
      destroy: () => drip(),
      body: (async function* () {
        for (let at = 0; at < 16 && !signal.aborted; at++) {
          await next();
          yield new Uint8Array(2 * KiB);
        }
      })(),
    }),
    now: () => bench.now,
    wakeAt: () => {},
    random: () => 0,
    onMessage: message => bench.said.push(message),
    onGone: () => {},
    onWarning: text => bench.warnings.push(text),
  });
  const list = new BlockList(2);
  for (const begin of [0, BLOCK_LENGTH]) list.push(0 as Piece, begin, BLOCK_LENGTH);
  slow.request(list);
  for (let at = 0; at < 16; at++) {
    await bench.settled();
    bench.now += LIMITS.webSeedTimeoutMs / 10;
    slow.tick(bench.now);
    drip();
  }
  await bench.settled();
  t.same(bench.warnings, [], '16 KiB in eight tenths of the time');
  t.equal(bench.said.filter(({ type }) => type === 'piece').length, 2);
});

t.test('who turns some requests away is asked for fewer at a time', async t => {
  const bench = single(20 * PIECE);
  const runs = [0, 2, 4, 6, 8];
  bench.answers({ hangs: 'before' }, { status: 503 }, { status: 503 }, { status: 503 });
  await bench.request(...bench.pieces(...runs)).settled();
  t.same([bench.asked.length, bench.pending], [4, 1], 'one is left, and none is begun');
  t.same(bench.told(), ['haveAll', 'unchoke'], 'nothing is given back');
  await bench.after(LIMITS.webSeedTimeoutMs);
  t.equal(bench.told().at(-1), 'choke', 'but when that fails too');
  await bench.after(LIMITS.webSeedBackoffMs);
  bench.answers({}, { status: 503 });
  await bench.request(...bench.pieces(...runs)).settled();
  t.same(bench.blocks.sort(), bench.pieces(...runs).sort());
});

t.test('cancelled: not asked for, or not waited for', async t => {
  const bench = single(20 * PIECE);
  bench.answers({ hangs: 'before' }, { hangs: 'before' }, { hangs: 'before' }, { hangs: 'before' });
  await bench.request(...bench.pieces(0, 2, 4, 6, 8, 10)).settled();
  const cancel = (name: string) => {
    const { piece, begin, length } = bench.block(name);
    bench.seed.cancel(piece, begin, length);
  };
  for (const name of bench.pieces(8)) cancel(name);
  cancel('19.0');
  cancel('0.0');
  t.equal(bench.pending, 4);
  cancel('0.1');
  await bench.settled();
  const asked = bench.asked.slice(4).map(({ range }) => range);
  t.same(asked, [`${10 * PIECE}-${11 * PIECE - 1}`], 'its place is taken by what was not cancelled');
  t.same([bench.blocks, bench.pending], [bench.pieces(10), 3]);
  cancel('2.1');
  bench.request('2.1', '2.0');
  await bench.settled();
  t.equal(bench.asked.length, 6, 'one that is on its way again, one that was never taken back');
});

t.test('closed in the middle: no exchange is left and nothing is said', async t => {
  const bench = single(20 * PIECE);
  bench.answers(
    { hangs: 'before' },
    { hangs: 'after' },
    { body: right => [right().subarray(0, 5)], hangs: 'after' },
  );
  await bench.request(...bench.pieces(0, 2, 4)).settled();
  t.equal(bench.pending, 3);
  bench.seed.close();
  const heard = bench.said.length;
  await bench.settled();
  t.same([bench.pending, bench.said.length, bench.gone, bench.warnings], [0, heard, undefined, []]);
  t.equal(bench.seed.tick(bench.now), Number.POSITIVE_INFINITY);
  bench.request(...bench.pieces(6));
  await bench.settled();
  t.equal(bench.asked.length, 3);
});

t.test('closed by what a block leads to', async t => {
  const bench = single(20 * PIECE);
  bench.onMessage = ({ type }) => {
    if (type === 'piece') bench.seed.close();
  };
  await bench.request(...bench.pieces(0, 1, 2, 5)).settled();
  t.same([bench.blocks.length, bench.pending, bench.warnings], [1, 0, []]);
});

t.test('a URL of another kind is given up at once', async t => {
  const bench = new Bench([{ name: 'a', length: 1 }], { url: 'ftp://host/' });
  t.same([bench.gone, bench.said], ['its URL is neither http nor https', []]);
});
