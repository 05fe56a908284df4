// What becomes of an error on its way to the user: one line, a hint, an exit code.

import { getSystemErrorMap } from 'node:util';
import { type ErrorCode, EXIT_CODES, TorrentError } from '../torrent/errors.js';
import { printable } from '../torrent/text.js';

export interface Failure {
  readonly code: ErrorCode;
  /** `<what failed>: <why>`. */
  readonly message: string;
  readonly hint: string | undefined;
  readonly stack: string | undefined;
  readonly exit: number;
}

/** Whatever was thrown. What is not a TorrentError is a bug of ours: INTERNAL. */
export function failureOf(error: unknown): Failure {
  const stack = error instanceof Error ? error.stack : undefined;
  if (error instanceof TorrentError) {
    return {
      code: error.code,
      message: error.message,
      hint: error.hint,
      stack,
      exit: EXIT_CODES[error.code],
    };
  }
  const why = error instanceof Error ? error.message || error.name : String(error);
  return {
    code: 'INTERNAL',
    message: `internal error: ${why}`,
    hint: 'this is a bug in rarest; -v shows where',
    stack,
    exit: EXIT_CODES.INTERNAL,
  };
}

/** A usage error: `what` is the flag or argument, `why` what is wrong with it, `hint` a good one. */
export function usageError(what: string, why: string, hint?: string): TorrentError {
  return new TorrentError('USAGE', `${what}: ${why}`, hint === undefined ? {} : { hint });
}

/** The lines for stderr: `rarest: <what failed>: <why> (<CODE>)`, the hint, with `verbose` the stack. */
export function failureLines(failure: Failure, verbose: boolean): string[] {
  const lines = [`rarest: ${printable(failure.message)} (${failure.code})`];
  if (failure.hint !== undefined) lines.push(`hint: ${printable(failure.hint)}`);
  if (verbose && failure.stack !== undefined) {
    // the message is said already
    const calls = failure.stack.split('\n').filter(line => /^\s+at /.test(line));
    lines.push(...calls.map(line => `    ${printable(line)}`));
  }
  return lines;
}

/** Why a system call failed: `no such file or directory` rather than Node's `ENOENT: …, open '…'`. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const errno = 'errno' in error ? error.errno : undefined;
  return getSystemErrorMap().get(typeof errno === 'number' ? errno : 0)?.[1] ?? error.message;
}

/** A system call failed that was to write something; `what` begins the message. */
export function writeError(what: string, error: unknown): TorrentError {
  const full = error instanceof Error && 'code' in error && /^(ENOSPC|EDQUOT)$/.test(String(error.code));
  return new TorrentError(full ? 'DISK_FULL' : 'DISK_IO', `${what}: ${systemReason(error)}`, {
    cause: error,
  });
}
