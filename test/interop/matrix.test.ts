// Every client with rarest, each way, over every road that both know: HTTP and UDP trackers, and the DHT alone.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { aria2 } from './support/aria2.js';
import { type Client, expectCopy, PEER_PORT } from './support/client.js';
import { type Content, makeContent, oddFolder } from './support/content.js';
import { libtorrent, PrivateDht } from './support/libtorrent.js';
import { Network } from './support/namespaces.js';
import { announceUrls, Opentracker } from './support/opentracker.js';
import { qbittorrent } from './support/qbittorrent.js';
import { expectData, outputOf, rarest } from './support/rarest.js';
import { report } from './support/report.js';
import { transmission } from './support/transmission.js';
import { webtorrent } from './support/webtorrent.js';

const KIB = 1024;
const PIECE_LENGTHS = [16, 32, 64].map(kib => kib * KIB);
/** Many wait for rounds and timers of their own; two cores bear this many at a time. */
const AT_A_TIME = 6;

type Road = 'HTTP tracker' | 'UDP tracker' | 'DHT';

interface Exchange {
  readonly seed: Client;
  readonly leech: Client;
  readonly road: Road;
}

/** Transmission is not asked for the DHT: 3.00 announces itself there a minute and a half after its start. */
const foreign: readonly (readonly [client: Client, theySeed: readonly Road[], weSeed: readonly Road[]])[] = [
  [transmission, ['HTTP tracker'], ['UDP tracker']],
  [aria2, ['UDP tracker', 'DHT'], ['DHT', 'HTTP tracker']],
  [qbittorrent, ['UDP tracker', 'DHT'], ['HTTP tracker', 'DHT']],
  [libtorrent, ['HTTP tracker', 'DHT'], ['UDP tracker', 'DHT']],
  [webtorrent, ['HTTP tracker', 'DHT'], ['UDP tracker', 'DHT']],
];
const exchanges = foreign.flatMap(([client, theySeed, weSeed]): Exchange[] => [
  ...theySeed.map(road => ({ seed: client, leech: rarest, road })),
  ...weSeed.map(road => ({ seed: rarest, leech: client, road })),
]);

t.jobs = AT_A_TIME;
const network = await Network.create(t);
const parent = join(network.directory, 'shared');
const trackerPlace = await network.add('tracker');
const urls = announceUrls(trackerPlace);
const trackers = { 'HTTP tracker': [urls.HTTP], 'UDP tracker': [urls.UDP], DHT: [] };
const dht = await PrivateDht.start(await network.add('dht'));
const labels = exchanges.map(({ seed, leech, road }) => `${seed.name} to ${leech.name}, ${road}`);
const contents: Content[] = [];
for (const [index, { road }] of exchanges.entries()) {
  const pieceLength = PIECE_LENGTHS[index % PIECE_LENGTHS.length] ?? 0;
  const plan = { ...oddFolder(labels[index] ?? '', pieceLength), trackers: trackers[road] };
  contents.push(await makeContent(plan, parent));
}
const tracker = await Opentracker.start(
  trackerPlace,
  contents.map(({ infoHash }) => infoHash),
);
const versions = new Map<Client, string>();
for (const client of [rarest, ...foreign.map(([client]) => client)]) {
  versions.set(client, await client.version());
}
const rows: string[][] = [];

/** Seconds that the leecher took. What it starts goes on until the end: a DHT with dead nodes in it answers late. */
async function exchange(t: Test, index: number, { seed, leech, road }: Exchange): Promise<number> {
  const content = contents[index];
  if (content === undefined) throw new Error('no content');
  const seedPlace = await network.add(`seed-${index}`);
  const leechPlace = await network.add(`leech-${index}`);
  const bootstrap = road === 'DHT' ? dht.nodes : undefined;
  await seed.seed(seedPlace, { content, directory: parent, bootstrap });
  if (road === 'DHT') await dht.announced(content.infoHash, `${seedPlace.address}:${PEER_PORT}`);
  else await tracker.seeded(content.infoHash);

  const directory = outputOf(leechPlace);
  const startedAt = performance.now();
  await leech.leech(leechPlace, { content, directory, bootstrap });
  const seconds = (performance.now() - startedAt) / 1000;
  if (leech === rarest) await expectData(t, leechPlace, content);
  else await expectCopy(t, content, directory);
  return seconds;
}

const runs = exchanges.map((pair, index) =>
  t.test(labels[index] ?? '', { buffered: true }, async t => {
    const named = (client: Client): string => `${client.name} ${versions.get(client)}`;
    const row = [named(pair.seed), named(pair.leech), pair.road];
    try {
      const seconds = await exchange(t, index, pair);
      rows[index] = [...row, t.passing() ? 'complete, bytes equal' : 'bytes differ', seconds.toFixed(1)];
    } catch (error) {
      rows[index] = [...row, 'failed', ''];
      throw error;
    }
  }),
);
await Promise.all(runs);

t.test('figures', async t => {
  report(t, 'interop', {
    title: 'Each with rarest',
    setup: `A folder of 3 MB with awkward names, pieces of 16 to 64 KiB. Trackers: opentracker, the .torrent given. DHT: the magnet link given, a private DHT of ${dht.nodes.length} libtorrent nodes, no tracker. ${AT_A_TIME} at a time.`,
    columns: ['seeds', 'downloads', 'they meet by', 'result', 's'],
    rows,
  });
  t.equal(rows.length, exchanges.length, 'each exchange was seen');
});
