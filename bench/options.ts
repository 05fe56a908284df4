// The command line of the benchmark.

import { parseArgs } from 'node:util';
import { inRepository } from '../test/interop/support/repository.js';

export const SIZES = ['full', 'medium', 'small'] as const;
export type Size = (typeof SIZES)[number];

export interface BenchOptions {
  readonly scenarios: readonly string[];
  readonly rounds: number;
  readonly size: Size;
  /** Who takes part; all where undefined. */
  readonly clients: readonly string[] | undefined;
  /** The Node.js that runs ours, WebTorrent and the floor. */
  readonly node: string;
  /** Where results are kept. */
  readonly out: string;
  /** Where data lies while it runs; in memory. */
  readonly scratch: string;
}

export class UsageError extends Error {}

const FLAGS = {
  rounds: { type: 'string', default: '5' },
  size: { type: 'string', default: 'full' },
  clients: { type: 'string' },
  node: { type: 'string', default: process.execPath },
  out: { type: 'string', default: inRepository('bench/results') },
  scratch: { type: 'string', default: '/dev/shm' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Undefined: help was asked for. Throws a UsageError. */
export function parseOptions(
  argv: readonly string[],
  scenarioNames: readonly string[],
  clientNames: readonly string[],
): BenchOptions | undefined {
  const { values, positionals } = read(argv);
  if (values.help) return undefined;
  const wanted = positionals.includes('all') ? scenarioNames : positionals;
  if (wanted.length === 0) throw new UsageError(`no scenario given: all, ${scenarioNames.join(', ')}`);
  for (const name of wanted) oneOf('scenario', name, scenarioNames);
  const clients = values.clients?.split(',');
  for (const name of clients ?? []) oneOf('client', name, clientNames);
  const size = SIZES.find(name => name === values.size);
  if (size === undefined) throw new UsageError(`--size is one of ${SIZES.join(', ')}, not ${values.size}`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new UsageError(`--rounds is a whole number from 1, not ${values.rounds}`);
  }
  const { node, out, scratch } = values;
  return { scenarios: wanted, rounds, size, clients, node, out, scratch };
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function oneOf(what: string, name: string, known: readonly string[]): void {
  if (!known.includes(name)) throw new UsageError(`no ${what} named ${name}: ${known.join(', ')}`);
}
