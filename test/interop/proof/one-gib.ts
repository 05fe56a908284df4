// 1 GiB of 1 MiB pieces from one libtorrent seed whose address is known: what it costs rarest, aria2 and libtorrent.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startAria2Leecher, startFixedTracker } from '../support/aria2.js';
import { hashesOf, makeContent, singleFile } from '../support/content.js';
import { Libtorrent, startLibtorrentSeed } from '../support/libtorrent.js';
import { type Cost, measured, median } from '../support/measure.js';
import { type Namespace, Network } from '../support/namespaces.js';
import type { Program } from '../support/program.js';
import { downloadArgs, outputOf, startRarest } from '../support/rarest.js';
import { report } from '../support/report.js';

const MIB = 1024 * 1024;
const LENGTH = 1024 * MIB;
const ROUNDS = 3;
const MTU = 9000;
const DOWNLOAD_MS = 300_000;

type Start = (namespace: Namespace, prefix: readonly string[]) => Program;

const network = await Network.create(t, { mtu: MTU });
const content = await makeContent(singleFile('one.bin', LENGTH, MIB), join(network.directory, 'shared'));
const original = await hashesOf(content);
const { torrent } = content;
const seed = await startLibtorrentSeed(await network.add('seed'), {
  torrents: [{ torrent, directory: content.parent }],
});
const tracker = await startFixedTracker(await network.add('tracker'), seed.peer);

const clients: Readonly<Record<string, Start>> = {
  rarest: (namespace, prefix) =>
    startRarest(namespace, downloadArgs(namespace, torrent, ['--no-dht', '--peer', seed.peer]), { prefix }),
  aria2: (namespace, prefix) =>
    startAria2Leecher(namespace, { sources: [torrent], directory: outputOf(namespace), tracker, prefix }),
  libtorrent: (namespace, prefix) =>
    new Libtorrent(namespace, {
      torrents: [{ torrent, directory: outputOf(namespace), peers: [seed.peer] }],
      leaveWhenDone: true,
      prefix,
    }).program,
};
const costs = new Map<string, Cost[]>(Object.keys(clients).map(name => [name, []]));

for (let round = 1; round <= ROUNDS; round++) {
  for (const [name, start] of Object.entries(clients)) {
    await t.test(`${name}, round ${round}`, async t => {
      const namespace = await network.add(`${name}-${round}`);
      const cost = await measured(namespace, DOWNLOAD_MS, prefix => start(namespace, prefix));
      costs.get(name)?.push(cost);
      t.same(await hashesOf(content, outputOf(namespace)), original, 'with the right bytes');
      t.comment(`${name}: ${JSON.stringify(cost)}`);
      await rm(outputOf(namespace), { recursive: true });
    });
  }
}

t.test('figures', async t => {
  const rows = [...costs].map(([name, runs]) => {
    const wall = median(runs.map(({ wallSeconds }) => wallSeconds));
    const cpu = median(runs.map(({ cpuSeconds }) => cpuSeconds));
    const rss = Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes));
    return [
      name,
      wall.toFixed(2),
      (LENGTH / 1e6 / wall).toFixed(0),
      ((cpu / LENGTH) * 1e9).toFixed(2),
      (rss / 1e6).toFixed(0),
    ];
  });
  report(t, 'proof', {
    title: '1 GiB from one seed',
    setup: `Pieces of 1 MiB, one libtorrent seed at a known address (aria2: named by a tracker), veth with an MTU of ${MTU}; medians of ${ROUNDS} rounds, the peak of all.`,
    columns: ['client', 'wall s', 'MB/s', 'CPU s per GB', 'peak RSS MB'],
    rows,
  });
  for (const [name, runs] of costs) t.equal(runs.length, ROUNDS, `${name} finished each round`);
});
