// stderr that is a terminal: a bar for each torrent at work (cli-progress), with lines that stay above the bars.

import type { MultiBar, Options, Params, SingleBar } from 'cli-progress';
import type { ProgressEvent } from '../engine/events.js';
import type { OutputStream } from './io.js';
import { counted, formatDuration, formatPercent, formatRate } from './quantities.js';
import type { Human } from './reporter.js';
import type { TorrentView } from './torrent-view.js';

const BAR_LENGTH = 20;
/** Lines of a terminal that does not know its size, or says 0. */
const UNKNOWN_ROWS = 24;
const CLEAR_BELOW = '\x1b[J';
const RED = '\x1b[31m';
const YELLOW = '\x1b[33m';
const RESET = '\x1b[0m';

/** A Human on a terminal, which can also write to stdout without breaking the bars. */
export class TtyHuman implements Human {
  readonly draws = true;
  readonly #stderr: OutputStream;
  readonly #color: boolean;
  readonly #bars: MultiBar;
  readonly #barOf = new Map<TorrentView, SingleBar>();
  /** Written where the bars were, before they are drawn again below. */
  #waiting: (() => void)[] = [];

  constructor(stderr: OutputStream, color: boolean, bars: MultiBar) {
    this.#stderr = stderr;
    this.#color = color;
    this.#bars = bars;
    // both are sent when the cursor stands where the first bar begins
    bars.on('redraw-pre', () => this.#flush());
    bars.on('stop-pre-clear', () => this.#flush());
  }

  print(line: string): void {
    const text = `${this.#color ? colored(line) : line}\n`;
    this.above(() => this.#stderr.write(text));
  }

  /** Runs `write`, which ends in a newline, with the bars out of the way. */
  above(write: () => void): void {
    if (this.#barOf.size === 0) return void write();
    this.#waiting.push(write);
    this.#bars.update();
  }

  progress(view: TorrentView): void {
    const bar = this.#barOf.get(view);
    if (bar !== undefined) return bar.update({ view });
    // more bars than lines cannot be redrawn in place
    const room = (this.#stderr.rows || UNKNOWN_ROWS) - 2;
    if (this.#barOf.size < room) this.#barOf.set(view, this.#bars.create(1, 0, { view }));
  }

  ended(view: TorrentView): void {
    const bar = this.#barOf.get(view);
    if (bar === undefined) return;
    this.#barOf.delete(view);
    this.#bars.remove(bar);
    if (this.#barOf.size === 0) this.#bars.stop();
  }

  close(): void {
    this.#barOf.clear();
    if (this.#bars.isActive) this.#bars.stop();
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#stderr.write(CLEAR_BELOW);
    for (const write of waiting) write();
  }
}

/** Loads cli-progress. `noTTYOutput` stays off, so that a stream that is no terminal gets nothing. */
export async function openTty(stderr: OutputStream, color: boolean): Promise<TtyHuman> {
  const progress = await import('cli-progress');
  const bars = new progress.default.MultiBar({
    stream: stderr,
    format: (_options: Options, params: Params, payload: { view: TorrentView }) =>
      barText(payload.view, params.maxWidth),
    fps: 5,
    hideCursor: true,
    clearOnComplete: true,
    forceRedraw: true,
    gracefulExit: false,
  });
  return new TtyHuman(stderr, color, bars);
}

/** ` 42.3% [========------------] 312/4800 5.1 MB/s 12 peers 2m10s NAME`, the name cut at `width`. */
export function barText(view: TorrentView, width: number): string {
  const { progress } = view;
  const parts: string[] = [];
  if (view.hashing) {
    parts.push(...(progress === undefined ? [] : filledBar(progress)), 'hashing');
    if (progress !== undefined) parts.push(formatRate(progress.downRate), timeLeft(progress));
  } else if (view.pieces === undefined) {
    parts.push('waiting for metadata', counted(progress?.peers ?? 0, 'peer'));
  } else if (progress === undefined) {
    parts.push('starting');
  } else if (view.seeding) {
    parts.push('seeding', formatRate(progress.upRate), counted(progress.peers, 'peer'));
  } else {
    parts.push(
      ...filledBar(progress),
      ...(view.isPartial ? [] : [`${view.piecesHave}/${view.pieces}`]),
      formatRate(progress.downRate),
      counted(progress.peers, 'peer'),
      timeLeft(progress),
    );
  }
  // the last column stays free: a cursor there behaves differently from terminal to terminal
  return Array.from([...parts, view.name].join(' '))
    .slice(0, Math.max(width - 1, 0))
    .join('');
}

function filledBar({ downloaded, length }: ProgressEvent): string[] {
  const filled = Math.floor((BAR_LENGTH * downloaded) / Math.max(length, 1));
  return [
    formatPercent(downloaded, length).padStart(5),
    `[${'='.repeat(filled)}${'-'.repeat(BAR_LENGTH - filled)}]`,
  ];
}

function timeLeft({ etaSeconds }: ProgressEvent): string {
  return etaSeconds === null ? '-' : formatDuration(etaSeconds);
}

function colored(line: string): string {
  return line
    .replace(/^rarest: warning:/, `${YELLOW}$&${RESET}`)
    .replace(/^rarest:(?=.*\([A-Z_]+\)$)/, `${RED}$&${RESET}`);
}
