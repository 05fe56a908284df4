// What is written to trackers and read from them, byte by byte: BEPs 3, 7, 15, 23, 24, 31, 41, 48.

import t from 'tap';
import { type InfoHash, infoHash, type PeerId, peerId } from '../../src/torrent/ids.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { shownUrl } from '../../src/torrent/source-urls.js';
import { parseAnnounceReply, parseScrapeReply } from '../../src/tracker/announce-reply.js';
import { type AnnounceRequest, announceUrl, scrapeUrl } from '../../src/tracker/announce-url.js';
import { TrackerError } from '../../src/tracker/tracker-error.js';
import { decodeReply, encodeAnnounce, encodeConnect, encodeScrape } from '../../src/tracker/udp-packet.js';
import { seeded } from '../support/random.js';
import { ascii, concat, hex, vectors } from '../wire/samples.js';

const HASH = infoHash(hex('000102030405060708090a0b0c0d0e0f10111213')) as InfoHash;
const REQUEST: AnnounceRequest = {
  infoHash: HASH,
  peerId: peerId(ascii('-XX0001-abcdefghijkl')) as PeerId,
  key: 0xdeadbeef,
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 1000,
  event: 'started',
  numWant: -1,
  trackerId: undefined,
};
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const places = (peers: readonly { host: string; port: number }[]) =>
  peers.map(({ host, port }) => `${host} ${port}`);
const reply = (text: string, status = 200) => parseAnnounceReply(status, Buffer.from(text, 'latin1'));

t.test('UDP requests', async t => {
  t.equal(hexOf(encodeConnect(0x12345678)), '00000417271019800000000012345678');
  const head = '455f1e9277768a88 00000001 12345679 000102030405060708090a0b0c0d0e0f10111213';
  const id = 0x455f1e9277768a88n;
  t.equal(
    hexOf(encodeAnnounce(id, 0x12345679, REQUEST, '')),
    hexOf(
      hex(
        `${head} 2d5858303030312d6162636465666768696a6b6c 0000000000000000 00000000000003e8 0000000000000000` +
          '00000002 00000000 deadbeef ffffffff 1ae1',
      ),
    ),
  );
  const large = {
    ...REQUEST,
    downloaded: 2 ** 40 + 1,
    left: 2 ** 52,
    uploaded: 3,
    numWant: 200,
    port: 65535,
  };
  for (const [event, code] of [
    [undefined, 0],
    ['completed', 1],
    ['started', 2],
    ['stopped', 3],
    ['paused', 0],
  ] as const) {
    const packet = encodeAnnounce(id, 1, { ...large, event }, '');
    const counts = '0000010000000001 0010000000000000 0000000000000003';
    const tail = `${counts} 0000000${code} 00000000 deadbeef 000000c8 ffff`;
    t.equal(hexOf(packet.subarray(56)), tail.replaceAll(' ', ''));
  }
  t.equal(
    hexOf(encodeScrape(id, 0x1234567b, HASH)),
    '455f1e9277768a88000000021234567b000102030405060708090a0b0c0d0e0f10111213',
  );
});

t.test('the path of the URL goes along, in parts of 255 bytes (BEP 41)', async t => {
  const options = (path: string) => hexOf(encodeAnnounce(0n, 0, REQUEST, path).subarray(98));
  t.equal(options(''), '');
  t.equal(options('/dir?a=b&c=d'), '020c2f6469723f613d6226633d64');
  t.equal(options('é'), '0202c3a9');
  t.equal(options('x'.repeat(255)), `02ff${'78'.repeat(255)}`);
  t.equal(options('x'.repeat(600)), `02ff${'78'.repeat(255)}02ff${'78'.repeat(255)}025a${'78'.repeat(90)}`);
});

t.test('UDP replies', async t => {
  t.same(decodeReply(hex('0000000012345678455f1e9277768a88'), 4), {
    transactionId: 0x12345678,
    action: 'connect',
    connectionId: 0x455f1e9277768a88n,
  });
  const two = '7f000001 1ae1 c0000201 c8d5';
  const announced = decodeReply(hex(`00000001 ffffffff 000006a9 00000003 00000002 ${two} 0102`), 4);
  t.match(announced, {
    transactionId: 0xffffffff,
    reply: {
      peers: [
        { host: '127.0.0.1', port: 6881 },
        { host: '192.0.2.1', port: 51413 },
      ],
      intervalMs: 1_705_000,
      leechers: 3,
      seeds: 2,
    },
  });
  const six = decodeReply(
    hex(`00000001 00000001 ffffffff 00000000 00000000 20010db8${'00'.repeat(11)}01 1ae1`),
    16,
  );
  t.match(
    six,
    { reply: { peers: [{ host: '2001:db8::1', port: 6881 }], intervalMs: undefined } },
    'a negative interval',
  );
  t.same(decodeReply(hex('00000002 00000001 00000005 00000006 00000007 ff'), 4), {
    transactionId: 1,
    action: 'scrape',
    counts: { seeds: 5, leechers: 7 },
  });
  const error = (bytes: Uint8Array) => decodeReply(concat(hex('00000003 00000001'), bytes), 4);
  t.match(error(ascii('no\x1b[31m\nway\0')), { action: 'error', message: 'no [31m way' });
  t.match(error(hex('')), { message: 'no reason given' });
  t.match(error(ascii('x'.repeat(5000))), { message: 'x'.repeat(LIMITS.trackerTextChars) });
  for (const action of ['00000000', '00000001', '00000002'])
    for (const length of [0, 4, 7])
      t.match(decodeReply(hex(`${action} 00000009 ${'00'.repeat(length)}`), 4), {
        transactionId: 9,
        action: 'malformed',
      });
  for (const none of ['', '00', '00000001000000', '0000000400000001', 'ffffffff00000001'])
    t.equal(decodeReply(hex(none), 4), undefined);
  const whole = hex(`00000001 00000001 00000708 00000000 00000000 ${two}`);
  const view = concat(hex('ffffff'), whole).subarray(3);
  t.same(decodeReply(view, 4), decodeReply(whole, 4), 'a view into a larger buffer');
});

t.test('announce URLs', async t => {
  const tail =
    'info_hash=%00%01%02%03%04%05%06%07%08%09%0a%0b%0c%0d%0e%0f%10%11%12%13&peer_id=-XX0001-abcdefghijkl' +
    '&port=6881&uploaded=0&downloaded=0&left=1000&compact=1&numwant=50&key=deadbeef';
  const request = { ...REQUEST, event: undefined, numWant: 50 };
  const url = (tracker: string) => announceUrl(tracker, request);
  t.equal(url('http://t.example/announce'), `http://t.example/announce?${tail}`);
  t.equal(
    url('https://u:p@[::1]:80/p4ss/announce.php?a=1'),
    `https://u:p@[::1]:80/p4ss/announce.php?a=1&${tail}`,
  );
  t.equal(url('http://t.example/announce?'), `http://t.example/announce?${tail}`);
  t.equal(url('http://t.example/announce?a&#top'), `http://t.example/announce?a&${tail}`);
  const bytes = infoHash(hex('00207e2d5f2e2f257fff80c3a94140267a5a3037')) as InfoHash;
  const more = announceUrl('http://t/', {
    ...request,
    infoHash: bytes,
    event: 'stopped',
    key: 10,
    trackerId: hex('00ff41'),
  });
  t.match(more, '?info_hash=%00%20~-_.%2f%25%7f%ff%80%c3%a9A%40%26zZ07&', 'byte by byte');
  t.match(more, /&key=0000000a&event=stopped&trackerid=%00%ffA$/);
  t.ok(
    URL.canParse(more) && new URL(more).search === new URL(more).href.slice('http://t/'.length),
    'as it is',
  );

  t.equal(shownUrl('https://user:p%40ss@t.example/a?b=c@d'), 'https://t.example/a?b=c@d');
  t.equal(shownUrl('udp://t.example:80/a@b'), 'udp://t.example:80/a@b');
});

t.test('scrape URLs (BEP 48)', async t => {
  const hash = 'info_hash=%00%01%02%03%04%05%06%07%08%09%0a%0b%0c%0d%0e%0f%10%11%12%13';
  const cases: [string, string | undefined][] = [
    ['http://example.com/announce', `http://example.com/scrape?${hash}`],
    ['http://example.com/x/announce', `http://example.com/x/scrape?${hash}`],
    ['http://example.com/announce.php', `http://example.com/scrape.php?${hash}`],
    ['http://example.com/announce?x2%0644', `http://example.com/scrape?x2%0644&${hash}`],
    ['http://example.com/announce?x=2/4', `http://example.com/scrape?x=2/4&${hash}`],
    ['http://example.com/announce#x', `http://example.com/scrape?${hash}`],
    ['http://example.com/announce/announce', `http://example.com/announce/scrape?${hash}`],
    ['http://example.com/a', undefined],
    ['http://example.com/announce/', undefined],
    ['http://example.com/x%064announce', undefined],
    ['http://example.com/a?b=/announce', undefined],
    ['http://announce', undefined],
  ];
  for (const [announce, scrape] of cases) t.equal(scrapeUrl(announce, HASH), scrape, announce);
});

t.test('HTTP replies: everything that may be in them', async t => {
  const compact =
    '\x7f\0\0\x01\x1a\xe1\0\0\0\0\x1a\xe1\x01\x02\x03\x04\0\0\xe0\0\0\x01\x1a\xe1\x7f\0\0\x01\x1a\xe1\x05\x06\x07\x08\0\x50\x09';
  const six = `${'i'.repeat(16)}pp\xfe\x80${'\0'.repeat(14)}pp${'\0'.repeat(10)}\xff\xff\x01\x02\x03\x04\x00\x50`;
  const full = reply(
    `d8:completei5e11:external ip4:\x01\x02\x03\x0410:incompletei7e8:intervali1800e12:min intervali900e` +
      `5:peers${compact.length}:${compact}6:peers6${six.length}:${six}10:tracker id3:\0\xffA15:warning message5:\x1bslowe\n`,
  );
  t.same(places(full.peers), [
    '127.0.0.1 6881',
    '5.6.7.8 80',
    '6969:6969:6969:6969:6969:6969:6969:6969 28784',
    '1.2.3.4 80',
  ]);
  t.match(full, {
    seeds: 5,
    leechers: 7,
    intervalMs: 1_800_000,
    minIntervalMs: 900_000,
    warning: 'slow',
    externalHost: '1.2.3.4',
    trackerId: hex('00ff41'),
  });
  const dict = (ip: string, port: string) =>
    `d2:ip${ip.length}:${ip}7:peer id20:${'-'.repeat(20)}4:port${port}e`;
  const listed = reply(
    `d5:peersl${dict('8.8.4.4', 'i53e')}${dict('::1', 'i80e')}${dict('tracker.example', 'i80e')}${dict('1.2.3.4', 'i0e')}` +
      `${dict('1.2.3.4', 'i65536e')}${dict('1.2.3.4', 'i-1e')}${dict('1.2.3.4', '2:80')}i5edelee2:ip7:1.2.3.4e`,
  );
  t.same(places(listed.peers), ['8.8.4.4 53', '::1 80']);
  t.match(reply('d8:intervali-5e12:min intervali0e8:completei-1e10:tracker idi5e11:external ip3:abce'), {
    intervalMs: undefined,
    minIntervalMs: undefined,
    seeds: undefined,
    trackerId: undefined,
    externalHost: undefined,
    warning: undefined,
    peers: [],
  });
  t.match(reply(`d10:tracker id300:${'x'.repeat(300)}e`), { trackerId: undefined }, 'too long to send back');
  t.same(reply('de').peers, []);
});

t.test('HTTP replies are capped', async t => {
  const random = seeded(1);
  const many = Uint8Array.from({ length: 6 * 100_000 }, () => 1 + Math.floor(random() * 200));
  const head = ascii(`d5:peers${many.length}:`);
  t.equal(parseAnnounceReply(200, concat(head, many, ascii('e'))).peers.length, LIMITS.announcePeers);
  const listed = Array.from({ length: 20_000 }, (_, at) => `d2:ip7:1.2.3.44:porti${at + 1}ee`).join('');
  t.equal(reply(`d5:peersl${listed}ee`).peers.length, LIMITS.announcePeers);
  t.equal(reply(`d15:warning message5000:${'x'.repeat(5000)}e`).warning?.length, LIMITS.trackerTextChars);
});

t.test('what is no answer says what it is', async t => {
  const failure = (text: string, status = 200) => {
    try {
      reply(text, status);
    } catch (error) {
      return error instanceof TrackerError ? [error.message, error.retryMs] : error;
    }
    return 'no failure';
  };
  const cases: [string, number, string | RegExp, number?][] = [
    ['<!DOCTYPE html><html>', 200, 'it answered with a web page'],
    ['\xef\xbb\xbf\n <html>', 200, 'it answered with a web page'],
    ['', 200, 'its answer is empty'],
    ['<html>', 404, 'it answered with status 404'],
    ['d8:intervali1800ee', 503, 'it answered with status 503'],
    ['Not found', 200, /^its answer is not that of a tracker: malformed value at byte 0$/],
    ['i5e', 200, 'its answer is not that of a tracker'],
    ['le', 200, 'its answer is not that of a tracker'],
    ['d8:interval', 200, /its answer is not that of a tracker: it ends in the middle/],
    [`d${'1:al'.repeat(200)}`, 200, /nesting deeper/],
    ['d14:failure reason12:unregisterede', 200, 'refused: unregistered'],
    ['d14:failure reason3:\x07noe', 400, 'refused: no'],
    ['d14:failure reason0:e', 200, 'refused: it gave no reason'],
    ['d14:failure reasoni5ee', 200, 'refused: it gave no reason'],
    ['d14:failure reason4:busy8:retry in1:5e', 200, 'refused: busy', 300_000],
    ['d14:failure reason4:busy8:retry ini2ee', 200, 'refused: busy', 120_000],
    ['d14:failure reason4:busy8:retry ini-2ee', 200, 'refused: busy'],
    ['d14:failure reason4:busy8:retry in4:soone', 200, 'refused: busy'],
    ['d14:failure reason4:none8:retry in5:nevere', 200, 'refused: none', Number.POSITIVE_INFINITY],
  ];
  for (const [text, status, message, retryMs] of cases)
    t.match(failure(text, status), [message, retryMs], text.slice(0, 60));
});

t.test('scrape replies', async t => {
  const other = 'x'.repeat(20);
  const ours = Buffer.from(HASH).toString('latin1');
  const scrape = (text: string, status = 200) => parseScrapeReply(status, Buffer.from(text, 'latin1'), HASH);
  const row = 'd8:completei11e10:downloadedi13772e10:incompletei19ee';
  t.same(scrape(`d5:filesd20:${other}de20:${ours}${row}ee`), { seeds: 11, leechers: 19 });
  t.same(scrape(`d5:filesd20:${ours}d8:completei-1eeee`), { seeds: undefined, leechers: undefined });
  t.same(scrape(`d5:filesd20:${ours}i5eee`), { seeds: undefined, leechers: undefined });
  const unknown = /does not know this torrent/;
  for (const text of [`d5:filesd20:${other}${row}ee`, 'd5:filesdee', 'de', 'd5:filesi5ee'])
    t.throws(() => scrape(text), { message: unknown });
  t.throws(() => scrape('d14:failure reason2:noe'), { message: 'refused: no' });
  t.throws(() => scrape('<html>'), { message: /web page/ });
});

t.test('garbage of any kind is a TrackerError, never anything else', async t => {
  const random = seeded(9);
  const good = Buffer.from(
    'd8:intervali1800e5:peersld2:ip7:1.2.3.44:porti80eee6:peers618:iiiiiiiiiiiiiiiippe',
  );
  let read = 0;
  for (let i = 0; i < 5000; i++) {
    const bytes = Uint8Array.from(good);
    for (let flips = 0; flips < 3; flips++)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const cut = bytes.subarray(0, Math.floor(random() * (bytes.length + 9)));
    decodeReply(cut, random() < 0.5 ? 4 : 16);
    try {
      parseAnnounceReply(200, cut);
      read++;
    } catch (error) {
      if (!(error instanceof TrackerError)) return t.fail(String(error));
    }
  }
  t.ok(read > 0 && read < 5000, `${read} could be read all the same`);
});

const bep15 = vectors('bep15_udp_tracker');
t.test('UDP vectors of the corpus', { skip: bep15.skip }, async t => {
  const of = (id: string, field: string) => bep15.get(id, field);
  t.equal(hexOf(encodeConnect(305419896)), of('connect', 'request'));
  t.match(decodeReply(hex(of('connect', 'response')), 4), {
    connectionId: BigInt(`0x${of('connect', 'connection_id')}`),
  });
  const id = BigInt(`0x${of('announce', 'connection_id')}`);
  t.equal(hexOf(encodeAnnounce(id, 305419897, REQUEST, '')), of('announce', 'request'));
  t.match(decodeReply(hex(of('announce', 'response')), 4), {
    reply: { intervalMs: 1_705_000, leechers: 1, seeds: 0, peers: [{ host: '127.0.0.1', port: 6881 }] },
  });
  const two = decodeReply(hex(of('announce-two-peers', 'response')), 4);
  t.same(two?.action === 'announce' && places(two.reply.peers), ['127.0.0.1 6881', '127.0.0.1 6882']);
  t.equal(hexOf(encodeScrape(id, 0x1234567b, HASH)), of('scrape', 'request'));
  t.match(decodeReply(hex(of('scrape', 'response')), 4), { counts: { seeds: 1, leechers: 1 } });
  t.match(decodeReply(hex(of('error-bad-connection-id', 'response')), 4), {
    message: of('error-bad-connection-id', 'message'),
  });
  t.match(decodeReply(hex(of('announce-short-response', 'response')), 4), { action: 'malformed' });
  const six = decodeReply(hex(of('ipv6-response', 'response')), 16);
  t.same(six?.action === 'announce' && places(six.reply.peers), ['2001:db8::1 6881', '2001:db8::2 51413']);
  const withPath = encodeAnnounce(id, 1, REQUEST, '/dir?a=b&c=d');
  t.equal(hexOf(withPath.subarray(98)), of('bep41-urldata', 'option_bytes'));
});

const http = vectors('http_tracker');
t.test('HTTP vectors of the corpus', { skip: http.skip }, async t => {
  const answer = (id: string) => parseAnnounceReply(200, hex(http.get(id, 'response_hex')));
  t.match(answer('announce-live'), { seeds: 2, leechers: 1, intervalMs: 1_699_000, minIntervalMs: 849_000 });
  t.same(places(answer('announce-live').peers), ['127.0.0.1 6881', '127.0.0.1 6883', '127.0.0.1 6882']);
  t.match(answer('no-peers-external-ip'), { seeds: 3, leechers: 0, peers: [], externalHost: '1.2.3.4' });
  t.same(places(answer('compact-peer').peers), ['127.0.0.1 64551']);
  t.same(places(answer('dict-peers').peers), ['8.8.4.4 53']);
  t.same(places(answer('bep7-peers6').peers), [
    '105.105.105.105 28784',
    '6969:6969:6969:6969:6969:6969:6969:6969 28784',
  ]);
  for (const id of ['failure-reason', 'failure-with-other-keys'])
    t.throws(() => answer(id), { message: `refused: ${http.get(id, 'failure_reason')}` });
  t.throws(() => answer('wrong-string-length'), { message: /not that of a tracker/ });
  t.same(parseScrapeReply(200, hex(http.get('scrape-live', 'response_hex')), HASH), {
    seeds: 2,
    leechers: 1,
  });
  const compact = hex(http.get('bencode-npm-compact', 'peers_hex'));
  const list = parseAnnounceReply(200, concat(ascii(`d5:peers${compact.length}:`), compact, ascii('e')));
  t.equal(
    places(list.peers)
      .join(' ')
      .replaceAll(/ (\d+)(?= |$)/g, ':$1'),
    http.get('bencode-npm-compact', 'peers'),
  );
  const scrape = (field: string) => {
    const xs = infoHash(ascii('x'.repeat(20))) as InfoHash;
    return parseScrapeReply(200, ascii(http.get('scrape-spec-erratum', field)), xs);
  };
  t.same(scrape('corrected'), { seeds: 11, leechers: 19 });
  t.throws(() => scrape('response_text'), { message: /not that of a tracker/ });
});
