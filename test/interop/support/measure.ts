// What a client costs: wall and CPU seconds, memory, from the kernel's accounts: of a whole run, or of one that goes on.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PYTHON } from './content.js';
import type { Namespace } from './namespaces.js';
import type { Program } from './program.js';
import { inRepository } from './repository.js';

const SCRIPT = inRepository('test/interop/support/measure.py');

export interface Cost {
  /** On the clock of `process.hrtime`. */
  readonly startedAtSeconds: number;
  readonly wallSeconds: number;
  /** User and system, of all threads and children. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
}

/** Runs what `start` starts, with the measuring prefix it is given, to an end with this exit code. */
export async function measured(
  namespace: Namespace,
  timeoutMs: number,
  start: (prefix: readonly string[]) => Program | Promise<Program>,
  exit = 0,
): Promise<Cost> {
  const file = join(namespace.directory, 'cost.json');
  const program = await start([PYTHON, SCRIPT, file]);
  const { code, signal } = await program.waitForEnd(timeoutMs);
  if (code !== exit) throw new Error(`${program.name} ended with ${code ?? signal}`);
  return JSON.parse(await readFile(file, 'utf8'));
}

/** What a process and those it started have used so far. */
export interface Usage {
  readonly cpuSeconds: number;
  /** Of the largest of these processes. */
  readonly peakRssBytes: number;
  /** Of all. */
  readonly rssBytes: number;
}

/** The kernel's unit of CPU times in /proc, on all architectures that Node.js runs on. */
const TICKS_PER_SECOND = 100;

export async function usageOf(pid: number): Promise<Usage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kibibytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  // Behind the name, which may hold anything: state is field 3; utime, stime, cutime and cstime are 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  const children = await Promise.all((await childrenOf(pid)).map(usageOf));
  return {
    cpuSeconds: children.reduce((sum, child) => sum + child.cpuSeconds, ticks / TICKS_PER_SECOND),
    peakRssBytes: Math.max(kibibytes('VmHWM') * 1024, ...children.map(child => child.peakRssBytes)),
    rssBytes: children.reduce((sum, child) => sum + child.rssBytes, kibibytes('VmRSS') * 1024),
  };
}

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = threads.map(thread =>
    readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => ''),
  );
  return (await Promise.all(lists)).flatMap(list => list.split(' ').filter(Boolean)).map(Number);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted[sorted.length % 2 === 1 ? middle : middle - 1];
  if (upper === undefined || lower === undefined) throw new Error('median of nothing');
  return (lower + upper) / 2;
}
