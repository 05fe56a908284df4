import t from 'tap';
import { infoHash, peerId } from '../../src/torrent/ids.js';
import {
  encodeHandshake,
  type Handshake,
  HandshakeDecoder,
  type HandshakeProgress,
  makePeerId,
} from '../../src/wire/handshake.js';
import { ascii, concat, hex, show, vectors } from './samples.js';

const PROTOCOL = '13 426974546f7272656e742070726f746f636f6c';
const HASH = '000102030405060708090a0b0c0d0e0f10111213';
const PEER = '2d5241303130302d a0a1a2a3a4a5a6a7a8a9aaab';
const BYTES = hex(`${PROTOCOL} 0000000000100005 ${HASH} ${PEER}`);
const theirs: Handshake = {
  infoHash: infoHash(hex(HASH))!,
  peerId: peerId(hex(PEER))!,
  fast: true,
  extended: true,
  dht: true,
};
const first48 = show({ state: 'infoHash', infoHash: hex(HASH) });

/** What a decoder says after each chunk. */
function feed(...chunks: Uint8Array[]): HandshakeProgress[] {
  const decoder = new HandshakeDecoder();
  return chunks.map(chunk => decoder.push(chunk));
}

t.test('encodes each reserved bit', async t => {
  t.same(encodeHandshake(theirs), BYTES);
  const none = { ...theirs, fast: false, extended: false, dht: false };
  const reserved = (handshake: Handshake) => encodeHandshake(handshake).subarray(20, 28);
  t.same(reserved(none), hex('0000000000000000'));
  t.same(reserved({ ...none, extended: true }), hex('0000000000100000'));
  t.same(reserved({ ...none, fast: true }), hex('0000000000000004'));
  t.same(reserved({ ...none, dht: true }), hex('0000000000000001'));
});

t.test('decodes each reserved bit and ignores the others', async t => {
  const flags = (reserved: string) => {
    const [progress] = feed(hex(`${PROTOCOL} ${reserved} ${HASH} ${PEER}`));
    if (progress?.state !== 'done') return undefined;
    const { extended, fast, dht } = progress.handshake;
    return { extended, fast, dht };
  };
  t.same(flags('0000000000000000'), { extended: false, fast: false, dht: false });
  t.same(flags('0000000000100000'), { extended: true, fast: false, dht: false });
  t.same(flags('0000000000000004'), { extended: false, fast: true, dht: false });
  t.same(flags('0000000000000001'), { extended: false, fast: false, dht: true });
  t.same(flags('ffffffffffefffFa'), { extended: false, fast: false, dht: false });
});

t.test('decodes at every cut, with what follows', async t => {
  const rest = hex('00000001');
  const stream = concat(BYTES, rest);
  for (let at = 0; at <= stream.length; at++) {
    const states = feed(stream.subarray(0, at), stream.subarray(at));
    const done = (left: Uint8Array) => show({ state: 'done', handshake: theirs, rest: left });
    if (at < 68) {
      t.equal(show(states[0]), at < 48 ? '{"state":"wait"}' : first48, `first part of ${at}`);
      t.equal(show(states[1]), done(rest), `second part after ${at}`);
    } else t.equal(show(states[0]), done(stream.subarray(68, at)), `first part of ${at}`);
  }
});

t.test('decodes byte by byte and tells the info hash once', async t => {
  const states = feed(...Array.from(BYTES, byte => Uint8Array.of(byte)));
  t.equal(states.filter(({ state }) => state === 'wait').length, 66);
  t.equal(show(states[47]), first48);
  t.equal(states[67]?.state, 'done');
});

t.test('what it tells is not a view of the chunk', async t => {
  const chunk = BYTES.slice();
  const [progress] = feed(chunk);
  chunk.fill(0);
  t.equal(show(progress), show({ state: 'done', handshake: theirs, rest: hex('') }));
});

t.test('is fatal at the first wrong byte of the protocol', async t => {
  for (let at = 0; at < 20; at++) {
    const wrong = BYTES.slice(0, at + 1);
    wrong[at]! ^= 0x20;
    const fatal = { state: 'fatal', reason: 'bad-handshake' };
    t.same(feed(wrong), [fatal]);
    t.same(feed(wrong.subarray(0, at), wrong.subarray(at)), [{ state: 'wait' }, fatal]);
  }
  t.same(feed(ascii('GET / HTTP/1.1\r\n')), [{ state: 'fatal', reason: 'bad-handshake' }]);
});

t.test('peer ids', async t => {
  const random = hex('000102030405060708090aff');
  const prefix = (version: string) => String.fromCharCode(...makePeerId(version, random).subarray(0, 8));
  t.equal(prefix('0.1.0'), '-RA0100-');
  t.equal(prefix('1.12.35'), '-RA1CZ0-');
  t.equal(prefix('2.0.99-beta.1'), '-RA20Z0-');
  t.equal(prefix('x'), '-RA0000-');
  t.same(makePeerId('0.1.0', random), concat(ascii('-RA0100-'), random));
  t.throws(() => makePeerId('0.1.0', hex('00')), RangeError);
});

const wire = vectors('peer_wire');
const live = vectors('bep10_extended_handshake');
t.test('handshakes of other clients', { skip: wire.skip }, async t => {
  const plain: Handshake = {
    infoHash: infoHash(hex(wire.get('handshake', 'info_hash')))!,
    peerId: peerId(ascii(wire.get('handshake', 'peer_id')))!,
    extended: false,
    fast: false,
    dht: false,
  };
  t.same(encodeHandshake(plain), hex(wire.get('handshake', 'handshake')));

  const runsDht = { 'libtorrent-2.0.8': true, 'aria2-1.36.0': false, 'transmission-3.00': false };
  for (const [client, dht] of Object.entries(runsDht)) {
    const bytes = hex(live.get(`live-${client}`, 'their_handshake'));
    const [progress] = feed(bytes);
    if (progress?.state !== 'done') return t.fail(client);
    t.match(progress.handshake, { extended: true, fast: true, dht }, client);
    t.same(progress.handshake.peerId, hex(live.get(`live-${client}`, 'peer_id_hex')));
    t.same(encodeHandshake(progress.handshake), bytes);
  }
});
