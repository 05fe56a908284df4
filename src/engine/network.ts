// All connections of the process: the listener, the dials, the rate limits, and the watch over silent links. Which
// torrent a connection belongs to is said by its owner; what is done with it is decided there.

import { randomBytes } from 'node:crypto';
import { Dialer } from '../net/dialer.js';
import { RateLimiter } from '../net/rate-limiter.js';
import { dial, Listener } from '../net/tcp.js';
import type { Binding } from '../torrent/binding.js';
import type { InfoHash, PeerId } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import { makePeerId, PEER_ID_RANDOM_LENGTH } from '../wire/handshake.js';
import { monotonicMs } from './clock.js';
import { DownloadLimit } from './download-limit.js';
import { type LinkContext, type LinkOwner, PeerLink } from './peer-link.js';
import { UploadRuns } from './upload-runs.js';
import { version } from './version.js';

/** ms between two looks at all links. */
const WATCH_MS = 1000;
/** ms that a dial waits for its turn before it is given up. */
const DIAL_PATIENCE_MS = 60_000;

/** A torrent, as far as connections are concerned. */
export interface Dialling extends LinkOwner {
  dialFailed(address: HostPort, why: string): void;
}

export interface NetworkOptions {
  readonly dht: boolean;
  /** What to listen on and dial from; undefined: the system chooses. */
  readonly binding: Binding | undefined;
  readonly maxConnections: number;
  readonly maxDownloadBps: number | undefined;
  readonly maxUploadBps: number | undefined;
  ownerOf(infoHash: InfoHash): LinkOwner | undefined;
  /** Something is due at this time that was not known of before. */
  wakeAt(timeMs: number): void;
}

export class Network implements LinkContext {
  readonly peerId: PeerId = makePeerId(version(), randomBytes(PEER_ID_RANDOM_LENGTH));
  readonly dht: boolean;
  readonly uploadLimiter: RateLimiter | undefined;
  readonly uploadRuns = new UploadRuns();
  readonly #options: NetworkOptions;
  readonly #dialer = new Dialer<Dialling, HostPort>(monotonicMs());
  readonly #links = new Set<PeerLink>();
  readonly #dials = new Map<Dialling, Set<() => void>>();
  readonly #downloadLimiter: RateLimiter | undefined;
  readonly #downloadLimit: DownloadLimit | undefined;
  #listener: Listener | undefined;
  #watchAtMs = 0;

  constructor(options: NetworkOptions) {
    const now = monotonicMs();
    this.#options = options;
    this.dht = options.dht;
    if (options.maxUploadBps !== undefined) this.uploadLimiter = new RateLimiter(options.maxUploadBps, now);
    if (options.maxDownloadBps !== undefined) {
      this.#downloadLimiter = new RateLimiter(options.maxDownloadBps, now);
      this.#downloadLimit = new DownloadLimit(this.#downloadLimiter);
    }
  }

  /** The port we listen on; 0 before `listen`. */
  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** Listens; rejects with NETWORK. @param alsoBind must get the same port number */
  async listen(
    port: number | undefined,
    alsoBind: ((port: number) => Promise<void>) | undefined,
  ): Promise<Listener> {
    this.#listener = await Listener.open({
      port,
      ...(this.#options.binding && { hosts: this.#options.binding.addresses }),
      ...(alsoBind && { alsoBind }),
      onAccept: socket => {
        if (this.#links.size >= this.#options.maxConnections) return undefined;
        return this.#add(new PeerLink(socket, this, undefined)).handlers;
      },
    });
    return this.#listener;
  }

  now(): number {
    return monotonicMs();
  }

  received(link: PeerLink, bytes: number): void {
    if (!this.#downloadLimit || !this.#downloadLimiter) return;
    this.#downloadLimit.received(link, bytes);
    this.#wakeFor(this.#downloadLimiter);
  }

  released(link: PeerLink): void {
    this.#links.delete(link);
    this.#downloadLimit?.released(link);
  }

  ownerOf(infoHash: InfoHash): LinkOwner | undefined {
    return this.#options.ownerOf(infoHash);
  }

  /** Dials as soon as the limits allow; ends in `linkOpened` or `dialFailed` of the owner. */
  dial(owner: Dialling, address: HostPort): void {
    const now = monotonicMs();
    this.#dialer.wait(owner, address, now + DIAL_PATIENCE_MS);
    this.#options.wakeAt(now);
  }

  /** Gives up all dials and connections of this torrent in silence. */
  forget(owner: Dialling): void {
    this.#dialer.forget(owner);
    for (const giveUp of this.#dials.get(owner) ?? []) giveUp();
    this.#dials.delete(owner);
    for (const link of [...this.#links]) if (link.owner === owner) link.close();
  }

  /** Lets those who wait for upload tokens know when they get some. */
  uploadWaits(): void {
    if (this.uploadLimiter) this.#wakeFor(this.uploadLimiter);
  }

  /** How much to take in at once: with a download limit, small reads keep the rate smooth. */
  get receiveBytes(): number {
    return this.#downloadLimit ? LIMITS.limitedReceiveBytes : LIMITS.receiveBytes;
  }

  /** Counts bytes that came in by another way than a link; fulfilled when the limit lets more come. */
  async payDownload(bytes: number): Promise<void> {
    const limiter = this.#downloadLimiter;
    if (!limiter) return;
    const paid = this.#downloadLimit?.pay(bytes);
    this.#wakeFor(limiter);
    await paid;
  }

  /** Does what is due; returns when it wants to be called next. */
  tick(now: number): number {
    for (let next = this.#dialer.next(now); next; next = this.#dialer.next(now)) {
      if (next.what === 'dial') this.#dialNow(next.owner, next.target);
      else next.owner.dialFailed(next.target, 'too many others to dial');
    }
    this.uploadLimiter?.serve(now);
    this.#downloadLimiter?.serve(now);
    if (now >= this.#watchAtMs) {
      this.#watchAtMs = now + WATCH_MS;
      for (const link of this.#links) link.watch(now);
    }
    const due = [this.#dialer, this.uploadLimiter, this.#downloadLimiter].map(
      part => part?.nextMs(now) ?? Infinity,
    );
    return Math.min(this.#watchAtMs, now + Math.min(...due));
  }

  /** Hangs up on everybody; fulfilled when no handle is left. */
  async close(): Promise<void> {
    for (const owner of [...this.#dials.keys()]) this.forget(owner);
    for (const link of [...this.#links]) link.close();
    await this.#listener?.close();
  }

  #wakeFor(limiter: RateLimiter): void {
    const now = monotonicMs();
    this.#options.wakeAt(now + limiter.nextMs(now));
  }

  #add(link: PeerLink): PeerLink {
    this.#links.add(link);
    return link;
  }

  #dialNow(owner: Dialling, address: HostPort): void {
    // This dial is one of those half-open.
    if (this.#links.size + this.#dialer.halfOpen > this.#options.maxConnections) {
      this.#dialer.ended();
      owner.dialFailed(address, 'too many connections');
      return;
    }
    const dials = this.#dials.get(owner) ?? new Set();
    this.#dials.set(owner, dials);
    const ended = () => {
      this.#dialer.ended();
      dials.delete(cancel);
      this.#options.wakeAt(monotonicMs());
    };
    const giveUp = dial(
      address,
      { timeoutMs: LIMITS.dialTimeoutMs, receiveBytes: this.receiveBytes, binding: this.#options.binding },
      {
        onConnected: socket => {
          ended();
          return this.#add(new PeerLink(socket, this, owner)).handlers;
        },
        onFailed: why => {
          ended();
          owner.dialFailed(address, why);
        },
      },
    );
    const cancel = () => {
      giveUp();
      this.#dialer.ended();
    };
    dials.add(cancel);
  }
}
