// Which pieces are believed, which are hashed, when a torrent is opened on data that may be there. Pure: looks at what
// was recorded and what was found.

import type { Piece } from '../torrent/geometry.js';
import type { Layout, PartsKept } from './layout.js';
import type { FileStamp, ResumeRecord } from './resume.js';

export interface BeliefOptions {
  /** The present boot. */
  readonly bootId: string;
  readonly recheck: boolean;
  readonly trust: boolean;
}

export interface Belief {
  readonly how: 'resume' | 'recheck' | 'fresh';
  /** We have this piece. */
  readonly isCertain: (piece: Piece) => boolean;
  /** This piece is to be hashed; one whose files are too short is not even that. */
  readonly isDoubtful: (piece: Piece) => boolean;
  /** This file is as we left it, whether or not a piece in it is complete. */
  readonly isExplained: (file: number) => boolean;
}

/** The part file, and how it was found. */
export interface FoundParts extends PartsKept {
  readonly stamp: FileStamp | undefined;
}

const never = () => false;
const NO_PARTS: FoundParts = { has: never, stamp: undefined };

/**
 * - `recheck`: all is hashed. `trust`: all is believed that is long enough to be there.
 * - A record closed in order, files unchanged since: believed. Pieces in files that changed are hashed.
 * - Not closed, but in this boot: the process died, what it wrote is still there. Its pieces are believed.
 * - Not closed and an earlier boot: the machine died, and nobody knows what reached the disk. All is hashed.
 * - No record: all is hashed.
 *
 * What the part file has stands for its place in a file. A file that we have never written to is somebody else's: what is
 * in it is hashed each time.
 */
export function believe(
  layout: Layout,
  found: readonly (FileStamp | undefined)[],
  record: ResumeRecord | undefined,
  { bootId, recheck, trust }: BeliefOptions,
  parts: FoundParts = NO_PARTS,
): Belief {
  const isThere = (piece: Piece) => layout.isThere(piece, file => found[file]?.size ?? 0, parts);
  const isOurs = (file: number) => record?.untouched.has(file) === false;
  const isChanged = (file: number) => record?.clean === true && differ(found[file], record.stamps[file]);
  const arePartsChanged = record?.clean === true && differ(parts.stamp, record.parts);
  const isExplained = (file: number) => isOurs(file) && !isChanged(file);
  /** Whether nobody knows what is in one of the places of the piece. */
  const isStrange = (piece: Piece) =>
    layout
      .segmentsOf(piece)
      .some(({ file }) =>
        parts.has(piece, file) ? arePartsChanged : !layout.files[file]?.pad && !isExplained(file),
      );

  if (!recheck && trust) {
    return { how: 'resume', isCertain: isThere, isDoubtful: never, isExplained: () => true };
  }
  if (!recheck && record && (record.clean || record.bootId === bootId)) {
    const isCertain = (piece: Piece) => record.have.has(piece) && isThere(piece) && !isStrange(piece);
    const isDoubtful = (piece: Piece) => isThere(piece) && isStrange(piece);
    return { how: 'resume', isCertain, isDoubtful, isExplained };
  }
  const how = parts.stamp || found.some(file => file !== undefined) ? 'recheck' : 'fresh';
  return { how, isCertain: never, isDoubtful: isThere, isExplained };
}

function differ(one: FileStamp | undefined, other: FileStamp | undefined): boolean {
  return one?.size !== other?.size || one?.mtimeMs !== other?.mtimeMs;
}
