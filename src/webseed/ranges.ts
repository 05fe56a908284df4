// From blocks to byte ranges: which of the wanted blocks lie together, and which bytes of which files they are. Pure
// arithmetic.

import type { Metainfo, TorrentFile } from '../torrent/metainfo-types.js';

/** A block that the swarm asked for. */
export interface WantedBlock {
  readonly piece: number;
  /** Byte inside the piece. */
  readonly begin: number;
  readonly length: number;
  /** Byte inside the torrent. */
  readonly offset: number;
}

/** Bytes of one file. */
export interface FileRange {
  /** Index of the file. */
  readonly file: number;
  /** Byte inside the file. */
  readonly position: number;
  readonly length: number;
}

type Files = readonly Pick<TorrentFile, 'offset' | 'length'>[];

/**
 * Takes the first block out of the queue, and those behind it that continue it in the torrent.
 * @param mostBytes the run ends before it would be longer, but has at least one block
 */
export function takeRun(queue: WantedBlock[], mostBytes: number): WantedBlock[] {
  let count = 0;
  let bytes = 0;
  let end: number | undefined;
  for (const { offset, length } of queue) {
    if (end !== undefined && (offset !== end || bytes + length > mostBytes)) break;
    end = offset + length;
    bytes += length;
    count++;
  }
  return queue.splice(0, count);
}

/** The files that these bytes of the torrent lie in, in order, pad files included; files without bytes are in none. */
export function fileRanges(files: Files, offset: number, length: number): FileRange[] {
  const ranges: FileRange[] = [];
  const end = offset + length;
  for (let index = fileAt(files, offset); index < files.length; index++) {
    const file = files[index] as Files[number];
    if (file.offset >= end) break;
    const from = Math.max(offset, file.offset);
    const to = Math.min(end, file.offset + file.length);
    if (to > from) ranges.push({ file: index, position: from - file.offset, length: to - from });
  }
  return ranges;
}

/** The first and the last piece that a file has bytes in; the file must not be empty. */
export function pieceSpan(
  { offset, length }: Files[number],
  { pieceLength }: Pick<Metainfo, 'pieceLength'>,
): readonly [number, number] {
  return [Math.floor(offset / pieceLength), Math.floor((offset + length - 1) / pieceLength)];
}

/** The first file that ends behind this byte of the torrent. */
function fileAt(files: Files, offset: number): number {
  let low = 0;
  let high = files.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { offset: start, length } = files[middle] as Files[number];
    if (start + length <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
