// One process at a time works on the same data. A lock is a file that names its holder; the file of a dead one is
// taken over. Nothing here knows what the data is.

import { randomBytes } from 'node:crypto';
import { lstat, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { TorrentError } from '../torrent/errors.js';
import { LIMITS } from '../torrent/limits.js';
import { bootId, isRunning, processStart } from './boot.js';
import { diskError, errnoOf } from './disk-error.js';
import { createWhole, readCapped, realPath, replaceWhole, sha1Hex } from './state-file.js';

export interface Lock {
  readonly path: string;
  /** Gives the lock up; safe to call twice, never removes another's. */
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  readonly boot: string;
  /** See processStart; absent where the system does not tell. */
  readonly start?: string;
}

/**
 * Takes the lock of the data below `dataPath` (output directory and torrent name).
 * @throws TorrentError LOCKED while a live process holds it, this one included; DISK_IO, DISK_FULL
 */
export async function acquireLock(stateDirectory: string, dataPath: string): Promise<Lock> {
  const path = join(stateDirectory, 'locks', `${sha1Hex(await realPath(dataPath))}.lock`);
  const start = await processStart(process.pid);
  const own: Holder = { pid: process.pid, boot: await bootId(), ...(start === undefined ? {} : { start }) };
  // The nonce makes every holding distinct, also two by one process.
  const content = JSON.stringify({ ...own, nonce: randomBytes(12).toString('hex') });
  let holder: Holder | undefined;
  try {
    holder = await take(path, content, own.boot);
  } catch (error) {
    throw diskError(`locking ${dataPath} with ${path}`, error);
  }
  if (!holder) return { path, release: () => release(path, content) };
  throw new TorrentError('LOCKED', `opening ${dataPath}: process ${holder.pid} is at work on it`, {
    hint: `wait for it or stop it; if that process is no rarest, remove ${path}`,
  });
}

/**
 * Puts `content` at `path` unless a live process holds it; returns that holder.
 *
 * A stale lock is replaced only by the one who holds a second lock, named after the stale content, and who finds that
 * content still there: the late second taker finds another one and starts over. The lock itself is never absent in
 * between, and a taker that dies half-way leaves a second lock that is stale in turn.
 */
async function take(path: string, content: string, boot: string): Promise<Holder | undefined> {
  for (;;) {
    if (await createWhole(path, content)) return undefined;
    const found = await readLock(path);
    if (found === undefined) continue; // released since
    const holder = parse(found);
    if (holder && (await isAlive(holder, boot))) return holder;
    const claim = `${path}.${sha1Hex(found).slice(0, 8)}`;
    const rival = await take(claim, content, boot);
    if (rival) return rival;
    try {
      if ((await readLock(path)) !== found) continue;
      await replaceWhole(path, content);
      return undefined;
    } finally {
      await release(claim, content);
    }
  }
}

async function release(path: string, content: string): Promise<void> {
  // Nobody takes over from a live process, so what is ours here stays ours until it is removed.
  if ((await readCapped(path, LIMITS.lockFileBytes)) === content) await unlink(path);
}

/** What the lock says, or undefined when there is none. */
async function readLock(path: string): Promise<string | undefined> {
  try {
    const stats = await lstat(path);
    if (stats.isFile() && stats.size <= LIMITS.lockFileBytes) return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  throw new TorrentError('DISK_IO', `locking with ${path}: it is no lock of ours`, {
    hint: `remove ${path}`,
  });
}

async function isAlive(holder: Holder, boot: string): Promise<boolean> {
  if (holder.boot !== boot || !isRunning(holder.pid)) return false;
  return holder.start === undefined || holder.start === (await processStart(holder.pid));
}

function parse(content: string): Holder | undefined {
  try {
    const { pid, boot, start }: { pid?: unknown; boot?: unknown; start?: unknown } = JSON.parse(content);
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0 || typeof boot !== 'string')
      return undefined;
    return { pid, boot, ...(typeof start === 'string' ? { start } : {}) };
  } catch {
    return undefined;
  }
}
