// `npm run bench -- <scenario> [options]`: what this client costs beside others, and beside what Node.js can do at best.

import { execFileSync } from 'node:child_process';
import { Bench } from './bench.js';
import { CLIENT_NAMES, CLIENTS, OURS } from './clients.js';
import { type BenchOptions, parseOptions, UsageError } from './options.js';
import { keep, resultOf } from './results.js';
import { runRounds } from './rounds.js';
import type { Scenario } from './scenario.js';
import { catScenario } from './scenarios/cat.js';
import { download } from './scenarios/download.js';
import { downloadMany } from './scenarios/download-many.js';
import { hash } from './scenarios/hash.js';
import { huge } from './scenarios/huge.js';
import { idle } from './scenarios/idle.js';
import { magnet } from './scenarios/magnet.js';
import { pieces } from './scenarios/pieces.js';
import { relay } from './scenarios/relay.js';
import { seed } from './scenarios/seed.js';
import { smallFiles } from './scenarios/small-files.js';
import { start } from './scenarios/start.js';
import { summarise } from './summary.js';
import { tableOf } from './table.js';

const SCENARIOS: readonly Scenario[] = [
  download,
  downloadMany,
  seed,
  relay,
  pieces,
  huge,
  smallFiles,
  hash,
  start,
  magnet,
  idle,
  catScenario,
];

const HELP = `npm run bench -- <scenario...> [options], as root on Linux

Scenarios: all, or any of
${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(15)}${about}`).join('\n')}

Options:
  --rounds N       how often each client runs, in turn with the others (5)
  --size SIZE      full, medium or small (full)
  --clients A,B    who takes part: ${CLIENT_NAMES.join(', ')} (all that are installed)
  --node PATH      the Node.js that runs rarest, WebTorrent and the floor (this one)
  --out DIR        where <scenario>.json and .svg are kept (bench/results)
  --scratch DIR    where data lies meanwhile, in memory (/dev/shm)
`;

/** Fails with a word on what is missing. */
function requireMachine(): void {
  if (process.platform !== 'linux')
    throw new UsageError('the benchmark needs Linux: its clients run in network namespaces');
  if (process.getuid?.() !== 0) throw new UsageError('the benchmark needs root: it makes network namespaces');
  try {
    execFileSync('ip', ['-V']);
  } catch {
    throw new UsageError('the benchmark needs the command ip (Debian: iproute2)');
  }
}

/** Names who is missing, once. */
async function versionsOf({ clients }: BenchOptions): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  for (const { name, version } of CLIENTS.filter(({ name }) => clients?.includes(name) ?? true)) {
    try {
      versions.set(name, await version());
    } catch (error) {
      if (name === OURS) throw error;
      const [why] = (error instanceof Error ? error.message : String(error)).split('\n');
      process.stderr.write(`left out: ${name} is not here (${why})\n`);
    }
  }
  return versions;
}

/** Whether all went well. */
async function runScenario(
  scenario: Scenario,
  options: BenchOptions,
  versions: ReadonlyMap<string, string>,
  node: string,
): Promise<boolean> {
  return Bench.with(options, versions, async bench => {
    bench.say(`${scenario.name}: preparing`);
    const prepared = await scenario.prepare(bench);
    if (prepared.cases.length === 0) {
      bench.say(`left out: ${scenario.name}: ${prepared.why}`);
      return true;
    }
    const runs = await runRounds(bench, scenario, prepared.cases);
    const summary = summarise(scenario, prepared, runs);
    await keep(resultOf(bench, scenario, summary, runs.failures, node), scenario, options.out);
    process.stdout.write(`${tableOf(scenario, summary)}\n`);
    return runs.failures.length === 0;
  });
}

async function main(argv: readonly string[]): Promise<number> {
  const options = parseOptions(
    argv,
    SCENARIOS.map(({ name }) => name),
    CLIENT_NAMES,
  );
  if (options === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  requireMachine();
  const node = execFileSync(options.node, ['--version'], { encoding: 'utf8' }).trim();
  const versions = await versionsOf(options);
  let passed = true;
  for (const scenario of SCENARIOS.filter(({ name }) => options.scenarios.includes(name))) {
    passed = (await runScenario(scenario, options, versions, node)) && passed;
  }
  return passed ? 0 : 1;
}

// The network is removed while the process exits, which a signal alone would not let it do.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
}
