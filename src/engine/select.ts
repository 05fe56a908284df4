// What was asked for of a torrent, once its files are known.

import type { Metainfo } from '../torrent/metainfo-types.js';
import { Selection } from '../torrent/selection.js';
import type { TorrentEvent } from './events.js';
import { withAdditions } from './kept-metadata.js';
import type { Select, TorrentOptions } from './options.js';
import { metadataEvent } from './torrent-report.js';

/** The selection, and what is to be said of it. @param choose undefined: all files @throws TorrentError SELECT_EMPTY */
export function select(
  metainfo: Metainfo,
  choose: Select | undefined,
): { readonly selection: Selection; readonly warnings: readonly string[] } {
  if (!choose) return { selection: new Selection(metainfo), warnings: [] };
  const { files, warnings } = choose(metainfo);
  return { selection: new Selection(metainfo, files), warnings };
}

/** Tells what is known of a torrent and what would be fetched of it, without fetching it. @throws TorrentError SELECT_EMPTY */
export function tellMetadata(
  metainfo: Metainfo,
  options: Pick<TorrentOptions, 'output' | 'trackers' | 'webSeeds'>,
  choose: Select | undefined,
  onEvent: (event: TorrentEvent) => void,
): void {
  const { selection, warnings } = select(metainfo, choose);
  onEvent(metadataEvent(withAdditions(metainfo, options), options.output, selection, 'torrent'));
  for (const message of [...metainfo.warnings, ...warnings]) onEvent({ event: 'warning', message });
}
