// When which tracker of one torrent is told what (BEPs 3, 12, 27, 31). Pure: `now` is monotonic ms, `random` uniform in
// [0, 1); announces nothing itself.
//
// Trackers stand in lines, of which each has one announce under way at most. A public torrent has a line for each tier, so
// that all tiers are announced to; a private one has a single line, its tiers one after the other.

import { LIMITS } from '../torrent/limits.js';
import type { AnnounceReply } from './announce-reply.js';
import type { AnnounceEvent } from './announce-url.js';

/** An announce to be made; ends in `answered`, `failed` or `cancelled`. */
export interface AnnounceOrder {
  readonly url: string;
  readonly event: AnnounceEvent | undefined;
  readonly numWant: number;
  readonly trackerId: Uint8Array | undefined;
}

/** What an answer means: its peers are welcome, or were given too late; or those of the tracker used before are to go (BEP 27). */
export type Verdict = 'welcome' | 'late' | 'tracker-changed';

interface Tracker {
  readonly url: string;
  busy: boolean;
  failures: number;
  /** Not to be asked before this time. */
  notBefore: number;
  /** It never wants to be asked again (BEP 31). */
  retired: boolean;
  /** It answered to `started`, and since then not to `stopped`. */
  started: boolean;
  /** We lacked something when it answered to `started`: it is to hear of the completion. */
  startedIncomplete: boolean;
  completedTold: boolean;
  /** It is to be told what it should know, `stopped` at last. */
  leaving: boolean;
  trackerId: Uint8Array | undefined;
}

interface Line {
  readonly tiers: Tracker[][];
  /** The one that answered last. */
  current: Tracker | undefined;
  /** When to announce again, when at the earliest if peers are needed. */
  nextAt: number;
  earlyAt: number;
}

const AT_ONCE = Number.NEGATIVE_INFINITY;
/** The largest part of a wait that chance adds: clients that a tracker lost together are not to come back together. */
const JITTER = 0.1;

export class Announcer {
  readonly #random: () => number;
  readonly #trackers: readonly Tracker[];
  readonly #underWay = new Map<AnnounceOrder, Tracker>();
  #lines: Line[];
  #isPrivate = false;
  #isComplete = false;
  #isStopped = false;

  /** @param tiers usable URLs, each once */
  constructor(tiers: readonly (readonly string[])[], isPrivate: boolean, random: () => number) {
    this.#random = random;
    const shuffled = tiers.map(urls => shuffle(urls, random).map(newTracker));
    this.#trackers = shuffled.flat();
    this.#lines = shuffled.map(tier => newLine([tier]));
    if (isPrivate) this.setPrivate();
  }

  /** Whether no announce is under way. */
  get isIdle(): boolean {
    return this.#underWay.size === 0;
  }

  /** The last byte came: those who knew us incomplete hear of it. */
  completed(): void {
    this.#isComplete = true;
  }

  /**
   * From now on one tracker at a time; others in use are told `stopped`.
   * @returns whether peers of several trackers are mixed now, which must not be (BEP 27)
   */
  setPrivate(): boolean {
    if (this.#isPrivate) return false;
    this.#isPrivate = true;
    const used = this.#lines.filter(({ current }) => current !== undefined);
    const first = used[0];
    const kept = first?.current ?? this.#trackers.find(({ busy }) => busy);
    const tiers = this.#lines.flatMap(line => line.tiers);
    this.#lines = [{ ...(first ?? newLine(tiers)), tiers }];
    for (const tracker of this.#trackers) if (tracker !== kept) leave(tracker);
    return used.length > 1;
  }

  /** From now on `due` says good-bye alone. */
  stop(): void {
    this.#isStopped = true;
    for (const tracker of this.#trackers) leave(tracker);
  }

  /** What to announce now; each order counts as under way until its end was told. */
  due(now: number, needsPeers: boolean): AnnounceOrder[] {
    const orders: AnnounceOrder[] = [];
    for (const tracker of this.#trackers)
      if (tracker.leaving && !tracker.busy) orders.push(...this.#farewell(tracker));
    for (const line of this.#isStopped ? [] : this.#lines) {
      const next = this.#next(line, now, needsPeers);
      if (next && next.at <= now)
        orders.push(this.#order(next.tracker, this.#eventFor(next.tracker), needsPeers));
    }
    return orders;
  }

  /** When `due` has something to say that it does not say now; Infinity when only the end of an announce can change that. */
  nextAt(now: number, needsPeers: boolean): number {
    if (this.#isStopped) return Number.POSITIVE_INFINITY;
    return Math.min(
      Number.POSITIVE_INFINITY,
      ...this.#lines.map(line => this.#next(line, now, needsPeers)?.at ?? Number.POSITIVE_INFINITY),
    );
  }

  /** The tracker answered. @param left bytes, as the announce said */
  answered(order: AnnounceOrder, reply: AnnounceReply, left: number, now: number): Verdict {
    const tracker = this.#finished(order);
    if (!tracker) return 'late';
    tracker.failures = 0;
    tracker.notBefore = AT_ONCE;
    tracker.trackerId = reply.trackerId ?? tracker.trackerId;
    if (order.event === 'started') {
      tracker.started = true;
      tracker.startedIncomplete = left > 0;
    } else if (order.event === 'completed') tracker.completedTold = true;
    else if (order.event === 'stopped') gone(tracker);
    const line = this.#lineOf(tracker);
    if (!line || tracker.leaving || order.event === 'stopped') return 'late';
    const changed = this.#isPrivate && line.current !== undefined && line.current !== tracker;
    line.current = tracker;
    moveToFront(line, tracker);
    const intervalMs = bounded(reply.intervalMs ?? LIMITS.announceIntervalMs);
    // Where the tracker names no minimum, half its interval is polite; opentracker names just that.
    const minimumMs = bounded(reply.minIntervalMs ?? intervalMs / 2);
    line.earlyAt = now + minimumMs;
    line.nextAt = now + Math.max(intervalMs, minimumMs);
    return changed ? 'tracker-changed' : 'welcome';
  }

  /** The tracker failed or refused. @param retryMs as TrackerError says */
  failed(order: AnnounceOrder, retryMs: number | undefined, now: number): void {
    const tracker = this.#finished(order);
    if (!tracker) return;
    tracker.failures++;
    tracker.retired = retryMs === Number.POSITIVE_INFINITY;
    tracker.notBefore = now + Math.min(retryMs ?? this.#backOffMs(tracker), LIMITS.announceIntervalMaxMs);
    if (order.event === 'stopped') gone(tracker);
    // Who leaves does not try twice.
    if (order.event === 'completed' && tracker.leaving) tracker.completedTold = true;
    const line = this.#lineOf(tracker);
    if (line && !tracker.leaving) line.nextAt = line.earlyAt = AT_ONCE;
  }

  /** The announce was not made, or given up by ourselves. */
  cancelled(order: AnnounceOrder): void {
    this.#finished(order);
  }

  /** libtorrent's formula, and a little chance. */
  #backOffMs({ failures }: Tracker): number {
    const grown = LIMITS.trackerRetryMs * (1 + failures * failures * LIMITS.trackerRetryFactor);
    return Math.round(Math.min(grown, LIMITS.trackerRetryMaxMs) * (1 + JITTER * this.#random()));
  }

  /** The next word to a tracker that is to be left, if it has to hear one. */
  #farewell(tracker: Tracker): AnnounceOrder[] {
    if (tracker.started && !tracker.retired)
      return [this.#order(tracker, this.#owesCompleted(tracker) ? 'completed' : 'stopped', false)];
    gone(tracker);
    return [];
  }

  #eventFor(tracker: Tracker): AnnounceEvent | undefined {
    if (!tracker.started) return 'started';
    return this.#owesCompleted(tracker) ? 'completed' : undefined;
  }

  #owesCompleted({ started, startedIncomplete, completedTold }: Tracker): boolean {
    return this.#isComplete && started && startedIncomplete && !completedTold;
  }

  #order(tracker: Tracker, event: AnnounceEvent | undefined, needsPeers: boolean): AnnounceOrder {
    const { url, trackerId } = tracker;
    const order = { url, event, trackerId, numWant: needsPeers ? LIMITS.announceWant : 0 };
    tracker.busy = true;
    this.#underWay.set(order, tracker);
    return order;
  }

  #finished(order: AnnounceOrder): Tracker | undefined {
    const tracker = this.#underWay.get(order);
    this.#underWay.delete(order);
    if (tracker) tracker.busy = false;
    return tracker;
  }

  #lineOf(tracker: Tracker): Line | undefined {
    return this.#lines.find(line => line.tiers.some(tier => tier.includes(tracker)));
  }

  /**
   * Whom to announce to next, and when: the one in use, else the first in order that may be asked (BEP 12). The one in use
   * is at the front of its tier anyway; of a private torrent it is kept until it fails, whatever its tier (BEP 27).
   */
  #next(line: Line, now: number, needsPeers: boolean): { tracker: Tracker; at: number } | undefined {
    const owes = line.current !== undefined && this.#owesCompleted(line.current);
    const lineAt = owes ? AT_ONCE : needsPeers ? line.earlyAt : line.nextAt;
    let best: Tracker | undefined;
    for (const tracker of inOrder(line)) {
      if (tracker.leaving) continue;
      if (tracker.busy) return undefined;
      if (tracker.retired) continue;
      if (best === undefined || (best.notBefore > now && tracker.notBefore < best.notBefore)) best = tracker;
    }
    return best && { tracker: best, at: Math.max(lineAt, best.notBefore) };
  }
}

function* inOrder({ current, tiers }: Line): Generator<Tracker> {
  if (current) yield current;
  for (const tier of tiers) for (const tracker of tier) if (tracker !== current) yield tracker;
}

function newTracker(url: string): Tracker {
  return {
    url,
    busy: false,
    failures: 0,
    notBefore: AT_ONCE,
    retired: false,
    started: false,
    startedIncomplete: false,
    completedTold: false,
    leaving: false,
    trackerId: undefined,
  };
}

function newLine(tiers: Tracker[][]): Line {
  return { tiers, current: undefined, nextAt: AT_ONCE, earlyAt: AT_ONCE };
}

function leave(tracker: Tracker): void {
  tracker.leaving = tracker.started || tracker.busy;
}

/** It knows us no more; should it be used again, it is as new. */
function gone(tracker: Tracker): void {
  tracker.leaving = false;
  tracker.started = false;
}

function moveToFront(line: Line, tracker: Tracker): void {
  for (const tier of line.tiers) {
    const at = tier.indexOf(tracker);
    if (at > 0) tier.unshift(...tier.splice(at, 1));
  }
}

function bounded(intervalMs: number): number {
  return Math.min(Math.max(intervalMs, LIMITS.announceIntervalMinMs), LIMITS.announceIntervalMaxMs);
}

/** Fisher and Yates; all orders are equally likely. */
function shuffle(urls: readonly string[], random: () => number): string[] {
  const order = [...urls];
  for (let last = order.length - 1; last > 0; last--) {
    const at = Math.floor(random() * (last + 1));
    const url = order[at] as string;
    order[at] = order[last] as string;
    order[last] = url;
  }
  return order;
}
