// Small files of our own state directory: written whole or not at all, read with suspicion. JSON, because a person can
// read it and no parser of ours can be fooled; a checksum in front tells a damaged file from a true one.

import { createHash, randomBytes } from 'node:crypto';
import { link, lstat, open, readFile, realpath, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LIMITS } from '../torrent/limits.js';
import { diskError, errnoOf } from './disk-error.js';
import { makeDirectory } from './make-directory.js';
import { isAbsent } from './system-fault.js';

/** Lower-case hex SHA-1, used for names and checksums, not against an adversary. */
export function sha1Hex(data: string | Uint8Array): string {
  return createHash('sha1').update(data).digest('hex');
}

/**
 * Replaces the file by this value in one step that also survives a power cut; a file that says the same is left alone.
 * @throws TorrentError DISK_FULL, DISK_IO
 */
export async function saveState(path: string, value: unknown): Promise<void> {
  const body = JSON.stringify(value);
  const content = `${sha1Hex(body)}\n${body}\n`;
  if ((await readCapped(path, LIMITS.stateFileBytes)) === content) return;
  try {
    await makeDirectory(dirname(path), 0o700);
    const draft = await writeDraft(path, content, true);
    await rename(draft, path).catch(async error => {
      await unlink(draft);
      throw error;
    });
    await syncDirectory(dirname(path));
  } catch (error) {
    throw diskError(`writing ${path}`, error);
  }
}

/** What a state file says: its value, `absent`, or `malformed` when it is damaged, too long or unreadable. */
export async function loadState(path: string): Promise<{ value: unknown } | 'absent' | 'malformed'> {
  const content = await readCapped(path, LIMITS.stateFileBytes);
  if (content === undefined) return (await exists(path)) ? 'malformed' : 'absent';
  const body = content.slice(41, -1);
  if (content !== `${sha1Hex(body)}\n${body}\n`) return 'malformed';
  try {
    return { value: JSON.parse(body) };
  } catch {
    return 'malformed';
  }
}

/** Creates the file with this content in one step; false when there is one already. Needs hard links; not durable. */
export async function createWhole(path: string, content: string): Promise<boolean> {
  await makeDirectory(dirname(path), 0o700);
  const draft = await writeDraft(path, content, false);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

/** Replaces the file by this content in one step; not durable. */
export async function replaceWhole(path: string, content: string): Promise<void> {
  await rename(await writeDraft(path, content, false), path);
}

/** Text of a regular file of at most so many bytes; undefined for anything else or when it cannot be read. */
export async function readCapped(path: string, maxBytes: number): Promise<string | undefined> {
  try {
    const stats = await lstat(path);
    return stats.isFile() && stats.size <= maxBytes ? await readFile(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/** The absolute path without symbolic links, as far as it exists, so that two spellings of a place are one. */
export async function realPath(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(await realPath(parent), basename(absolute));
  }
}

/** Whether there is anything at this path, readable or not. */
async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    return !isAbsent(error);
  }
}

/** A file beside `path` with this content, on the device if `durable`; its name. */
async function writeDraft(path: string, content: string, durable: boolean): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    if (durable) await handle.sync();
  } catch (error) {
    await unlink(draft);
    throw error;
  } finally {
    await handle.close();
  }
  return draft;
}

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return; // its directories cannot be opened
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
