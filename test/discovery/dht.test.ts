import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { DhtDiscovery, type DhtOptions } from '../../src/discovery/dht.js';
import { infoHash } from '../../src/torrent/ids.js';
import { LIMITS } from '../../src/torrent/limits.js';
import type { HostPort } from '../../src/torrent/metainfo-types.js';
import { seeded } from '../support/random.js';
import { bytesOf, GOOD, HARMFUL, KILLER_ANSWERS, KILLERS, NODE_ID } from './packets.js';

const LOOPBACK = '127.0.0.1';
const TORRENT = infoHash(new Uint8Array(20).fill(0x77))!;
/** Nobody answers there. */
const NOBODY: readonly HostPort[] = [{ host: LOOPBACK, port: 1 }];

/** A node of ours on a free port of loopback. */
async function node(
  t: Test,
  options: Partial<DhtOptions> = {},
): Promise<{ dht: DhtDiscovery; at: HostPort }> {
  const dht = new DhtDiscovery({ bootstrap: NOBODY, remembered: [], host: LOOPBACK, ...options });
  t.teardown(() => dht.stop());
  return { dht, at: { host: LOOPBACK, port: await dht.listen(0) } };
}

/** The first peer that a node hears of. */
function firstPeer(dht: DhtDiscovery, port?: number): Promise<HostPort> {
  return new Promise(resolve => dht.add(TORRENT, { port, needsPeers: () => true, onPeer: resolve }));
}

async function bareSocket(t: Test): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket;
}

t.test('a private DHT of eight: announced on one, found on another', async t => {
  const first = await node(t);
  const others: Awaited<ReturnType<typeof node>>[] = [];
  for (let i = 1; i < 8; i++) others.push(await node(t, { bootstrap: [first.at] }));
  const announced = new Promise<HostPort>(resolve =>
    others[2]?.dht.add(TORRENT, { port: 4242, needsPeers: () => true, onPeer: resolve }),
  );
  const leecher = await node(t, { bootstrap: [NOBODY[0]!, { host: 'a..b', port: 1 }, others[6]!.at] });
  t.strictSame(await firstPeer(leecher.dht), { host: LOOPBACK, port: 4242 });
  t.strictSame(await announced, { host: LOOPBACK, port: 4242 }, 'it may hear of itself');
  t.ok(leecher.dht.nodeCount > 0);
  t.match(leecher.dht.nodes()[0], { host: LOOPBACK, port: Number });
});

t.test('two nodes alone: who is asked learns who asks', async t => {
  const seed = await node(t);
  seed.dht.add(TORRENT, { port: 4243, needsPeers: () => false, onPeer: () => {} });
  const leecher = await node(t, { bootstrap: [seed.at] });
  t.strictSame(await firstPeer(leecher.dht), { host: LOOPBACK, port: 4243 });
});

t.test('a look only is not announced', async t => {
  const tracker = await node(t);
  const looker = await node(t, { bootstrap: [tracker.at] });
  const found: HostPort[] = [];
  looker.dht.add(TORRENT, { port: undefined, needsPeers: () => true, onPeer: peer => found.push(peer) });
  const seed = await node(t, { bootstrap: [tracker.at] });
  t.strictSame(await firstPeer(seed.dht, 4244), { host: LOOPBACK, port: 4244 });
  t.ok(found.every(peer => peer.port === 4244));
});

t.test('a node heard of later, remembered or named by a torrent, will do', async t => {
  const hub = await node(t);
  hub.dht.add(TORRENT, { port: 4245, needsPeers: () => false, onPeer: () => {} });
  const remembering = await node(t, { remembered: [...NOBODY, hub.at] });
  t.strictSame(await firstPeer(remembering.dht), { host: LOOPBACK, port: 4245 });
  const told = await node(t);
  const found = firstPeer(told.dht);
  told.dht.addNode({ host: '::1', port: 1 });
  told.dht.addNode({ host: LOOPBACK, port: 0 });
  told.dht.addNode(hub.at);
  t.strictSame(await found, { host: LOOPBACK, port: 4245 });
});

t.test('what is found is dialable, reported once, and no more of it than can be kept', async t => {
  const answering = await bareSocket(t);
  const compact = (first: number, port: number, last = 1) => [first, 0, 0, last, port >> 8, port & 255];
  const useless = [compact(10, 0), compact(0, 80), compact(224, 80), compact(255, 80)];
  const good = [compact(10, 80), compact(10, 80), compact(127, 81)];
  answering.on('message', (query, from) => {
    const transaction = query.subarray(query.indexOf('1:t2:') + 5).subarray(0, 2);
    const peers = [...useless, ...good].map(bytes => Buffer.from([0x36, 0x3a, ...bytes]));
    const answer = [
      bytesOf(`d1:rd2:id20:${NODE_ID}6:valuesl`),
      ...peers,
      bytesOf('ee1:t2:'),
      transaction,
      bytesOf('1:y1:re'),
    ];
    answering.send(Buffer.concat(answer), from.port, from.address);
  });
  const { dht } = await node(t, { bootstrap: [{ host: LOOPBACK, port: answering.address().port }] });
  const found: string[] = [];
  await new Promise<void>(resolve =>
    dht.add(TORRENT, {
      port: undefined,
      needsPeers: () => true,
      onPeer: peer => {
        found.push(`${peer.host}:${peer.port}`);
        if (peer.port === 81) resolve();
      },
    }),
  );
  t.strictSame(found, ['10.0.0.1:80', '127.0.0.1:81']);
});

t.test('survives killers and a thousand mutations', async t => {
  const { at } = await node(t);
  const outside = await bareSocket(t);
  const random = seeded(44);
  const models = Object.values({ ...GOOD, ...KILLERS, ...KILLER_ANSWERS, ...HARMFUL }).map(bytesOf);
  for (const packet of models) outside.send(packet, at.port, at.host);
  for (let i = 0; i < 1000; i++) {
    const packet = Buffer.from(models[Math.floor(random() * models.length)] ?? []);
    if (packet.length > 0) packet[Math.floor(random() * packet.length)] = Math.floor(random() * 256);
    outside.send(packet, at.port, at.host);
  }
  // The flood has used up this second's answers, so the ping goes out until one comes back.
  const ping = bytesOf(`d1:ad2:id20:${NODE_ID}e1:q4:ping1:t4:last1:y1:qe`);
  const again = setInterval(() => outside.send(ping, at.port, at.host), 50);
  t.teardown(() => clearInterval(again));
  const answered = await new Promise<Buffer>(resolve =>
    outside.on('message', bytes => {
      if (bytes.includes('1:t4:last')) resolve(bytes);
    }),
  );
  t.equal(answered.subarray(-'1:y1:re'.length).toString(), '1:y1:re');
});

t.test('a taken port is a NETWORK error, and another one can be tried', async t => {
  const taken = await bareSocket(t);
  const dht = new DhtDiscovery({ bootstrap: NOBODY, remembered: [], host: LOOPBACK });
  const { port } = taken.address();
  await t.rejects(dht.listen(port), {
    code: 'NETWORK',
    message: `listening on UDP port ${port}: address in use`,
    hint: /--port/,
  });
  t.not(await dht.listen(0), port);
  await dht.stop();
});

t.test('stops at any time, twice, and leaves no handle', async t => {
  const before = process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
  const idle = new DhtDiscovery({ bootstrap: [], remembered: NOBODY });
  idle.add(TORRENT, { port: 1, needsPeers: () => true, onPeer: () => {} });
  await idle.stop();

  const busy = new DhtDiscovery({ bootstrap: NOBODY, remembered: NOBODY, host: LOOPBACK });
  const port = await busy.listen(0);
  const search = busy.add(TORRENT, { port: 1, needsPeers: () => true, onPeer: () => {} });
  await Promise.all([busy.stop(), busy.stop()]);
  await busy.stop();
  search.remove();
  busy.addNode({ host: LOOPBACK, port: 1 });
  t.equal(process.getActiveResourcesInfo().filter(name => name === 'Timeout').length, before);
  const reuse = createSocket('udp4');
  reuse.bind(port, LOOPBACK);
  await once(reuse, 'listening');
  reuse.close();

  const late = new DhtDiscovery({ bootstrap: NOBODY, remembered: [], host: LOOPBACK });
  const listening = late.listen(0);
  await late.stop();
  await t.rejects(listening, { code: 'NETWORK' }, 'stopped before it could listen');
});

t.test('remembers no more nodes than it may', async t => {
  const many = Array.from({ length: 2 * LIMITS.dhtNodesKept }, () => NOBODY[0]!);
  const { dht } = await node(t, { remembered: many });
  for (const one of many) dht.addNode(one);
  t.strictSame(dht.nodes(), []);
  t.equal(dht.nodeCount, 0);
});
