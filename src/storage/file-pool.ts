// Open files, few at a time, shared by all torrents: opened when first used, closed when long unused. Knows paths and
// bytes, not torrents. Errors are those of the operating system.

import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LIMITS } from '../torrent/limits.js';
import { errnoOf } from './disk-error.js';
import { makeDirectory } from './make-directory.js';
import { bytesIn, cut } from './scatter.js';
import { isAbsent } from './system-fault.js';

/** What storage asks of a disk. Paths are absolute, positions and lengths bytes. */
export interface FileAccess {
  /** Fills `targets` one after the other as far as the file reaches; the number of bytes read. */
  read(path: string, targets: readonly Uint8Array[], position: number): Promise<number>;
  /** Writes all of `data`; the file and its folders are made where they are missing. */
  write(path: string, data: Uint8Array, position: number): Promise<void>;
  /** Length of the file, or undefined when there is none. */
  size(path: string): Promise<number | undefined>;
  /** Returns when the file's bytes are on the device. */
  sync(path: string): Promise<void>;
  /** Closes these files, those in use as soon as they no longer are. */
  close(paths: Iterable<string>): Promise<void>;
}

type Mode = 'read' | 'write';

interface OpenFile {
  readonly handle: Promise<FileHandle>;
  users: number;
  /** Set when it is to be closed at the end of its last use. */
  retired: (() => void) | undefined;
}

// A link that was put in a file's place after it was inspected is not followed. Windows has no such flag.
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
const READ_FLAGS = constants.O_RDONLY | NO_FOLLOW;
const WRITE_FLAGS = constants.O_RDWR | constants.O_CREAT | NO_FOLLOW;

export class FilePool implements FileAccess {
  readonly #capacity: number;
  /** By mode and path, the one unused for longest first. */
  readonly #open = new Map<string, OpenFile>();
  readonly #waiting: (() => void)[] = [];
  /** Handles that are open, being opened or being closed. */
  #handles = 0;

  /** @param capacity files open at a time, at least 1 */
  constructor(capacity: number = LIMITS.openFiles) {
    this.#capacity = capacity;
  }

  /** Files that are open now. */
  get openCount(): number {
    return this.#handles;
  }

  read(path: string, targets: readonly Uint8Array[], position: number): Promise<number> {
    // A seed of read-only data never opens for writing; a download reads through the handle it writes with.
    const mode = this.#open.has(keyOf(path, 'write')) ? 'write' : 'read';
    return this.#use(path, mode, async handle => {
      const wanted = bytesIn(targets);
      let done = 0;
      while (done < wanted) {
        const rest = done === 0 ? targets : cut(targets, done, wanted - done);
        const { bytesRead } = await handle.readv(rest, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    });
  }

  write(path: string, data: Uint8Array, position: number): Promise<void> {
    return this.#use(path, 'write', async handle => {
      let done = 0;
      while (done < data.length) {
        const { bytesWritten } = await handle.write(data, done, data.length - done, position + done);
        done += bytesWritten;
      }
    });
  }

  async size(path: string): Promise<number | undefined> {
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  sync(path: string): Promise<void> {
    return this.#use(path, this.#open.has(keyOf(path, 'write')) ? 'write' : 'read', handle => handle.sync());
  }

  async close(paths: Iterable<string>): Promise<void> {
    const closing: Promise<void>[] = [];
    for (const path of paths)
      for (const key of [keyOf(path, 'read'), keyOf(path, 'write')])
        if (this.#open.has(key)) closing.push(this.#retire(key));
    await Promise.all(closing);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.keys()].map(key => this.#retire(key)));
  }

  async #use<T>(path: string, mode: Mode, work: (handle: FileHandle) => Promise<T>): Promise<T> {
    const file = await this.#acquire(path, mode);
    try {
      return await work(await file.handle);
    } finally {
      file.users--;
      if (file.users === 0) {
        file.retired?.();
        this.#wake();
      }
    }
  }

  async #acquire(path: string, mode: Mode): Promise<OpenFile> {
    const key = keyOf(path, mode);
    for (;;) {
      const known = this.#open.get(key);
      if (known) {
        this.#open.delete(key);
        this.#open.set(key, known);
        known.users++;
        return known;
      }
      if (this.#handles < this.#capacity) return this.#add(key, path, mode);
      const idle = this.#longestUnused();
      if (idle !== undefined) await this.#retire(idle);
      else await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }

  #add(key: string, path: string, mode: Mode): OpenFile {
    this.#handles++;
    const file: OpenFile = { handle: openFile(path, mode), users: 1, retired: undefined };
    this.#open.set(key, file);
    file.handle.catch(() => {
      if (this.#open.get(key) === file) this.#open.delete(key);
      this.#handles--;
      this.#wake();
    });
    return file;
  }

  #longestUnused(): string | undefined {
    for (const [key, file] of this.#open) if (file.users === 0) return key;
    return undefined;
  }

  async #retire(key: string): Promise<void> {
    const file = this.#open.get(key);
    if (!file) return;
    this.#open.delete(key);
    if (file.users > 0) {
      await new Promise<void>(resolve => {
        file.retired = resolve;
      });
    }
    const handle = await file.handle.catch(() => undefined);
    if (!handle) return;
    try {
      await handle.close();
    } finally {
      this.#handles--;
      this.#wake();
    }
  }

  /** Lets one that waits for a handle look again. */
  #wake(): void {
    this.#waiting.shift()?.();
  }
}

function keyOf(path: string, mode: Mode): string {
  return `${mode}:${path}`;
}

async function openFile(path: string, mode: Mode): Promise<FileHandle> {
  if (mode === 'read') return open(path, READ_FLAGS);
  try {
    return await open(path, WRITE_FLAGS, 0o666);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await makeDirectory(dirname(path));
    return open(path, WRITE_FLAGS, 0o666);
  }
}
