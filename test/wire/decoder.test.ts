import t from 'tap';
import type { CloseReason } from '../../src/torrent/errors.js';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';
import { Decoder, type DecoderOptions } from '../../src/wire/decoder.js';
import { pieceHeader } from '../../src/wire/encode.js';
import type { Block, WireMessage } from '../../src/wire/message.js';
import {
  BITFIELD_SAMPLES,
  concat,
  decodeAll,
  hex,
  SAMPLE_PIECES,
  SAMPLES,
  show,
  vectors,
} from './samples.js';

const fast: DecoderOptions = { fast: true, pieceCount: SAMPLE_PIECES };
const CHOKE = '00000001 00';

/** The bytes cut in two at every offset, cut into single bytes, and whole. */
function* cuts(bytes: Uint8Array): Generator<Uint8Array[]> {
  for (let at = 0; at <= bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
  yield Array.from(bytes, byte => Uint8Array.of(byte));
}

t.test('every message, however it is cut', async t => {
  for (const [digits, message] of [...SAMPLES, ...BITFIELD_SAMPLES]) {
    const wrong = [...cuts(hex(digits))].filter(
      chunks => decodeAll(new Decoder(fast), chunks).join() !== show(message),
    );
    t.same(wrong, [], digits);
  }
});

t.test('a stream of all messages, however it is cut', async t => {
  const stream = concat(...SAMPLES.map(([digits]) => hex(digits)));
  const expected = SAMPLES.map(([, message]) => show(message)).join('\n');
  const wrong = [...cuts(stream)].filter(
    chunks => decodeAll(new Decoder(fast), chunks).join('\n') !== expected,
  );
  t.same(wrong, []);
});

t.test('waits for the id before it judges a length', async t => {
  t.same(decodeAll(new Decoder(fast), [hex('ffffffff')]), []);
  t.same(decodeAll(new Decoder(fast), [hex('000000')]), []);
  t.same(decodeAll(new Decoder(fast), [hex('0000000d 06 0000')]), []);
});

t.test('refuses by the header alone', async t => {
  const cases: readonly (readonly [
    name: string,
    header: string,
    code: CloseReason,
    options?: DecoderOptions,
  ])[] = [
    ['choke with a body', '00000002 00', 'bad-message-length'],
    ['unchoke with a body', '00000002 01', 'bad-message-length'],
    ['interested with a body', '00000002 02', 'bad-message-length'],
    ['not interested with a body', '00000002 03', 'bad-message-length'],
    ['have too short', '00000004 04', 'bad-message-length'],
    ['have too long', '00000006 04', 'bad-message-length'],
    ['bitfield too short', '00000005 05', 'bad-message-length'],
    ['bitfield too long', '00000007 05', 'bad-message-length'],
    [
      'bitfield of an unknown number of pieces over the cap',
      '00040002 05',
      'message-too-long',
      { fast: true },
    ],
    ['bitfield of no pieces with a body', '00000002 05', 'bad-message-length', { fast: true, pieceCount: 0 }],
    ['request too short', '0000000c 06', 'bad-message-length'],
    ['request too long', '0000000e 06', 'bad-message-length'],
    ['piece without a block', '00000009 07', 'bad-message-length'],
    ['piece without a begin', '00000005 07', 'bad-message-length'],
    ['piece over the cap', '0002000a 07', 'message-too-long'],
    ['piece of a length that looks negative', '80000000 07', 'message-too-long'],
    ['cancel too short', '0000000c 08', 'bad-message-length'],
    ['cancel too long', '0000000e 08', 'bad-message-length'],
    ['port too short', '00000002 09', 'bad-message-length'],
    ['port too long', '00000004 09', 'bad-message-length'],
    ['suggest too short', '00000004 0d', 'bad-message-length'],
    ['suggest too long', '00000006 0d', 'bad-message-length'],
    ['have all with a body', '00000002 0e', 'bad-message-length'],
    ['have none with a body', '00000002 0f', 'bad-message-length'],
    ['reject too short', '0000000c 10', 'bad-message-length'],
    ['reject too long', '0000000e 10', 'bad-message-length'],
    ['allowed fast too short', '00000004 11', 'bad-message-length'],
    ['allowed fast too long', '00000006 11', 'bad-message-length'],
    ['extended without an id', '00000001 14', 'bad-message-length'],
    ['extended over the cap', '00020003 14', 'message-too-long'],
    ['unknown id over the cap', '00020002 fe', 'message-too-long'],
    ['four gigabytes', 'ffffffff 14', 'message-too-long'],
    ['suggest, fast not negotiated', '00000005 0d', 'fast-not-enabled', { fast: false }],
    ['have all, fast not negotiated', '00000001 0e', 'fast-not-enabled', { fast: false }],
    ['have none, fast not negotiated', '00000001 0f', 'fast-not-enabled', { fast: false }],
    ['reject, fast not negotiated', '0000000d 10', 'fast-not-enabled', { fast: false }],
    ['allowed fast, fast not negotiated', '00000005 11', 'fast-not-enabled', { fast: false }],
  ];
  for (const [name, header, code, options = fast] of cases) {
    const wrong = [...cuts(hex(header))].filter(
      chunks => decodeAll(new Decoder(options), chunks).join() !== code,
    );
    t.same(wrong, [], name);
  }
});

t.test('is dead after a fault', async t => {
  const decoder = new Decoder(fast);
  t.same(decodeAll(decoder, [hex(`00000005 04 00000001 00000002 00 ${CHOKE}`)]), [
    show({ type: 'have', index: 1 }),
    'bad-message-length',
  ]);
  t.same(decodeAll(decoder, [hex(CHOKE)]), []);
});

t.test('lengths at their caps', async t => {
  const caps: readonly (readonly [name: string, header: string, bodyLength: number])[] = [
    ['piece', '00020009 07', 8 + LIMITS.requestBytes],
    ['bitfield', '00040001 05', LIMITS.pieces / 8],
    ['extended', '00020002 14', 1 + LIMITS.extendedBytes],
    ['unknown', '00020001 fe', LIMITS.extendedBytes],
  ];
  for (const [name, header, bodyLength] of caps) {
    const decoder = new Decoder({ fast: true });
    const types: string[] = [];
    const sink = (message: WireMessage) => types.push(message.type);
    const whole = concat(hex(header), new Uint8Array(bodyLength));
    t.equal(decoder.push(whole.subarray(0, -1), sink), undefined);
    t.same(types, [], `${name}: a byte short`);
    decoder.push(whole.subarray(-1), sink);
    decoder.push(concat(hex(CHOKE), whole), sink);
    t.equal(types.slice(0, 2).join(), `${name},choke`);
  }
});

t.test('a bitfield may come at any time, as aria2 sends it', async t => {
  const fields = [...BITFIELD_SAMPLES.map(([digits]) => digits), '00000006 05 2100000080', '00000001 0e'];
  const others = [
    '',
    '00000002 14 00',
    '00000003 09 1ae1',
    CHOKE,
    '00000005 04 00000001',
    '00000005 11 00000001',
  ];
  for (const field of fields) {
    for (const before of others) {
      const lines = decodeAll(new Decoder(fast), [hex(before + field + field)]);
      t.match(lines.at(-1), /^\{/, `after ${before || 'nothing'}, and twice: ${field}`);
    }
  }
});

t.test('the number of pieces may become known later', async t => {
  const decoder = new Decoder({ fast: false });
  t.same(decodeAll(decoder, [hex('00000003 14 00 00')]).length, 1);
  decoder.pieceCount = 9;
  t.same(decodeAll(decoder, [hex('00000004 05')]), ['bad-message-length']);
  const other = new Decoder({ fast: false });
  t.same(decodeAll(other, [hex('00000004 05 010203')]), [show({ type: 'bitfield', bits: hex('010203') })]);
});

t.test('stop ends decoding between two messages of a chunk', async t => {
  const two = hex(`${CHOKE} ${CHOKE}`);
  for (const cut of [0, 3, 5]) {
    const decoder = new Decoder(fast);
    let seen = 0;
    const sink = () => {
      seen++;
      decoder.stop();
    };
    t.equal(decoder.push(two.subarray(0, cut), sink), undefined);
    t.equal(decoder.push(two.subarray(cut), sink), undefined);
    t.equal(decoder.push(hex('00000002 00'), sink), undefined, 'a fault is no longer of interest');
    t.equal(seen, 1, `cut at ${cut}`);
  }
});

t.test('messages without a body are shared and frozen', async t => {
  const seen: WireMessage[] = [];
  new Decoder(fast).push(hex(`${CHOKE} ${CHOKE} 00000000 00000000`), message => seen.push(message));
  t.equal(seen[0], seen[1]);
  t.equal(seen[2], seen[3]);
  t.ok(seen.every(Object.isFrozen));
});

t.test('where the bytes of a block lie', async t => {
  const piece = concat(pieceHeader(1, 0, BLOCK_LENGTH), new Uint8Array(BLOCK_LENGTH).fill(7));
  const decoder = new Decoder(fast);
  const blocks: Block[] = [];
  const sink = (message: WireMessage) => {
    if (message.type === 'piece') blocks.push(message.block);
  };

  const two = concat(piece, piece);
  decoder.push(two, sink);
  t.equal(blocks[0]?.data?.buffer, two.buffer, 'in the chunk when it holds the whole message');
  t.equal(blocks[1]?.data?.byteOffset, piece.length + 13);
  t.equal(decoder.assemblyBytes, 17, 'no assembly was needed');

  for (const cut of [1, 5, 6, 13, 14, piece.length - 1]) {
    decoder.push(piece.subarray(0, cut), sink);
    decoder.push(piece.subarray(cut), sink);
  }
  t.equal(blocks.length, 8);
  t.ok(blocks.every(block => block.length === BLOCK_LENGTH && block.data?.every(byte => byte === 7)));
  t.equal(
    new Set(blocks.slice(2).map(block => block.data?.buffer)).size,
    1,
    'one assembly is used again and again',
  );
  t.equal(decoder.assemblyBytes, piece.length);
});

t.test('memory for a message that straddles chunks', async t => {
  const judged = new Decoder({ fast: true });
  judged.push(hex('0002000a'), () => undefined);
  t.equal(judged.assemblyBytes, 17, 'none before the length was checked');
  judged.push(hex('07'), () => undefined);
  t.equal(judged.assemblyBytes, 17, 'none for a length that is refused');

  const large = new Decoder({ fast: true });
  large.push(hex('00020009 07'), () => undefined);
  t.equal(large.assemblyBytes, 4 + 9 + LIMITS.requestBytes, 'just what was announced');
  large.push(new Uint8Array(8 + LIMITS.requestBytes), () => undefined);
  t.equal(large.assemblyBytes, 17, 'and given back');

  const unknown = new Decoder({ fast: true });
  unknown.push(hex('00020001 fe 01'), () => undefined);
  t.equal(unknown.assemblyBytes, 17, 'what is ignored is not kept');
});

const wire = vectors('peer_wire');
t.test('vectors of other clients', { skip: wire.skip }, async t => {
  const decode = (id: string, field = 'message') =>
    decodeAll(new Decoder({ fast: true }), [hex(wire.get(id, field))]);
  const bodiless = {
    keepalive: 'keepAlive',
    choke: 'choke',
    unchoke: 'unchoke',
    interested: 'interested',
    'not-interested': 'notInterested',
    'have-all': 'haveAll',
    'have-none': 'haveNone',
  };
  for (const [id, type] of Object.entries(bodiless)) t.same(decode(id), [show({ type })], id);
  t.same(decode('have-42'), [show({ type: 'have', index: 42 })]);
  t.same(decode('port'), [show({ type: 'port', port: 43707 })]);
  t.same(decode('suggest'), [show({ type: 'suggest', index: 7 })]);
  t.same(decode('allowed-fast'), [show({ type: 'allowedFast', index: 7 })]);
  const body = { index: 1, begin: 16384, length: 16384 };
  for (const type of ['request', 'cancel', 'reject']) t.same(decode(type), [show({ type, ...body })], type);
  const block = { length: 16, data: hex('e502441275a628b2f2d160b72a5de0c1') };
  t.same(decode('live-request-piece', 'piece_message'), [show({ type: 'piece', index: 0, begin: 0, block })]);

  for (const id of ['bad-header-truncated', 'bad-one-byte-missing']) t.same(decode(id, 'stream'), [], id);
  for (const id of ['bad-request-too-short', 'bad-request-truncated', 'bad-choke-with-payload']) {
    t.same(decode(id, 'stream'), ['bad-message-length'], id);
  }
  t.same(decode('bad-huge-length', 'stream'), ['message-too-long']);
  const have = show({ type: 'have', index: 4294967295 });
  t.same(decode('bad-have-out-of-range', 'stream'), [have], 'for the swarm to judge');
});

const live = vectors('bep10_extended_handshake');
t.test('the first messages of other clients', { skip: live.skip }, async t => {
  const counts = { 'libtorrent-2.0.8': 3, 'aria2-1.36.0': 9, 'transmission-3.00': 2 };
  for (const [client, count] of Object.entries(counts)) {
    const handshake = live.get(`live-${client}`, 'extended_handshake_message');
    const stream = hex(handshake + live.get(`live-${client}`, 'other_first_messages'));
    const lines = decodeAll(new Decoder({ fast: true, pieceCount: 7 }), [stream]);
    t.equal(lines.length, count, client);
    t.equal(lines[1], show({ type: 'haveAll' }));
  }
});
