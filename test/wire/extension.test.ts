import t from 'tap';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';
import { encode } from '../../src/wire/encode.js';
import {
  ExtensionCodec,
  encodeExtensionHandshake,
  LOCAL_IDS,
  parseExtended,
} from '../../src/wire/extension.js';
import type { ExtensionHandshake, ExtensionMessage } from '../../src/wire/message.js';
import { seeded } from '../support/random.js';
import { ascii, concat, hex, show } from './samples.js';

const handshakeOf = (text: string) => show(parseExtended(0, ascii(text)));
const handshake = (fields: Omit<ExtensionHandshake, 'type'>): ExtensionHandshake => ({
  type: 'extensionHandshake',
  ...fields,
});
const nothing = show(handshake({}));
const BAD = show('bad-extension');

t.test('handshake: every field', async t => {
  const text =
    'd1:md11:lt_donthavei7e11:ut_metadatai2e6:ut_pexi1ee13:metadata_sizei211e1:pi6881e4:reqqi500e' +
    '11:upload_onlyi1e1:v10:rarest 0.16:yourip4:\x7f\x00\x00\x01e';
  const fields = handshake({
    utMetadata: 2,
    utPex: 1,
    dontHave: 7,
    metadataSize: 211,
    reqq: 500,
    uploadOnly: true,
    yourIp: hex('7f000001'),
    client: 'rarest 0.1',
    listenPort: 6881,
  });
  const warnings = t.capture(console, 'warn');
  t.same(encodeExtensionHandshake(fields), ascii(text));
  t.same(warnings(), [], 'the encoder finds nothing odd');
  t.equal(handshakeOf(text), show(fields));
});

t.test('handshake: all items are optional, others are ignored', async t => {
  t.equal(handshakeOf('de'), nothing);
  t.same(encodeExtensionHandshake(handshake({})), ascii('d1:mdee'));
  t.equal(handshakeOf('d1:ei1e4:ipv44:abcd1:md11:LT_metadatai1eee'), nothing);
  t.same(encodeExtensionHandshake(handshake({ uploadOnly: false })), ascii('d1:mde11:upload_onlyi0ee'));
  t.equal(handshakeOf('d11:upload_onlyi0ee'), show(handshake({ uploadOnly: false })));
  t.equal(
    handshakeOf(`d6:yourip16:${'\x01'.repeat(16)}e`),
    show(handshake({ yourIp: hex('01'.repeat(16)) })),
  );
});

t.test('handshake: fields of a wrong type or range are ignored', async t => {
  const useless = [
    'd1:mi1ee',
    'd1:mlee',
    'd1:m2:abe',
    'd1:md11:ut_metadata1:2ee',
    'd1:md11:ut_metadatai-1eee',
    'd1:md11:ut_metadatai256eee',
    'd1:md11:lt_donthavele6:ut_pexdeee',
    'd13:metadata_sizei0ee',
    'd13:metadata_sizei-5ee',
    `d13:metadata_sizei${LIMITS.metadataBytes + 1}ee`,
    'd13:metadata_size3:211e',
    'd1:pi0ee',
    'd1:pi65536ee',
    'd1:p4:6881e',
    'd1:p1:Pe',
    'd1:pli80eee',
    'd4:reqqi0ee',
    'd4:reqqi-1ee',
    'd4:reqqi99999999999999999999999999ee',
    'd11:upload_onlyi-1ee',
    'd11:upload_only1:1e',
    'd6:yourip5:abcdee',
    'd6:youripi4ee',
    'd1:vi1ee',
    'd1:v0:e',
  ];
  for (const text of useless) t.equal(handshakeOf(text), nothing, text);
});

t.test('handshake: large numbers and long names are cut', async t => {
  t.equal(handshakeOf('d4:reqqi5000000ee'), show(handshake({ reqq: LIMITS.pipelineMax })));
  const size = LIMITS.metadataBytes;
  t.equal(handshakeOf(`d13:metadata_sizei${size}ee`), show(handshake({ metadataSize: size })));
  const client = (name: string | Uint8Array) => {
    const bytes = typeof name === 'string' ? new TextEncoder().encode(name) : name;
    const message = parseExtended(0, concat(ascii(`d1:v${bytes.length}:`), bytes, ascii('e')));
    return typeof message === 'object' && message.type === 'extensionHandshake' ? message.client : undefined;
  };
  t.equal(client('x'.repeat(60_000)), 'x'.repeat(128));
  t.equal(client(`x${'µ'.repeat(100)}`), `x${'µ'.repeat(63)}`, 'no half of a character');
  t.equal(client(' µTorrent\t3\x1b[31m\x07\x7f\u0085\u202e\u2028.6\r\n'), 'µTorrent 3 [31m     .6');
  t.equal(client('\x00\x01'), undefined);
  t.equal(client(hex('41ff42')), 'A\ufffdB');
});

t.test('handshake: malformed', async t => {
  const malformed = [
    '',
    'd',
    'i1e',
    'le',
    '4:spam',
    'd1:m',
    'd1:mde',
    'd1:vi1e',
    'd1:v5:abce',
    'di1ei2ee',
    '\x00',
  ];
  for (const text of malformed) t.equal(handshakeOf(text), BAD, JSON.stringify(text));
  t.equal(handshakeOf('l'.repeat(100_000)), BAD);
  const long = (length: number) => `d1:x${length}:${' '.repeat(length)}e`;
  t.equal(handshakeOf(long(LIMITS.extensionDictBytes - 11)), nothing);
  t.equal(handshakeOf(long(LIMITS.extensionDictBytes - 10)), BAD);
  t.equal(handshakeOf(`d1:m${'d1:m'.repeat(100_000)}`), BAD);
});

t.test('handshake: the address is not a view of the chunk', async t => {
  for (const payload of [ascii('d6:yourip4:abcde'), Buffer.from('d6:yourip4:abcde')]) {
    const message = parseExtended(0, payload);
    payload.fill(0);
    t.equal(show(message), show(handshake({ yourIp: ascii('abcd') })));
  }
});

t.test('handshake: a key cannot reach the prototype', async t => {
  t.equal(handshakeOf('d9:__proto__d1:pi6881eee'), nothing);
  t.equal(handshakeOf('d1:md9:__proto__d11:ut_metadatai3eeee'), nothing);
  t.equal(({} as Record<string, unknown>).p, undefined);
});

const ut = (head: string, data = new Uint8Array(0)) =>
  show(parseExtended(LOCAL_IDS.utMetadata, concat(ascii(head), data)));

t.test('ut_metadata: requests and rejects', async t => {
  t.equal(ut('d8:msg_typei0e5:piecei3ee'), show({ type: 'metadataRequest', piece: 3 }));
  t.equal(ut('d8:msg_typei2e5:piecei0ee'), show({ type: 'metadataReject', piece: 0 }));
  t.equal(ut('d8:msg_typei3e5:piecei0ee'), undefined, 'an unknown msg_type is ignored');
  const last = LIMITS.metadataBytes / BLOCK_LENGTH - 1;
  t.equal(ut(`d8:msg_typei0e5:piecei${last}ee`), show({ type: 'metadataRequest', piece: last }));
  const malformed = [
    '',
    'x',
    'le',
    'de',
    'd5:piecei0ee',
    'd8:msg_type1:05:piecei0ee',
    'd8:msg_typei-1e5:piecei0ee',
    'd8:msg_typei0ee',
    'd8:msg_typei0e5:piecei-1ee',
    'd8:msg_typei0e5:piece1:0e',
    `d8:msg_typei0e5:piecei${last + 1}ee`,
    'd8:msg_typei0e5:piecei0e',
  ];
  for (const text of malformed) t.equal(ut(text), BAD, text);
});

t.test('ut_metadata: the data has the length its place demands', async t => {
  const data = (piece: number, totalSize: number, length: number) =>
    ut(`d8:msg_typei1e5:piecei${piece}e10:total_sizei${totalSize}ee`, new Uint8Array(length).fill(0x65));
  const good = (piece: number, totalSize: number, length: number) =>
    show({ type: 'metadataData', piece, totalSize, data: new Uint8Array(length).fill(0x65) });
  for (const [piece, total, length] of [
    [0, 1, 1],
    [0, 16384, 16384],
    [0, 16385, 16384],
    [1, 16385, 1],
    [2, 35000, 2232],
    [1919, LIMITS.metadataBytes, 16384],
  ] as const) {
    t.equal(data(piece, total, length), good(piece, total, length), `part ${piece} of ${total}`);
    t.equal(data(piece, total, length - 1), BAD, `part ${piece} of ${total}, a byte short`);
    t.equal(data(piece, total, length + 1), BAD, `part ${piece} of ${total}, a byte too many`);
  }
  t.equal(data(1, 16384, 0), BAD, 'beyond the end');
  t.equal(data(0, LIMITS.metadataBytes + 1, 16384), BAD, 'over the cap');
  t.equal(data(0, 0, 0), BAD);
  t.equal(ut('d8:msg_typei1e5:piecei0ee', new Uint8Array(16384)), BAD, 'no total_size');
});

t.test('lt_donthave', async t => {
  t.same(parseExtended(LOCAL_IDS.dontHave, hex('80000001')), { type: 'dontHave', index: 2147483649 });
  t.equal(parseExtended(LOCAL_IDS.dontHave, hex('000001')), 'bad-extension');
  t.equal(parseExtended(LOCAL_IDS.dontHave, hex('0000000001')), 'bad-extension');
});

t.test('ids that we did not announce are ignored', async t => {
  for (const id of [4, 5, 255]) t.equal(parseExtended(id, ascii('d1:mdee')), undefined);
});

t.test('codec: speaks with the ids the peer announced', async t => {
  const codec = new ExtensionCodec();
  const request: ExtensionMessage = { type: 'metadataRequest', piece: 1 };
  const dontHave: ExtensionMessage = { type: 'dontHave', index: 258 };
  t.equal(codec.encode(request), undefined, 'none yet');
  t.equal(codec.encode(dontHave), undefined);

  codec.decode(0, ascii('d1:md11:lt_donthavei7e11:ut_metadatai9eee'));
  codec.decode(0, ascii('d1:md6:ut_pexi1eee'));
  const bytes = (message: ExtensionMessage) => {
    const out = codec.encode(message);
    return out && encode(out);
  };
  const head = (length: string, text: string) => concat(hex(`${length} 14 09`), ascii(text));
  t.same(bytes(request), head('0000001b', 'd8:msg_typei0e5:piecei1ee'));
  t.same(bytes({ type: 'metadataReject', piece: 0 }), head('0000001b', 'd8:msg_typei2e5:piecei0ee'));
  t.same(
    bytes({ type: 'metadataData', piece: 0, totalSize: 3, data: ascii('abc') }),
    head('0000002e', 'd8:msg_typei1e5:piecei0e10:total_sizei3eeabc'),
  );
  t.same(bytes(dontHave), hex('00000006 14 07 00000102'));

  codec.decode(0, ascii('d1:md11:ut_metadatai0eee'));
  t.equal(codec.encode(request), undefined, '0 disables');
  t.same(bytes(dontHave), hex('00000006 14 07 00000102'), 'a later handshake states changes only');
  t.equal(codec.decode(0, ascii('d1:md11:ut_metadatai4e')), 'bad-extension');
  t.equal(codec.encode(request), undefined);
});

t.test('codec: a handshake announces our ids', async t => {
  const codec = new ExtensionCodec();
  const payload = (message: ExtensionHandshake) => codec.encode(message)?.payload;
  t.equal(codec.encode(handshake({}))?.id, 0);
  t.same(payload(handshake({ reqq: 9 })), ascii('d1:md11:lt_donthavei3e11:ut_metadatai2ee4:reqqi9ee'));
  t.same(payload(handshake({ utMetadata: 0 })), ascii('d1:md11:lt_donthavei3e11:ut_metadatai0eee'));
});

t.test('codec: what it encodes, another one decodes', async t => {
  const peer = new ExtensionCodec();
  peer.decode(0, new ExtensionCodec().encode(handshake({}))?.payload ?? hex(''));
  const messages: ExtensionMessage[] = [
    { type: 'metadataRequest', piece: 7 },
    { type: 'metadataReject', piece: 7 },
    { type: 'metadataData', piece: 1, totalSize: 16386, data: ascii('ee') },
    { type: 'dontHave', index: 4294967295 },
  ];
  for (const message of messages) {
    const sent = peer.encode(message);
    t.equal(sent && show(parseExtended(sent.id, sent.payload)), show(message));
  }
});

t.test('ten thousand damaged payloads', async t => {
  const random = seeded(9);
  const below = (limit: number) => Math.floor(random() * limit);
  const valid = [
    [0, 'd1:md11:lt_donthavei7e11:ut_metadatai2e6:ut_pexi1ee1:pi6881e4:reqqi500e1:v4:test6:yourip4:abcde'],
    [LOCAL_IDS.utMetadata, 'd8:msg_typei1e5:piecei0e10:total_sizei3eeabc'],
    [LOCAL_IDS.utMetadata, 'd8:msg_typei0e5:piecei0ee'],
  ] as const;
  const wrong: string[] = [];
  const outcomes = new Set<string>();
  for (let run = 0; run < 10_000; run++) {
    const [id, text] = valid[below(valid.length)]!;
    const bytes = Array.from(ascii(text));
    for (let left = 1 + below(3); left > 0; left--) {
      const at = below(bytes.length);
      const value = ascii('dlie:-0129\xff')[below(11)]!;
      if (random() < 0.3) bytes.splice(at, 1 + below(3));
      else if (random() < 0.5) bytes.splice(at, 0, value);
      else bytes[at] = value;
    }
    try {
      const result = parseExtended(id, Uint8Array.from(bytes));
      outcomes.add(typeof result === 'object' ? result.type : String(result));
    } catch (error) {
      wrong.push(`${String.fromCharCode(...bytes)}: ${error}`);
    }
  }
  t.same(wrong, []);
  const all = ['bad-extension', 'extensionHandshake', 'metadataData', 'metadataReject', 'metadataRequest'];
  t.same([...outcomes].sort(), [...all, 'undefined'], 'every outcome came up, and no other');
});
