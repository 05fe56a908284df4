// The trackers of one torrent: what the announcer decides is announced, what trackers answer is told on. Owns the announces
// under way; sockets, clock and the timer are the engine's.

import { setMaxListeners } from 'node:events';
import type { InfoHash, PeerId } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import { shownUrl, trackerTiers, trackerUrl } from '../torrent/source-urls.js';
import { quoted } from '../torrent/text.js';
import type { AnnounceReply } from './announce-reply.js';
import { type AnnounceOrder, Announcer } from './announcer.js';
import { announceTo, scrapeOf, type TrackerEdges } from './tracker-edges.js';
import { TrackerError } from './tracker-error.js';

export type { TrackerEdges } from './tracker-edges.js';

/** What trackers are told of us, at the moment of an announce. */
export interface AnnounceFacts {
  /** Bytes. */
  readonly uploaded: number;
  readonly downloaded: number;
  readonly left: number;
  /** The one we listen on. */
  readonly port: number;
  readonly needsPeers: boolean;
  /** We have all that we want, and that is not all there is (BEP 21). */
  readonly isPartialSeed?: boolean;
}

/** Who we are to trackers, the same for the whole run. */
export interface TrackerIdentity {
  readonly peerId: PeerId;
  /** A random unsigned 32-bit number (BEP 7). */
  readonly key: number;
}

/** A tracker answered, or failed. */
export interface TrackerReport {
  /** Without user and password. */
  readonly url: string;
  /** Addresses in the answer. @asType integer @minimum 0 */
  readonly peers?: number;
  /** As the tracker counts them, where it says. @asType integer @minimum 0 */
  readonly seeds?: number;
  /** Likewise. @asType integer @minimum 0 */
  readonly leechers?: number;
  readonly warning?: string;
  readonly error?: string;
}

export interface TorrentTrackersOptions {
  readonly infoHash: InfoHash;
  /** BEP 12; what is no usable URL is reported and left out. */
  readonly tiers: readonly (readonly string[])[];
  readonly isPrivate: boolean;
  readonly identity: TrackerIdentity;
  readonly edges: TrackerEdges;
  facts(): AnnounceFacts;
  /** Monotonic ms. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** IP addresses that can be dialled. */
  onPeers(addresses: readonly HostPort[]): void;
  onReport(report: TrackerReport): void;
  /** A private torrent uses another tracker from now on: the peers that trackers named so far must go (BEP 27). */
  onTrackerChanged(): void;
  /** Something is due at this time that `tick` did not know of. */
  wakeAt(timeMs: number): void;
}

/** An announce that waits for its turn, or for its answer. */
interface Sending {
  readonly abort: AbortController;
  sentAt: number;
  /** As they were told. */
  facts: AnnounceFacts | undefined;
}

const NOT_SENT = Number.NEGATIVE_INFINITY;
/** ms that a tracker which was told `started` has before we stop without waiting for it: it may well be dead. */
const FRESH_MS = 1000;

export class TorrentTrackers {
  readonly #options: TorrentTrackersOptions;
  readonly #announcer: Announcer;
  readonly #underWay = new Map<AnnounceOrder, Sending>();
  /** URLs that were left out, to be reported with the first tick. */
  #unusable: readonly string[];
  #stopping: Promise<void> | undefined;
  #isStopping = false;
  /** Ends the wait of `stop`. */
  #onIdle: (() => void) | undefined;
  #ended = false;

  constructor(options: TorrentTrackersOptions) {
    this.#options = options;
    this.#unusable = options.tiers.flat().filter(url => trackerUrl(url) === undefined);
    this.#announcer = new Announcer(trackerTiers(options.tiers), options.isPrivate, options.random);
  }

  /** Announces what is due; returns when it wants to be called next. */
  tick(now: number): number {
    if (this.#isStopping) return Number.POSITIVE_INFINITY;
    this.#reportUnusable();
    const { needsPeers } = this.#options.facts();
    this.#launch(now, needsPeers);
    return this.#announcer.nextAt(now, needsPeers);
  }

  /** The last byte of the torrent came in this run. Ignored while bytes are left: a part of a torrent is no completion. */
  completed(now: number): void {
    if (this.#options.facts().left > 0) return;
    this.#announcer.completed();
    this.#options.wakeAt(now);
  }

  /** The metadata says that the torrent is private: from now on one tracker at a time. */
  setPrivate(): void {
    if (this.#announcer.setPrivate()) this.#options.onTrackerChanged();
    this.#options.wakeAt(this.#options.now());
  }

  /** Tells the trackers that know us that we stop. Fulfilled when they answered, or have had time enough; never rejects. */
  stop(now: number): Promise<void> {
    this.#stopping ??= new Promise(resolve => {
      this.#isStopping = true;
      const timer = setTimeout(() => this.#onIdle?.(), LIMITS.trackerStopMs);
      this.#onIdle = () => {
        this.#onIdle = undefined;
        this.#ended = true;
        clearTimeout(timer);
        for (const { abort } of this.#underWay.values()) abort.abort();
        resolve();
      };
      this.#announcer.stop();
      for (const [order, { sentAt, abort }] of this.#underWay) {
        // Of the tracker's answer depends whether it must hear that we stop; the regular announces do not matter any more.
        const matters = order.event !== undefined && (order.event !== 'started' || now - sentAt < FRESH_MS);
        if (sentAt === NOT_SENT || !matters) abort.abort();
      }
      this.#goOnStopping(now);
    });
    return this.#stopping;
  }

  #goOnStopping(now: number): void {
    if (this.#ended) return;
    this.#launch(now, false);
    if (this.#announcer.isIdle) this.#onIdle?.();
  }

  #launch(now: number, needsPeers: boolean): void {
    for (const order of this.#announcer.due(now, needsPeers)) this.#announce(order);
  }

  /** One announce, from its turn to what its end means. */
  async #announce(order: AnnounceOrder): Promise<void> {
    const { edges, identity, infoHash, facts, now, wakeAt } = this.#options;
    const sending: Sending = { abort: new AbortController(), sentAt: NOT_SENT, facts: undefined };
    const { signal } = sending.abort;
    this.#underWay.set(order, sending);
    const announce = () => {
      const told = facts();
      sending.facts = told;
      sending.sentAt = now();
      const event = order.event ?? (told.isPartialSeed ? 'paused' : undefined);
      return announceTo(edges, order.url, { infoHash, ...identity, ...told, ...order, event }, signal);
    };
    const outcome = await edges.slots
      .run(announce, order.event === 'stopped' || this.#isStopping, signal)
      .then(
        reply => ({ reply }),
        (error: unknown) => ({ error }),
      );
    this.#underWay.delete(order);
    if ('reply' in outcome) this.#answered(order, outcome.reply, sending.facts);
    else if (signal.aborted) this.#announcer.cancelled(order);
    else this.#failed(order, outcome.error);
    if (this.#isStopping) this.#goOnStopping(now());
    else wakeAt(now());
  }

  #answered(order: AnnounceOrder, reply: AnnounceReply, told: AnnounceFacts | undefined): void {
    const { now, onTrackerChanged, onPeers } = this.#options;
    const verdict = this.#announcer.answered(order, reply, told?.left ?? 0, now());
    if (this.#ended) return;
    const { seeds, leechers, warning } = reply;
    this.#report(order.url, {
      // With the last word to it, a tracker is not asked for peers.
      ...(order.event !== 'stopped' && { peers: reply.peers.length }),
      ...(seeds !== undefined && { seeds }),
      ...(leechers !== undefined && { leechers }),
      ...(warning !== undefined && { warning }),
    });
    if (verdict === 'late' || this.#isStopping) return;
    if (verdict === 'tracker-changed') onTrackerChanged();
    const isOther = ({ host, port }: HostPort) => host !== reply.externalHost || port !== told?.port;
    const others = reply.peers.filter(isOther);
    if (others.length > 0) onPeers(others);
  }

  #failed(order: AnnounceOrder, error: unknown): void {
    const retryMs = error instanceof TrackerError ? error.retryMs : undefined;
    this.#announcer.failed(order, retryMs, this.#options.now());
    if (!this.#ended) this.#report(order.url, { error: reasonOf(error) });
  }

  #report(url: string, what: Omit<TrackerReport, 'url'>): void {
    this.#options.onReport({ url: shownUrl(url), ...what });
  }

  #reportUnusable(): void {
    const [first, ...more] = this.#unusable;
    this.#unusable = [];
    if (first === undefined) return;
    const others = more.length > 0 ? `, and ${more.length} more` : '';
    const why = 'ignored: not the URL of an HTTP or UDP tracker';
    this.#report(quoted(shownUrl(first)).slice(1, -1), { warning: `${why}${others}` });
  }
}

/** Asks all trackers how many peers they count (BEP 48), each once. Fulfilled when all were reported or `signal` aborted. */
export async function scrapeAll(options: {
  readonly infoHash: InfoHash;
  readonly tiers: readonly (readonly string[])[];
  readonly edges: TrackerEdges;
  readonly onReport: (report: TrackerReport) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { infoHash, tiers, edges, onReport, signal } = options;
  // One for each tracker, which Node would take for a leak.
  setMaxListeners(0, signal);
  const scrape = async (url: string) => {
    let what: Omit<TrackerReport, 'url'>;
    try {
      const ask = () => scrapeOf(edges, url, infoHash, signal);
      const { seeds, leechers } = await edges.slots.run(ask, false, signal);
      what = { ...(seeds !== undefined && { seeds }), ...(leechers !== undefined && { leechers }) };
    } catch (error) {
      what = { error: reasonOf(error) };
    }
    if (!signal.aborted) onReport({ url: shownUrl(url), ...what });
  };
  await Promise.all(trackerTiers(tiers).flat().map(scrape));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
