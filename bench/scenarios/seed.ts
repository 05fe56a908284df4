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
const MANY = { full: 8, medium: 8, small: 2 };
/** As much as a fast link without delay needs. aria2 takes longer for each block the more of them are asked for. */
const FEW_AHEAD = 16;
/** The floor seeds on one thread alone. */
const SEEDS = CLIENT_NAMES.filter(name => name !== FLOOR_WORKER);

export const seed: Scenario = {
  name: 'seed',
  about:
    'a file in 1 MiB pieces to 1 leecher of the floor, with 500 and with 16 requests outstanding, and to 8; they check each piece and keep none; 1 GiB and 256 MiB each (full size)',
  metrics: [WALL, WAITED, MB_PER_SECOND, CPU_PER_GB, PEAK_RSS],
  async prepare(bench) {
    const lengths = bench.pick({
      full: [1024 * MIB, 256 * MIB],
      medium: [256 * MIB, 64 * MIB],
      small: [8 * MIB, 2 * MIB],
    });
    const many = bench.pick(MANY);
    const place = await bench.network.add('leechers');
    const addresses = await place.addAddresses(many);
    const [one, each] = [
      await bench.shareAt(singleFile('to-one.bin', lengths[0] ?? 0, MIB), []),
      await bench.shareAt(singleFile('to-many.bin', lengths[1] ?? 0, MIB), []),
    ];
    const shapes = [
      { title: '1 leecher', content: one, count: 1 },
      {
        title: `1 leecher that asks for ${FEW_AHEAD} blocks ahead`,
        content: one,
        count: 1,
        ahead: FEW_AHEAD,
      },
      { title: `${many} leechers`, content: each, count: many },
    ];
    const cases = shapes.map(({ title, content, count, ahead }) => {
      const { torrent } = content;
      const run = async (client: BenchClient): Promise<Sample> => {
        const { node } = bench.options;
        const program = await client.seed(bench.place, { content, directory: content.parent }, node);
        const peers = [`${bench.place.address}:${client.port}`];
        const order = { torrent, peers, thread: 'main', ...(ahead !== undefined && { ahead }) } as const;
        const before = await usageOf(program.pid);
        const leechers = addresses
          .slice(0, count)
          .map(from => startFloorDownload(place, node, { ...order, from }));
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
      return { title, contestants: bench.contestants(SEEDS, run, place) };
    });
    return { cases };
  },
};
