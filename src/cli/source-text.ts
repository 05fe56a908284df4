// A source as it is shown to people. What a source is good for is not known here.

import { shownUrl } from '../torrent/source-urls.js';
import { printable } from '../torrent/text.js';
import { shortenedInside } from './printable.js';

/** Characters of a source that fit into a message: a magnet link may have many thousand. */
const MESSAGE_LENGTH = 200;
const STDIN = '-';

/** What to call a source, or a path, in a message: on one line, its middle left out where it is long, without a password. */
export function shownSource(source: string, length = MESSAGE_LENGTH): string {
  if (source === STDIN) return 'stdin';
  const bare = isUrl(source) ? shownUrl(source) : source;
  return shortenedInside(printable(bare), length);
}

/** Whether a source is fetched by HTTP. */
export function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}
