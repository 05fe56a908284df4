// What is reported, and of which source.

import type { ProcessEvent, TorrentEvent } from '../engine/events.js';
import type { HostPort } from '../torrent/metainfo-types.js';

export type ReportedEvent =
  | TorrentEvent
  | ProcessEvent
  | MetadataEvent
  /** `magnet` has the link of a .torrent. */
  | { readonly event: 'magnet'; readonly magnet: string };

/** What is known of a torrent, with what only a .torrent tells. */
export type MetadataEvent = Extract<TorrentEvent, { event: 'metadata' }> & {
  readonly nodes?: readonly HostPort[];
  readonly comment?: string;
  readonly createdBy?: string;
  /** Seconds since 1970. */
  readonly creationDate?: number;
  /** `source` of the info dictionary; an event's own `source` is that of the user. */
  readonly infoSource?: string;
};

/** The source that an event is about, as the user named it. */
export interface Subject {
  readonly source: string;
  /** Hex; v1 where there is one. Undefined where the source could not be read. */
  readonly infoHash: string | undefined;
  /** For people, until the metadata tells the name. */
  readonly label: string;
}
