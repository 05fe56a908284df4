// Which torrents to announce on the local network, and when (BEP 14). Pure: `now` is monotonic ms.

import { type InfoHash, toHex } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';

interface Entry {
  readonly infoHash: InfoHash;
  dueMs: number;
  announcedMs: number;
  /** Who announced it, and when last. */
  readonly neighbours: Map<string, number>;
}

export class LocalSchedule {
  readonly #entries = new Map<string, Entry>();

  /** Announced at once, and again from time to time. */
  add(infoHash: InfoHash, now: number): void {
    const known = this.#entries.get(toHex(infoHash));
    if (known) return;
    const announcedMs = Number.NEGATIVE_INFINITY;
    this.#entries.set(toHex(infoHash), { infoHash, dueMs: now, announcedMs, neighbours: new Map() });
  }

  remove(infoHash: InfoHash): void {
    this.#entries.delete(toHex(infoHash));
  }

  /** All are announced as soon as may be: there is somebody new to hear it. */
  hurry(now: number): void {
    for (const entry of this.#entries.values()) bringForward(entry, now);
  }

  /**
   * Somebody announced this torrent. One who was not here before missed our last announce, so it is made again.
   * @returns whether the torrent is one of ours
   */
  heard(infoHash: InfoHash, from: string, now: number): boolean {
    const entry = this.#entries.get(toHex(infoHash));
    if (!entry) return false;
    const { neighbours } = entry;
    const heardMs = neighbours.get(from) ?? Number.NEGATIVE_INFINITY;
    neighbours.delete(from);
    neighbours.set(from, now);
    for (const oldest of neighbours.keys()) {
      if (neighbours.size <= LIMITS.lsdNeighbours) break;
      neighbours.delete(oldest);
    }
    // Who is silent for two announces has been away.
    if (now - heardMs > 2 * LIMITS.lsdAnnounceMs) bringForward(entry, now);
    return true;
  }

  /** What to announce now in one datagram; it counts as announced. */
  take(now: number): InfoHash[] {
    const taken: InfoHash[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.dueMs > now) continue;
      entry.announcedMs = now;
      entry.dueMs = now + LIMITS.lsdAnnounceMs;
      taken.push(entry.infoHash);
      if (taken.length === LIMITS.lsdHashes) break;
    }
    return taken;
  }

  /** When there is something to take; Infinity without torrents. */
  get nextMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#entries.values()) nextMs = Math.min(nextMs, dueMs);
    return nextMs;
  }
}

function bringForward(entry: Entry, now: number): void {
  entry.dueMs = Math.min(entry.dueMs, Math.max(now, entry.announcedMs + LIMITS.lsdAgainMs));
}
