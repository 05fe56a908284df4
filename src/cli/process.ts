// The real process behind Io.

import { fstatSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { EXIT_CODES } from '../torrent/errors.js';
import type { Io } from './io.js';

/** Where Linux tells what stdout is. */
const STDOUT = '/proc/self/fd/1';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGUSR2'] as const;
/** Longest delay that setTimeout knows, 24.8 days; beyond it fires at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The Io of this process. */
export function processIo(): Io {
  return {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: () => process.stdin,
    async stdoutPath() {
      try {
        return fstatSync(process.stdout.fd).isFile() ? await readlink(STDOUT) : undefined;
      } catch {
        return undefined;
      }
    },
    now: () => Math.floor(performance.now()),
    after(delayMs, callback) {
      const timer = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS));
      return () => clearTimeout(timer);
    },
    interfaces() {
      try {
        return networkInterfaces();
      } catch {
        return {};
      }
    },
    onSignal(listener) {
      for (const signal of SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of SIGNALS) process.off(signal, listener);
      };
    },
    onCrash(listener) {
      process.on('uncaughtException', error => {
        listener(error);
        process.exit(EXIT_CODES.INTERNAL);
      });
    },
    raise(signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    },
    runHook: async (...hook) => (await import('./hook-process.js')).runHook(...hook),
    loadEngine: () => import('../engine/engine.js'),
  };
}
