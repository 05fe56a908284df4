// Looks at places of a disk: what is there, without following a link that is there. Runs on any thread; the answer is
// packed, for as objects thousands of them would cost more to send than to look at.

import { lstatSync, type Stats } from 'node:fs';
import { faultOf, isAbsent, type SystemFault } from './system-fault.js';

const KINDS = ['nothing', 'file', 'folder', 'link', 'special'] as const;

/** What is in one place. */
export interface Seen {
  readonly kind: Exclude<(typeof KINDS)[number], 'nothing'>;
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
  /** Bytes that it occupies, holes left out. */
  readonly allocatedBytes: number;
}

export interface LookJob {
  readonly kind: 'look';
  /** Absolute. */
  readonly paths: readonly string[];
}

export interface Looked {
  readonly kind: 'looked';
  /** For each path its place in KINDS. */
  readonly kinds: Uint8Array;
  /** Of each path: size, mtimeMs, allocatedBytes. */
  readonly numbers: Float64Array;
  /** Where the system would not say, by the place of the path. */
  readonly faults: ReadonlyMap<number, SystemFault>;
}

const NUMBERS = 3;
/** `blocks` counts these, whatever the file system. */
const STAT_BLOCK_BYTES = 512;

export function lookEach(paths: readonly string[]): Looked {
  const kinds = new Uint8Array(paths.length);
  const numbers = new Float64Array(paths.length * NUMBERS);
  const faults = new Map<number, SystemFault>();
  for (const [index, path] of paths.entries()) {
    try {
      const seen = seenOf(lstatSync(path));
      kinds[index] = KINDS.indexOf(seen.kind);
      const at = index * NUMBERS;
      numbers[at] = seen.size;
      numbers[at + 1] = seen.mtimeMs;
      numbers[at + 2] = seen.allocatedBytes;
    } catch (error) {
      const fault = faultOf(error);
      if (!isAbsent(fault)) faults.set(index, fault);
    }
  }
  return { kind: 'looked', kinds, numbers, faults };
}

/** What is in each place, undefined where nothing is, or what the system said. */
export function* unpackLooks({ kinds, numbers, faults }: Looked): Generator<Seen | SystemFault | undefined> {
  for (const [index, number] of kinds.entries()) {
    const kind = KINDS[number] ?? 'nothing';
    const at = index * NUMBERS;
    if (kind === 'nothing') yield faults.get(index);
    else yield { kind, size: numbers[at]!, mtimeMs: numbers[at + 1]!, allocatedBytes: numbers[at + 2]! };
  }
}

export function seenOf(stats: Stats): Seen {
  return {
    kind: kindOf(stats),
    size: stats.size,
    mtimeMs: stats.mtimeMs,
    allocatedBytes: stats.blocks * STAT_BLOCK_BYTES,
  };
}

function kindOf(stats: Stats): Seen['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'link' : 'special';
}
