// What a scenario is: cases, contestants that run one after another in each, and figures of what a run has cost.

import type { Bench } from './bench.js';

/** What one run gave; a scenario fills in what its metrics need. */
export interface Sample {
  readonly wallSeconds?: number;
  readonly cpuSeconds?: number;
  readonly peakRssBytes?: number;
  readonly rssBytes?: number;
  /** Payload bytes that were moved, hashed or written. */
  readonly bytes?: number;
  readonly blocks?: number;
  /** Until the first block arrived. */
  readonly waitedSeconds?: number;
  readonly metadataSeconds?: number;
}

export interface Metric {
  /** With its unit. */
  readonly title: string;
  readonly digits: number;
  readonly better: 'less' | 'more';
  /** Not a number: the sample does not tell. */
  of(sample: Sample): number;
}

export interface Contestant {
  readonly name: string;
  /** Runs to the end, checks what came of it, and leaves no trace. */
  run(): Promise<Sample>;
}

export interface Case {
  readonly title: string;
  readonly contestants: readonly Contestant[];
}

/** A ratio of one contestant's figures in two cases. */
export interface Growth {
  readonly title: string;
  readonly metric: Metric;
  readonly from: string;
  readonly to: string;
  /** The case whose samples are the fixed cost of a run: their median is taken off first. */
  readonly without?: string;
}

export interface Prepared {
  /** None: the scenario is left out. */
  readonly cases: readonly Case[];
  readonly growth?: readonly Growth[];
  /** Why it is left out. */
  readonly why?: string;
}

export interface Scenario {
  readonly name: string;
  /** What is measured, in a sentence. */
  readonly about: string;
  readonly metrics: readonly Metric[];
  prepare(bench: Bench): Promise<Prepared>;
}

const of = (value: number | undefined): number => value ?? Number.NaN;

export const WALL: Metric = {
  title: 'wall s',
  digits: 2,
  better: 'less',
  of: ({ wallSeconds }) => of(wallSeconds),
};
export const MB_PER_SECOND: Metric = {
  title: 'MB/s',
  digits: 0,
  better: 'more',
  of: ({ bytes, wallSeconds }) => of(bytes) / 1e6 / of(wallSeconds),
};
export const CPU: Metric = {
  title: 'CPU s',
  digits: 3,
  better: 'less',
  of: ({ cpuSeconds }) => of(cpuSeconds),
};
export const CPU_PER_GB: Metric = {
  title: 'CPU s per GB',
  digits: 2,
  better: 'less',
  of: ({ bytes, cpuSeconds }) => (of(cpuSeconds) / of(bytes)) * 1e9,
};
export const CPU_PER_BLOCK: Metric = {
  title: 'CPU µs per block',
  digits: 1,
  better: 'less',
  of: ({ blocks, cpuSeconds }) => (of(cpuSeconds) / of(blocks)) * 1e6,
};
export const PEAK_RSS: Metric = {
  title: 'peak RSS MB',
  digits: 0,
  better: 'less',
  of: ({ peakRssBytes }) => of(peakRssBytes) / 1e6,
};
export const RSS: Metric = {
  title: 'RSS MB',
  digits: 0,
  better: 'less',
  of: ({ rssBytes }) => of(rssBytes) / 1e6,
};
export const WAITED: Metric = {
  title: 's to first block',
  digits: 2,
  better: 'less',
  of: ({ waitedSeconds }) => of(waitedSeconds),
};
export const METADATA: Metric = {
  title: 's to metadata',
  digits: 2,
  better: 'less',
  of: ({ metadataSeconds }) => of(metadataSeconds),
};
