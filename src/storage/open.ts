// Opens the data of one torrent: takes its lock, decides what on disk is believed, hashed or refused, and leaves
// nothing behind where it fails. What is decided here is the promise of the command line about data already on disk.

import { rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Bitfield } from '../torrent/bitfield.js';
import type { TorrentError } from '../torrent/errors.js';
import type { Piece } from '../torrent/geometry.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import { Selection } from '../torrent/selection.js';
import { believe } from './belief.js';
import { withDiskThreads } from './disk-threads.js';
import type { FileAccess } from './file-pool.js';
import { FileStorage } from './file-storage.js';
import type { Journal } from './journal.js';
import { acquireLock, type Lock } from './lock.js';
import { saveMetadata } from './metadata-cache.js';
import { PartFile } from './part-file.js';
import type { PieceBuffers } from './piece-buffer.js';
import type { HowOpened, OpenedData } from './piece-storage.js';
import { demandRoom, demandWritable, fixLengths, importParts, makeOutput } from './prepare-output.js';
import { type ResumeRecord, ResumeState } from './resume.js';
import { realPath } from './state-file.js';
import { refuseForeign, type Survey, survey } from './survey.js';
import { TorrentFiles } from './torrent-files.js';
import { verifyPieces } from './verify-pieces.js';

export interface OpenOptions {
  readonly metainfo: Metainfo;
  /** The files that are to be here; others are neither made nor written. Undefined: all. */
  readonly selection?: Selection;
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
    this.#isSealed = opening.isFinal;
  }

  /**
   * Call when all that is selected is here and goes on being seeded: brings it to the device and records it as closed,
   * so that not even a power cut costs a recheck.
   * @throws TorrentError DISK_FULL, DISK_IO
   */
  async seal(): Promise<void> {
    if (this.#isSealed || !this.#opening.isComplete(this.storage.have)) return;
    await withDiskThreads(async () => {
      await this.storage.rest();
      await this.storage.sync();
      await this.#opening.recordClosed(this.storage.have);
    });
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
      await withDiskThreads(async () => {
        await this.storage.close();
        if (!this.#isSealed) await this.#opening.recordClosed(this.storage.have);
      });
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
  const { metainfo, stateDirectory, access, selection = new Selection(metainfo) } = options;
  const directory = resolve(options.output);
  const partFile = new PartFile(metainfo, directory, access);
  const isSelected = (file: number) => selection.isSelected(file);
  const files = new TorrentFiles(metainfo, directory, access, { isSelected, partFile });
  const output = await realPath(directory);
  const lock = await acquireLock(stateDirectory, join(output, metainfo.name));
  const opening = new Opening(options, { directory, output, selection, files, partFile, lock });
  try {
    return await opening.open();
  } catch (error) {
    await files.close();
    await opening.end();
    throw error;
  }
}

interface OpeningParts {
  /** The output directory: absolute, and without symbolic links. */
  readonly directory: string;
  readonly output: string;
  readonly selection: Selection;
  readonly files: TorrentFiles;
  readonly partFile: PartFile;
  readonly lock: Lock;
}

class Opening {
  /** Nothing is to be recorded any more: all is here, or nothing is written. */
  isFinal = false;
  readonly #options: OpenOptions;
  readonly #directory: string;
  readonly #selection: Selection;
  readonly #files: TorrentFiles;
  readonly #partFile: PartFile;
  readonly #lock: Lock;
  readonly #state: ResumeState;
  #record: ResumeRecord | undefined;
  #journal: Journal | undefined;
  /** Pieces that are believed because the user says so; of another run they are none. */
  readonly #unverified: Piece[] = [];
  /** The uppermost directory that we made for the output. */
  #made: string | undefined;

  constructor(options: OpenOptions, parts: OpeningParts) {
    const { directory, output, selection, files, partFile, lock } = parts;
    this.#options = options;
    this.#directory = directory;
    this.#selection = selection;
    this.#files = files;
    this.#partFile = partFile;
    this.#lock = lock;
    this.#state = new ResumeState(options.stateDirectory, options.metainfo, output, options.bootId);
  }

  async open(): Promise<OpenTorrent> {
    const { metainfo, stateDirectory, access, buffers, onPiece, onError, writes } = this.#options;
    const [files, partFile, selection] = [this.#files, this.#partFile, this.#selection];
    const warnings: string[] = [];
    await partFile.load();
    const found = await this.#survey(this.#options.force || !writes);
    const moving = new Set(
      [...partFile].filter(kept => this.#isWritten(kept.file)).map(({ piece }) => piece),
    );
    const { have, how } = await this.#decide(found, moving, warnings);
    this.isFinal = !writes || (selection.isComplete(have) && moving.size === 0);
    if (!this.isFinal) {
      this.#made = await makeOutput(this.#directory);
      await demandWritable(this.#directory);
      await demandRoom(this.#directory, metainfo, files, selection, found, have);
    }
    await saveMetadata(stateDirectory, metainfo);
    // A torrent that is complete has no piece left to remember.
    if (!this.isFinal) this.#journal = await this.#state.begin(this.#verified(have), this.#untouched(have));
    const isChanged = writes && (await fixLengths(files, selection, found, access));
    if (moving.size > 0) await importParts(files, partFile, selection, have, access);
    if (this.isFinal) await (isChanged ? this.recordClosed(have) : this.#seal(have, found));
    const log = this.#journal ?? { append: async () => undefined };
    const { pieceHashes } = metainfo;
    const storage = new FileStorage({ files, pieceHashes, have, buffers, log, onPiece, onError });
    return new OpenTorrent(this, storage, how, warnings);
  }

  /** Whether all that is selected is here. */
  isComplete(have: Bitfield): boolean {
    return this.#selection.isComplete(have);
  }

  async recordClosed(have: Bitfield): Promise<void> {
    await this.#journal?.close();
    await this.#seal(have, await this.#survey(true));
  }

  /** Gives up the lock, and the output directory if it is ours and nothing came into it. */
  async end(): Promise<void> {
    await this.#journal?.close();
    for (let path = this.#directory; this.#made !== undefined; path = dirname(path)) {
      const isRemoved = await rmdir(path).then(
        () => true,
        () => false,
      );
      if (!isRemoved || path === this.#made) this.#made = undefined;
    }
    await this.#lock.release();
  }

  #survey(force: boolean): Promise<Survey> {
    return survey(this.#files, this.#directory, force, file => this.#selection.isSelected(file));
  }

  /** Whether this file is written to; what the part file has of it moves to where it belongs. */
  #isWritten(file: number): boolean {
    return this.#options.writes && this.#selection.isSelected(file);
  }

  /** Files with pieces that nobody has verified look as if they had changed, so that the next run hashes them. */
  async #seal(have: Bitfield, found: Survey): Promise<void> {
    const doubtful = new Set(
      this.#unverified.flatMap(piece => this.#files.layout.segmentsOf(piece).map(({ file }) => file)),
    );
    const stamps = found.map((stamp, file) => (doubtful.has(file) ? undefined : stamp));
    const parts = await this.#partFile.look();
    await this.#state.seal(this.#verified(have), { stamps, untouched: this.#untouched(have), parts });
  }

  #verified(have: Bitfield): Bitfield {
    const verified = Bitfield.from(have.bytes, have.size) ?? new Bitfield(have.size);
    for (const piece of this.#unverified) verified.delete(piece);
    return verified;
  }

  /** Files that no run has written to, as far as is known, and that hold nothing verified. */
  #untouched(have: Bitfield): ReadonlySet<number> {
    const verified = this.#verified(have);
    const untouched = new Set<number>();
    this.#files.layout.files.forEach(({ pad }, file) => {
      if (pad || this.#isWritten(file)) return;
      if (this.#record?.untouched.has(file) === false) return;
      if (!this.#files.holds(file, verified)) untouched.add(file);
    });
    return untouched;
  }

  /** What we have, after hashing what is in doubt and refusing what is not ours. @param moving pieces to be sure of */
  async #decide(
    found: Survey,
    moving: ReadonlySet<Piece>,
    warnings: string[],
  ): Promise<{ have: Bitfield; how: HowOpened }> {
    const { metainfo, bootId, recheck, trust, force, onVerified, signal } = this.#options;
    const { layout, geometry } = this.#files;
    const parts = this.#partFile;
    const loaded = await this.#state.load();
    if (loaded === 'malformed') warnings.push('the resume state is damaged and was ignored');
    const record = typeof loaded === 'string' ? undefined : loaded;
    this.#record = record;
    if (record && !record.clean && record.bootId !== bootId && !trust && !recheck) {
      warnings.push('the machine stopped before this was closed: what is on disk is hashed again');
    }
    const belief = believe(layout, found, record, { bootId, recheck, trust: trust !== false }, parts);
    const have = new Bitfield(geometry.pieceCount);
    const doubted: Piece[] = [];
    const known =
      trust === true ? believe(layout, found, record, { bootId, recheck, trust: false }, parts) : belief;
    for (const piece of geometry.pieces()) {
      const isCertain = belief.isCertain(piece);
      const isKnown = isCertain && known.isCertain(piece);
      if (isCertain && (isKnown || !moving.has(piece))) {
        have.add(piece);
        if (!isKnown) this.#unverified.push(piece);
      } else if (isCertain || belief.isDoubtful(piece)) doubted.push(piece);
    }
    const onPiece = (piece: Piece, ok: boolean) => {
      if (ok) have.add(piece);
      onVerified?.(piece, ok);
    };
    await verifyPieces(this.#files, metainfo.pieceHashes, doubted, { onPiece, signal });
    const isInTheWay = (file: number) => this.#isWritten(file) && !belief.isExplained(file);
    if (!force) refuseForeign(this.#files, found, have, isInTheWay);
    return { have, how: belief.how };
  }
}
