// From a magnet link without trackers to the last byte of 45 MB: rarest, aria2 and libtorrent, each in a fresh private
// DHT of eight libtorrent nodes with one libtorrent seed, so that no run finds traces of an earlier one.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startAria2Leecher } from '../support/aria2.js';
import { type Content, hashesOf, makeContent, singleFile } from '../support/content.js';
import { Libtorrent, PrivateDht, startLibtorrentSeed } from '../support/libtorrent.js';
import { median } from '../support/measure.js';
import { type Namespace, Network } from '../support/namespaces.js';
import type { Program } from '../support/program.js';
import { downloadArgs, outputOf, startRarest } from '../support/rarest.js';
import { report } from '../support/report.js';

const ROUNDS = 3;
const DHT_NODES = 8;
const DOWNLOAD_MS = 180_000;

type Start = (namespace: Namespace, content: Content, nodes: readonly string[]) => Program;

const clients: Readonly<Record<string, Start>> = {
  rarest: (namespace, { magnet }, nodes) => {
    const args = ['--dht-bootstrap', nodes[0] ?? ''];
    return startRarest(namespace, downloadArgs(namespace, magnet, args));
  },
  aria2: (namespace, { magnet }, nodes) =>
    startAria2Leecher(namespace, {
      sources: [magnet],
      directory: outputOf(namespace),
      bootstrap: nodes[0],
    }),
  libtorrent: (namespace, { magnet }, nodes) =>
    new Libtorrent(namespace, {
      torrents: [{ magnet, directory: outputOf(namespace) }],
      bootstrap: nodes.slice(0, 1),
      leaveWhenDone: true,
    }).program,
};

/** Seconds from the start of the process to its exit. */
async function run(t: Test, content: Content, start: Start): Promise<number> {
  const network = await Network.create(t);
  const dht = await PrivateDht.start(await network.add('dht'), DHT_NODES);
  const seed = await startLibtorrentSeed(await network.add('seed'), {
    bootstrap: dht.nodes,
    torrents: [{ torrent: content.torrent, directory: content.parent }],
  });
  await dht.announced(content.infoHash, seed.peer);
  const namespace = await network.add('leecher');
  const { code, seconds } = await start(namespace, content, dht.nodes).waitForEnd(DOWNLOAD_MS);
  t.equal(code, 0, 'ends with success');
  t.same(await hashesOf(content, outputOf(namespace)), await hashesOf(content), 'with the right bytes');
  await network.close();
  return seconds;
}

const home = await Network.create(t);
const content = await makeContent(
  singleFile('single.bin', 45_000_000, 262_144),
  join(home.directory, 'shared'),
);
const times = new Map<string, number[]>(Object.keys(clients).map(name => [name, []]));

for (let round = 1; round <= ROUNDS; round++) {
  for (const [name, start] of Object.entries(clients)) {
    await t.test(`${name}, round ${round}`, async t => {
      const seconds = await run(t, content, start);
      times.get(name)?.push(seconds);
      t.comment(`${name}: ${seconds.toFixed(2)} s`);
    });
  }
}

t.test('figures', async t => {
  const rows = [...times].map(([name, seconds]) => [
    name,
    median(seconds).toFixed(2),
    seconds.map(value => value.toFixed(2)).join(', '),
  ]);
  report(t, 'proof', {
    title: 'Magnet link to the last byte of 45 MB',
    setup: `No tracker, no address given: a private DHT of ${DHT_NODES} libtorrent nodes, one libtorrent seed. From process start to exit.`,
    columns: ['client', 'median s', 'rounds'],
    rows,
  });
  for (const [name, seconds] of times) t.equal(seconds.length, ROUNDS, `${name} finished each round`);
});
