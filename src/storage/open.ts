// Opens the data of one torrent: takes its lock, decides what on disk is believed, hashed or refused, and leaves
// nothing behind where it fails. What is decided here is the promise of the command line about data already on disk.

import { constants } from 'node:fs';
import { access, rmdir, statfs, truncate } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Bitfield } from '../torrent/bitfield.js';
import { TorrentError } from '../torrent/errors.js';
import type { Piece } from '../torrent/geometry.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import { believe } from './belief.js';
import { diskError } from './disk-error.js';
import type { FileAccess } from './file-pool.js';
import { FileStorage } from './file-storage.js';
import type { Journal } from './journal.js';
import { acquireLock, type Lock } from './lock.js';
import { makeDirectory } from './make-directory.js';
import { saveMetadata } from './metadata-cache.js';
import type { PieceBuffers } from './piece-buffer.js';
import type { HowOpened, OpenedData } from './piece-storage.js';
import { ResumeState } from './resume.js';
import { realPath } from './state-file.js';
import { foreign, type Survey, survey } from './survey.js';
import { TorrentFiles } from './torrent-files.js';
import { verifyPieces } from './verify-pieces.js';

export interface OpenOptions {
  readonly metainfo: Metainfo;
  /** Output directory, as the user gave it. */
  readonly output: string;
  /** Folder of resume records, kept metadata and locks. */
  readonly stateDirectory: string;
  /** See boot.ts. */
  readonly bootId: string;
  /** Shared by all torrents. */
  readonly access: FileAccess;
  readonly buffers: PieceBuffers;
  /** False: what is there is to be read alone, nothing is ever written, and files that are not ours do no harm. */
  readonly writes: boolean;
  /** Overwrite files that are not ours. */
  readonly force: boolean;
  /** Believe what is on disk as far as it is long enough; recorded as verified only where it was `hashed` a moment ago. */
  readonly trust: boolean | 'hashed';
  /** Hash all that is on disk; wins over `trust`. */
  readonly recheck: boolean;
  /** Told of each piece that is hashed while opening. */
  readonly onVerified?: ((piece: Piece, ok: boolean) => void) | undefined;
  /** Ends the hashing early; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** See FileStorageOptions. */
  readonly onPiece: (piece: Piece, ok: boolean) => void;
  readonly onError: (error: TorrentError) => void;
}

/** The data of one torrent on disk. */
export class OpenTorrent implements OpenedData {
  readonly storage: FileStorage;
  readonly how: HowOpened;
  readonly warnings: readonly string[];
  readonly #opening: Opening;
  /** The record says that all is here and closed. */
  #isSealed: boolean;
  #closing: Promise<void> | undefined;

  constructor(opening: Opening, storage: FileStorage, how: HowOpened, warnings: string[]) {
    this.storage = storage;
    this.how = how;
    this.warnings = warnings;
    this.#opening = opening;
    this.#isSealed = opening.isReadOnly || storage.have.full;
  }

  /**
   * Call when the torrent is complete and goes on being seeded: brings it to the device and records it as closed, so
   * that not even a power cut costs a recheck.
   * @throws TorrentError DISK_FULL, DISK_IO
   */
  async seal(): Promise<void> {
    if (this.#isSealed || !this.storage.have.full) return;
    await this.storage.rest();
    await this.storage.sync();
    await this.#opening.recordClosed(this.storage.have);
    this.#isSealed = true;
  }

  /**
   * Ends what is being written, records the state and gives up the lock; safe to call twice.
   * @throws TorrentError DISK_FULL, DISK_IO when the record could not be saved; all is closed nevertheless
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.storage.close();
      if (!this.#isSealed) await this.#opening.recordClosed(this.storage.have);
    } finally {
      await this.#opening.end();
    }
  }
}

/**
 * Opens or begins the data of a torrent.
 * @throws TorrentError LOCKED, EXISTS, DISK_FULL, DISK_IO, BAD_SOURCE (unsafe paths); nothing is left behind then
 */
export async function openTorrent(options: OpenOptions): Promise<OpenTorrent> {
  const { metainfo, stateDirectory } = options;
  const directory = resolve(options.output);
  const files = new TorrentFiles(metainfo, directory, options.access);
  const output = await realPath(directory);
  const lock = await acquireLock(stateDirectory, join(output, metainfo.name));
  const opening = new Opening(options, directory, output, files, lock);
  try {
    return await opening.open();
  } catch (error) {
    await files.close();
    await opening.end();
    throw error;
  }
}

class Opening {
  readonly #options: OpenOptions;
  readonly #directory: string;
  readonly #files: TorrentFiles;
  readonly #lock: Lock;
  readonly #state: ResumeState;
  #journal: Journal | undefined;
  /** Pieces that are believed because the user says so; of another run they are none. */
  readonly #unverified: Piece[] = [];
  /** The uppermost directory that we made for the output. */
  #made: string | undefined;

  constructor(options: OpenOptions, directory: string, output: string, files: TorrentFiles, lock: Lock) {
    this.#options = options;
    this.#directory = directory;
    this.#files = files;
    this.#lock = lock;
    this.#state = new ResumeState(options.stateDirectory, options.metainfo, output, options.bootId);
  }

  async open(): Promise<OpenTorrent> {
    const { metainfo, stateDirectory, buffers, onPiece, onError, force, writes } = this.#options;
    const files = this.#files;
    const warnings: string[] = [];
    const found = await survey(files, this.#directory, force || !writes);
    const { have, how } = await this.#decide(found, warnings);
    const isFinal = have.full || !writes;
    if (!isFinal) await this.#prepareOutput(found);
    await saveMetadata(stateDirectory, metainfo);
    // A torrent that is complete has no piece left to remember.
    if (!isFinal) this.#journal = await this.#state.begin(this.#verified(have));
    const isChanged = writes && (await this.#fixLengths(found));
    if (isFinal) await (isChanged ? this.recordClosed(have) : this.#seal(have, found));
    const log = this.#journal ?? { append: async () => undefined };
    const { pieceHashes } = metainfo;
    const storage = new FileStorage({ files, pieceHashes, have, buffers, log, onPiece, onError });
    return new OpenTorrent(this, storage, how, warnings);
  }

  get isReadOnly(): boolean {
    return !this.#options.writes;
  }

  async recordClosed(have: Bitfield): Promise<void> {
    await this.#journal?.close();
    await this.#seal(have, await survey(this.#files, this.#directory, true));
  }

  /** Files with pieces that nobody has verified look as if they had changed, so that the next run hashes them. */
  async #seal(have: Bitfield, found: Survey): Promise<void> {
    const doubtful = new Set(
      this.#unverified.flatMap(piece => this.#files.layout.segmentsOf(piece).map(({ file }) => file)),
    );
    const stamps = found.map((stamp, file) => (doubtful.has(file) ? undefined : stamp));
    await this.#state.seal(this.#verified(have), stamps);
  }

  #verified(have: Bitfield): Bitfield {
    const verified = Bitfield.from(have.bytes, have.size) ?? new Bitfield(have.size);
    for (const piece of this.#unverified) verified.delete(piece);
    return verified;
  }

  /** Gives up the lock, and the output directory if it is ours and nothing came into it. */
  async end(): Promise<void> {
    await this.#journal?.close();
    for (let path = this.#directory; this.#made !== undefined; path = dirname(path)) {
      const removed = await rmdir(path).then(
        () => true,
        () => false,
      );
      if (!removed || path === this.#made) this.#made = undefined;
    }
    await this.#lock.release();
  }

  /** What we have, after hashing what is in doubt and refusing what is not ours. */
  async #decide(found: Survey, warnings: string[]): Promise<{ have: Bitfield; how: HowOpened }> {
    const { metainfo, bootId, recheck, trust, force, writes, onVerified, signal } = this.#options;
    const { layout, geometry } = this.#files;
    const loaded = await this.#state.load();
    if (loaded === 'malformed') warnings.push('the resume state is damaged and was ignored');
    const record = typeof loaded === 'string' ? undefined : loaded;
    if (record && !record.clean && record.bootId !== bootId && !trust && !recheck) {
      warnings.push('the machine stopped before this was closed: what is on disk is hashed again');
    }
    const belief = believe(layout, found, record, { bootId, recheck, trust: trust !== false });
    const have = new Bitfield(geometry.pieceCount);
    const doubted: Piece[] = [];
    const known = trust === true ? believe(layout, found, record, { bootId, recheck, trust: false }) : belief;
    for (const piece of geometry.pieces()) {
      if (belief.isCertain(piece)) {
        have.add(piece);
        if (!known.isCertain(piece)) this.#unverified.push(piece);
      } else if (belief.isDoubtful(piece)) doubted.push(piece);
    }
    const onPiece = (piece: Piece, ok: boolean) => {
      if (ok) have.add(piece);
      onVerified?.(piece, ok);
    };
    await verifyPieces(this.#files, metainfo.pieceHashes, doubted, { onPiece, signal });
    if (!force && writes) this.#refuseForeign(found, have, belief.isExplained);
    return { have, how: belief.how };
  }

  /** A file with content of which nothing matches, and which we did not write, is somebody else's. */
  #refuseForeign(found: Survey, have: Bitfield, isExplained: (file: number) => boolean): void {
    const { layout } = this.#files;
    found.forEach((file, index) => {
      if (!file || file.size === 0 || isExplained(index)) return;
      const { first, end } = layout.piecesOf(index);
      for (let piece = first; piece < end; piece++) if (have.has(piece as Piece)) return;
      throw foreign(this.#files.path(index), 'no piece of the torrent is in it', true);
    });
  }

  /** Makes the output directory, and makes sure of room for what is missing. */
  async #prepareOutput(found: Survey): Promise<void> {
    const directory = this.#directory;
    try {
      this.#made = await makeDirectory(directory);
    } catch (error) {
      throw diskError(`creating ${directory}`, error);
    }
    try {
      await access(directory, constants.W_OK);
    } catch (error) {
      throw diskError(`writing to ${directory}`, error);
    }
    let needed = 0;
    this.#files.layout.files.forEach((file, index) => {
      if (!file.pad) needed += Math.max(0, file.length - (found[index]?.allocatedBytes ?? 0));
    });
    const free = await freeBytes(directory);
    if (needed <= free) return;
    const what = `storing ${this.#options.metainfo.name} in ${directory}`;
    throw new TorrentError('DISK_FULL', `${what}: ${needed} bytes are needed, ${free} are free`);
  }

  /**
   * Creates the empty files, cuts those that are too long (which takes `force`); whether there were any. The others
   * grow as they are written: cheap on every file system, and what is short tells that something is missing.
   */
  async #fixLengths(found: Survey): Promise<boolean> {
    let isChanged = false;
    for (const [index, file] of this.#files.layout.files.entries()) {
      if (file.pad) continue;
      const size = found[index]?.size;
      const isMissing = size === undefined && file.length === 0;
      const isTooLong = size !== undefined && size > file.length;
      if (!isMissing && !isTooLong) continue;
      isChanged = true;
      const path = this.#files.path(index);
      try {
        if (isMissing) await this.#options.access.write(path, new Uint8Array(), 0);
        else await truncate(path, file.length);
      } catch (error) {
        throw diskError(`writing ${path}`, error);
      }
    }
    return isChanged;
  }
}

/** Bytes that we may still write in this directory. Where the system does not tell, there is no limit. */
async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
