// What the benchmark makes of its samples: medians, ratios, growth, a table, a chart.

import t from 'tap';
import { chartOf } from '../../bench/chart.js';
import { parseOptions } from '../../bench/options.js';
import type { Result } from '../../bench/results.js';
import { CPU_PER_BLOCK, CPU_PER_GB, type Sample, type Scenario, WALL } from '../../bench/scenario.js';
import { summarise } from '../../bench/summary.js';
import { tableOf } from '../../bench/table.js';

const scenario: Scenario = {
  name: 'example',
  about: 'less < more & so on',
  metrics: [WALL, CPU_PER_GB],
  prepare: async () => ({ cases: [] }),
};
const sample = (wallSeconds: number, cpuSeconds: number): Sample => ({ wallSeconds, cpuSeconds, bytes: 2e9 });
const samples = new Map([
  [
    'one',
    new Map([
      ['rarest', [sample(3, 4), sample(1, 2), sample(2, 12)]],
      ['libtorrent', [sample(4, 4)]],
      ['aria2', [sample(8, 1)]],
      ['floor', [sample(1, 2)]],
      ['openssl', [{ wallSeconds: 1 }]],
    ]),
  ],
]);
const summary = summarise(scenario, { cases: [] }, { samples, failures: [] });

t.test('a figure is the median with its spread', async t => {
  t.match(summary.cases[0]?.contestants[0]?.figures, [
    { metric: 'wall s', median: 2, min: 1, max: 3 },
    { metric: 'CPU s per GB', median: 2, min: 1, max: 6 },
  ]);
});

t.test('ratios are ours over theirs, the best peer being the best at that', async t => {
  const ratioTo = (against: string) =>
    summary.cases[0]?.ratios.filter(ratio => ratio.against === against).map(({ ratio }) => ratio);
  t.same(
    ratioTo('best peer'),
    [0.5, 4],
    'libtorrent by wall, aria2 by CPU; neither floor nor openssl is a peer',
  );
  t.same(ratioTo('libtorrent'), [0.5, 1]);
  t.same(ratioTo('floor'), [2, 2]);
  t.same(ratioTo('openssl'), [2], 'no ratio to what was not measured');
});

t.test('growth takes off the cost of a run', async t => {
  const run = (cpuSeconds: number, blocks: number): Sample => ({ cpuSeconds, blocks });
  const growth = [{ title: 'growth', metric: CPU_PER_BLOCK, from: '10', to: '100', without: '1' }];
  const samples = new Map([
    ['1', new Map([['rarest', [run(1, 1)]]])],
    ['10', new Map([['rarest', [run(2, 10)]]])],
    ['100', new Map([['rarest', [run(31, 100)]]])],
  ]);
  const { growth: grown } = summarise(scenario, { cases: [], growth }, { samples, failures: [] });
  t.match(grown, [{ contestant: 'rarest', from: 100_000, to: 300_000, ratio: 3 }]);
});

t.test('the table and the chart say the same', async t => {
  const table = tableOf(scenario, summary);
  t.match(table, /^rarest +2\.00 \(1\.00 to 3\.00\) +2\.00 \(1\.00 to 6\.00\)$/m);
  t.match(table, /^openssl +1\.00 \(1\.00 to 1\.00\) +-$/m, 'what was not measured is a dash');
  const result: Result = {
    ...summary,
    scenario: scenario.name,
    about: scenario.about,
    date: '2026-01-02T03:04:05.000Z',
    machine: 'a machine',
    node: 'v20.0.0',
    versions: {},
    size: 'small',
    rounds: 3,
    failures: [],
  };
  const chart = chartOf(result, scenario.metrics);
  t.match(chart, 'less &lt; more &amp; so on', 'text is escaped');
  t.equal(chart.match(/<rect x=/g)?.length, 9, 'a bar for each figure');
});

t.test('options', async t => {
  const parse = (...argv: string[]) => parseOptions(argv, ['download', 'seed'], ['rarest', 'aria2']);
  t.equal(parse('--help'), undefined);
  t.match(parse('all', '--size', 'small', '--rounds', '2', '--clients', 'rarest,aria2'), {
    scenarios: ['download', 'seed'],
    size: 'small',
    rounds: 2,
    clients: ['rarest', 'aria2'],
  });
  t.match(parse('seed'), { scenarios: ['seed'], size: 'full', rounds: 5, clients: undefined });
  t.throws(() => parse(), /no scenario given: all, download, seed/);
  t.throws(() => parse('upload'), /no scenario named upload/);
  t.throws(() => parse('seed', '--size', 'huge'), /--size is one of full, medium, small, not huge/);
  t.throws(() => parse('seed', '--rounds', '1.5'), /--rounds is a whole number/);
  t.throws(() => parse('seed', '--clients', 'azureus'), /no client named azureus/);
  t.throws(() => parse('seed', '--fast'), /--fast/);
});
