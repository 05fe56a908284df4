import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { GuardedSocket } from '../../src/discovery/guarded-socket.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { bytesOf, GOOD, HARMFUL, KILLERS, NODE_ID, TARGET } from './packets.js';

const LOOPBACK = '127.0.0.1';
const PING = bytesOf(GOOD.ping ?? '');
const ANSWER = bytesOf(GOOD['answer to a ping'] ?? '');

async function bound(t: Test): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket;
}

/** Sends the datagrams and then an answer, and gives what has come through the guard by then. */
async function through(t: Test, now: () => number, datagrams: readonly Uint8Array[]): Promise<Buffer[]> {
  const inside = await bound(t);
  const outside = await bound(t);
  const guarded = new GuardedSocket(inside, now);
  const passed: Buffer[] = [];
  const done = new Promise<void>(resolve =>
    guarded.on('message', (bytes: Buffer) => (bytes.equals(ANSWER) ? resolve() : passed.push(bytes))),
  );
  for (const datagram of datagrams) outside.send(datagram, inside.address().port, LOOPBACK);
  outside.send(ANSWER, inside.address().port, LOOPBACK);
  await done;
  return passed;
}

t.test('lets messages in and nothing else', async t => {
  const bad = Object.values({ ...KILLERS, ...HARMFUL }).map(bytesOf);
  const passed = await through(t, () => 0, [...bad, PING, ...bad]);
  t.strictSame(passed, [PING]);
});

t.test('lets in so many queries a second', async t => {
  let now = 0;
  const inside = createSocket('udp4');
  const guarded = new GuardedSocket(inside, () => now);
  t.teardown(() => inside.close());
  let passed = 0;
  guarded.on('message', () => passed++);
  const flood = (count: number, datagram: Buffer) => {
    for (let i = 0; i < count; i++) inside.emit('message', datagram, { address: LOOPBACK, port: 1 });
    return passed;
  };
  t.equal(flood(LIMITS.dhtQueriesPerSecond + 50, PING), LIMITS.dhtQueriesPerSecond);
  now = 999;
  t.equal(flood(1, PING), LIMITS.dhtQueriesPerSecond, 'the second is not over');
  t.equal(flood(5, ANSWER), LIMITS.dhtQueriesPerSecond + 5, 'answers do not count');
  now = 1000;
  t.equal(flood(1, PING), LIMITS.dhtQueriesPerSecond + 6);
  inside.emit('message', ANSWER, { address: LOOPBACK, port: 0 });
  t.equal(passed, LIMITS.dhtQueriesPerSecond + 6, 'nobody can be answered at port 0');
});

t.test('sends to single machines, short datagrams, and never throws', async t => {
  const inside = await bound(t);
  const outside = await bound(t);
  const guarded = new GuardedSocket(inside, () => 0);
  const port = outside.address().port;
  const got: Buffer[] = [];
  const last = new Promise<void>(resolve =>
    outside.on('message', bytes => {
      got.push(bytes);
      if (bytes.equals(PING)) resolve();
    }),
  );
  const wrong: readonly (readonly [string, number])[] = [
    ['255.255.255.255', port],
    ['239.1.2.3', port],
    ['0.0.0.0', port],
    ['::1', port],
    ['no-such-host.invalid', port],
    [LOOPBACK, 0],
    [LOOPBACK, 65536],
    [LOOPBACK, Number.NaN],
  ];
  for (const [host, to] of wrong) guarded.send(PING, 0, PING.length, to, host);
  const long = Buffer.concat([PING, Buffer.alloc(LIMITS.dhtReplyBytes)]);
  guarded.send(long, 0, long.length, port, LOOPBACK);
  const nodes = `5:nodes260:${`${NODE_ID}\x7f\0\0\x01\x1a\xe1`.repeat(10)}`;
  const full = bytesOf(`d1:rd2:id20:${TARGET}${nodes}e1:t2:aa1:y1:re`);
  guarded.send(full, 0, full.length, port, LOOPBACK);
  guarded.send(PING, 0, PING.length, port, LOOPBACK);
  await last;
  t.strictSame(
    got.map(bytes => bytes.length),
    [full.length - 2 * 26, PING.length],
    'the answer arrived cut to eight nodes, then the ping, and nothing else',
  );
});

t.test('is silent once closed, and says that it is', async t => {
  const inside = createSocket('udp4');
  const guarded = new GuardedSocket(inside, () => 0);
  let heard = 0;
  guarded.on('message', () => heard++);
  const closed = once(guarded, 'close');
  guarded.close();
  guarded.close();
  await closed;
  inside.emit('message', PING, { address: LOOPBACK, port: 1 });
  t.equal(heard, 0);
  inside.close();
  t.doesNotThrow(() => guarded.send(PING, 0, PING.length, 1, LOOPBACK));
});

t.test('survives the end of the socket below it, and its errors', async t => {
  const inside = createSocket('udp4');
  const guarded = new GuardedSocket(inside, () => 0);
  inside.emit('error', new Error('port unreachable'));
  inside.close();
  t.doesNotThrow(() => guarded.send(PING, 0, PING.length, 1, LOOPBACK));
});
