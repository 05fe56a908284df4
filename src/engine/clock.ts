// The one clock: monotonic whole milliseconds, handed down to everything that decides.

import { performance } from 'node:perf_hooks';

export function monotonicMs(): number {
  return Math.floor(performance.now());
}
