// An HTTP server that has the files (BEP 19), in the words of a peer: it has all, unchokes, answers requests with blocks,
// and chokes while it fails. Owns the queue, the back-off and what the server lacks; knows no socket, hash or piece state.

import type { BlockList } from '../torrent/block-list.js';
import { LIMITS } from '../torrent/limits.js';
import type { Metainfo, TorrentFile } from '../torrent/metainfo-types.js';
import type { Message } from '../wire/message.js';
import { type Failure, failed, type HttpFetch } from './answer.js';
import { fileRanges, pieceSpan, takeRun, type WantedBlock } from './ranges.js';
import { Transfer } from './transfer.js';
import { fileUrl } from './url.js';

/** By how much a back-off is longer at most, so that many clients do not come back to a server at once. */
const JITTER = 0.25;

export interface WebSeedOptions {
  /** As the torrent or the user gave it. */
  readonly url: string;
  readonly metainfo: Pick<Metainfo, 'files' | 'pieceLength' | 'singleFile'>;
  readonly fetch: HttpFetch;
  /** Monotonic ms. */
  readonly now: () => number;
  /** `tick` is wanted at this time at the latest. */
  readonly wakeAt: (ms: number) => void;
  readonly random: () => number;
  /**
   * What the server says, as a peer would. Never called within `request`, `cancel` or `close`. The bytes of a block
   * are valid until the call returns.
   */
  readonly onMessage: (message: Message) => void;
  /** It is given up for this run, and closed; not called after `close`. */
  readonly onGone: (reason: string) => void;
  /** Something to tell the user, who is to be told which web seed it is about. */
  readonly onWarning: (text: string) => void;
}

export class WebSeed {
  readonly #options: WebSeedOptions;
  /** Bytes of one HTTP request at most. */
  readonly #requestBytes: number;
  /** Files that have to be fetched for their bytes. */
  readonly #fileCount: number;
  /** Blocks not asked for yet, in the order they were ordered. */
  #queue: WantedBlock[] = [];
  readonly #transfers = new Set<Transfer>();
  /** HTTP requests at a time: fewer where the server turned some away. */
  #slots: number = LIMITS.webSeedRequests;
  /** Failures of the whole server since it last answered a request in full. */
  #failures = 0;
  /** When the back-off ends, while there is one. */
  #resumeAtMs = Number.POSITIVE_INFINITY;
  /** Indices of files that cannot be had from here, until when. */
  readonly #absent = new Set<number>();
  #forgiveAtMs = Number.POSITIVE_INFINITY;
  #hasRanges = true;
  #isClosed = false;

  constructor(options: WebSeedOptions) {
    const { files, pieceLength } = options.metainfo;
    this.#options = options;
    this.#requestBytes = Math.max(LIMITS.webSeedRequestBytes, pieceLength);
    this.#fileCount = files.filter(isFetched).length;
  }

  /** Offers everything. */
  start(): void {
    const { url, metainfo } = this.#options;
    if (fileUrl(url, metainfo, { path: [] }) === undefined) this.#giveUp('its URL is neither http nor https');
    this.#say({ type: 'haveAll' });
    this.#say({ type: 'unchoke' });
  }

  /** Asks for blocks; the list may be used again afterwards. */
  request({ pieces, begins, lengths, count }: BlockList): void {
    for (let at = 0; at < count; at++) {
      const [piece = 0, begin = 0, length = 0] = [pieces[at], begins[at], lengths[at]];
      if (this.#restore(piece, begin)) continue;
      const offset = piece * this.#options.metainfo.pieceLength + begin;
      this.#queue.push({ piece, begin, length, offset });
    }
    this.#pump();
  }

  /** Takes a request back. A block that the server was asked for already may come all the same. */
  cancel(piece: number, begin: number, _length: number): void {
    const at = this.#queue.findIndex(block => block.piece === piece && block.begin === begin);
    if (at >= 0) {
      this.#queue.splice(at, 1);
      return;
    }
    for (const transfer of this.#transfers) {
      if (!transfer.cancel(piece, begin)) continue;
      if (transfer.rest().length === 0) this.#drop(transfer);
      break;
    }
    this.#pump();
  }

  /** Does what time brings. Returns when it wants to be called next, Infinity where it does not. */
  tick(now: number): number {
    if (now >= this.#resumeAtMs) this.#resume();
    if (now >= this.#forgiveAtMs) this.#forgive();
    for (const transfer of [...this.#transfers]) {
      const isLate = now - transfer.progressAtMs >= LIMITS.webSeedTimeoutMs;
      if (!isLate || !this.#transfers.has(transfer)) continue;
      this.#drop(transfer);
      this.#failed(transfer, failed(`no answer for ${LIMITS.webSeedTimeoutMs / 1000} s`));
    }
    this.#pump();
    let nextMs = Math.min(this.#resumeAtMs, this.#forgiveAtMs);
    for (const { progressAtMs } of this.#transfers)
      nextMs = Math.min(nextMs, progressAtMs + LIMITS.webSeedTimeoutMs);
    return nextMs;
  }

  /** Ends all that is under way; nothing is said any more. */
  close(): void {
    this.#isClosed = true;
    this.#resumeAtMs = this.#forgiveAtMs = Number.POSITIVE_INFINITY;
    this.#dropAll();
  }

  #say(message: Message): void {
    if (!this.#isClosed) this.#options.onMessage(message);
  }

  get #isResting(): boolean {
    return this.#resumeAtMs < Number.POSITIVE_INFINITY;
  }

  #restore(piece: number, begin: number): boolean {
    for (const transfer of this.#transfers) if (transfer.restore(piece, begin)) return true;
    return false;
  }

  #pump(): void {
    if (this.#isClosed || this.#isResting) return;
    while (this.#transfers.size < this.#slots && this.#queue.length > 0) {
      this.#begin(takeRun(this.#queue, this.#requestBytes));
    }
  }

  #begin(run: readonly WantedBlock[]): void {
    const { url, metainfo, fetch, now, wakeAt } = this.#options;
    const transfer = new Transfer(run, {
      files: metainfo.files,
      urlOf: file => fileUrl(url, metainfo, file) ?? url,
      fetch,
      now,
      onBlock: ({ piece, begin }, data) =>
        this.#say({ type: 'piece', index: piece, begin, block: { length: data.length, data } }),
    });
    this.#transfers.add(transfer);
    wakeAt(transfer.progressAtMs + LIMITS.webSeedTimeoutMs);
    transfer.fetchAll().then(failure => this.#ended(transfer, failure));
  }

  #ended(transfer: Transfer, failure: Failure | undefined): void {
    // What was dropped has been dealt with.
    if (!this.#transfers.delete(transfer)) return;
    if (failure) this.#failed(transfer, failure);
    else this.#failures = 0;
    if (transfer.lacksRanges && this.#hasRanges) this.#lackLongFiles('the server has no ranges');
    this.#pump();
  }

  #failed(transfer: Transfer, failure: Failure): void {
    this.#queue.unshift(...transfer.rest());
    if (failure.kind === 'absent') this.#lack([failure.file], failure.why);
    else if (failure.kind === 'no-ranges') this.#lackLongFiles(failure.why);
    // It may answer fewer requests at a time than we make.
    else if (this.#transfers.size > 0) this.#slots = this.#transfers.size;
    else this.#rest(failure.why, failure.retryAfterMs);
  }

  /** Without ranges only what is short enough can be had, or all would have to be read for every part of it. */
  #lackLongFiles(why: string): void {
    const { files } = this.#options.metainfo;
    this.#hasRanges = false;
    const long = [...files.keys()].filter(at => {
      const file = files[at] as TorrentFile;
      return isFetched(file) && file.length > LIMITS.webSeedSkipBytes;
    });
    if (long.length === this.#fileCount) this.#giveUp(why);
    else this.#lack(long, why);
  }

  /** Some files cannot be had here, or not now: nor can the pieces that they have a part in. */
  #lack(indices: readonly number[], why: string): void {
    const { metainfo, now, wakeAt, onWarning } = this.#options;
    const newly = indices.filter(index => !this.#absent.has(index));
    const isFirst = this.#absent.size === 0;
    for (const index of newly) this.#absent.add(index);
    if (this.#absent.size >= this.#fileCount) {
      this.#rest(why, LIMITS.webSeedBackoffMaxMs);
      return;
    }
    const [first] = newly;
    if (isFirst && first !== undefined) {
      onWarning(`${metainfo.files[first]?.path.join('/')}: ${why}; what it lacks has to come from peers`);
      this.#forgiveAtMs = now() + LIMITS.webSeedBackoffMaxMs;
      wakeAt(this.#forgiveAtMs);
    }
    for (const index of newly) {
      const [from, to] = pieceSpan(metainfo.files[index] as TorrentFile, metainfo);
      for (let piece = from; piece <= to; piece++) this.#say({ type: 'dontHave', index: piece });
    }
    this.#refuseLacking();
  }

  /** Gives back what was ordered of pieces that cannot be had. */
  #refuseLacking(): void {
    const { files, pieceLength } = this.#options.metainfo;
    const lacking = new Map<number, boolean>();
    for (const { piece } of this.#queue) {
      if (lacking.has(piece)) continue;
      const ranges = fileRanges(files, piece * pieceLength, pieceLength);
      lacking.set(
        piece,
        ranges.some(({ file }) => this.#absent.has(file)),
      );
    }
    const refused = this.#queue.filter(({ piece }) => lacking.get(piece));
    this.#queue = this.#queue.filter(({ piece }) => !lacking.get(piece));
    for (const { piece, begin, length } of refused)
      this.#say({ type: 'reject', index: piece, begin, length });
  }

  /** What was missing may be there by now. */
  #forgive(): void {
    this.#forgiveAtMs = Number.POSITIVE_INFINITY;
    this.#hasRanges = true;
    this.#absent.clear();
    this.#say({ type: 'haveAll' });
  }

  /** The server as a whole fails: leaves it alone for a while, which gives back all that it was asked for. */
  #rest(why: string, atLeastMs = 0): void {
    this.#dropAll();
    if (++this.#failures >= LIMITS.webSeedFailures) {
      this.#giveUp(why);
      return;
    }
    const { now, wakeAt, random, onWarning } = this.#options;
    const backoffMs = LIMITS.webSeedBackoffMs * 2 ** (this.#failures - 1) * (1 + JITTER * random());
    const waitMs = Math.round(Math.min(Math.max(backoffMs, atLeastMs), LIMITS.webSeedBackoffMaxMs));
    this.#resumeAtMs = now() + waitMs;
    onWarning(`${why}; tried again in ${Math.ceil(waitMs / 1000)} s`);
    wakeAt(this.#resumeAtMs);
    this.#say({ type: 'choke' });
  }

  #resume(): void {
    this.#resumeAtMs = Number.POSITIVE_INFINITY;
    this.#slots = LIMITS.webSeedRequests;
    if (this.#absent.size >= this.#fileCount) this.#forgive();
    this.#say({ type: 'unchoke' });
  }

  #giveUp(reason: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#options.onGone(reason);
  }

  #drop(transfer: Transfer): void {
    this.#transfers.delete(transfer);
    transfer.abort();
  }

  #dropAll(): void {
    for (const transfer of this.#transfers) this.#drop(transfer);
    this.#queue = [];
  }
}

/** Whether a file has bytes that only the server can give. */
function isFetched({ length, pad }: TorrentFile): boolean {
  return length > 0 && !pad;
}
