import { createSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import type { NetworkInterfaceInfo } from 'node:os';
import t, { type Test } from 'tap';
import { LocalDiscovery, type LocalDiscoveryOptions } from '../../src/discovery/lsd.js';
import { encodeAnnounce, parseAnnounce } from '../../src/discovery/lsd-packet.js';
import { LocalSchedule } from '../../src/discovery/lsd-schedule.js';
import {
  type Family,
  type Interfaces,
  MulticastGroup,
  type MulticastSocket,
} from '../../src/discovery/multicast-group.js';
import { formatHostPort } from '../../src/torrent/host-port.js';
import { type InfoHash, infoHash, toHex } from '../../src/torrent/ids.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { seeded } from '../support/random.js';
import { vectors } from '../wire/samples.js';

const GROUP = '239.192.152.143';
const GROUP6 = 'ff15::efc0:988f';
const FIVE_MINUTES = LIMITS.lsdAnnounceMs;
const MINUTE = LIMITS.lsdAgainMs;

function hashOf(fill: number): InfoHash {
  const hash = infoHash(new Uint8Array(20).fill(fill));
  if (!hash) throw new RangeError('unreachable');
  return hash;
}
const A = hashOf(0xaa);
const B = hashOf(0xbb);
const HEX = 'aa'.repeat(20);
/** A datagram with these lines after the request line. */
const datagram = (...lines: string[]) =>
  Buffer.from(`BT-SEARCH * HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n\r\n`, 'latin1');
const read = (bytes: Uint8Array) => {
  const announce = parseAnnounce(bytes);
  return announce && [announce.port, ...announce.infoHashes.map(toHex), announce.cookie];
};

// --- the datagram -------------------------------------------------------------------------------------------------

t.test('an announce as bytes, and back', async t => {
  const bytes = encodeAnnounce(`${GROUP}:6771`, { port: 6881, infoHashes: [A, B], cookie: 'name-1' });
  t.equal(
    bytes.toString('latin1'),
    'BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\n' +
      `Infohash: ${HEX}\r\nInfohash: ${'bb'.repeat(20)}\r\ncookie: name-1\r\n\r\n\r\n`,
  );
  t.same(read(bytes), [6881, HEX, 'bb'.repeat(20), 'name-1']);
  const infoHashes = Array.from({ length: LIMITS.lsdHashes }, (_, fill) => hashOf(fill));
  const full = encodeAnnounce(`[${GROUP6}]:6771`, { port: 65535, infoHashes, cookie: 'x'.repeat(16) });
  t.ok(full.length <= LIMITS.lsdDatagramBytes, `${full.length} bytes`);
  t.equal(parseAnnounce(full)?.infoHashes.length, LIMITS.lsdHashes);
});

t.test('what other clients may write', async t => {
  t.same(read(datagram('Port: 1', `Infohash: ${HEX}`)), [1, HEX, undefined], 'no host, no cookie');
  t.same(read(datagram(`INFOHASH:${HEX.toUpperCase()}`, 'pOrT:\t65535 ', 'X-New: what?')), [
    65535,
    HEX,
    undefined,
  ]);
  t.same(read(datagram('Port: 1', 'Infohash: abc', `Infohash: ${HEX}`, `Infohash: ${HEX}00`)), [
    1,
    HEX,
    undefined,
  ]);
});

t.test('what is no announce', async t => {
  const bad: (Buffer | string)[] = [
    '',
    '\r\n\r\n',
    'BT-SEARCH * HTTP/1.1\r\n\r\n',
    `BT-SEARCH * HTTP/1.1\r\nPort: 1\r\nInfohash: ${HEX}\r\n`,
    `M-SEARCH * HTTP/1.1\r\nPort: 1\r\nInfohash: ${HEX}\r\n\r\n`,
    `BT-SEARCH * HTTP/1.1\nPort: 1\nInfohash: ${HEX}\n\n`,
    datagram(`Infohash: ${HEX}`),
    datagram('Port: 1'),
    datagram('Port: 1', `Infohash: ${HEX.slice(1)}`),
    datagram('Port: 1', `Infohash: ${HEX.replace('a', 'g')}`),
    datagram('Port: 1', 'no colon here', `Infohash: ${HEX}`),
    ...['0', '65536', '-1', '', '1e3', '0x50', '6881 6882', '999999'].map(port =>
      datagram(`Port: ${port}`, `Infohash: ${HEX}`),
    ),
    datagram('Port: 1', 'Port: 1', `Infohash: ${HEX}`),
    datagram('Port: 1', `Infohash: ${HEX}`, `X: ${'x'.repeat(LIMITS.lsdDatagramBytes)}`),
  ];
  for (const bytes of bad) t.equal(read(Buffer.from(bytes)), undefined, String(bytes).slice(0, 80));
  const random = seeded(14);
  const good = datagram('Host: x', 'Port: 6881', `Infohash: ${HEX}`, 'cookie: c');
  for (let run = 0; run < 3000; run++) {
    const bytes = Buffer.from(good);
    for (let hits = 0; hits < 3; hits++)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const announce = parseAnnounce(bytes);
    if (announce && !(announce.port > 0 && announce.infoHashes.length > 0)) t.fail(bytes.toString('latin1'));
  }
});

const bep14 = vectors('bep14_lsd');

t.test('the template of BEP 14', { skip: bep14.skip }, async t => {
  const text = bep14.get('v4', 'datagram');
  const infoHashes = parseAnnounce(Buffer.from(text, 'latin1'))?.infoHashes ?? [];
  t.same(infoHashes.map(toHex), [bep14.get('v4', 'info_hash')]);
  const host = bep14.get('v4', 'group_v4');
  t.equal(encodeAnnounce(host, { port: 6881, infoHashes, cookie: 'name-1' }).toString('latin1'), text);
});

// --- when to announce ---------------------------------------------------------------------------------------------

const taken = (schedule: LocalSchedule, now: number) =>
  schedule.take(now).map(hash => toHex(hash).slice(0, 2));

t.test('announced at once, then every five minutes, until removed', async t => {
  const schedule = new LocalSchedule();
  t.equal(schedule.nextMs, Number.POSITIVE_INFINITY);
  schedule.add(A, 1000);
  schedule.add(A, 2000);
  t.equal(schedule.nextMs, 1000);
  t.same(taken(schedule, 1000), ['aa']);
  schedule.add(B, 5000);
  t.same(taken(schedule, 5000), ['bb']);
  t.same(taken(schedule, 1000 + FIVE_MINUTES - 1), []);
  t.equal(schedule.nextMs, 1000 + FIVE_MINUTES);
  t.same(taken(schedule, 5000 + FIVE_MINUTES), ['aa', 'bb']);
  schedule.remove(A);
  t.same(taken(schedule, 9 * FIVE_MINUTES), ['bb']);
});

t.test('who is new is answered, once and not within a minute of the last announce', async t => {
  const schedule = new LocalSchedule();
  schedule.add(A, 0);
  t.equal(schedule.heard(B, 'x', 0), false, 'not one of ours');
  taken(schedule, 0);
  t.equal(schedule.heard(A, 'x', 10_000), true);
  t.equal(schedule.nextMs, MINUTE);
  t.same(taken(schedule, MINUTE), ['aa']);
  for (let now = MINUTE; now < MINUTE + FIVE_MINUTES; now += 10_000) schedule.heard(A, 'x', now);
  t.equal(schedule.nextMs, MINUTE + FIVE_MINUTES, 'known by now');
  const late = 4 * MINUTE;
  schedule.heard(A, 'y', late);
  t.same(taken(schedule, late), ['aa'], 'at once, as the last one is long ago');
  schedule.heard(A, 'x', late + 3 * FIVE_MINUTES);
  t.equal(schedule.nextMs, late + FIVE_MINUTES, 'was due anyway');
});

t.test('a crowd of neighbours is not remembered for ever', async t => {
  const schedule = new LocalSchedule();
  schedule.add(A, 0);
  taken(schedule, 0);
  for (let host = 0; host <= LIMITS.lsdNeighbours; host++) schedule.heard(A, String(host), MINUTE);
  t.same(taken(schedule, MINUTE), ['aa'], 'one answer for all');
  schedule.heard(A, String(LIMITS.lsdNeighbours), 2 * MINUTE);
  t.equal(schedule.nextMs, MINUTE + FIVE_MINUTES, 'the last is remembered');
  schedule.heard(A, '0', 2 * MINUTE);
  t.equal(schedule.nextMs, 2 * MINUTE, 'the first is forgotten');
});

t.test('many torrents: so many in one datagram', async t => {
  const schedule = new LocalSchedule();
  for (let fill = 0; fill < LIMITS.lsdHashes + 3; fill++) schedule.add(hashOf(fill), 0);
  t.equal(taken(schedule, 0).length, LIMITS.lsdHashes);
  t.equal(schedule.nextMs, 0);
  t.equal(taken(schedule, 0).length, 3);
  schedule.hurry(1000);
  t.equal(schedule.nextMs, MINUTE, 'a new interface is no reason to flood the old ones');
});

// --- the sockets --------------------------------------------------------------------------------------------------

/** A network of fake sockets, which notes what they do. */
class FakeNetwork {
  readonly log: string[] = [];
  readonly sockets: FakeSocket[] = [];
  /** Addresses that cannot be bound; `*` is any. */
  readonly dead = new Set<string>();
  readonly sent: { family: Family; outgoing: string; text: string }[] = [];
  interfaces: Interfaces = {};
  onSent = () => {};

  readonly createSocket = (family: Family): MulticastSocket => {
    const socket = new FakeSocket(this, family);
    this.sockets.push(socket);
    return socket;
  };

  get open(): FakeSocket[] {
    return this.sockets.filter(({ isOpen }) => isOpen);
  }

  deliver(family: Family, text: Buffer, address: string): void {
    for (const socket of this.open)
      if (socket.family === family && socket.port === 6771) socket.emit('message', text, { address });
  }
}

class FakeSocket extends EventEmitter implements MulticastSocket {
  isOpen = true;
  port = -1;
  outgoing = '';
  readonly family: Family;
  readonly #network: FakeNetwork;

  constructor(network: FakeNetwork, family: Family) {
    super();
    this.#network = network;
    this.family = family;
  }

  bind({ port, address = '*' }: { port: number; address?: string }): void {
    const works = !this.#network.dead.has(address) && !this.#network.dead.has(`${this.family} ${address}`);
    setImmediate(() => {
      if (!this.isOpen) return;
      if (works) this.port = port;
      this.emit(works ? 'listening' : 'error');
    });
  }

  addMembership(group: string, outgoing: string): void {
    this.#network.log.push(`join ${group} ${outgoing}`);
  }

  dropMembership(group: string, outgoing: string): void {
    this.#network.log.push(`leave ${group} ${outgoing}`);
    throw new Error('the interface is gone');
  }

  setMulticastInterface(outgoing: string): void {
    this.outgoing = outgoing;
  }

  send(bytes: Uint8Array, port: number, host: string): void {
    if (port !== 6771) throw new Error(`sent to ${host}:${port}`);
    const { family, outgoing } = this;
    this.#network.sent.push({ family, outgoing, text: Buffer.from(bytes).toString('latin1') });
    this.#network.onSent();
  }

  close(): void {
    if (!this.isOpen) throw new Error('closed already');
    this.isOpen = false;
    setImmediate(() => this.emit('close'));
  }
}

function card(address: string, internal = false): NetworkInterfaceInfo {
  const isIPv6 = address.includes(':');
  const cidr = `${address}/${isIPv6 ? 64 : internal ? 8 : 24}`;
  const common = { address, netmask: '', mac: '', internal, cidr };
  return isIPv6 ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
}

const LOOPBACK = { lo: [card('127.0.0.1', true), card('::1', true)] };

function discovery(t: Test, network: FakeNetwork, options: Partial<LocalDiscoveryOptions> = {}) {
  const met: string[] = [];
  const warnings: string[] = [];
  const { createSocket } = network;
  const lsd = new LocalDiscovery({
    port: 6881,
    cookie: 'mine',
    random: seeded(1),
    onPeer: (hash, address) => met.push(`${toHex(hash).slice(0, 2)} ${formatHostPort(address)}`),
    onWarning: warning => warnings.push(warning),
    createSocket,
    interfaces: () => network.interfaces,
    ...options,
  });
  t.teardown(() => lsd.stop());
  return { lsd, met, warnings };
}

/** Fulfilled once so many datagrams were sent. */
function sent(network: FakeNetwork, count: number): Promise<void> {
  return new Promise(resolve => {
    network.onSent = () => network.sent.length >= count && resolve();
    network.onSent();
  });
}

t.test('joins and speaks on every interface that is up, one address each', async t => {
  const network = new FakeNetwork();
  network.interfaces = {
    ...LOOPBACK,
    eth0: [card('10.0.0.1'), card('10.0.0.2'), card('fe80::1'), card('2001:db8::1')],
    wlan0: [card('192.168.0.1'), card('fe80::2')],
  };
  const { lsd, warnings } = discovery(t, network);
  lsd.add(A);
  await lsd.start();
  t.same(network.log.sort(), [
    `join ${GROUP} 10.0.0.1`,
    `join ${GROUP} 192.168.0.1`,
    `join ${GROUP6} ::%eth0`,
  ]);
  await sent(network, 3);
  t.same(network.sent.map(({ family, outgoing }) => `${family} ${outgoing}`).sort(), [
    'udp4 10.0.0.1',
    'udp4 192.168.0.1',
    'udp6 ::%eth0',
  ]);
  const text = network.sent.find(({ family }) => family === 'udp6')?.text ?? '';
  t.match(text, `Host: [${GROUP6}]:6771\r\nPort: 6881\r\nInfohash: ${HEX}\r\ncookie: mine\r\n`);
  await lsd.stop();
  t.same(network.open, []);
  t.same(warnings, []);
});

t.test('a machine with nothing but itself, and one address alone', async t => {
  const network = new FakeNetwork();
  network.interfaces = LOOPBACK;
  const { lsd, warnings } = discovery(t, network);
  await lsd.start();
  t.same(network.log.sort(), [`join ${GROUP} 127.0.0.1`, `join ${GROUP6} ::%lo`]);
  t.same(warnings, []);

  for (const [host, log] of [
    ['10.0.0.2', [`join ${GROUP} 10.0.0.2`]],
    ['2001:0db8:0::1', [`join ${GROUP6} ::%eth0`]],
  ] as const) {
    const other = new FakeNetwork();
    other.interfaces = { ...LOOPBACK, eth0: [card('10.0.0.1'), card('10.0.0.2'), card('2001:db8::1')] };
    await discovery(t, other, { hosts: [host] }).lsd.start();
    t.same(other.log, log);
    t.same(new Set(other.sockets.map(({ family }) => family)).size, 1, 'no other family');
  }
  const both = new FakeNetwork();
  both.interfaces = {
    ...LOOPBACK,
    eth0: [card('10.0.0.1'), card('2001:db8::1')],
    tun0: [card('10.8.0.2'), card('10.8.0.3'), card('2001:db8:8::2')],
  };
  await discovery(t, both, { hosts: ['10.8.0.2', '10.8.0.3', '2001:db8:8::2'] }).lsd.start();
  t.same(both.log.toSorted(), [`join ${GROUP} 10.8.0.2`, `join ${GROUP} 10.8.0.3`, `join ${GROUP6} ::%tun0`]);
});

t.test('what does not work is left out, and said once when nothing does', async t => {
  for (const [dead, works] of [
    ['udp6 *', true],
    ['udp4 *', true],
    ['*', false],
  ] as const) {
    const network = new FakeNetwork();
    network.interfaces = { eth0: [card('10.0.0.1'), card('2001:db8::1')] };
    network.dead.add(dead);
    const { lsd, warnings } = discovery(t, network);
    lsd.add(A);
    await lsd.start();
    await lsd.start();
    t.equal(warnings.length, works ? 0 : 1, dead);
    if (works) await sent(network, 1);
    t.equal(network.open.length, works ? 2 : 0);
    await lsd.stop();
    await lsd.stop();
    t.same(network.open, []);
  }
  const nowhere = new FakeNetwork();
  nowhere.interfaces = { eth0: [card('10.0.0.1')] };
  nowhere.dead.add('10.0.0.1');
  const { lsd, warnings } = discovery(t, nowhere);
  await lsd.start();
  t.equal(warnings.length, 1);
  const interfaces = () => {
    throw new Error('not permitted');
  };
  const { lsd: blind, warnings: said } = discovery(t, new FakeNetwork(), { interfaces });
  await blind.start();
  t.equal(said.length, 1);
});

t.test('stopped while it starts, or before', async t => {
  const network = new FakeNetwork();
  network.interfaces = { eth0: [card('10.0.0.1'), card('2001:db8::1')] };
  const { lsd, warnings } = discovery(t, network);
  const starting = lsd.start();
  await lsd.stop();
  await starting;
  t.same([network.open, warnings], [[], []]);
  const { lsd: late } = discovery(t, network);
  await late.stop();
  await late.start();
  t.same(network.open, []);
  const { lsd: midway } = discovery(t, network);
  const opening = midway.start();
  while (network.log.length < 2) await new Promise(setImmediate);
  await midway.stop();
  await opening;
  t.same(network.open, []);
});

t.test('hears who else has our torrents', async t => {
  const network = new FakeNetwork();
  network.interfaces = { eth0: [card('10.0.0.1'), card('2001:db8::1')] };
  const { lsd, met } = discovery(t, network);
  await lsd.start();
  const search = lsd.add(A);
  const theirs = datagram('Port: 7000', `Infohash: ${'cc'.repeat(20)}`, `Infohash: ${HEX}`, 'cookie: theirs');
  network.deliver('udp4', theirs, '10.0.0.9');
  network.deliver('udp6', theirs, '2001:db8::9');
  network.deliver('udp6', theirs, 'fe80::9%eth0');
  network.deliver('udp4', theirs, '10.0.1.9');
  network.deliver('udp4', theirs, '9.9.9.9');
  network.deliver('udp6', theirs, '2001:db8:1::9');
  network.deliver('udp4', datagram('Port: 6881', `Infohash: ${HEX}`, 'cookie: mine'), '10.0.0.1');
  network.deliver('udp4', Buffer.from('M-SEARCH * HTTP/1.1\r\n\r\n'), '10.0.0.9');
  t.same(met, ['aa 10.0.0.9:7000', 'aa [2001:db8::9]:7000']);
  search.remove();
  network.deliver('udp4', theirs, '10.0.0.9');
  t.equal(met.length, 2);
  lsd.add(A);
  for (let count = 0; count < 10 * LIMITS.lsdDatagramsPerSecond; count++)
    network.deliver('udp4', theirs, '10.0.0.9');
  t.ok(met.length <= 2 + 2 * LIMITS.lsdDatagramsPerSecond, 'a flood is not followed');
  await lsd.stop();
});

t.test('torrents that are added together share a datagram; without a port nothing is said', async t => {
  const network = new FakeNetwork();
  network.interfaces = { eth0: [card('10.0.0.1')] };
  const { lsd } = discovery(t, network);
  await lsd.start();
  lsd.add(A);
  lsd.add(B);
  await sent(network, 1);
  t.match(network.sent[0]?.text, /Infohash: aa.*\r\nInfohash: bb/);

  const silent = new FakeNetwork();
  silent.interfaces = network.interfaces;
  const { lsd: mute, met } = discovery(t, silent, { port: 0 });
  await mute.start();
  mute.add(A);
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  silent.deliver('udp4', datagram('Port: 7000', `Infohash: ${HEX}`), '10.0.0.9');
  t.same([silent.sent, met], [[], ['aa 10.0.0.9:7000']]);
});

t.test('interfaces that come and go', async t => {
  const network = new FakeNetwork();
  network.interfaces = LOOPBACK;
  const { createSocket } = network;
  const group = new MulticastGroup({
    family: 'udp4',
    group: GROUP,
    port: 6771,
    hosts: undefined,
    createSocket,
    interfaces: () => network.interfaces,
    onDatagram: () => {},
  });
  await group.open();
  const change = async (interfaces: Interfaces) => {
    network.interfaces = interfaces;
    network.log.length = 0;
    const isNew = await group.refresh();
    return [isNew, ...network.log];
  };
  const join = (address: string) => `join ${GROUP} ${address}`;
  const eth0 = [card('10.0.0.1')];
  t.same(await change({ ...LOOPBACK, eth0 }), [true, `leave ${GROUP} 127.0.0.1`, join('10.0.0.1')]);
  t.same(await change({ ...LOOPBACK, eth0 }), [false, join('10.0.0.1')], 'it may have been away');
  t.same(await change({ ...LOOPBACK, eth0, wlan0: [card('10.1.0.1')] }), [
    true,
    join('10.0.0.1'),
    join('10.1.0.1'),
  ]);
  t.equal(network.open.length, 3);
  t.same(await change({}), [false, `leave ${GROUP} 10.0.0.1`, `leave ${GROUP} 10.1.0.1`]);
  t.equal(group.works, false);
  const [first, second] = await Promise.all([change({ eth0 }), group.refresh()]);
  t.same([first?.[0], second], [true, false], 'once, though asked twice');
  t.equal(network.open.length, 2);
  group.send(Buffer.from('x'));
  t.same(
    network.sent.map(({ outgoing }) => outgoing),
    ['10.0.0.1'],
  );
  await group.close();
  t.same(network.open, []);
  t.same(await change(LOOPBACK), [false], 'closed for good');
});

const skip = (await multicastWorks()) ? false : 'no multicast on the loopback interface';

t.test('two of them on this machine meet by real multicast', { skip }, async t => {
  const fill = process.pid & 0xff;
  const hash = infoHash(Uint8Array.from({ length: 20 }, (_, at) => (at * 7 + fill) & 0xff)) ?? A;
  const meet = (port: number) => {
    let met: (address: string) => void = () => {};
    const peer = new Promise<string>(resolve => {
      met = resolve;
    });
    const lsd = new LocalDiscovery({
      port,
      hosts: ['127.0.0.1'],
      random: seeded(port),
      onPeer: (_, address) => met(formatHostPort(address)),
    });
    t.teardown(() => lsd.stop());
    return { lsd, peer };
  };
  const [one, two] = [meet(1001), meet(1002)];
  await Promise.all([one.lsd.start(), two.lsd.start()]);
  one.lsd.add(hash);
  two.lsd.add(hash);
  t.same(await Promise.all([one.peer, two.peer]), ['127.0.0.1:1002', '127.0.0.1:1001']);
});

/** Whether a datagram to a group comes back by the loopback interface. */
async function multicastWorks(): Promise<boolean> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    socket.bind({ port: 0 });
    await once(socket, 'listening');
    socket.addMembership(GROUP, '127.0.0.1');
    socket.setMulticastInterface('127.0.0.1');
    const heard = once(socket, 'message', { signal: AbortSignal.timeout(2000) });
    socket.send('probe', socket.address().port, GROUP);
    await heard;
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
