// Bytes of a stream up to a limit.

import { TorrentError } from '../torrent/errors.js';
import { LIMITS } from '../torrent/limits.js';

/** All bytes of a .torrent. Rejects with BAD_SOURCE as soon as there are more than LIMITS.torrentFileBytes; `what` begins the message. */
export function torrentBytes(stream: AsyncIterable<Uint8Array>, what: string): Promise<Uint8Array> {
  return boundedBytes(stream, LIMITS.torrentFileBytes, () => {
    const mebibytes = LIMITS.torrentFileBytes / 2 ** 20;
    return new TorrentError('BAD_SOURCE', `${what}: larger than ${mebibytes} MiB, too large for a .torrent`);
  });
}

/** All bytes of a stream. Rejects with what `refused` makes as soon as there are more than `limitBytes`. */
export async function boundedBytes(
  stream: AsyncIterable<Uint8Array>,
  limitBytes: number,
  refused: () => TorrentError,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > limitBytes) throw refused();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
