// What the rounds say: medians with their spread, ours against the others, and how cost grows from case to case. Pure.

import { median } from '../test/interop/support/measure.js';
import { FLOOR, FLOOR_WORKER, OURS, PEERS } from './clients.js';
import type { Runs } from './rounds.js';
import type { Growth, Metric, Prepared, Sample, Scenario } from './scenario.js';

export interface Figure {
  readonly metric: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface ContestantSummary {
  readonly name: string;
  readonly figures: readonly Figure[];
  readonly runs: readonly Sample[];
}

/** Ours divided by theirs, of medians: below 1 we need less. */
export interface Ratio {
  readonly metric: string;
  readonly against: string;
  readonly ratio: number;
}

export interface CaseSummary {
  readonly title: string;
  readonly contestants: readonly ContestantSummary[];
  readonly ratios: readonly Ratio[];
}

export interface GrowthSummary {
  readonly title: string;
  readonly contestant: string;
  readonly from: number;
  readonly to: number;
  readonly ratio: number;
}

export interface Summary {
  readonly cases: readonly CaseSummary[];
  readonly growth: readonly GrowthSummary[];
}

export function summarise(scenario: Scenario, { growth = [] }: Prepared, { samples }: Runs): Summary {
  const cases = [...samples].map(([title, contestants]): CaseSummary => {
    const summaries = [...contestants].map(([name, runs]) => ({
      name,
      figures: scenario.metrics.map(metric => figureOf(metric, runs)).filter(isKnown),
      runs,
    }));
    return { title, contestants: summaries, ratios: ratiosOf(scenario.metrics, summaries) };
  });
  return { cases, growth: growth.flatMap(item => growthOf(item, samples)) };
}

function isKnown({ median }: Figure): boolean {
  return Number.isFinite(median);
}

function figureOf(metric: Metric, runs: readonly Sample[]): Figure {
  const values = runs.map(metric.of);
  return { metric: metric.title, median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** A reader who wants to know more divides the medians; what gets better as it grows says the same as its wall time. */
function ratiosOf(metrics: readonly Metric[], contestants: readonly ContestantSummary[]): Ratio[] {
  const ours = contestants.find(({ name }) => name === OURS);
  if (ours === undefined) return [];
  const medianOf = ({ figures }: ContestantSummary, { title }: Metric): number =>
    figures.find(({ metric }) => metric === title)?.median ?? Number.NaN;
  return metrics
    .filter(({ better }) => better === 'less')
    .flatMap(metric => {
      const value = medianOf(ours, metric);
      const others = contestants
        .filter(other => other !== ours)
        .map(other => ({ other, value: medianOf(other, metric) }));
      const peers = others.filter(({ other, value }) => PEERS.includes(other.name) && Number.isFinite(value));
      const ratios = others.map(({ other, value: theirs }) => ({
        against: other.name,
        ratio: value / theirs,
      }));
      if (peers.length > 0) {
        const best = Math.min(...peers.map(peer => peer.value));
        ratios.unshift({ against: 'best peer', ratio: value / best });
      }
      return ratios
        .filter(({ ratio }) => Number.isFinite(ratio))
        .map(ratio => ({ metric: metric.title, ...ratio }));
    });
}

function growthOf(growth: Growth, samples: Runs['samples']): GrowthSummary[] {
  const { title, metric } = growth;
  const names = [...(samples.get(growth.from)?.keys() ?? [])];
  return names.flatMap(contestant => {
    const fixed = growth.without === undefined ? undefined : samples.get(growth.without)?.get(contestant);
    if (growth.without !== undefined && fixed === undefined) return [];
    const fixedCpu = median((fixed ?? [{ cpuSeconds: 0 }]).map(({ cpuSeconds = 0 }) => cpuSeconds));
    const value = (title: string): number => {
      const runs = samples.get(title)?.get(contestant);
      if (runs === undefined) return Number.NaN;
      return median(
        runs.map(run => metric.of({ ...run, cpuSeconds: (run.cpuSeconds ?? Number.NaN) - fixedCpu })),
      );
    };
    const [from, to] = [value(growth.from), value(growth.to)];
    return Number.isFinite(to / from) ? [{ title, contestant, from, to, ratio: to / from }] : [];
  });
}

/** In the order in which a reader looks for them. */
export const AGAINST = ['best peer', ...PEERS, FLOOR, FLOOR_WORKER];
