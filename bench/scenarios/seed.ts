// Upload to leechers that ask of nobody else: what seeding costs, without the check of the data before it.

import { singleFile } from '../../test/interop/support/content.js';
import { usageOf } from '../../test/interop/support/measure.js';
import { type BenchClient, CLIENT_NAMES, FLOOR_WORKER } from '../clients.js';
import { floorFigures, startFloorDownload } from '../floor/programs.js';
import {
  CPU_PER_GB,
  MB_PER_SECOND,
  PEAK_RSS,
  type Sample,
  type Scenario,
  WAITED,
  WALL,
} from '../scenario.js';

const MIB = 2 ** 20;
const LEECHERS = { full: [1, 8], medium: [1, 8], small: [1, 2] };
/** The floor seeds on one thread alone. */
const SEEDS = CLIENT_NAMES.filter(name => name !== FLOOR_WORKER);

export const seed: Scenario = {
  name: 'seed',
  about:
    'a file in 1 MiB pieces to 1 and to 8 leechers of the floor, which check each piece and keep none; 1 GiB and 256 MiB each (full size)',
  metrics: [WALL, WAITED, MB_PER_SECOND, CPU_PER_GB, PEAK_RSS],
  async prepare(bench) {
    const lengths = bench.pick({
      full: [1024 * MIB, 256 * MIB],
      medium: [256 * MIB, 64 * MIB],
      small: [8 * MIB, 2 * MIB],
    });
    const counts = bench.pick(LEECHERS);
    const place = await bench.network.add('leechers');
    const addresses = await place.addAddresses(Math.max(...counts));
    const cases = [];
    for (const [index, count] of counts.entries()) {
      const content = await bench.shareAt(singleFile(`to-${count}.bin`, lengths[index] ?? 0, MIB), []);
      const { torrent } = content;
      const run = async (client: BenchClient): Promise<Sample> => {
        const { node } = bench.options;
        const order = { content, directory: content.parent };
        const program = await client.seed(bench.place, order, node);
        const peers = [`${bench.place.address}:${client.port}`];
        const before = await usageOf(program.pid);
        const leechers = addresses
          .slice(0, count)
          .map(from => startFloorDownload(place, node, { torrent, peers, from, thread: 'main' }));
        const ends = await Promise.all(leechers.map(leecher => floorFigures(leecher, bench.timeoutMs)));
        const after = await usageOf(program.pid);
        return {
          wallSeconds: Math.max(...ends.map(({ seconds }) => seconds)),
          waitedSeconds: Math.min(...ends.map(({ waited }) => waited)),
          cpuSeconds: after.cpuSeconds - before.cpuSeconds,
          peakRssBytes: after.peakRssBytes,
          bytes: count * content.length,
        };
      };
      const title = count === 1 ? '1 leecher' : `${count} leechers`;
      cases.push({ title, contestants: bench.contestants(SEEDS, run, place) });
    }
    return { cases };
  },
};
