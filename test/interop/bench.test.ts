// The benchmark works: each scenario at a tiny size, with ours, one peer and the floor. How fast anybody is, nobody asks here.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import type { Result } from '../../bench/results.js';
import { inRepository } from './support/repository.js';

const execute = promisify(execFile);
const MAIN = inRepository('dist/bench/main.js');
const RUN_MS = 280_000;
/** Whose figures each scenario must have, in each of its cases. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  download: ['rarest', 'libtorrent', 'floor'],
  'download-many': ['rarest', 'libtorrent', 'floor'],
  seed: ['rarest', 'libtorrent', 'floor'],
  relay: ['rarest', 'libtorrent'],
  pieces: ['rarest', 'libtorrent', 'floor'],
  huge: ['rarest', 'libtorrent'],
  'small-files': ['rarest', 'libtorrent'],
  hash: ['rarest', 'openssl'],
  start: ['rarest', 'node -e 0'],
  magnet: ['rarest', 'libtorrent'],
  idle: ['rarest', 'libtorrent'],
  cat: ['rarest cat', 'rarest download'],
};

const out = await mkdtemp(join(tmpdir(), 'rarest-bench-'));
t.teardown(() => rm(out, { recursive: true }));
const clients = 'rarest,libtorrent,floor';
const args = [MAIN, 'all', '--size', 'small', '--rounds', '1', '--clients', clients, '--out', out];
const { stdout } = await execute(process.execPath, args, { timeout: RUN_MS }).catch(error => {
  t.fail('ends with success', { stderr: String(error.stderr ?? error) });
  return { stdout: '' };
});

async function expectResult(t: Test, name: string, expected: readonly string[]): Promise<void> {
  const result: Result = JSON.parse(await readFile(join(out, `${name}.json`), 'utf8'));
  t.match(result, { scenario: name, size: 'small', rounds: 1, failures: [], node: /^v\d/ });
  t.ok(result.cases.length > 0, 'it has cases');
  for (const { title, contestants } of result.cases) {
    const figures = new Map(contestants.map(({ name, figures }) => [name, figures]));
    for (const contestant of expected) {
      const ofContestant = figures.get(contestant) ?? [];
      t.ok(ofContestant.length > 0, `${title}: ${contestant} has figures`);
      for (const { metric, median, min, max } of ofContestant) {
        t.ok(median >= 0 && min <= median && median <= max, `${title}: ${contestant}: ${metric}`);
      }
    }
    t.ok(stdout.includes(`${name}, ${title}: median`), `${title} is in the table`);
  }
  t.match(await readFile(join(out, `${name}.svg`), 'utf8'), /^<svg .*<\/svg>\n$/s, 'a chart is drawn');
}

for (const [name, expected] of Object.entries(EXPECTED)) {
  t.test(name, t => expectResult(t, name, expected));
}

t.test('a wrong command line is an error with a word on why', async t => {
  const failing = async (...argv: readonly string[]): Promise<{ code: number; stderr: string }> => {
    try {
      await execute(process.execPath, [MAIN, ...argv]);
      return { code: 0, stderr: '' };
    } catch (error) {
      return error as { code: number; stderr: string };
    }
  };
  t.match(await failing(), { code: 2, stderr: /^bench: no scenario given: all, download,/ });
  t.match(await failing('upload'), { code: 2, stderr: /^bench: no scenario named upload:/ });
  t.match(await failing('seed', '--rounds', '0'), { code: 2, stderr: /--rounds is a whole number/ });
  t.match(await failing('seed', '--clients', 'azureus'), { code: 2, stderr: /no client named azureus/ });
});
