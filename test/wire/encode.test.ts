import t from 'tap';
import { BlockList } from '../../src/torrent/block-list.js';
import { Geometry } from '../../src/torrent/geometry.js';
import { encode, encodeRequests, pieceHeader } from '../../src/wire/encode.js';
import type { WireMessage } from '../../src/wire/message.js';
import { BITFIELD_SAMPLES, concat, hex, SAMPLES } from './samples.js';

function encodeAny(message: WireMessage): Uint8Array | undefined {
  if (message.type === 'unknown') return undefined;
  if (message.type !== 'piece') return encode(message);
  const { index, begin, block } = message;
  return concat(pieceHeader(index, begin, block.length), block.data ?? hex(''));
}

t.test('every message', async t => {
  for (const [digits, message] of [...SAMPLES, ...BITFIELD_SAMPLES]) {
    if (message.type === 'unknown') continue;
    t.same(encodeAny(message), hex(digits), digits);
  }
});

t.test('the header of the largest block', async t => {
  t.same(pieceHeader(4294967295, 2147483648, 131072), hex('00020009 07 ffffffff 80000000'));
});

t.test('encoded bytes belong to the caller', async t => {
  const first = encode({ type: 'choke' });
  first.fill(0xff);
  t.same(encode({ type: 'choke' }), hex('00000001 00'));
});

t.test('requests in one buffer', async t => {
  const geometry = new Geometry(3 * 32768, 32768);
  const blocks = new BlockList(4);
  t.same(encodeRequests(blocks), hex(''));
  for (const piece of geometry.pieces()) if (piece !== 1) blocks.push(piece, 16384, 16384);
  t.same(
    encodeRequests(blocks),
    hex('0000000d 06 00000000 00004000 00004000 0000000d 06 00000002 00004000 00004000'),
  );
});
