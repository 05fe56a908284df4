// Who is unchoked: tit for tat while we download, fair turns while we seed. Snapshots in, decisions with reasons out,
// before anybody acts. Must not know of messages, requests or pieces.

import { LIMITS } from '../torrent/limits.js';
import type { PeerNumber, Random } from './port.js';

/** What the choker is told of one peer. It is read until the next decision, and never changed. */
export interface ChokerPeer {
  readonly peer: PeerNumber;
  /** Without the port. A newcomer is preferred once for each host, and debts outlive a connection. */
  readonly host: string;
  readonly connectedAtMs: number;
  readonly peerInterested: boolean;
  readonly amChoking: boolean;
  /** When we last unchoked it; not read while `amChoking`. */
  readonly unchokedAtMs: number;
  /** What it gives us, bytes per second over LIMITS.rateWindowMs. */
  readonly downBps: number;
  /** It unchoked us, we are interested, and no block came for LIMITS.antiSnubMs (Cohen 2003, anti-snubbing). */
  readonly snubbed: boolean;
  /** Bytes of blocks of this connection: got from it, sent to it. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export interface ChokerSettings {
  /** Interested peers unchoked at a time, and how many of these places are never given by rate. */
  readonly slots: number;
  readonly optimisticSlots: number;
  /** We want nothing more: nobody can give us anything, so slots go round. */
  readonly seeding: boolean;
  /** Bytes that a peer may take without return before it is last in line; at least a piece, so that it has one to trade. */
  readonly freeBiteBytes: number;
}

export type UnchokeReason =
  /** among the best givers, or would be if it were interested */
  | 'rate'
  /** its turn in the optimistic slot; for the first time; in a slot that no giver claims */
  | 'optimistic'
  | 'newcomer'
  | 'spare'
  /** its turn while we seed */
  | 'rotation';
export type ChokeReason =
  /** others give more */
  | 'outranked'
  /** silent, so without claim to a regular slot */
  | 'snubbed'
  | 'not-interested'
  /** its turn is over */
  | 'rotation';

/** An order to choke or unchoke a peer; peers that stay as they are get none. */
export type Decision =
  | { readonly peer: PeerNumber; readonly choke: true; readonly reason: ChokeReason }
  | { readonly peer: PeerNumber; readonly choke: false; readonly reason: UnchokeReason };

/** A connection's place in the rotation. */
interface Place {
  snapshot: ChokerPeer;
  readonly salt: number;
  /** Bytes that earlier connections of the host still owed. */
  readonly owedBytes: number;
  /** Whether it ever was unchoked for its turn; whether it holds its slot by turn rather than by rate. */
  served: boolean;
  onTurn: boolean;
  /** The decision in the making. */
  grant: UnchokeReason | undefined;
  turnOver: boolean;
  round: number;
}

export class Choker {
  /** All connections; who waits longest is first, who was served last is last. */
  #rotation: Place[] = [];
  readonly #places = new Map<PeerNumber, Place>();
  /** Unreturned bytes by host; a host that is absent is a newcomer. */
  readonly #debts = new Map<string, number>();
  #dueMs = 0;
  #round = 0;

  /** When the next full decision is due. `choose` may be called earlier, when a slot or an interested peer turns up. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /**
   * What to change now, chokes first. A call before `dueMs` fills free slots and gives a place to an unchoked giver
   * that became interested, but compares no rates and ends no turn.
   * @param peers all peers with a complete handshake, in an order that depends on nothing random
   */
  choose(peers: readonly ChokerPeer[], settings: ChokerSettings, now: number, random: Random): Decision[] {
    const full = now >= this.#dueMs;
    if (full) this.#dueMs = now + LIMITS.rechokeMs;
    this.#meet(peers, random);
    const ranked = settings.seeding ? 0 : this.#grantByRate(settings, full);
    this.#grantByTurn(settings, settings.slots - ranked, full, now);
    return this.#decide();
  }

  /** Brings the places in line with who is connected: those who left go before others come, for who comes may be the same. */
  #meet(peers: readonly ChokerPeer[], random: Random): void {
    this.#round++;
    let stayed = 0;
    for (const snapshot of peers) {
      const place = this.#places.get(snapshot.peer);
      if (place?.snapshot.connectedAtMs !== snapshot.connectedAtMs) continue;
      place.snapshot = snapshot;
      place.grant = undefined;
      place.turnOver = false;
      place.round = this.#round;
      stayed++;
    }
    if (stayed < this.#rotation.length) {
      this.#rotation = this.#rotation.filter(place => place.round === this.#round || this.#leave(place));
    }
    if (stayed === peers.length) return;
    for (const snapshot of peers) if (!this.#places.has(snapshot.peer)) this.#enter(snapshot, random);
  }

  /**
   * A newcomer is three times as likely to be next as to get any other place in the rotation (BEP 3, "optimistic
   * unchoke"). That is granted to a host once: who comes again joins at the end, so reconnecting never pays.
   */
  #enter(snapshot: ChokerPeer, random: Random): void {
    const owedBytes = this.#debts.get(snapshot.host);
    const length = this.#rotation.length;
    const at = owedBytes === undefined ? Math.max(0, Math.floor(random() * (length + 3)) - 2) : length;
    const place: Place = {
      snapshot,
      salt: random(),
      owedBytes: owedBytes ?? 0,
      served: owedBytes !== undefined,
      onTurn: false,
      grant: undefined,
      turnOver: false,
      round: this.#round,
    };
    if (owedBytes === undefined) this.#remember(snapshot.host, 0);
    this.#rotation.splice(at, 0, place);
    this.#places.set(snapshot.peer, place);
  }

  /** Always false: the place is not to be kept. */
  #leave(place: Place): false {
    const { peer, host } = place.snapshot;
    this.#places.delete(peer);
    this.#remember(host, Math.max(0, debtBytes(place)));
    return false;
  }

  #remember(host: string, debt: number): void {
    this.#debts.delete(host);
    this.#debts.set(host, debt);
    if (this.#debts.size <= LIMITS.knownAddresses) return;
    for (const oldest of this.#debts.keys()) {
      this.#debts.delete(oldest);
      return;
    }
  }

  /**
   * Regular slots go to the best givers. Peers that give more than the last of them but want nothing are unchoked
   * besides (BEP 3): it costs nothing, and once interested they need not wait for the next decision.
   * @returns how many slots are taken
   */
  #grantByRate(settings: ChokerSettings, full: boolean): number {
    const slots = settings.slots - settings.optimisticSlots;
    if (slots <= 0) return 0;
    // Between two full decisions no rate of a choked peer outdoes that of an unchoked one.
    const factor = full ? LIMITS.incumbentFactor : 2 ** 40;
    const givers = this.#rotation.filter(({ snapshot: { downBps, snubbed } }) => downBps > 0 && !snubbed);
    givers.sort((a, b) => score(b, factor) - score(a, factor) || bySalt(a, b));
    let taken = 0;
    for (const place of givers) {
      if (taken === slots) break;
      place.grant = 'rate';
      if (place.snapshot.peerInterested) taken++;
    }
    return taken;
  }

  /**
   * All other slots go round: a turn each, the longest waiting first. Deep debtors and snubbed peers come after
   * everybody else who waits, though not after those who had their turn, so that no slot is held for ever.
   */
  #grantByTurn(settings: ChokerSettings, slots: number, full: boolean, now: number): void {
    const turnMs = settings.seeding ? LIMITS.seedTurnMs : LIMITS.optimisticMs;
    const turnIsOver = ({ onTurn, snapshot }: Place) => !onTurn || now - snapshot.unchokedAtMs >= turnMs;
    const open = this.#rotation.filter(place => place.snapshot.peerInterested && place.grant === undefined);
    const holders = open.filter(place => !place.snapshot.amChoking);
    holders.sort(
      (a, b) =>
        Number(turnIsOver(b)) - Number(turnIsOver(a)) ||
        a.snapshot.unchokedAtMs - b.snapshot.unchokedAtMs ||
        bySalt(a, b),
    );
    const waiting = open.filter(place => place.snapshot.amChoking);
    const queue = settings.seeding ? waiting : lastInLine(waiting, settings.freeBiteBytes);
    // Slots change hands one after the other, so that uploads do not all start over at the same moment.
    let handovers = full ? Math.ceil((slots * LIMITS.rechokeMs) / turnMs) : 0;
    let excess = holders.length - slots;
    let next = 0;
    let granted = 0;
    for (const holder of holders) {
      if (excess-- > 0) continue;
      if (handovers > 0 && turnIsOver(holder) && next < queue.length) {
        handovers--;
        holder.turnOver = holder.onTurn || settings.seeding;
        grantTurn(queue[next++] as Place, settings, granted++);
      } else {
        holder.grant = 'optimistic';
        granted++;
      }
    }
    while (granted < slots && next < queue.length) grantTurn(queue[next++] as Place, settings, granted++);
  }

  /** Turns grants into orders. Everybody whose state changes goes to the end of the rotation. */
  #decide(): Decision[] {
    const choked: Place[] = [];
    const unchoked: Place[] = [];
    const kept: Place[] = [];
    for (const place of this.#rotation) {
      const wanted = place.grant !== undefined;
      if (wanted !== place.snapshot.amChoking) kept.push(place);
      else if (wanted) unchoked.push(place);
      else choked.push(place);
      if (place.grant === undefined || place.grant === 'rate') place.onTurn = false;
    }
    if (choked.length + unchoked.length === 0) return [];
    this.#rotation = [...kept, ...choked, ...unchoked];
    const decisions: Decision[] = [];
    for (const place of choked)
      decisions.push({ peer: place.snapshot.peer, choke: true, reason: chokeReason(place) });
    for (const { snapshot, grant } of unchoked)
      if (grant !== undefined) decisions.push({ peer: snapshot.peer, choke: false, reason: grant });
    return decisions;
  }
}

function score({ snapshot }: Place, incumbentFactor: number): number {
  return snapshot.amChoking ? snapshot.downBps : snapshot.downBps * incumbentFactor;
}

/** The last word between equals, so that no order depends on that of the peers. */
function bySalt(a: Place, b: Place): number {
  return a.salt - b.salt || a.snapshot.peer - b.snapshot.peer;
}

/** Bytes the peer's host took beyond what its gifts pay for; negative for those who give. */
function debtBytes({ owedBytes, snapshot }: Place): number {
  return owedBytes + snapshot.sentBytes - LIMITS.returnRatio * snapshot.receivedBytes;
}

/** The same places, deep debtors and snubbed peers after all others. */
function lastInLine(waiting: readonly Place[], freeBiteBytes: number): Place[] {
  const isLast = (place: Place) => place.snapshot.snubbed || debtBytes(place) > freeBiteBytes;
  return [...waiting.filter(place => !isLast(place)), ...waiting.filter(isLast)];
}

/** @param turns how many slots went by turn already */
function grantTurn(place: Place, settings: ChokerSettings, turns: number): void {
  if (settings.seeding) place.grant = 'rotation';
  else if (!place.served) place.grant = 'newcomer';
  else place.grant = turns < settings.optimisticSlots ? 'optimistic' : 'spare';
  place.served = true;
  place.onTurn = true;
}

function chokeReason({ snapshot, turnOver }: Place): ChokeReason {
  if (!snapshot.peerInterested) return 'not-interested';
  if (turnOver) return 'rotation';
  return snapshot.snubbed ? 'snubbed' : 'outranked';
}
