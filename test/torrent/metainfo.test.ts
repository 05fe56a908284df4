import { createHash } from 'node:crypto';
import t from 'tap';
import { equalBytes, toHex } from '../../src/torrent/ids.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { buildTorrent, parseInfo, parseTorrent } from '../../src/torrent/metainfo.js';
import type { Metainfo } from '../../src/torrent/metainfo-types.js';
import { dict, type Entry, int, list, str } from '../fixtures/bencoded.js';
import { failure, fixture, infoOf, parsed } from './reading.js';

/** The plain torrent with more keys around its info dictionary. */
const around = (...entries: Entry[]): Metainfo => parseTorrent(dict(...entries, ['info', infoOf('plain')]));

t.test('a plain torrent', async t => {
  const metainfo = parsed('plain');
  const info = infoOf('plain');
  t.equal(toHex(metainfo.infoHash), createHash('sha1').update(info).digest('hex'));
  t.ok(equalBytes(metainfo.infoBytes, info));
  t.equal(metainfo.infoHashV2, undefined);
  t.same(metainfo.files, [{ path: ['file.txt'], length: 100, offset: 0, pad: false }]);
  t.match(metainfo, { name: 'file.txt', length: 100, pieceLength: 16384, singleFile: true, private: false });
  t.equal(toHex(metainfo.pieceHashes), createHash('sha1').update(Buffer.alloc(100)).digest('hex'));
  t.match(metainfo, { comment: undefined, createdBy: undefined, creationDate: undefined, source: undefined });
  t.same([metainfo.trackers, metainfo.webSeeds, metainfo.nodes, metainfo.warnings], [[], [], [], []]);
});

t.test('the info hash is that of the raw bytes, whatever their order', async t => {
  const metainfo = parsed('unordered-info-dict');
  t.equal(toHex(metainfo.infoHash), '9026099edc66a626a8d4bd30b2e8b881cad129c4');
  t.not(toHex(metainfo.infoHash), toHex(parsed('plain').infoHash), 'not that of the ordered ones');
  t.same(parsed('unordered-top-dict').trackers, [['http://t.invalid/a']]);
});

t.test('the bytes handed in are copied', async t => {
  const bytes = Buffer.from(fixture('plain'));
  const metainfo = parseTorrent(bytes);
  const info = new Uint8Array(metainfo.infoBytes);
  const fromInfo = parseInfo(bytes.subarray(7, -1), [], []);
  bytes.fill(0);
  t.ok(equalBytes(metainfo.infoBytes, info));
  t.ok(equalBytes(fromInfo.infoBytes, info));
});

t.test('what is not a torrent', async t => {
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(), 'torrent: it is empty'],
    [Buffer.from('\n <!DOCTYPE html>'), 'torrent: it is a web page'],
    [Buffer.from('1f8b0800', 'hex'), 'torrent: it is compressed with gzip: unpack it first'],
    [Buffer.from('{"a":1}'), 'torrent: it is malformed: malformed value at byte 0'],
    [Buffer.from('i42e'), 'torrent: it is not a dictionary'],
    [Buffer.from('le'), 'torrent: it is not a dictionary'],
    [Buffer.from('0:'), 'torrent: it is not a dictionary'],
    [
      fixture('truncated'),
      `torrent: it is malformed: it ends in the middle, after ${fixture('truncated').length} bytes`,
    ],
    [fixture('duplicate-info-key'), 'torrent: it is malformed: duplicate key at byte 21'],
    [fixture('deep-nesting'), 'torrent: it is malformed: nesting deeper than 100 at byte 103'],
    [fixture('length-float'), 'torrent: it is malformed: malformed integer at byte 16'],
    [fixture('length-leading-zero'), 'torrent: it is malformed: malformed integer at byte 16'],
    [fixture('info-missing'), 'torrent: it has no info dictionary'],
    [fixture('info-not-a-dict'), 'torrent: it has no info dictionary'],
    [
      new Uint8Array(LIMITS.torrentFileBytes + 1),
      `torrent: it is larger than ${LIMITS.torrentFileBytes} bytes`,
    ],
  ];
  for (const [bytes, message] of cases)
    t.equal(
      failure(() => parseTorrent(bytes)),
      `${message} (BAD_SOURCE)`,
    );
});

t.test('bytes after the end', async t => {
  t.same(parsed('trailing-newline').warnings, []);
  t.same(parsed('trailing-garbage').warnings, ['7 bytes after the end of the torrent are ignored']);
  t.same(parsed('trailing-garbage').infoHash, parsed('plain').infoHash);
  const info = Buffer.concat([infoOf('plain'), Buffer.from('\n')]);
  t.match(
    failure(() => parseInfo(info, [], [])),
    /1 bytes too many \(BAD_SOURCE\)$/,
  );
});

t.test('trackers: the list before the single one, usable ones only, each once', async t => {
  const single = ['announce', str(' udp://t.invalid:1/announce\n')] as const;
  t.same(around(single).trackers, [['udp://t.invalid:1/announce']]);
  const tiers = list(
    list(str('http://a/'), str('HTTPS://b/')),
    list(str('http://a/')),
    list(str('wss://c/'), int(1)),
    str('udp://d:1'),
  );
  t.same(around(single, ['announce-list', tiers]).trackers, [['http://a/', 'HTTPS://b/'], ['udp://d:1']]);
  t.same(
    around(single, ['announce-list', list()]).trackers,
    [['udp://t.invalid:1/announce']],
    'an empty list is none',
  );
  t.same(around(['announce', int(1)], ['announce-list', int(1)]).trackers, []);
  t.same(around(['announce', str(`http://a/${'x'.repeat(LIMITS.urlChars)}`)]).trackers, []);
  t.same(around(['announce', str('http://[a/')]).trackers, []);
  const many = Array.from({ length: 5000 }, (_, index) => list(str(`http://t${index}.invalid/`)));
  t.equal(around(['announce-list', list(...many)]).trackers.length, LIMITS.trackers);
});

t.test('web seeds: a string or a list, http only', async t => {
  t.same(around(['url-list', str('http://a/')]).webSeeds, ['http://a/']);
  t.same(around(['url-list', str('')]).webSeeds, []);
  t.same(around(['url-list', int(1)]).webSeeds, []);
  const mixed = list(str('http://a/'), int(1), str('ftp://b/'), str('https://c/d'), str('http://a/'));
  t.same(around(['url-list', mixed], ['httpseeds', list(str('http://e/'))]).webSeeds, [
    'http://a/',
    'https://c/d',
    'http://e/',
  ]);
});

t.test('DHT nodes: malformed ones are skipped', async t => {
  const node = (host: Uint8Array, port: Uint8Array) => list(host, port);
  const nodes = list(
    node(str('127.0.0.1'), int(6881)),
    node(str('router.invalid'), int(1)),
    node(str('::1'), int(2)),
    node(str('a b'), int(3)),
    node(str('h'), int(70000)),
    node(str('h'), int(0)),
    node(int(5), int(5)),
    list(str('h')),
    str('udp://t.invalid:80'),
  );
  t.same(around(['nodes', nodes]).nodes, [
    { host: '127.0.0.1', port: 6881 },
    { host: 'router.invalid', port: 1 },
    { host: '::1', port: 2 },
  ]);
  t.same(around(['nodes', str('')]).nodes, []);
});

t.test('text for people is one printable line', async t => {
  const metainfo = around(
    ['comment', str('\x1b[31mred\r\nline \u202e')],
    ['created by', str(Buffer.from('caf\xe9', 'latin1'))],
    ['creation date', int(1234567)],
  );
  t.equal(metainfo.comment, '[31mred  line');
  t.equal(metainfo.createdBy, 'caf\ufffd');
  t.equal(metainfo.creationDate, 1234567);
  t.equal(
    around(['comment', str('x'.repeat(LIMITS.decodedValueBytes))]).comment,
    undefined,
    'too long to keep',
  );
});

t.test('a date that no Date can show is left out', async t => {
  t.equal(around(['creation date', int('99999999999999')]).creationDate, undefined);
  t.equal(around(['creation date', str('today')]).creationDate, undefined);
  t.equal(around(['creation date', int(-1)]).creationDate, -1);
});

t.test('metadata from peers takes its trackers and web seeds along', async t => {
  const info = infoOf('plain');
  const metainfo = parseInfo(info, [['http://a/']], ['http://b/']);
  t.same(metainfo, { ...parsed('plain'), trackers: [['http://a/']], webSeeds: ['http://b/'] });
  t.match(
    failure(() => parseInfo(Buffer.from('de!'), [], [])),
    /the metadata has 1 bytes too many/,
  );
  t.match(
    failure(() => parseInfo(Buffer.from('le'), [], [])),
    /the metadata is not a dictionary/,
  );
  t.match(
    failure(() => parseInfo(Buffer.from('d'), [], [])),
    /the metadata is malformed/,
  );
});

t.test('a torrent built of parts reads as the same, raw info bytes and all', async t => {
  const infoBytes = infoOf('unordered-info-dict');
  t.equal(
    Buffer.from(buildTorrent({ infoBytes })).toString('latin1'),
    `d4:info${Buffer.from(infoBytes).toString('latin1')}e`,
  );
  const parts = {
    infoBytes,
    trackers: [['http://a/', 'http://b/'], ['udp://c:1']],
    webSeeds: ['http://d/é'],
    nodes: [{ host: 'router.invalid', port: 6881 }],
    comment: 'häh',
    createdBy: 'rarest',
    creationDate: 1234567890,
  };
  const metainfo = parseTorrent(buildTorrent(parts));
  t.match(metainfo, parts);
  t.equal(toHex(metainfo.infoHash), toHex(parsed('unordered-info-dict').infoHash));
  t.equal(
    Buffer.from(
      buildTorrent({ infoBytes: Buffer.from('de'), trackers: [['http://a/']], webSeeds: ['b'] }),
    ).toString(),
    'd8:announce9:http://a/4:infode8:url-listl1:bee',
  );
});
