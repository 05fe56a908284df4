// Compares the two halves of a hybrid torrent (BEP 52, "Upgrade Path"): both must describe the same files in the same
// order, each beginning with a piece.

import { findValue } from './bencode-scanner.js';
import { integerOf, isDict } from './bencode-values.js';
import { leavesOf } from './file-tree.js';

/** A file of the v1 half that is no pad file. */
export interface V1File {
  /** As the torrent has it: below the name in a folder, the name itself in a torrent of one file. */
  readonly path: readonly string[];
  readonly length: number;
  /** Byte inside the torrent. */
  readonly offset: number;
}

/**
 * Why the v2 half does not fit the v1 half, or undefined when it does.
 * @param bytes the info dictionary, scanned @param files without pad files, in order @param pieceLength bytes
 */
export function hybridMismatch(
  bytes: Uint8Array,
  files: readonly V1File[],
  pieceLength: number,
): string | undefined {
  const tree = findValue(bytes, 'file tree');
  if (tree === undefined || !isDict(bytes, tree)) return 'there is no file tree';
  const leaves = leavesOf(bytes, tree);
  for (const file of files) {
    const leaf = leaves.next().value;
    if (leaf?.fault !== undefined) return `its file tree ${leaf.fault}`;
    const length = leaf?.entry && integerOf(bytes, findValue(bytes, 'length', leaf.entry.start));
    if (!leaf || length !== file.length || !samePath(leaf.path, file.path)) return 'its files are others';
    if (file.length > 0 && file.offset % pieceLength !== 0) return 'a file does not begin with a piece';
  }
  return leaves.next().done ? undefined : 'it has more files';
}

function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((component, index) => component === b[index]);
}
