// The smallest .torrent there is, for sources.

import { createHash } from 'node:crypto';

export interface TorrentFixture {
  readonly bytes: Buffer;
  /** Hex. */
  readonly infoHash: string;
}

/** A torrent of one piece and one file called `name`. */
export function torrentFile(name: string): TorrentFixture {
  const info = `d6:lengthi1e4:name${Buffer.byteLength(name)}:${name}12:piece lengthi16384e6:pieces20:${'x'.repeat(20)}e`;
  return {
    bytes: Buffer.from(`d4:info${info}e`),
    infoHash: createHash('sha1').update(info).digest('hex'),
  };
}
