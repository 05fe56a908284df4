// `create`: files and folders -> a .torrent that says which program made it. How it is made is storage's business.

import { makeTorrent } from '../storage/make-torrent.js';
import type { HostPort, Metainfo } from '../torrent/metainfo-types.js';
import { trackerUrl, webSeedUrl } from '../torrent/source-urls.js';
import { version } from './version.js';

export { refuseExisting, writeTorrent } from '../storage/torrent-output.js';

export interface CreateOptions {
  /** Files or folders as the user wrote them, at least one. */
  readonly paths: readonly string[];
  /** Bytes, a power of two from 16 KiB to LIMITS.pieceLengthBytes; undefined: chosen by size. */
  readonly pieceLength: number | undefined;
  /** Undefined: the name of the file or folder; of several, that of the folder that holds them all. */
  readonly name: string | undefined;
  /** BEP 27. */
  readonly private: boolean;
  readonly source: string | undefined;
  readonly comment: string | undefined;
  /** Tiers (BEP 12). */
  readonly trackers: readonly (readonly string[])[];
  /** BEP 19. */
  readonly webSeeds: readonly string[];
  /** DHT nodes (BEP 5). */
  readonly nodes: readonly HostPort[];
  /** BEP 47: every file begins with a piece. */
  readonly padFiles: boolean;
  /** Path of the .torrent about to be written: left out where it lies inside. */
  readonly exclude: string | undefined;
  readonly onProgress: (hashedBytes: number, lengthBytes: number) => void;
  readonly signal: AbortSignal;
}

export interface CreatedTorrent {
  readonly bytes: Uint8Array;
  readonly metainfo: Metainfo;
  /** Folder in which the torrent's root lies, so that it can be seeded as it is. */
  readonly parent: string;
  readonly warnings: readonly string[];
}

/**
 * Makes a torrent. The same input gives the same info hash on every machine; there is no creation date. The rules of
 * what is taken are those of findSourceFiles, the errors those of makeTorrent.
 */
export async function createTorrent(options: CreateOptions): Promise<CreatedTorrent> {
  const made = await makeTorrent(options.paths, { ...options, createdBy: `rarest ${version()}` });
  const unusable = [
    ...options.trackers.flat().filter(url => trackerUrl(url) === undefined),
    ...options.webSeeds.filter(url => webSeedUrl(url) === undefined),
  ];
  return {
    ...made,
    warnings: [...made.warnings, ...unusable.map(url => `${url}: written, but rarest itself cannot use it`)],
  };
}
