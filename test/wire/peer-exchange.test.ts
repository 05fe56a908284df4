// ut_pex (BEP 11) as bytes.

import t from 'tap';
import { LIMITS } from '../../src/torrent/limits.js';
import { ExtensionCodec, LOCAL_IDS, parseExtended } from '../../src/wire/extension.js';
import type { PeerExchangeMessage, PexFlags, PexPeer } from '../../src/wire/message.js';
import { seeded } from '../support/random.js';
import { ascii, hex, show, vectors } from './samples.js';

const NONE: PexFlags = {
  encryption: false,
  uploadOnly: false,
  utp: false,
  holepunch: false,
  outgoing: false,
};
const ALL: PexFlags = { encryption: true, uploadOnly: true, utp: true, holepunch: true, outgoing: true };
const peer = (host: string, port: number, flags: Partial<PexFlags> = {}): PexPeer => ({
  host,
  port,
  flags: { ...NONE, ...flags },
});
const pex = (
  added: readonly PexPeer[],
  dropped: PeerExchangeMessage['dropped'] = [],
): PeerExchangeMessage => ({
  type: 'peerExchange',
  added,
  dropped,
});
const read = (payload: Uint8Array) => show(parseExtended(LOCAL_IDS.utPex, payload));

/** The payload for a peer that announced this id for ut_pex. */
function written(message: PeerExchangeMessage, id = 7) {
  const codec = new ExtensionCodec();
  codec.decode(0, ascii(`d1:md6:ut_pexi${id}eee`));
  return codec.encode(message);
}

/** Every list and every flag; the bytes are written out by hand from the field table of BEP 11. */
const FULL = pex(
  [
    peer('192.0.2.1', 6881, { encryption: true, uploadOnly: true, outgoing: true }),
    peer('198.51.100.7', 80, { holepunch: true }),
    peer('2001:db8::1', 6881, { utp: true }),
  ],
  [
    { host: '192.0.2.2', port: 6882 },
    { host: '2001:db8::2', port: 258 },
  ],
);
const FULL_HEX = [
  '64',
  '35 3a 6164646564 31 32 3a c0000201 1ae1 c6336407 0050',
  '37 3a 61646465642e66 32 3a 13 08',
  '36 3a 616464656436 31 38 3a 20010db8000000000000000000000001 1ae1',
  '38 3a 6164646564362e66 31 3a 04',
  '37 3a 64726f70706564 36 3a c0000202 1ae2',
  '38 3a 64726f7070656436 31 38 3a 20010db8000000000000000000000002 0102',
  '65',
].join('');

t.test('every list and flag, read and written', async t => {
  t.equal(read(hex(FULL_HEX)), show(FULL));
  t.same(written(FULL), { type: 'extended', id: 7, payload: hex(FULL_HEX) });
});

t.test('lists with nothing in them are not written; hosts that are names cannot be', async t => {
  t.same(
    written(pex([], [{ host: '1.2.3.4', port: 5 }]))?.payload,
    hex('64 37 3a 64726f70706564 36 3a 01020304 0005 65'),
  );
  const named = pex([peer('tracker.example', 1), peer('1.2.3.4', 5)], [{ host: 'x', port: 1 }]);
  t.same(written(named), written(pex([peer('1.2.3.4', 5)])));
});

t.test('an IPv4 address in the IPv6 list is an IPv4 address', async t => {
  const mapped = `64 36 3a 616464656436 31 38 3a ${'00'.repeat(10)}ffff 01020304 0005 65`;
  t.equal(read(hex(mapped)), show(pex([peer('1.2.3.4', 5)])));
});

t.test('what is broken is passed over, the rest is read', async t => {
  const two = peer('1.2.3.4', 5);
  const cases: readonly (readonly [text: string, added: readonly PexPeer[]])[] = [
    ['de', []],
    ['d5:added0:8:added6.f0:e', []],
    ['d5:added6:\x01\x02\x03\x04\x00\x05e', [two]],
    ['d5:added7:\x01\x02\x03\x04\x00\x05\x06e', []],
    ['d5:addedi6e6:added66:\x01\x02\x03\x04\x00\x05e', []],
    ['d5:addedl6:\x01\x02\x03\x04\x00\x05ee', []],
    ['d5:added6:\x01\x02\x03\x04\x00\x057:added.f2:\x01\x01e', [two]],
    ['d5:added6:\x01\x02\x03\x04\x00\x057:added.f0:e', [two]],
    ['d5:added6:\x01\x02\x03\x04\x00\x057:added.fi1ee', [two]],
    ['d5:added6:\x01\x02\x03\x04\x00\x057:added.f1:\xffe', [{ ...two, flags: ALL }]],
    ['d5:added6:\x01\x02\x03\x04\x00\x057:added.f1:\xe0e', [two]],
    ['d5:added6:\x01\x02\x03\x04\x00\x057:dropped5:abcdee', [two]],
    ['d3:foodee', []],
  ];
  for (const [text, added] of cases) t.equal(read(ascii(text)), show(pex(added)), JSON.stringify(text));
  for (const text of ['', 'le', 'i1e', 'd', 'd5:added', 'd5:added6:abce', '\x00'])
    t.equal(read(ascii(text)), show('bad-extension'), JSON.stringify(text));
});

t.test('long lists are cut', async t => {
  const count = LIMITS.pexListed + 50;
  const list = (key: string, stride: number) =>
    `${key.length}:${key}${count * stride}:${'\x01'.repeat(count * stride)}`;
  const flags = `7:added.f${count}:${'\x02'.repeat(count)}`;
  const text = `d${list('added', 6)}${flags}${list('added6', 18)}${list('dropped', 6)}${list('dropped6', 18)}e`;
  const message = parseExtended(LOCAL_IDS.utPex, ascii(text));
  if (typeof message !== 'object' || message.type !== 'peerExchange') return t.fail('no message');
  t.equal(message.added.length, 2 * LIMITS.pexListed);
  t.equal(message.dropped.length, 2 * LIMITS.pexListed);
  t.equal(message.added.filter(({ flags }) => flags.uploadOnly).length, LIMITS.pexListed, 'flags still fit');
  return undefined;
});

t.test(
  'the codec: sent under the id the peer announced, and only then; ours is announced by who asks for it',
  async t => {
    const codec = new ExtensionCodec();
    const message = pex([peer('1.2.3.4', 5)]);
    t.equal(codec.encode(message), undefined, 'never announced');
    codec.decode(0, ascii('d1:md6:ut_pexi9eee'));
    t.equal(codec.encode(message)?.id, 9);
    codec.decode(0, ascii('d1:pi80ee'));
    t.equal(codec.encode(message)?.id, 9, 'a later handshake states changes only');
    codec.decode(0, ascii('d1:md6:ut_pexi0eee'));
    t.equal(codec.encode(message), undefined, 'taken back');
    const announced = (utPex?: number) => codec.encode({ type: 'extensionHandshake', utPex })?.payload;
    t.same(announced(), ascii('d1:md11:lt_donthavei3e11:ut_metadatai2eee'));
    t.same(announced(LOCAL_IDS.utPex), ascii('d1:md11:lt_donthavei3e11:ut_metadatai2e6:ut_pexi1eee'));
  },
);

const bep11 = vectors('bep11_pex');

t.test('messages of other clients', { skip: bep11.skip }, async t => {
  const payload = (id: string) => hex(bep11.get(id, 'message')).subarray(6);
  const flags = { encryption: true, outgoing: true };
  t.equal(read(payload('anacrolix-full')), show(pex([peer('127.0.0.1', 21930, flags)])));
  t.equal(read(payload('transmission-3.00-live')), show(pex([peer('127.0.0.1', 0xcbb4)])));
  const two = hex(bep11.get('anacrolix-two', 'payload'));
  t.equal(read(two), show(pex([peer('1.2.3.4', 1286), peer('7.8.9.10', 2828)])));
  const both = hex(bep11.get('v4-and-v6', 'payload'));
  const added = [
    peer('192.0.2.1', 6881, { ...flags, uploadOnly: true }),
    peer('2001:db8::1', 6881, { utp: true }),
  ];
  t.equal(read(both), show(pex(added, [{ host: '192.0.2.2', port: 6882 }])));
});

t.test('ten thousand damaged payloads', async t => {
  const random = seeded(11);
  const below = (limit: number) => Math.floor(random() * limit);
  const whole = hex(FULL_HEX.replaceAll(' ', ''));
  const outcomes = new Set<string>();
  for (let run = 0; run < 10_000; run++) {
    const bytes = Array.from(whole);
    for (let left = 1 + below(3); left > 0; left--) {
      if (random() < 0.3) bytes.splice(below(bytes.length), 1 + below(3));
      else bytes[below(bytes.length)] = below(256);
    }
    const result = parseExtended(LOCAL_IDS.utPex, Uint8Array.from(bytes));
    outcomes.add(typeof result === 'object' ? result.type : String(result));
    if (typeof result !== 'object' || result.type !== 'peerExchange') continue;
    const broken = [...result.added, ...result.dropped].find(({ host, port }) => host === '' || !(port >= 0));
    if (broken) t.fail(show(broken));
  }
  t.same([...outcomes].sort(), ['bad-extension', 'peerExchange']);
});
