// What a torrent needs of the process it lives in.

import type { DhtDiscovery } from '../discovery/dht.js';
import type { HttpClient } from '../net/http.js';
import type { FilePool } from '../storage/file-pool.js';
import type { PieceBuffers } from '../storage/piece-buffer.js';
import type { Random } from '../swarm/port.js';
import type { TrackerEdges, TrackerIdentity } from '../tracker/torrent-trackers.js';
import type { LocalNetwork } from './local-network.js';
import type { Network } from './network.js';
import type { Torrent } from './torrent.js';

export interface EngineContext {
  readonly network: Network;
  /** Undefined with --no-dht. */
  readonly dht: DhtDiscovery | undefined;
  /** Undefined with --no-lsd. */
  readonly lsd: LocalNetwork | undefined;
  /** For web seeds. */
  readonly http: HttpClient;
  readonly trackerEdges: TrackerEdges;
  readonly trackerIdentity: TrackerIdentity;
  readonly pex: boolean;
  readonly files: FilePool;
  readonly buffers: PieceBuffers;
  readonly stateDirectory: string;
  readonly bootId: Promise<string>;
  readonly random: Random;
  readonly maxDownloadBps: number | undefined;
  now(): number;
  /** Something is due at this time that `tick` did not know of. */
  wakeAt(timeMs: number): void;
  /** The torrent has ended. */
  forget(torrent: Torrent): void;
}
