// The data of a torrent on disk, opened as its options say.

import { type OpenOptions, type OpenTorrent, openTorrent } from '../storage/open.js';
import { asOnDisk } from '../storage/raw-names.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import type { Selection } from '../torrent/selection.js';
import type { EngineContext } from './engine-context.js';
import type { TorrentOptions } from './options.js';

/** How its owner is told; `signal` ends the opening early. */
export type DataOwner = Pick<OpenOptions, 'onPiece' | 'onError'> & { readonly signal: AbortSignal };

/**
 * Opens what is to be fetched for writing, anything else for reading. `placed` has each file under the name it has on
 * disk. Undefined when it was ended early.
 * @throws TorrentError as openTorrent does
 */
export async function openData(
  { stateDirectory, bootId, files, buffers }: EngineContext,
  { output, data, force, trust, recheck }: TorrentOptions,
  metainfo: Metainfo,
  selection: Selection,
  owner: DataOwner,
): Promise<{ readonly opened: OpenTorrent; readonly placed: Metainfo } | undefined> {
  const placed = data === 'fetch' ? metainfo : await asOnDisk(metainfo, output);
  try {
    const opened = await openTorrent({
      metainfo: placed,
      selection,
      output,
      stateDirectory,
      bootId: await bootId,
      access: files,
      buffers,
      writes: data === 'fetch',
      force,
      trust,
      recheck,
      ...owner,
    });
    return { opened, placed };
  } catch (error) {
    if (owner.signal.aborted) return undefined;
    throw error;
  }
}
