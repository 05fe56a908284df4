// The peers that claim one size of the metadata, the parts they gave, and who is asked for what next (BEP 9). Must not
// know other sizes, nor whether the bytes are right.

import { LIMITS } from '../torrent/limits.js';
import { MetadataParts } from './metadata-parts.js';
import type { PeerNumber } from './port.js';

/** How many peers are asked for the same part within LIMITS.metadataQuietMs: the slower of two costs 16 KiB, not a wait. */
const COPIES = 2;

/** A part that a peer was asked for, and when. */
interface Debt {
  readonly part: number;
  readonly sinceMs: number;
}

/** A peer as far as asking it goes. */
export class MetadataGiver {
  readonly peer: PeerNumber;
  /** Parts it owes us; parts it was asked for and not counted on any more, which may still come, and so come twice. */
  debts: Debt[] = [];
  readonly late = new Set<number>();
  /** When it last answered, or was asked while it owed nothing. */
  heardAtMs = 0;
  /** It owes us something and said nothing for LIMITS.metadataQuietMs: it is asked for no more. */
  slow = false;
  backoffUntilMs = 0;
  /** Refusals and losses in a row; turns at giving everything on its own. */
  setbacks = 0;
  soloTurns = 0;

  constructor(peer: PeerNumber) {
    this.peer = peer;
  }

  /** Takes the part off its debts; false when it was never asked for it. */
  settle(part: number): boolean {
    const at = this.debts.findIndex(debt => debt.part === part);
    if (at < 0) return this.late.has(part);
    this.debts.splice(at, 1);
    return true;
  }

  /** Counts on none of its debts any more; the answers may still come. */
  release(): void {
    for (const { part } of this.debts) this.late.add(part);
    this.debts = [];
    this.slow = false;
  }

  /** Leaves it alone for a while. */
  backOff(now: number): void {
    this.release();
    const waitMs = Math.min(LIMITS.metadataBackoffMs * 2 ** this.setbacks, LIMITS.metadataBackoffMaxMs);
    this.backoffUntilMs = now + waitMs;
    this.setbacks++;
  }

  owes(part: number): boolean {
    for (const debt of this.debts) if (debt.part === part) return true;
    return false;
  }

  isReady(now: number): boolean {
    return !this.slow && now >= this.backoffUntilMs;
  }
}

/**
 * All members are asked at the same time until a wrong whole was made of parts of several. From then on one at a time
 * gives everything, so that the next wrong whole has one author.
 */
export class MetadataGroup {
  readonly parts: MetadataParts<MetadataGiver>;
  readonly #members: MetadataGiver[] = [];
  readonly #request: (peer: PeerNumber, part: number) => void;
  /** How many members are expected to give each part soon. */
  readonly #askers: Uint8Array;
  #mixed = false;
  #solo: MetadataGiver | undefined;
  #soloSinceMs = 0;

  constructor(size: number, request: (peer: PeerNumber, part: number) => void) {
    this.parts = new MetadataParts(size);
    this.#askers = new Uint8Array(this.parts.count);
    this.#request = request;
  }

  get memberCount(): number {
    return this.#members.length;
  }

  has(giver: MetadataGiver): boolean {
    return this.#members.includes(giver);
  }

  join(giver: MetadataGiver, now: number): void {
    // Who comes again and again must not have every turn.
    if (this.#members.length > 0) {
      giver.soloTurns = Math.min(...this.#members.map(({ soloTurns }) => soloTurns));
    }
    this.#members.push(giver);
    this.askAll(now);
  }

  leave(giver: MetadataGiver, now: number): void {
    const at = this.#members.indexOf(giver);
    if (at >= 0) this.#members.splice(at, 1);
    giver.release();
    if (this.#solo === giver) this.#nextSolo(now);
    this.askAll(now);
  }

  /** A part came. False when the member was not asked for it or its length is wrong. */
  arrived(giver: MetadataGiver, part: number, data: Uint8Array, now: number): boolean {
    if (!giver.settle(part) || !this.parts.fits(part, data.length)) return false;
    giver.heardAtMs = now;
    giver.slow = false;
    giver.setbacks = 0;
    const wanted = !this.#mixed || this.#solo === giver;
    if (wanted && !this.parts.has(part)) this.parts.put(part, data, giver);
    if (!this.parts.complete) this.#ask(giver, now);
    return true;
  }

  /** The member does not give the part. One that was never asked for is nothing to us. */
  rejected(giver: MetadataGiver, part: number, now: number): void {
    if (!giver.settle(part)) return;
    giver.backOff(now);
    this.tick(now);
  }

  /** The whole was wrong: everything starts again. Returns who gave all of it, if one did and is still here. */
  failed(now: number): MetadataGiver | undefined {
    const givers = [...this.parts.givers()];
    this.parts.clear();
    const [author] = givers;
    if (givers.length > 1) this.#mixed = true;
    else if (author && this.has(author)) return author;
    this.askAll(now);
    return undefined;
  }

  /** Forgets the parts, to be asked for again. */
  clear(): void {
    this.parts.clear();
  }

  /** Asks whoever can be asked for what is missing. */
  askAll(now: number): void {
    if (this.#mixed && this.#solo === undefined) this.#nextSolo(now);
    for (const giver of this.#members) this.#ask(giver, now);
  }

  /** Does what time brings; returns when it wants to be called next. */
  tick(now: number): number {
    for (const giver of this.#members) {
      if (giver.debts.length === 0) continue;
      const quietMs = now - giver.heardAtMs;
      if (quietMs >= LIMITS.metadataTimeoutMs) giver.backOff(now);
      else giver.slow = quietMs >= LIMITS.metadataQuietMs;
    }
    if (this.#soloIsStuck(now) && this.#members.some(giver => giver !== this.#solo && giver.isReady(now))) {
      this.#nextSolo(now);
    }
    this.askAll(now);
    return this.#wakeMs(now);
  }

  #wakeMs(now: number): number {
    let wakeMs = Number.POSITIVE_INFINITY;
    for (const giver of this.#members) {
      if (giver.backoffUntilMs > now) wakeMs = Math.min(wakeMs, giver.backoffUntilMs);
      const patienceMs = giver.slow ? LIMITS.metadataTimeoutMs : LIMITS.metadataQuietMs;
      if (giver.debts.length > 0) wakeMs = Math.min(wakeMs, giver.heardAtMs + patienceMs);
      for (const { sinceMs } of giver.debts) {
        if (isFresh(sinceMs, now)) wakeMs = Math.min(wakeMs, sinceMs + LIMITS.metadataQuietMs);
      }
    }
    if (this.#solo && !this.#soloIsStuck(now)) wakeMs = Math.min(wakeMs, this.#soloEndMs(this.#solo));
    return wakeMs;
  }

  /** Until when the one that gives everything may take: a turn grows with what came, and with each turn it has. */
  #soloEndMs(solo: MetadataGiver): number {
    const allowedMs = LIMITS.metadataSoloMs + LIMITS.metadataPartMs * this.parts.arrived;
    return this.#soloSinceMs + allowedMs * 2 ** (solo.soloTurns - 1);
  }

  #soloIsStuck(now: number): boolean {
    return this.#solo !== undefined && (!this.#solo.isReady(now) || now >= this.#soloEndMs(this.#solo));
  }

  /** Has another member give everything: of those who answer, the one that had the fewest turns. */
  #nextSolo(now: number): void {
    this.parts.clear();
    this.#solo = undefined;
    for (const giver of this.#members) {
      if (!giver.isReady(now)) continue;
      if (this.#solo === undefined || giver.soloTurns < this.#solo.soloTurns) this.#solo = giver;
    }
    if (this.#solo === undefined) return;
    this.#solo.soloTurns++;
    this.#soloSinceMs = now;
  }

  #ask(giver: MetadataGiver, now: number): void {
    if (!giver.isReady(now) || (this.#mixed && this.#solo !== giver)) return;
    this.#countAskers(now);
    while (giver.debts.length < LIMITS.metadataRequests) {
      const part = this.#choose(giver);
      if (part < 0) return;
      if (giver.debts.length === 0) giver.heardAtMs = now;
      giver.debts.push({ part, sinceMs: now });
      this.#request(giver.peer, part);
    }
  }

  #countAskers(now: number): void {
    this.#askers.fill(0);
    for (const giver of this.#members) {
      if (this.#mixed && giver !== this.#solo) continue;
      for (const { part, sinceMs } of giver.debts) {
        if (isFresh(sinceMs, now)) this.#askers[part] = (this.#askers[part] ?? 0) + 1;
      }
    }
  }

  /** The first missing part that nobody is asked for, else one that fewer than COPIES are asked for; -1 if there is none. */
  #choose(giver: MetadataGiver): number {
    let second = -1;
    for (let part = 0; part < this.parts.count; part++) {
      if (this.parts.has(part) || giver.owes(part)) continue;
      const askers = this.#askers[part] ?? 0;
      if (askers === 0) return part;
      if (askers < COPIES && second < 0) second = part;
    }
    return second;
  }
}

/** Whether an answer can still be expected soon; if not, others are asked too. */
function isFresh(sinceMs: number, now: number): boolean {
  return now - sinceMs < LIMITS.metadataQuietMs;
}
