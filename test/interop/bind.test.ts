// --bind to one of two interfaces, as with a VPN: home has eth0, over which everybody can be reached, and tun0, a link to a
// router. With the routing rule that the README shows, what is bound to tun0 takes that way alone: the counter of eth0
// stands still. When the address of tun0 goes, the run ends, and can be resumed.

import { join } from 'node:path';
import t from 'tap';
import { makeContent, singleFile } from './support/content.js';
import { type Namespace, Network } from './support/namespaces.js';
import { Nginx } from './support/nginx.js';
import { announceUrls, Opentracker } from './support/opentracker.js';
import { eventually } from './support/program.js';
import {
  downloadArgs,
  eventsOf,
  expectData,
  RAREST_PORT,
  type RarestEvent,
  startRarest,
  waitForEvent,
} from './support/rarest.js';

const KIB = 1024;
const RUN_MS = 60_000;
const NEAR = '10.78.0.2';
const FAR = '10.78.0.1';
const TABLE = '100';

const network = await Network.create(t);
const parent = join(network.directory, 'shared');
const content = await makeContent(singleFile('bound.bin', 3_000_001, 64 * KIB), parent);
const slow = await makeContent(singleFile('slow.bin', 3_000_001, 64 * KIB), parent);

const home = await network.add('home');
const router = await network.add('router');
const [one, two, trackerPlace, webPlace] = [
  await network.add('one'),
  await network.add('two'),
  await network.add('tracker'),
  await network.add('web'),
];
const urls = announceUrls(trackerPlace);

const ip = (namespace: Namespace, words: string) => namespace.output(['ip', ...words.split(' ')]);

/** The link with both addresses, and what sends whatever comes from ours by it. */
async function connect(): Promise<void> {
  await ip(home, `address add ${NEAR}/24 dev tun0`);
  await ip(home, `route replace default via ${FAR} dev tun0 table ${TABLE}`);
}

// Of its own accord the kernel sends by IPv6 now and then.
await home.output(['sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1']);
await ip(home, `link add tun0 type veth peer name tun0 netns ${router.name}`);
await ip(router, `address add ${FAR}/24 dev tun0`);
await ip(router, 'link set tun0 up');
await router.output(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
await ip(home, 'link set tun0 up');
await connect();
// A route by tun0 goes with the address. Until it is back too, what answers the redials of others has no way at all.
await ip(home, `route add unreachable default metric 4278198272 table ${TABLE}`);
await ip(home, `rule add from ${NEAR} lookup ${TABLE}`);
for (const place of [one, two, trackerPlace, webPlace])
  await ip(place, `route add 10.78.0.0/24 via ${router.address}`);

/** Packets that ever left home by its other interface. */
async function strays(): Promise<number> {
  return Number(await home.output(['cat', '/sys/class/net/eth0/statistics/tx_packets']));
}

const tracker = await Opentracker.start(
  trackerPlace,
  [content, slow].map(({ infoHash }) => infoHash),
);
const web = await Nginx.start(webPlace, { root: parent });

/** A seed of both, ready. */
async function startSeed(place: Namespace, args: readonly string[]): Promise<void> {
  const where = ['--output', parent, '--port', `${RAREST_PORT}`, '--json'];
  const seed = startRarest(place, ['seed', content.torrent, slow.torrent, ...where, ...args]);
  await waitForEvent(seed, 'seeding');
}

const nodes = [one, two].map(({ address }) => `${address}:${RAREST_PORT}`);
const [nodeOne = '', nodeTwo = ''] = nodes;
await Promise.all([
  startSeed(one, ['--no-lsd', '--dht-bootstrap', nodeTwo, '--tracker', urls.HTTP]),
  startSeed(two, ['--no-lsd', '--dht-bootstrap', nodeOne, '--no-trackers']),
]);
await tracker.seeded(content.infoHash);

const ROADS = [
  ...['--dht-bootstrap', nodeOne, '--dht-bootstrap', nodeTwo],
  ...['--tracker', urls.HTTP, '--tracker', urls.UDP],
];

function named(lines: readonly string[], name: string): RarestEvent[] {
  return eventsOf(lines).filter(({ event }) => event === name);
}

t.test('DHT, trackers and local discovery use the bound interface alone', async t => {
  const before = await strays();
  const peers = startRarest(home, [
    ...['peers', content.magnet, '--bind', 'tun0', '--timeout', '0', '--json'],
    ...ROADS,
  ]);
  await waitForEvent(peers, 'listening', RUN_MS);
  // On the link itself, and known to nobody else. It calls into the network at once, and then once in a while.
  await startSeed(router, ['--no-dht', '--bind', 'tun0']);
  const answered = (url: string) =>
    named(peers.lines, 'tracker').some(event => event.url === url && Number(event.peers) > 0);
  await eventually('all roads lead to somebody', RUN_MS, () => {
    const from = new Set(named(peers.lines, 'found').map(event => event.from));
    return (from.has('dht') && from.has('lsd') && answered(urls.HTTP) && answered(urls.UDP)) || undefined;
  });
  peers.kill('SIGTERM');
  await peers.waitForEnd(RUN_MS);
  t.match(named(peers.lines, 'listening'), [{ host: NEAR }]);
  const local = named(peers.lines, 'found').filter(({ from }) => from === 'lsd');
  t.match(local, [{ host: FAR }], 'the neighbour on the link');
  t.equal((await strays()) - before, 0, 'nothing left by the other interface');
});

t.test('peers and web seeds too', async t => {
  const before = await strays();
  const args = ['--bind', NEAR, '--web-seed', `${web.url}/`, ...ROADS, '--json', '-v'];
  const download = startRarest(home, downloadArgs(home, content.torrent, args));
  t.match(await download.waitForEnd(RUN_MS), { code: 0 }, 'ends with success');
  await expectData(t, home, content);
  t.not((await web.requests()).length, 0, 'the web seed was asked');
  t.ok(named(download.lines, 'peer').some(({ how }) => how === 'dialled' || how === 'incoming'));
  t.equal((await strays()) - before, 0, 'nothing left by the other interface');
});

t.test('the address goes, and the run ends; it is resumed when the address is back', async t => {
  const before = await strays();
  const args = ['--bind', 'tun0', '--peer', nodeOne, ...ROADS, '--json', '-v'];
  const order = downloadArgs(home, slow.torrent, args);
  const lost = startRarest(home, [...order, '--max-download', '400K']);
  await eventually('some pieces', RUN_MS, () => named(lost.lines, 'piece').length > 4 || undefined);
  await ip(home, `address del ${NEAR}/24 dev tun0`);
  const exit = await lost.waitForEnd(RUN_MS);
  t.match(exit, { code: 10, signal: null });
  t.match(named(lost.lines, 'error'), [{ code: 'NETWORK', message: /^lost the bound interface: tun0/ }]);
  t.equal((await strays()) - before, 0, 'nobody was told by another way');

  const away = startRarest(home, order);
  t.match(await away.waitForEnd(RUN_MS), { code: 10 }, 'nothing begins without it');
  t.equal((await strays()) - before, 0);

  await connect();
  const back = startRarest(home, order);
  t.match(await back.waitForEnd(RUN_MS), { code: 0 });
  const [resumed] = named(back.lines, 'resumed');
  t.ok(Number(resumed?.piecesHave) >= named(lost.lines, 'piece').length, 'all that was verified is kept');
  t.equal((await strays()) - before, 0);
});

// The last one: others remember the address that they saw, and ask for it again.
t.test('without --bind it is the other interface that is used', async t => {
  const before = await strays();
  const args = ['peers', content.magnet, '--timeout', '0', '--json', ...ROADS];
  const peers = startRarest(home, args);
  await waitForEvent(peers, 'found', RUN_MS);
  peers.kill('SIGTERM');
  await peers.waitForEnd(RUN_MS);
  t.ok((await strays()) - before > 0, 'and is counted');
});
