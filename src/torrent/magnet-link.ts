// The magnet link of a torrent. Apart from their reader, because parse-torrent takes a tenth of a second to load.

import { toMagnetURI } from 'parse-torrent';
import { toHex } from './ids.js';
import type { Metainfo } from './metainfo-types.js';

/** The link under which others find this torrent: hashes, name, trackers, web seeds. */
export function formatMagnet(metainfo: Metainfo): string {
  return toMagnetURI({
    infoHash: toHex(metainfo.infoHash),
    ...(metainfo.infoHashV2 && { infoHashV2: toHex(metainfo.infoHashV2) }),
    name: metainfo.name,
    announce: metainfo.trackers.flat(),
    urlList: [...metainfo.webSeeds],
  });
}
