// --max-download: connections that have used up their share of the rate are read no further until it is their turn.

import type { RateConsumer, RateLimiter } from '../net/rate-limiter.js';
import type { PeerLink } from './peer-link.js';

export class DownloadLimit {
  readonly #limiter: RateLimiter;
  readonly #readers = new Map<PeerLink, Reader>();

  constructor(limiter: RateLimiter) {
    this.#limiter = limiter;
  }

  /** Counts bytes that came in, and stops reading when there were more than allowed. */
  received(link: PeerLink, bytes: number): void {
    let reader = this.#readers.get(link);
    if (!reader) {
      reader = new Reader(link);
      this.#readers.set(link, reader);
    }
    if (reader.spend(bytes)) this.#limiter.wait(reader);
  }

  /** Bytes that came in by another way than a link; fulfilled when the limit lets more come that way. */
  pay(bytes: number): Promise<void> {
    return new Promise(resolve => {
      let left = bytes;
      const use = (granted: number) => {
        const used = Math.min(granted, left);
        left -= used;
        if (left === 0) resolve();
        return used;
      };
      this.#limiter.wait({ use });
    });
  }

  released(link: PeerLink): void {
    const reader = this.#readers.get(link);
    if (!reader) return;
    this.#limiter.leave(reader);
    this.#readers.delete(link);
  }
}

/** One connection's share. */
class Reader implements RateConsumer {
  readonly #link: PeerLink;
  #allowedBytes = 0;

  constructor(link: PeerLink) {
    this.#link = link;
  }

  /** Whether the share is used up; then reading stops. */
  spend(bytes: number): boolean {
    this.#allowedBytes -= bytes;
    if (this.#allowedBytes > 0) return false;
    this.#link.socket.pause();
    return true;
  }

  use(bytes: number): number {
    if (this.#allowedBytes > 0) return 0;
    this.#allowedBytes += bytes;
    if (this.#allowedBytes > 0) this.#link.socket.resume();
    return bytes;
  }
}
