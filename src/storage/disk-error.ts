// Turns what the operating system says into what the user is told. The only place of this room that reads errno.

import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { TorrentError } from '../torrent/errors.js';

/** The errno name of a system error (`ENOENT`), or '' for anything else. */
export function errnoOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // Node has no name for this one.
  if ('errno' in error && error.errno === -constants.errno.EDQUOT) return 'EDQUOT';
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** What the system says of this error, in words and without the path. */
function reasonOf(error: unknown): string {
  const errno = errnoOf(error);
  if (errno === 'EDQUOT') return 'disk quota exceeded';
  for (const [name, words] of getSystemErrorMap().values()) if (name === errno) return words;
  return error instanceof Error ? error.message : String(error);
}

/**
 * DISK_FULL for a full disk or quota, else DISK_IO, reading `<what>: <why>`. An error that is one of ours already
 * passes through.
 */
export function diskError(what: string, error: unknown): TorrentError {
  if (error instanceof TorrentError) return error;
  const errno = errnoOf(error);
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    const hint = 'free some space and run the same command again: what was verified is kept';
    return new TorrentError('DISK_FULL', `${what}: ${reasonOf(error)}`, { hint, cause: error });
  }
  return new TorrentError('DISK_IO', `${what}: ${reasonOf(error)}`, { cause: error });
}
