// The process of a hook: a shell that runs the user's command.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { HookEnd } from './io.js';

/** Our stderr, as the stdout and stderr of a hook. */
const STDERR = 2;
/** ms for the last lines to arrive once the shell has ended; what it left running may hold the pipe for ever. */
const LAST_LINES_MS = 200;

/** As Io has it. */
export function runHook(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  input: string,
  onLine?: (line: string) => void,
): Promise<HookEnd> {
  return new Promise((resolve, reject) => {
    const output = onLine === undefined ? STDERR : 'pipe';
    const child: ChildProcess = spawn(command, { shell: true, env, stdio: ['pipe', output, output] });
    for (const stream of [child.stdout, child.stderr])
      if (stream && onLine) createInterface({ input: stream }).on('line', onLine);
    child.on('error', reject);
    child.on('exit', (status, signal) => {
      // what it left running and holds the pipe must not hold us
      child.stdin?.destroy();
      const end = () => {
        clearTimeout(timer);
        for (const stream of [child.stdout, child.stderr])
          if (stream && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
        resolve({ status, signal });
      };
      const timer = setTimeout(end, LAST_LINES_MS);
      child.on('close', end);
    });
    // EPIPE: it did not read
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
