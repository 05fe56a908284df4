// The time limits of one torrent: --timeout, --stall-timeout, --metadata-timeout. Pure.

import { TorrentError } from '../torrent/errors.js';
import type { TorrentOptions } from './options.js';

type Limits = Pick<TorrentOptions, 'timeoutMs' | 'stallTimeoutMs' | 'metadataTimeoutMs' | 'stream'>;

const RESUMABLE = 'what was downloaded is kept; the same command goes on from there';

export class Deadlines {
  readonly #limits: Limits;
  readonly #startedAtMs: number;
  #progressedAtMs: number;
  #receivedBytes = 0;

  constructor(limits: Limits, now: number) {
    this.#limits = limits;
    this.#startedAtMs = now;
    this.#progressedAtMs = now;
  }

  /** Bytes begin to be waited for. */
  restart(now: number): void {
    this.#progressedAtMs = now;
  }

  /** So many useful bytes arrived so far. */
  received(bytes: number, now: number): void {
    if (bytes <= this.#receivedBytes) return;
    this.#receivedBytes = bytes;
    this.#progressedAtMs = now;
  }

  /**
   * The error of the first limit that has run out.
   * @param wantsMetadata whether the metadata is still missing @param why who was asked, for the message
   */
  expired(now: number, wantsMetadata: boolean, why: () => string): TorrentError | undefined {
    const { timeoutMs, stallTimeoutMs, metadataTimeoutMs, stream } = this.#limits;
    const isKept = !wantsMetadata && stream?.keep !== false;
    const sinceStartMs = now - this.#startedAtMs;
    if (wantsMetadata && metadataTimeoutMs !== undefined && sinceStartMs >= metadataTimeoutMs) {
      const message = `fetching metadata: no peer gave it within ${seconds(metadataTimeoutMs)}: ${why()}`;
      return new TorrentError('NO_METADATA', message, {
        hint: 'is anybody seeding it? --metadata-timeout waits longer, --peer HOST:PORT names a peer, --dht-bootstrap a DHT node',
      });
    }
    if (timeoutMs !== undefined && sinceStartMs >= timeoutMs) {
      const message = `downloading: not complete within ${seconds(timeoutMs)}: ${why()}`;
      return new TorrentError('STALLED', message, isKept ? { hint: RESUMABLE } : {});
    }
    if (stallTimeoutMs !== undefined && now - this.#progressedAtMs >= stallTimeoutMs) {
      const message = `downloading: nothing new for ${seconds(stallTimeoutMs)}: ${why()}`;
      return new TorrentError('STALLED', message, isKept ? { hint: RESUMABLE } : {});
    }
    return undefined;
  }
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
