// What is reported, and of which source.

import type { ProcessEvent, TorrentEvent } from '../engine/events.js';

export type ReportedEvent = TorrentEvent | ProcessEvent;

/** The source that an event is about, as the user named it. */
export interface Subject {
  readonly source: string;
  /** Hex; v1 where there is one. Undefined where the source could not be read. */
  readonly infoHash: string | undefined;
  /** For people, until the metadata tells the name. */
  readonly label: string;
}
