// What the tests of torrents share: a fixture read, or the words of its refusal.

import { TorrentError } from '../../src/torrent/errors.js';
import { parseTorrent } from '../../src/torrent/metainfo.js';
import type { Metainfo } from '../../src/torrent/metainfo-types.js';
import { TORRENTS } from '../fixtures/make.js';

export function fixture(name: string): Uint8Array {
  const bytes = TORRENTS.get(name);
  if (bytes === undefined) throw new Error(`no fixture ${name}`);
  return bytes;
}

/** The info dictionary of a fixture that holds nothing else. */
export function infoOf(name: string): Uint8Array {
  return fixture(name).subarray('d4:info'.length, -1);
}

export function parsed(name: string): Metainfo {
  return parseTorrent(fixture(name));
}

export function pathsOf(metainfo: Metainfo): string[] {
  return metainfo.files.map(file => file.path.join('/'));
}

/** `message (CODE)` of the TorrentError, or `accepted`. */
export function failure(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    return error instanceof TorrentError ? `${error.message} (${error.code})` : `not ours: ${error}`;
  }
  return 'accepted';
}
