// `verify`: data on disk against its torrent. With a state directory the outcome is kept, so that a download which
// follows fetches the bad pieces and hashes nothing again.

import { join, resolve } from 'node:path';
import { bootId } from '../storage/boot.js';
import { acquireLock } from '../storage/lock.js';
import { ResumeState } from '../storage/resume.js';
import { realPath } from '../storage/state-file.js';
import { checkData, type DataPlace, findData } from '../storage/verify-data.js';
import type { Bitfield } from '../torrent/bitfield.js';
import { TorrentError } from '../torrent/errors.js';
import { Geometry } from '../torrent/geometry.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import type { Selection } from '../torrent/selection.js';
import type { Select } from './options.js';
import { select } from './select.js';

export interface VerifyOptions {
  readonly metainfo: Metainfo;
  /** The files to check. Undefined: all. */
  readonly select: Select | undefined;
  /** Where the data is: the folder that holds the torrent's root, or the root itself, as the user wrote it. */
  readonly path: string;
  /** Take the data's lock and keep the outcome as resume state, for --repair. Undefined: touch nothing. */
  readonly stateDirectory: string | undefined;
  /** Bad pieces in ascending order; paths as printed: the path given, joined as a shell would. */
  readonly onBad: (piece: number, files: readonly string[]) => void;
  readonly onProgress: (hashedBytes: number, lengthBytes: number) => void;
  readonly signal: AbortSignal;
}

export interface Verified {
  /** What was checked. */
  readonly files: number;
  /** Bytes of these files. */
  readonly length: number;
  readonly pieces: number;
  readonly bad: number;
  readonly badBytes: number;
  /** The output directory to give to a download so that it repairs exactly this data. */
  readonly output: string;
  /** Files that are missing, too short or too long (bytes in excess make no piece bad). */
  readonly warnings: readonly string[];
}

/**
 * Checks data on disk. Bad is each piece of which a byte is missing, unreadable for a disk error, or wrong. The path
 * itself may be a symbolic link; one in place of a file counts as no file.
 * @throws TorrentError NOT_FOUND where nothing of the torrent is there; DISK_IO for what may not be read; with a state
 * directory also LOCKED, UNSUPPORTED where the data has another name than the torrent, DISK_FULL
 */
export async function verifyData(options: VerifyOptions): Promise<Verified> {
  const { metainfo, path, stateDirectory } = options;
  const { selection, warnings } = select(metainfo, options.select);
  const place = await findData(metainfo, path, selection);
  const check = (at: DataPlace) => checkData(metainfo, at, selection, options);
  if (stateDirectory === undefined) return outcome(metainfo, selection, place, await check(place), warnings);

  if (!place.isUsual)
    throw new TorrentError('UNSUPPORTED', `repairing ${place.shown}: in the torrent it is ${metainfo.name}`, {
      hint: 'it can be repaired once it has that name itself, not through a symbolic link',
    });
  const output = await realPath(resolve(place.output));
  const lock = await acquireLock(stateDirectory, join(output, metainfo.name));
  try {
    // Looked at again, as another process may have been at work on it until now. What changes from here on has
    // another stamp than the record says, and is hashed again by the download.
    const locked = await findData(metainfo, path, selection);
    const have = await check(locked);
    const state = new ResumeState(stateDirectory, metainfo, output, await bootId());
    // What was not looked at counts as changed, and so does the part file: the download hashes what it needs of them.
    const stamps = locked.found.map((stamp, file) => (selection.isSelected(file) ? stamp : undefined));
    await state.seal(have, { stamps, untouched: new Set(), parts: undefined });
    return outcome(metainfo, selection, locked, have, warnings);
  } finally {
    await lock.release();
  }
}

function outcome(
  metainfo: Metainfo,
  selection: Selection,
  { output, warnings }: DataPlace,
  have: Bitfield,
  further: readonly string[],
): Verified {
  const geometry = new Geometry(metainfo.length, metainfo.pieceLength);
  const bad = [...(selection.wanted ?? geometry.pieces())].filter(piece => !have.has(piece));
  return {
    pieces: selection.wanted?.count ?? geometry.pieceCount,
    bad: bad.length,
    badBytes: bad.reduce((sum, piece) => sum + geometry.lengthOf(piece), 0),
    files: selection.fileCount,
    length: selection.length,
    output,
    warnings: [...further, ...warnings],
  };
}
