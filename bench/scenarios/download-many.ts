// Many seeds at once: does the cost of a byte grow with the number of peers?

import { singleFile } from '../../test/interop/support/content.js';
import { CLIENT_NAMES } from '../clients.js';
import { peersAt, startFloorSeed } from '../floor/programs.js';
import { CPU_PER_GB, MB_PER_SECOND, PEAK_RSS, type Scenario, WALL } from '../scenario.js';

const MIB = 2 ** 20;
const SEEDS = { full: [1, 8, 50], medium: [1, 8, 50], small: [1, 4] };

const titleOf = (count: number): string => (count === 1 ? '1 seed' : `${count} seeds`);

export const downloadMany: Scenario = {
  name: 'download-many',
  about:
    '1 GiB (full size) in 1 MiB pieces from 1, 8 and 50 seeds, which are one process of the floor at as many addresses',
  metrics: [WALL, MB_PER_SECOND, CPU_PER_GB, PEAK_RSS],
  async prepare(bench) {
    const length = bench.pick({ full: 1024 * MIB, medium: 256 * MIB, small: 8 * MIB });
    const counts = bench.pick(SEEDS);
    const cases = [];
    for (const count of counts) {
      const place = await bench.network.add(`seeds-${count}`);
      const peers = peersAt(await place.addAddresses(count));
      const content = await bench.shareAt(singleFile(`from-${count}.bin`, length, MIB), peers);
      const data = `${content.parent}/${content.name}`;
      await startFloorSeed(place, bench.options.node, { torrent: content.torrent, data, listen: peers });
      const contestants = bench.contestants(CLIENT_NAMES, client => bench.fetch(client, content, peers));
      cases.push({ title: titleOf(count), contestants });
    }
    const growth = counts.slice(1).map(count => ({
      title: `CPU s per GB, ${titleOf(count)} against 1`,
      metric: CPU_PER_GB,
      from: titleOf(1),
      to: titleOf(count),
    }));
    return { cases, growth };
  },
};
