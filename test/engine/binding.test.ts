// --bind in the engine: what a name stands for, that every kind of socket has the bound address, and that all ends when
// the address goes. Whoever is talked to listens on 127.0.0.1 and sees where we come from, 127.0.0.2.

import { createSocket } from 'node:dgram';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import bencode from 'bencode';
import t, { type Test } from 'tap';
import type { Interfaces } from '../../src/discovery/multicast-group.js';
import { bindingTo, isHeld, lostBinding } from '../../src/engine/binding.js';
import { rememberedNodes } from '../../src/engine/dht-memory.js';
import type { Bound } from '../../src/engine/options.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { boundTo } from '../support/bound.js';
import { contentOf } from '../support/content.js';
import { EngineRun, folder, handlesOpen, nothingOpen, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';

function cards(...addresses: string[]): NetworkInterfaceInfo[] {
  return addresses.map(address => {
    const common = { address, netmask: '', mac: '', internal: address === '127.0.0.1', cidr: null };
    return address.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
  });
}

const MACHINE: Interfaces = {
  lo: cards('127.0.0.1', '::1'),
  eth0: cards('fe80::1', '192.0.2.7', '2001:db8::7'),
  tun0: cards('fd00:0:0::2', '10.8.0.2', '10.8.0.3'),
  ll0: cards('fe80::9'),
};

t.test('what a name stands for', async t => {
  const addressesOf = (name: string) => bindingTo(name, MACHINE).addresses;
  t.same(bindingTo('tun0', MACHINE), { name: 'tun0', addresses: ['10.8.0.2', '10.8.0.3', 'fd00::2'] });
  t.same(addressesOf('eth0'), ['192.0.2.7', '2001:db8::7'], 'link-local ones are left out');
  t.same(addressesOf('ll0'), ['fe80::9%ll0'], 'unless there is nothing else');
  t.same(addressesOf('10.8.0.3'), ['10.8.0.3'], 'one of several');
  t.same(addressesOf('2001:DB8:0::7'), ['2001:db8::7']);
  t.same(addressesOf('::ffff:10.8.0.2'), ['10.8.0.2']);
  t.same(addressesOf('fe80::1'), ['fe80::1%eth0']);
  t.same(addressesOf('fe80::1%eth0'), ['fe80::1%eth0']);
  t.same(addressesOf('127.0.0.2'), ['127.0.0.2'], 'the loopback network is one machine');
});

t.test('what is not here is refused, and the hint says what is', async t => {
  const hint =
    'there are lo (127.0.0.1, ::1), eth0 (fe80::1%eth0, 192.0.2.7, 2001:db8::7), ' +
    'tun0 (fd00::2, 10.8.0.2, 10.8.0.3), ll0 (fe80::9%ll0)';
  for (const name of ['192.0.2.8', '::2', 'fe80::1%tun0', '0.0.0.0', '::', '255.255.255.255']) {
    t.throws(() => bindingTo(name, MACHINE), {
      code: 'NETWORK',
      message: `binding to ${name}: this machine has no such address`,
      hint,
    });
  }
  for (const name of ['tun1', 'TUN0', 'constructor', '__proto__']) {
    t.throws(() => bindingTo(name, MACHINE), {
      code: 'NETWORK',
      message: `binding to ${name}: no interface of that name has an address`,
      hint,
    });
  }
  t.throws(() => bindingTo('down0', { ...MACHINE, down0: [] }), { code: 'NETWORK' });
  t.throws(() => bindingTo('tun0', {}), { code: 'NETWORK', hint: 'there is no interface with an address' });
  t.throws(() => bindingTo('127.0.0.2', { eth0: MACHINE.eth0 }), { code: 'NETWORK' }, 'no loopback');
});

t.test('every address has to stay where it is', async t => {
  const tunnel = bindingTo('tun0', MACHINE);
  const changed = (...addresses: string[]) => ({ ...MACHINE, tun0: cards(...addresses) });
  t.ok(isHeld(tunnel, MACHINE));
  t.ok(isHeld(tunnel, changed('10.8.0.3', '10.8.0.2', 'fd00::2', 'fd00::3')), 'another one may come');
  t.notOk(isHeld(tunnel, changed('10.8.0.2', 'fd00::2')), 'one of several');
  t.notOk(isHeld(tunnel, changed('10.8.0.9', '10.8.0.3', 'fd00::2')), 'a change');
  t.notOk(isHeld(tunnel, { lo: MACHINE.lo, tun1: MACHINE.tun0 }), 'elsewhere');
  t.notOk(isHeld(tunnel, {}));
  t.ok(isHeld(bindingTo('10.8.0.2', MACHINE), { tun7: cards('10.8.0.2') }), 'an address may move');
  t.ok(isHeld(bindingTo('127.0.0.2', MACHINE), { lo: MACHINE.lo }));
  const local = bindingTo('ll0', MACHINE);
  t.ok(isHeld(local, { ...MACHINE, ll0: cards('fe80::9', '192.0.2.1') }));
  t.match(lostBinding(tunnel), {
    code: 'NETWORK',
    message: 'lost the bound interface: tun0 (10.8.0.2, 10.8.0.3, fd00::2) is gone or has changed',
  });
});

const CONTENT = contentOf(100_001);
const FROM = '127.0.0.2';
const SEED = { seed: { ratio: undefined, timeMs: undefined } };

/** Bound to 127.0.0.2 until `lose` is called. */
function bound() {
  const losses: TorrentError[] = [];
  let interfaces: Interfaces = { lo: cards('127.0.0.1') };
  const option: Bound = {
    binding: bindingTo(FROM, interfaces),
    interfaces: () => interfaces,
    onLost: error => losses.push(error),
  };
  const lose = () => {
    interfaces = {};
  };
  return { option, losses, lose };
}

async function serve(t: Test, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A lonely DHT node, and a UDP tracker that refuses; `heard` is the address of the first to send to it. */
async function ear(t: Test) {
  const socket = createSocket('udp4');
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  t.teardown(() => socket.close());
  socket.on('message', (datagram, from) => {
    if (datagram[0] !== 'd'.charCodeAt(0)) {
      const transaction = datagram.subarray(12, 16);
      return socket.send(Buffer.concat([Buffer.of(0, 0, 0, 3), transaction]), from.port, from.address);
    }
    const { t } = bencode.decode(datagram);
    const r = { id: Buffer.alloc(20, 7), token: Buffer.from('token'), nodes: Buffer.alloc(0) };
    return socket.send(bencode.encode({ t, y: 'r', r }), from.port, from.address);
  });
  const heard = new Promise<string>(resolve => socket.once('message', (_, from) => resolve(from.address)));
  return { port: socket.address().port, heard };
}

t.test('every socket has the bound address', async t => {
  const seen: string[] = [];
  const note = (what: string, { socket }: IncomingMessage) => seen.push(`${what} ${socket.remoteAddress}`);
  const web = await serve(t, (request, response) => {
    if (request.url?.startsWith('/announce')) {
      note('tracker', request);
      return response.end('d8:intervali900e5:peers0:e');
    }
    note('web seed', request);
    const [, from = 0, to = 0] = /(\d+)-(\d+)$/.exec(request.headers.range ?? '')?.map(Number) ?? [];
    const range = { 'content-range': `bytes ${from}-${to}/${CONTENT.data.length}` };
    return response.writeHead(206, range).end(CONTENT.data.subarray(from, to + 1));
  });
  const [tracker, node] = [await ear(t), await ear(t)];
  // It has one piece: the rest comes from the web seed.
  const peer = await FakePeer.listen(t, CONTENT, { have: [0] });
  const { option, losses } = bound();
  const run = await EngineRun.start(t, folder(t), {
    bound: option,
    dht: true,
    dhtBootstrap: [{ host: '127.0.0.1', port: node.port }],
    lsd: true,
  });
  t.match(run.named('listening'), [{ host: FROM, dhtPort: run.port }]);
  run.add(CONTENT, 'torrent', {
    peers: [peer.address, { host: '::1', port: peer.address.port }],
    useTrackers: true,
    trackers: [[`${web}/announce`], [`udp://127.0.0.1:${tracker.port}`]],
    webSeeds: [`${web}/content`],
    ...SEED,
  });
  await run.until('seeding');
  sameFiles(t, run.output, CONTENT);
  t.equal((await peer.wire()).socket.remoteAddress, FROM, 'to peers');
  t.equal(await node.heard, FROM, 'to DHT nodes');
  t.equal(await tracker.heard, FROM, 'to UDP trackers');
  await run.until('tracker', event => event.url.startsWith('http') && event.peers !== undefined);
  t.same(new Set(seen), new Set([`tracker ${FROM}`, `web seed ${FROM}`]), 'by HTTP');
  const failed = await run.untilPeer('failed');
  t.match(failed, { address: `[::1]:${peer.address.port}`, why: 'no IPv6 address is bound' });

  const elsewhere = connect(run.port, '127.0.0.1');
  const refusal = await new Promise<NodeJS.ErrnoException>(resolve => elsewhere.once('error', resolve));
  t.equal(refusal.code, 'ECONNREFUSED', 'nobody listens at another address');
  t.same(losses, []);
});

t.test('without an IPv4 address there is no DHT, and peers are not told of one', async t => {
  const binding = boundTo('::1');
  const hasIt = { lo: cards('::1') };
  const run = new EngineRun(t, folder(t), {
    dht: true,
    dhtBootstrap: [{ host: '127.0.0.1', port: 9 }],
    bound: { binding, interfaces: () => hasIt, onLost: () => {} },
  });
  const isMissing = await run.engine.start().then(
    () => false,
    (error: unknown) => error instanceof TorrentError,
  );
  t.match(run.named('warning'), [{ message: 'no DHT: it needs an IPv4 address, and none is bound' }]);
  if (isMissing) return t.comment('this machine has no IPv6');
  t.match(run.named('listening'), [{ host: '::1', dhtPort: null }]);
  run.add(CONTENT, 'torrent');
  const socket = connect(run.port, '::1');
  t.teardown(() => socket.destroy());
  const { FakeWire } = await import('../support/fake-wire.js');
  const wire = new FakeWire(socket, CONTENT, { dht: true });
  await wire.until('extensionHandshake');
  t.equal(wire.theirs?.dht, false);
});

t.test('when the address goes, all is closed and saved, and nobody is waited for', async t => {
  const directory = folder(t);
  await nothingOpen(t, directory, []);
  const { option, losses, lose } = bound();
  let announced = 0;
  let answers = true;
  const web = await serve(t, (_, response) => {
    announced++;
    if (answers) response.end('d8:intervali900e5:peers0:e');
  });
  const { port, heard } = await ear(t);
  const host = '127.0.0.1';
  let left = 6;
  const peer = await FakePeer.listen(t, CONTENT, {
    answer: (_wire, { type }, honest) => {
      if (type !== 'request' || left-- > 0) honest();
    },
  });
  const before = handlesOpen(directory);
  const run = await EngineRun.start(t, directory, {
    bound: option,
    dht: true,
    dhtBootstrap: [{ host, port }],
  });
  const added = run.add(CONTENT, 'torrent', {
    peers: [peer.address],
    useTrackers: true,
    trackers: [[`${web}/announce`]],
  });
  await run.until('tracker');
  await heard;
  await run.until('piece', () => run.named('piece').length >= 2);
  answers = false;
  t.equal(announced, 1);
  lose();
  await (await peer.wire()).closed;
  await added.finished;
  await run.engine.close();
  await nothingOpen(t, directory, before);
  t.match(losses, [{ code: 'NETWORK', message: `lost the bound interface: ${FROM} is gone or has changed` }]);
  t.equal(announced, 1, 'the tracker is not told: nothing can leave');
  t.throws(() => run.add(CONTENT, 'torrent'), { message: /the engine is closed/ });
  t.same(await rememberedNodes(run.stateDirectory), [{ host, port }]);
  await peer.close();

  const again = await EngineRun.start(t, directory);
  const whole = await FakePeer.listen(t, CONTENT);
  await again.add(CONTENT, 'torrent', { peers: [whole.address] }).finished;
  t.match(again.named('resumed'), [{ piecesHave: run.named('piece').length, how: 'resume' }]);
  sameFiles(t, again.output, CONTENT);
});
