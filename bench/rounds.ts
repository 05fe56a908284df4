// The clients in turn, several times: whatever slows the machine down for a while slows all of them.

import type { Bench } from './bench.js';
import type { Case, Sample, Scenario } from './scenario.js';

export interface Failure {
  readonly case: string;
  readonly contestant: string;
  readonly round: number;
  readonly why: string;
}

export interface Runs {
  /** Samples by case, then by contestant, a round each. */
  readonly samples: ReadonlyMap<string, ReadonlyMap<string, readonly Sample[]>>;
  readonly failures: readonly Failure[];
}

/** Runs all cases of a scenario; who fails in a case is not asked again in it. */
export async function runRounds(bench: Bench, scenario: Scenario, cases: readonly Case[]): Promise<Runs> {
  const samples = new Map<string, Map<string, Sample[]>>();
  const failures: Failure[] = [];
  for (let round = 1; round <= bench.options.rounds; round++) {
    for (const { title, contestants } of cases) {
      const ofCase = samples.get(title) ?? new Map<string, Sample[]>();
      samples.set(title, ofCase);
      for (const { name, run } of contestants) {
        if (failures.some(failure => failure.case === title && failure.contestant === name)) continue;
        const where = `${scenario.name}, ${title}, round ${round} of ${bench.options.rounds}: ${name}`;
        try {
          const sample = await run();
          ofCase.set(name, [...(ofCase.get(name) ?? []), sample]);
          bench.say(`${where}: ${shown(scenario, sample)}`);
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          failures.push({ case: title, contestant: name, round, why });
          bench.say(`${where} FAILED: ${why}`);
        }
      }
    }
  }
  return { samples, failures };
}

function shown({ metrics }: Scenario, sample: Sample): string {
  return metrics
    .filter(({ of }) => Number.isFinite(of(sample)))
    .map(({ title, digits, of }) => `${of(sample).toFixed(digits)} ${title}`)
    .join(', ');
}
