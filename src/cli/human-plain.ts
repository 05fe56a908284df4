// stderr that is no terminal: whole lines, no ANSI, no carriage returns; progress now and then.

import type { Human } from './reporter.js';
import { progressText, type TorrentView } from './torrent-view.js';

/** ms between two progress lines of one torrent. */
const PROGRESS_MS = 10_000;

/** Plain lines, whole ones to each `write`. A torrent's first progress line comes after the first interval. */
export function plainHuman(write: (text: string) => void, now: () => number): Human {
  const lastLine = new Map<TorrentView, number>();
  return {
    draws: false,
    print(line) {
      write(`${line}\n`);
    },
    progress(view) {
      const last = lastLine.get(view);
      if (last !== undefined && now() - last < PROGRESS_MS) return;
      lastLine.set(view, now());
      if (last !== undefined) write(`${view.name}: ${progressText(view)}\n`);
    },
    ended(view) {
      lastLine.delete(view);
    },
    close() {},
  };
}
