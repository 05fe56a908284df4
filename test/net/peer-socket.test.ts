import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { receiveBuffer, type SharedMemory } from '../../src/net/peer-socket.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { acceptedPair, dialledPair, LOOPBACK, Recorder, read } from './sockets.js';

const MEBIBYTE = 1024 * 1024;
const PAIRS = { dialled: dialledPair, accepted: acceptedPair };

/** Bytes that show where they belong: the period is prime, so that no buffer's length hides a loss. */
function pattern(length: number): Buffer {
  const period = Buffer.alloc(65_521);
  for (let at = 0; at < period.length; at++) period[at] = at + (at >> 8);
  return Buffer.alloc(length, period);
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

function closed(socket: Socket): Promise<void> {
  return new Promise(resolve => socket.once('close', () => resolve()));
}

for (const [kind, pair] of Object.entries(PAIRS)) {
  t.test(`${kind}: bytes arrive in order, however they are cut`, async t => {
    const { peer, recorder, far } = await pair(t);
    const bytes = pattern(3 * MEBIBYTE + 7);
    for (let at = 0, size = 1; at < bytes.length; at += size, size = size * 3 + 1) {
      far.write(bytes.subarray(at, at + size));
      if (size < 1000) await turn();
    }
    await recorder.until(() => peer.bytesRead === bytes.length);
    t.ok(recorder.bytes.equals(bytes));
  });

  t.test(`${kind}: bytes leave in order, blocks and messages mixed`, async t => {
    const { peer, far } = await pair(t);
    const block = pattern(16_384);
    peer.write(Buffer.from('hello'));
    peer.writeBlock(Buffer.from('header'), block);
    await turn();
    peer.write(Buffer.from('bye'));
    const expected = Buffer.concat([Buffer.from('hello'), Buffer.from('header'), block, Buffer.from('bye')]);
    t.equal(peer.bytesWritten, expected.length);
    t.ok((await read(far, expected.length)).equals(expected));
  });

  t.test(`${kind}: the writes of one turn leave together`, async t => {
    const { peer, far } = await pair(t);
    const first = once(far.resume(), 'data');
    for (let i = 0; i < 50; i++) peer.write(Buffer.from('abcd'));
    await Promise.resolve();
    peer.write(Buffer.from('abcd'));
    t.equal(peer.bufferedBytes, 51 * 4, 'nothing has left yet');
    const [chunk] = await first;
    t.equal(String(chunk), 'abcd'.repeat(51));
    t.equal(peer.bufferedBytes, 0);
  });

  t.test(`${kind}: backpressure is seen, and its end told`, async t => {
    const { peer, recorder, far } = await pair(t);
    const block = pattern(16_384);
    let written = 0;
    while (written < 64 * MEBIBYTE && peer.bufferedBytes < LIMITS.sendBufferBytes) {
      peer.writeBlock(Buffer.alloc(13), block);
      written += 13 + block.length;
      if (peer.bufferedBytes >= LIMITS.sendBufferBytes) await turns(20);
    }
    t.ok(peer.bufferedBytes >= LIMITS.sendBufferBytes, 'the other end does not read');
    const { drains } = recorder;
    const drained = recorder.until(() => recorder.drains > drains);
    const [bytes] = await Promise.all([read(far, written), drained]);
    t.equal(bytes.length, written);
    t.equal(peer.bufferedBytes, 0);
  });

  t.test(`${kind}: shared memory is held until the kernel has taken it`, async t => {
    const { peer, recorder, far } = await pair(t);
    const holders = [0, 0];
    const memory = holders.map((_, at) => ({
      retain: () => void holders[at]!++,
      release: () => void holders[at]!--,
    })) as [SharedMemory, SharedMemory];
    const block = pattern(LIMITS.sendBufferBytes);
    const small = Buffer.from('small');
    peer.writeShared(small, memory[0]);
    peer.writeShared(small, memory[0]);
    t.same(holders, [1, 0], 'held once');
    let written = 2 * small.length;
    while (written < 64 * MEBIBYTE && peer.bufferedBytes < LIMITS.sendBufferBytes) {
      peer.writeShared(block, memory[1]);
      written += block.length;
      await turns(20);
    }
    t.same(holders, [0, 1], 'the first has left');
    const { drains } = recorder;
    await Promise.all([read(far, written), recorder.until(() => recorder.drains > drains)]);
    t.same(holders, [0, 0]);
    peer.writeShared(small, memory[0]);
    t.same(holders, [1, 0]);
    peer.destroy();
    await closed(far.resume());
    t.same(holders, [0, 0], 'nothing is held when it is over');
    peer.writeShared(small, memory[0]);
    t.same(holders, [0, 0]);
  });

  t.test(`${kind}: what is paused is not read, and nothing is lost by it`, async t => {
    const { peer, recorder, far } = await pair(t);
    far.write('before');
    await recorder.until(() => peer.bytesRead === 6);
    peer.pause();
    const bytes = pattern(20 * MEBIBYTE);
    far.write(bytes);
    await turns(200);
    t.ok(far.writableLength > 0, 'the kernel holds some of it, the sender the rest');
    t.ok(peer.bytesRead <= 6 + 65_536, 'at most what was read already arrives');
    peer.resume();
    await recorder.until(() => peer.bytesRead === 6 + bytes.length);
    t.ok(recorder.bytes.subarray(6).equals(bytes));
  });

  t.test(`${kind}: pausing while bytes arrive holds the next ones back`, async t => {
    const { peer, recorder, far } = await pair(t);
    let calls = 0;
    const pausing = Object.assign(new Recorder(), {
      onData: (chunk: Uint8Array) => {
        calls++;
        peer.pause();
        recorder.onData(chunk);
        setImmediate(() => peer.resume());
      },
    });
    peer.attach(pausing);
    const bytes = pattern(MEBIBYTE);
    far.write(bytes);
    await recorder.until(() => recorder.bytes.length >= bytes.length);
    t.ok(calls > 1);
  });

  t.test(`${kind}: the peer ends it`, async t => {
    const { recorder, far } = await pair(t);
    far.end('last words');
    await recorder.until(() => recorder.closed !== undefined);
    t.equal(recorder.bytes.toString(), 'last words');
    t.equal(recorder.closed, 'remote-closed');
  });

  t.test(`${kind}: the peer resets it`, async t => {
    const { peer, recorder, far } = await pair(t);
    far.resetAndDestroy();
    await recorder.until(() => recorder.closed !== undefined);
    t.equal(recorder.closed, 'remote-closed');
    peer.write(Buffer.from('too late'));
    t.equal(peer.bytesWritten, 0);
    peer.resume();
    peer.destroy();
  });

  t.test(`${kind}: we end it, and are told nothing more`, async t => {
    const { peer, recorder, far } = await pair(t);
    const ended = closed(far.resume());
    far.write('ignored');
    peer.write(Buffer.from('lost'));
    peer.destroy();
    peer.destroy();
    await ended;
    t.equal(recorder.received.length, 0);
    t.equal(recorder.closed, undefined);
  });

  t.test(`${kind}: ended while its bytes are looked at`, async t => {
    const { peer, recorder, far } = await pair(t);
    const ending = Object.assign(new Recorder(), {
      onData: (chunk: Uint8Array) => {
        recorder.onData(chunk);
        peer.destroy();
      },
    });
    peer.attach(ending);
    const ended = closed(far.resume());
    far.write(pattern(4 * MEBIBYTE));
    await ended;
    t.ok(recorder.received.length <= 2);
    t.equal(ending.closed, undefined);
  });
}

t.test('many dialled sockets share one receive buffer, and none sees bytes of another', async t => {
  t.equal(receiveBuffer(1024).length, 1024);
  if (process.platform !== 'win32') t.equal(receiveBuffer(1024).buffer, receiveBuffer(4096).buffer);
  const pairs = await Promise.all(Array.from({ length: 8 }, () => dialledPair(t)));
  const sent = pairs.map((_, index) => Buffer.alloc(MEBIBYTE + index, index));
  for (const [index, { far }] of pairs.entries()) far.write(sent[index]!);
  await Promise.all(
    pairs.map(({ peer, recorder }, i) => recorder.until(() => peer.bytesRead === sent[i]!.length)),
  );
  for (const [index, { recorder, peer }] of pairs.entries()) {
    t.ok(recorder.bytes.equals(sent[index]!));
    t.equal(peer.address.host, LOOPBACK);
    t.equal(peer.incoming, false);
  }
});
