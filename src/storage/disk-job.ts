// What the disk threads do: read and hash runs of bytes, check pieces and write those that match. Synchronous, on a
// thread where nobody waits for anything else. Knows paths and bytes, not torrents.

import { createHash } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { equalBytes, HASH_LENGTH } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import { hashRun } from './hash-run.js';
import { type Looked, type LookJob, lookEach } from './look-job.js';
import { faultOf, type SystemFault } from './system-fault.js';

/** The bytes of a run that lie in one file. What no part covers is padding: zeros that are on no disk. */
export interface DiskPart {
  /** Absolute. */
  readonly path: string;
  /** Byte inside the file. */
  readonly position: number;
  /** Byte inside the run. */
  readonly start: number;
  readonly length: number;
}

/** A run of bytes that is to be read. */
interface DiskRun {
  readonly owner: number;
  readonly length: number;
  /** In the order of the run. */
  readonly parts: readonly DiskPart[];
}

/** Reads a run. */
export interface ReadJob extends DiskRun {
  readonly kind: 'read';
}

/** Reads a run and hashes the pieces in it. */
export interface HashJob extends DiskRun {
  readonly kind: 'hash';
  readonly pieceLength: number;
}

/** Hashes a piece in shared memory and writes it where that is the hash. */
export interface StoreJob {
  readonly kind: 'store';
  readonly owner: number;
  readonly memory: SharedArrayBuffer;
  /** Byte of the memory at which the piece begins. */
  readonly offset: number;
  readonly length: number;
  /** 20 bytes. */
  readonly hash: Uint8Array;
  readonly parts: readonly DiskPart[];
}

export type DiskJob =
  | ReadJob
  | HashJob
  | StoreJob
  | LookJob
  /** Closes the files that were opened for this owner. */
  | { readonly kind: 'close'; readonly owner: number };

export type DiskAnswer =
  | { readonly kind: 'read'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** 20 bytes for each piece. */
  | { readonly kind: 'hashed'; readonly hashes: Uint8Array }
  /** A file is missing or too short, or what the system said of it. */
  | { readonly kind: 'unread'; readonly path: string; readonly fault: SystemFault | undefined }
  /** Whether the piece had its hash, and so was written. */
  | { readonly kind: 'stored'; readonly ok: boolean }
  | { readonly kind: 'unwritten'; readonly path: string; readonly fault: SystemFault }
  | Looked
  | { readonly kind: 'closed' };

/** Bytes read at a time. */
const READ_BYTES = 256 * 1024;

type Mode = 'read' | 'write';

interface OpenFile {
  readonly descriptor: number;
  readonly owner: number;
}

// A link that was put in a file's place after it was inspected is not followed. Windows has no such flag.
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
const FLAGS: Readonly<Record<Mode, number>> = {
  read: constants.O_RDONLY | NO_FOLLOW,
  write: constants.O_RDWR | constants.O_CREAT | NO_FOLLOW,
};

/** The files and the memory of one thread. */
export class DiskDesk {
  /** By mode and path, the one unused for longest first. */
  readonly #open = new Map<string, OpenFile>();
  readonly #scratch = new Uint8Array(READ_BYTES);

  run(job: DiskJob): DiskAnswer {
    switch (job.kind) {
      case 'read': {
        const bytes = new Uint8Array(job.length);
        return this.#read(job, 0, bytes) ?? { kind: 'read', bytes };
      }
      case 'hash':
        return this.#hash(job);
      case 'store':
        return this.#store(job);
      case 'look':
        return lookEach(job.paths);
      case 'close':
        for (const [key, file] of this.#open) if (file.owner === job.owner) this.#close(key, file);
        return { kind: 'closed' };
    }
  }

  /** Reads little at a time, so that it is still in the processor's cache when it is hashed. */
  #hash(job: HashJob): DiskAnswer {
    const { length, pieceLength } = job;
    const hashes = new Uint8Array(Math.ceil(length / pieceLength) * HASH_LENGTH);
    const isSmall = pieceLength <= READ_BYTES;
    const step = isSmall ? Math.floor(READ_BYTES / pieceLength) * pieceLength : pieceLength;
    for (let begin = 0, at = 0; begin < length; begin += step) {
      const end = Math.min(begin + step, length);
      const hash = isSmall ? undefined : createHash('sha1');
      for (let from = begin; from < end; from += READ_BYTES) {
        const bytes = this.#scratch.subarray(0, Math.min(READ_BYTES, end - from));
        const fault = this.#read(job, from, bytes);
        if (fault) return fault;
        if (hash) hash.update(bytes);
        else hashes.set(hashRun(bytes, pieceLength), at);
      }
      if (hash) hashes.set(hash.digest(), at);
      at += Math.ceil((end - begin) / pieceLength) * HASH_LENGTH;
    }
    return { kind: 'hashed', hashes };
  }

  /** Fills `target` from byte `begin` of the run on. Returns what is wrong with a file, if something is. */
  #read({ owner, parts }: DiskRun, begin: number, target: Uint8Array): DiskAnswer | undefined {
    const end = begin + target.length;
    let filled = begin;
    for (const { path, position, start, length } of parts) {
      if (start + length <= begin) continue;
      if (start >= end) break;
      const from = Math.max(start, begin);
      target.fill(0, filled - begin, from - begin);
      filled = Math.min(start + length, end);
      try {
        const descriptor = this.#descriptor(path, 'read', owner);
        const place = position + from - start;
        if (!readWhole(descriptor, target, from - begin, filled - begin, place))
          return { kind: 'unread', path, fault: undefined };
      } catch (error) {
        return { kind: 'unread', path, fault: faultOf(error) };
      }
    }
    target.fill(0, filled - begin);
    return undefined;
  }

  #store({ owner, memory, offset, length, hash, parts }: StoreJob): DiskAnswer {
    const data = new Uint8Array(memory, offset, length);
    if (!equalBytes(hashRun(data, length), hash)) return { kind: 'stored', ok: false };
    for (const { path, position, start, length } of parts) {
      try {
        const descriptor = this.#descriptor(path, 'write', owner);
        for (let done = 0; done < length; )
          done += writeSync(descriptor, data, start + done, length - done, position + done);
      } catch (error) {
        return { kind: 'unwritten', path, fault: faultOf(error) };
      }
    }
    return { kind: 'stored', ok: true };
  }

  #descriptor(path: string, mode: Mode, owner: number): number {
    const key = `${mode}:${path}`;
    const known = this.#open.get(key);
    if (known) {
      // the last one used is the last one to be closed
      if (this.#open.size > 1) {
        this.#open.delete(key);
        this.#open.set(key, known);
      }
      return known.descriptor;
    }
    for (const [oldest, file] of this.#open) {
      if (this.#open.size < LIMITS.threadFiles) break;
      this.#close(oldest, file);
    }
    const descriptor = openFile(path, mode);
    this.#open.set(key, { descriptor, owner });
    return descriptor;
  }

  #close(key: string, { descriptor }: OpenFile): void {
    this.#open.delete(key);
    closeSync(descriptor);
  }
}

/** Fills `target` from `start` to `end`; false where the file ends before. */
function readWhole(
  descriptor: number,
  target: Uint8Array,
  start: number,
  end: number,
  position: number,
): boolean {
  for (let at = start; at < end; ) {
    const bytes = readSync(descriptor, target, at, end - at, position + at - start);
    if (bytes === 0) return false;
    at += bytes;
  }
  return true;
}

function openFile(path: string, mode: Mode): number {
  try {
    return openSync(path, FLAGS[mode], 0o666);
  } catch (error) {
    if (mode === 'read' || !isMissing(error)) throw error;
    makeFolder(dirname(path));
    return openSync(path, FLAGS[mode], 0o666);
  }
}

/** See make-directory.ts for why Node's `recursive` is not used. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    const parent = dirname(path);
    if (!isMissing(error) || parent === path) throw error;
    makeFolder(parent);
    mkdirSync(path);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
