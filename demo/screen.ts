// Lines for people on stdout: what stays, and how far each download is. On a terminal those are redrawn in place
// (cli-progress), elsewhere a line comes now and then.

import { MultiBar, type Options, type Params } from 'cli-progress';
import type { OutputStream } from '../src/cli/io.js';
import { formatPercent, formatRate } from '../src/cli/quantities.js';
import type { TorrentView } from '../src/cli/torrent-view.js';

/** With it a line fits into 80 columns. */
const BAR_LENGTH = 12;
const PLAIN_EVERY_MS = 2000;

export class Screen {
  readonly #stdout: OutputStream;
  readonly #redraws: boolean;
  readonly #shown = new Map<string, TorrentView>();
  #bars: MultiBar | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stdout: OutputStream) {
    this.#stdout = stdout;
    this.#redraws = stdout.isTTY === true && process.env.TERM !== 'dumb';
  }

  /** A line that stays; not while downloads are shown. */
  print(line = ''): void {
    this.#stdout.write(`${line}\n`);
  }

  /** Shows a download as it goes on, until `rest`. */
  show(name: string, view: TorrentView): void {
    this.#shown.set(name, view);
    if (this.#redraws) {
      this.#bars ??= openBars(this.#stdout);
      this.#bars.create(1, 0, { name, view });
    } else this.#timer ??= setInterval(() => this.#printAll(), PLAIN_EVERY_MS);
  }

  /** Shows them for the last time. */
  rest(): void {
    if (this.#timer) this.#printAll();
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#bars?.stop();
    this.#bars = undefined;
    this.#shown.clear();
  }

  #printAll(): void {
    for (const [name, view] of this.#shown) this.print(barLine(name, view));
  }
}

function openBars(stream: OutputStream): MultiBar {
  return new MultiBar({
    stream,
    format: (_options: Options, params: Params, { name, view }: { name: string; view: TorrentView }) =>
      barLine(name, view).slice(0, params.maxWidth - 1),
    fps: 5,
    hideCursor: true,
    forceRedraw: true,
    gracefulExit: false,
  });
}

/** `  A  62.1% [=======-----] 228/367 pieces, 3.1 MB/s down, 0.9 MB/s up, 3 peers`. */
export function barLine(name: string, view: TorrentView): string {
  const { pieces, piecesHave, progress } = view;
  if (pieces === undefined) return `  ${name}  looks for peers and metadata`;
  const filled = Math.floor((BAR_LENGTH * piecesHave) / pieces);
  const parts = [
    `  ${name}  ${formatPercent(piecesHave, pieces).padStart(5)}`,
    `[${'='.repeat(filled)}${'-'.repeat(BAR_LENGTH - filled)}]`,
    `${piecesHave}/${pieces} pieces`,
  ];
  const rates = [
    view.seeding ? 'complete' : `${formatRate(progress?.downRate ?? 0)} down`,
    `${formatRate(progress?.upRate ?? 0)} up`,
    progress?.peers === 1 ? '1 peer' : `${progress?.peers ?? 0} peers`,
  ];
  return `${parts.join(' ')}, ${rates.join(', ')}`;
}
