// The upload lines of one torrent, one for each peer that is given something.

import type { PeerNumber } from '../swarm/port.js';
import type { TorrentError } from '../torrent/errors.js';
import type { Piece } from '../torrent/geometry.js';
import type { Network } from './network.js';
import type { PeerLink } from './peer-link.js';
import { UploadLine } from './upload-line.js';
import type { BlockSource, TorrentRuns, UploadRuns } from './upload-runs.js';

export interface UploadLinesOptions {
  readonly network: Network;
  readonly source: BlockSource;
  readonly runs: UploadRuns;
  /** See UploadLineOptions. */
  readonly sent: (peer: PeerNumber, bytes: number, ok: boolean) => void;
  readonly failed: (error: TorrentError) => void;
}

export class UploadLines {
  readonly #options: UploadLinesOptions;
  readonly #lines = new Map<PeerNumber, UploadLine>();
  readonly #runs: TorrentRuns;

  constructor(options: UploadLinesOptions) {
    this.#options = options;
    this.#runs = options.runs.open(options.source);
  }

  /** Sends a block to the peer behind this link, as soon as the limit allows. */
  push(link: PeerLink, piece: Piece, begin: number, length: number): void {
    const { number } = link;
    let line = this.#lines.get(number);
    if (!line) {
      const { network, source, sent, failed } = this.#options;
      line = new UploadLine({
        link,
        source,
        runs: this.#runs,
        limiter: network.uploadLimiter,
        waits: () => network.uploadWaits(),
        sent: (bytes, ok) => sent(number, bytes, ok),
        failed,
      });
      this.#lines.set(number, line);
    }
    line.push(piece, begin, length);
  }

  /** The network took what was waiting for this peer. */
  drained(peer: PeerNumber): void {
    this.#lines.get(peer)?.drained();
  }

  forget(peer: PeerNumber): void {
    this.#lines.get(peer)?.close();
    this.#lines.delete(peer);
  }

  /** The torrent ends; all lines are forgotten already. */
  close(): void {
    this.#runs.close();
  }
}
