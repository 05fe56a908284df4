// What we remember of one torrent in one place between two runs. Decides nothing: open.ts says what is believed.
//
// A record is saved as not clean before the first write and as clean after the last; in between the journal tells.

import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Bitfield } from '../torrent/bitfield.js';
import { Geometry } from '../torrent/geometry.js';
import { toHex } from '../torrent/ids.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import { diskError } from './disk-error.js';
import { Journal, NONCE_DIGITS, readJournal } from './journal.js';
import { loadState, saveState, sha1Hex } from './state-file.js';

/** How a file looked when it was last closed. Equal stamps mean that nobody has changed it since. */
export interface FileStamp {
  readonly size: number;
  readonly mtimeMs: number;
}

export interface ResumeRecord {
  /** Verified pieces, those of the journal counted in. */
  readonly have: Bitfield;
  /** All was closed in order: the stamps tell whether the files are still as they were. */
  readonly clean: boolean;
  /** The boot in which the record was saved. */
  readonly bootId: string;
  /** One for each file of the torrent; undefined where there was none, and in a record that is not clean. */
  readonly stamps: readonly (FileStamp | undefined)[];
  /** Files that were never selected and hold no verified piece: what is in their places is not ours. */
  readonly untouched: ReadonlySet<number>;
  /** The part file; undefined where there was none, and in a record that is not clean. */
  readonly parts: FileStamp | undefined;
}

/** How a torrent is left. */
export type Closed = Pick<ResumeRecord, 'stamps' | 'untouched' | 'parts'>;

const VERSION = 1;

export class ResumeState {
  readonly #path: string;
  readonly #journalPath: string;
  readonly #metainfo: Metainfo;
  readonly #output: string;
  readonly #bootId: string;

  /** @param output absolute path of the output directory without symbolic links @param bootId see boot.ts */
  constructor(stateDirectory: string, metainfo: Metainfo, output: string, bootId: string) {
    const infoHash = toHex(metainfo.infoHash);
    const base = join(stateDirectory, 'resume', `${infoHash}-${sha1Hex(output).slice(0, 16)}`);
    this.#path = `${base}.json`;
    this.#journalPath = `${base}.journal`;
    this.#metainfo = metainfo;
    this.#output = output;
    this.#bootId = bootId;
  }

  /** What is remembered, `absent`, or `malformed` when it cannot be believed. */
  async load(): Promise<ResumeRecord | 'absent' | 'malformed'> {
    const state = await loadState(this.#path);
    if (typeof state === 'string') return state;
    const record = this.#parse(state.value);
    if (!record) return 'malformed';
    const { journal, ...rest } = record;
    if (journal !== undefined) {
      const { length, pieceLength } = this.#metainfo;
      await readJournal(this.#journalPath, journal, new Geometry(length, pieceLength), rest.have);
    }
    return rest;
  }

  /** Marks the record as not clean and begins a journal. @throws TorrentError DISK_FULL, DISK_IO */
  async begin(have: Bitfield, untouched: ReadonlySet<number>): Promise<Journal> {
    const nonce = randomBytes(NONCE_DIGITS / 2).toString('hex');
    // In this order: a record with the nonce of a journal that is not there yet lacks nothing, `have` being whole.
    await this.#save(have, { stamps: [], untouched, parts: undefined }, nonce);
    return Journal.create(this.#journalPath, nonce);
  }

  /** Records that all is closed. @throws TorrentError DISK_FULL, DISK_IO */
  async seal(have: Bitfield, closed: Closed): Promise<void> {
    await this.#save(have, closed, undefined);
    await rm(this.#journalPath, { force: true }).catch(error => {
      throw diskError(`removing ${this.#journalPath}`, error);
    });
  }

  /** @param journal the nonce of the journal that goes on with it; undefined: all is closed */
  #save(have: Bitfield, { stamps, untouched, parts }: Closed, journal: string | undefined): Promise<void> {
    const saved = (stamp: FileStamp | undefined) => (stamp ? [stamp.size, stamp.mtimeMs] : null);
    return saveState(this.#path, {
      version: VERSION,
      infoHash: toHex(this.#metainfo.infoHash),
      name: this.#metainfo.name,
      output: this.#output,
      bootId: this.#bootId,
      clean: journal === undefined,
      journal,
      have: Buffer.from(have.bytes).toString('base64'),
      files: stamps.map(saved),
      ...(parts && { parts: saved(parts) }),
      ...(untouched.size > 0 && { untouched: rangesOf(untouched) }),
    });
  }

  #parse(value: unknown): (ResumeRecord & { journal: string | undefined }) | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    const saved: Partial<Record<string, unknown>> = { ...value };
    const { clean, bootId, journal } = saved;
    if (saved.version !== VERSION || saved.infoHash !== toHex(this.#metainfo.infoHash)) return undefined;
    if (saved.output !== this.#output || typeof clean !== 'boolean' || typeof bootId !== 'string')
      return undefined;
    if (journal !== undefined && !(typeof journal === 'string' && isNonce(journal))) return undefined;
    if (typeof saved.have !== 'string' || !Array.isArray(saved.files)) return undefined;
    const { length, pieceLength, files } = this.#metainfo;
    const have = Bitfield.from(
      Buffer.from(saved.have, 'base64'),
      new Geometry(length, pieceLength).pieceCount,
    );
    if (!have || saved.files.length !== (clean ? files.length : 0) || !saved.files.every(isStamp))
      return undefined;
    const { parts = null, untouched = [] } = saved;
    if (!isStamp(parts) || !isRanges(untouched, files.length)) return undefined;
    return {
      have,
      clean,
      bootId,
      stamps: saved.files.map(stampOf),
      untouched: new Set(untouched.flatMap(([first, last]) => [...indices(first, last)])),
      parts: stampOf(parts),
      journal,
    };
  }
}

function stampOf(saved: [number, number] | null): FileStamp | undefined {
  return saved ? { size: saved[0], mtimeMs: saved[1] } : undefined;
}

/** Indices in ascending order as inclusive ranges. */
function rangesOf(set: ReadonlySet<number>): [number, number][] {
  const ranges: [number, number][] = [];
  for (const index of set) {
    const last = ranges.at(-1);
    if (last && last[1] + 1 === index) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges;
}

/** Whether these are ranges of indices below `count`, in ascending order. */
function isRanges(value: unknown, count: number): value is [number, number][] {
  let next = 0;
  const isNext = (range: unknown) => {
    if (!Array.isArray(range) || range.length !== 2 || !range.every(Number.isInteger)) return false;
    const [first, last]: number[] = range;
    if (first === undefined || last === undefined || first < next || last < first || last >= count)
      return false;
    next = last + 1;
    return true;
  };
  return Array.isArray(value) && value.every(isNext);
}

function* indices(first: number, last: number): Generator<number> {
  for (let index = first; index <= last; index++) yield index;
}

function isNonce(text: string): boolean {
  return text.length === NONCE_DIGITS && /^[0-9a-f]*$/.test(text);
}

function isStamp(value: unknown): value is [number, number] | null {
  if (value === null) return true;
  return Array.isArray(value) && value.length === 2 && value.every(item => typeof item === 'number');
}
