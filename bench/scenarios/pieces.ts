// Pieces of one block: what a piece costs, and whether that grows with their number.

import { PEER_PORT } from '../../test/interop/support/client.js';
import { singleFile } from '../../test/interop/support/content.js';
import { CLIENT_NAMES } from '../clients.js';
import { startFloorSeed } from '../floor/programs.js';
import { BLOCK_BYTES } from '../floor/torrent.js';
import { type Case, CPU, CPU_PER_BLOCK, PEAK_RSS, type Scenario, WALL } from '../scenario.js';

/** The first is the cost of a run, whatever it fetches. */
const COUNTS = { full: [1, 1000, 10_000, 100_000], medium: [1, 1000, 10_000], small: [1, 100] };

const titleOf = (count: number): string =>
  `${count.toLocaleString('en')} ${count === 1 ? 'piece' : 'pieces'}`;

export const pieces: Scenario = {
  name: 'pieces',
  about:
    'pieces of 16 KiB from one seed of the floor: CPU per block, and how it grows with the number of pieces',
  metrics: [WALL, CPU, CPU_PER_BLOCK, PEAK_RSS],
  async prepare(bench) {
    const counts = bench.pick(COUNTS);
    const cases: Case[] = [];
    for (const count of counts) {
      const place = await bench.network.add(`seed-${count}`);
      const peers = [`${place.address}:${PEER_PORT}`];
      const content = await bench.shareAt(
        singleFile(`${count}.bin`, count * BLOCK_BYTES, BLOCK_BYTES),
        peers,
      );
      const data = `${content.parent}/${content.name}`;
      await startFloorSeed(place, bench.options.node, { torrent: content.torrent, data, listen: peers });
      const contestants = bench.contestants(CLIENT_NAMES, async client => ({
        ...(await bench.fetch(client, content, peers)),
        blocks: count,
      }));
      cases.push({ title: titleOf(count), contestants });
    }
    const [one = 0, few = 0, ...more] = counts;
    const growth = more.map(count => ({
      title: `CPU µs per block beyond a run of one, ${titleOf(count)} against ${few.toLocaleString('en')}`,
      metric: CPU_PER_BLOCK,
      from: titleOf(few),
      to: titleOf(count),
      without: titleOf(one),
    }));
    return { cases, growth };
  },
};
