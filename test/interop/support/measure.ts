// What one run of a client cost: wall and CPU seconds, peak memory, from the kernel's accounts.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PYTHON } from './content.js';
import type { Namespace } from './namespaces.js';
import type { Program } from './program.js';

const SCRIPT = fileURLToPath(new URL('measure.py', import.meta.url));

export interface Cost {
  readonly wallSeconds: number;
  /** User and system, of all threads and children. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
}

/** Runs what `start` starts, with the measuring prefix it is given, to a successful end. */
export async function measured(
  namespace: Namespace,
  timeoutMs: number,
  start: (prefix: readonly string[]) => Program,
): Promise<Cost> {
  const file = join(namespace.directory, 'cost.json');
  const program = start([PYTHON, SCRIPT, file]);
  const { code, signal } = await program.waitForEnd(timeoutMs);
  if (code !== 0) throw new Error(`${program.name} ended with ${code ?? signal}`);
  return JSON.parse(await readFile(file, 'utf8'));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted[sorted.length % 2 === 1 ? middle : middle - 1];
  if (upper === undefined || lower === undefined) throw new Error('median of nothing');
  return (lower + upper) / 2;
}
