// What is kept of the last run of a scenario: all figures as JSON, and a chart.

import { mkdir, writeFile } from 'node:fs/promises';
import { arch, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './bench.js';
import { chartOf } from './chart.js';
import type { Failure } from './rounds.js';
import type { Scenario } from './scenario.js';
import type { Summary } from './summary.js';

export interface Result extends Summary {
  readonly scenario: string;
  readonly about: string;
  readonly date: string;
  readonly machine: string;
  /** Of the Node.js that ran ours. */
  readonly node: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly size: string;
  readonly rounds: number;
  readonly failures: readonly Failure[];
}

export function resultOf(
  bench: Bench,
  scenario: Scenario,
  summary: Summary,
  failures: readonly Failure[],
  node: string,
): Result {
  const took = new Set(summary.cases.flatMap(({ contestants }) => contestants.map(({ name }) => name)));
  const { size, rounds } = bench.options;
  return {
    scenario: scenario.name,
    about: scenario.about,
    date: new Date().toISOString(),
    machine: machine(),
    node,
    versions: Object.fromEntries([...bench.versions].filter(([name]) => took.has(name))),
    size,
    rounds,
    failures,
    ...summary,
  };
}

function machine(): string {
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${cpus().length} cores of ${cpus()[0]?.model.trim()}, ${memory} GiB, Linux ${release()} ${arch()}`;
}

/** Writes `<scenario>.json` and `<scenario>.svg`. */
export async function keep(result: Result, scenario: Scenario, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, result.scenario);
  await writeFile(`${path}.json`, `${JSON.stringify(result, null, 2)}\n`);
  await writeFile(`${path}.svg`, chartOf(result, scenario.metrics));
}
