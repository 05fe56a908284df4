// Which boot of which process this is: what tells a stale lock from a held one, and a page cache that survived from
// one that did not.

import { readFile } from 'node:fs/promises';
import { uptime } from 'node:os';

/**
 * Names the present boot of this machine: equal strings mean that it has not been restarted in between. Off Linux it
 * is the time of the boot to ten seconds; when a changed clock makes it differ, the price is a recheck.
 */
export async function bootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return `booted-${Math.round((Date.now() / 1000 - uptime()) / 10)}`;
  }
}

/** When a process began, in clock ticks since boot, where the system tells (Linux); pids are used again, this is not. */
export async function processStart(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // Field 22 of proc(5), counted from behind the name, which may hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Whether a process with this pid exists, ours or not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
