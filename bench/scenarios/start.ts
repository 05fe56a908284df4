// What it takes to start and say little, beside Node.js that starts and says nothing.

import { readFile } from 'node:fs/promises';
import { makeContent, singleFile } from '../../test/interop/support/content.js';
import { type Cost, measured } from '../../test/interop/support/measure.js';
import { BINARY, rarest } from '../../test/interop/support/rarest.js';
import { CPU, PEAK_RSS, type Sample, type Scenario, WALL } from '../scenario.js';

const RUN_MS = 30_000;
const USAGE_EXIT = 2;

function mean(costs: readonly Cost[]): Sample {
  const of = (value: (cost: Cost) => number): number =>
    costs.reduce((sum, cost) => sum + value(cost), 0) / costs.length;
  return {
    wallSeconds: of(({ wallSeconds }) => wallSeconds),
    cpuSeconds: of(({ cpuSeconds }) => cpuSeconds),
    peakRssBytes: of(({ peakRssBytes }) => peakRssBytes),
  };
}

export const start: Scenario = {
  name: 'start',
  about:
    'rarest --version, info of a .torrent and a usage error beside node -e 0: the mean of 5 runs (full size) a round',
  metrics: [{ ...WALL, digits: 3 }, CPU, PEAK_RSS],
  async prepare(bench) {
    const times = bench.pick({ full: 5, medium: 3, small: 1 });
    const { torrent } = await makeContent(singleFile('small.bin', 1_000_000, 65_536), bench.shared);
    await readFile(BINARY); // Fails here if nothing was built.
    const contestant = (name: string, args: readonly string[], exit: number) =>
      bench.contestant(name, async () => {
        const costs: Cost[] = [];
        for (let run = 0; run < times; run++) {
          const begin = (prefix: readonly string[]) =>
            bench.place.start(name, [...prefix, bench.options.node, ...args]);
          costs.push(await measured(bench.place, RUN_MS, begin, exit));
        }
        return mean(costs);
      });
    const ofCase = (title: string, args: readonly string[], exit = 0) => ({
      title,
      contestants: [
        ...(bench.has(rarest.name) ? [contestant(rarest.name, [BINARY, ...args], exit)] : []),
        contestant('node -e 0', ['-e', '0'], 0),
      ],
    });
    return {
      cases: [
        ofCase('--version', ['--version']),
        ofCase('info', ['info', torrent]),
        ofCase('usage error', ['download', '--no-such-flag'], USAGE_EXIT),
      ],
    };
  },
};
