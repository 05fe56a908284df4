// Which pieces are believed, which are hashed, when a torrent is opened on data that may be there. Pure: looks at what
// was recorded and what was found.

import type { Piece } from '../torrent/geometry.js';
import type { Layout } from './layout.js';
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

const never = () => false;

/**
 * - `recheck`: all is hashed. `trust`: all is believed that is long enough to be there.
 * - A record closed in order, files unchanged since: believed. Pieces in files that changed are hashed.
 * - Not closed, but in this boot: the process died, what it wrote is still there. Its pieces are believed.
 * - Not closed and an earlier boot: the machine died, and nobody knows what reached the disk. All is hashed.
 * - No record: all is hashed.
 */
export function believe(
  layout: Layout,
  found: readonly (FileStamp | undefined)[],
  record: ResumeRecord | undefined,
  { bootId, recheck, trust }: BeliefOptions,
): Belief {
  const isThere = (piece: Piece) => layout.isThere(piece, file => found[file]?.size ?? 0);
  const isChanged = (file: number) => {
    const [now, then] = [found[file], record?.stamps[file]];
    return now?.size !== then?.size || now?.mtimeMs !== then?.mtimeMs;
  };
  const isExplained = (file: number) => record !== undefined && (!record.clean || !isChanged(file));
  const isRecorded = (piece: Piece) => record?.have.has(piece) === true && isThere(piece);

  if (!recheck && trust) {
    return { how: 'resume', isCertain: isThere, isDoubtful: never, isExplained: () => true };
  }
  if (!recheck && record?.clean) {
    const isTouched = (piece: Piece) => layout.segmentsOf(piece).some(({ file }) => isChanged(file));
    const isCertain = (piece: Piece) => isRecorded(piece) && !isTouched(piece);
    const isDoubtful = (piece: Piece) => isThere(piece) && isTouched(piece);
    return { how: 'resume', isCertain, isDoubtful, isExplained };
  }
  if (!recheck && record?.bootId === bootId) {
    return { how: 'resume', isCertain: isRecorded, isDoubtful: never, isExplained };
  }
  const how = found.some(file => file !== undefined) ? 'recheck' : 'fresh';
  return { how, isCertain: never, isDoubtful: isThere, isExplained };
}
