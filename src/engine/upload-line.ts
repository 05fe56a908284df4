// Blocks on their way from the disk to one peer: reads them, sends them, keeps to the upload limit, and says when the
// network has taken them.

import type { RateConsumer, RateLimiter } from '../net/rate-limiter.js';
import type { FileStorage } from '../storage/file-storage.js';
import { TorrentError } from '../torrent/errors.js';
import type { Piece } from '../torrent/geometry.js';
import { LIMITS } from '../torrent/limits.js';
import type { PeerLink } from './peer-link.js';

interface Waiting {
  readonly piece: Piece;
  readonly begin: number;
  readonly length: number;
}

export interface UploadLineOptions {
  readonly link: PeerLink;
  readonly storage: FileStorage;
  readonly limiter: RateLimiter | undefined;
  /** The line waits for tokens. */
  waits(): void;
  /** A block has gone to the network (`ok`), or could not be read. */
  sent(length: number, ok: boolean): void;
  /** The data on disk is not what it was. */
  failed(error: TorrentError): void;
}

export class UploadLine implements RateConsumer {
  readonly #options: UploadLineOptions;
  readonly #waiting: Waiting[] = [];
  /** Blocks are being read: those that are ordered meanwhile wait for their turn. */
  #isReading = false;
  /** Lengths of blocks in the socket's own buffer, while that is full. */
  #undrained: number[] = [];

  constructor(options: UploadLineOptions) {
    this.#options = options;
  }

  /** Sends a block, as soon as the limit allows. */
  push(piece: Piece, begin: number, length: number): void {
    const { limiter, waits } = this.#options;
    this.#waiting.push({ piece, begin, length });
    if (limiter) {
      limiter.wait(this);
      waits();
    } else this.#readAll();
  }

  use(bytes: number): number {
    let used = 0;
    while (used < bytes) {
      const next = this.#waiting.shift();
      if (!next) break;
      used += next.length;
      this.#read(next);
    }
    return used;
  }

  /** The socket has taken what was written. */
  drained(): void {
    const lengths = this.#undrained;
    this.#undrained = [];
    for (const length of lengths) this.#options.sent(length, true);
  }

  close(): void {
    this.#options.limiter?.leave(this);
    this.#waiting.length = 0;
    this.#undrained.length = 0;
  }

  /** A block that is in memory is sent at once, which orders the next one: a loop, for each must not end up inside the last. */
  #readAll(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) this.#read(next);
    this.#isReading = false;
  }

  #read(block: Waiting): void {
    const { storage, link } = this.#options;
    const cached = storage.cached(block.piece, block.begin, block.length);
    if (cached) {
      this.#send(block, cached);
      return;
    }
    storage.read(block.piece, block.begin, block.length).then(
      bytes => this.#send(block, bytes),
      (error: unknown) => {
        if (!link.isOpen) return;
        this.#options.sent(block.length, false);
        if (error instanceof TorrentError) this.#options.failed(error);
        else throw error;
      },
    );
  }

  #send({ piece, begin, length }: Waiting, bytes: Uint8Array): void {
    const { link, sent } = this.#options;
    if (!link.isOpen) return;
    link.sendBlock(piece, begin, bytes);
    if (link.socket.bufferedBytes < LIMITS.sendBufferBytes) sent(length, true);
    else this.#undrained.push(length);
  }
}
