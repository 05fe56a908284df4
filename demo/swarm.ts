// `npm run demo`. Exit code 0 when all went as it should; a signal ends it after it has cleaned up.

import { fileURLToPath } from 'node:url';
import { play } from './play.js';
import { Screen } from './screen.js';

const plan = {
  program: fileURLToPath(new URL('../program/rarest.js', import.meta.url)),
  lengthBytes: 24_000_000,
  seedBps: 4_000_000,
  leechers: [
    { name: 'A', giveBps: 1_000_000 },
    { name: 'B', giveBps: 2_000_000 },
    { name: 'C', giveBps: 3_000_000 },
  ],
  staggerMs: 1500,
  deadlineMs: 120_000,
};

const interrupt = new AbortController();
let signal: NodeJS.Signals | undefined;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
for (const name of signals) {
  process.on(name, () => {
    signal ??= name;
    interrupt.abort(new Error(`ended by ${name}`));
  });
}
process.stdout.on('error', () => interrupt.abort(new Error('nobody reads what is shown')));

try {
  await play(plan, new Screen(process.stdout), interrupt.signal);
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
}
if (signal !== undefined) {
  for (const name of signals) process.removeAllListeners(name);
  process.kill(process.pid, signal);
}
