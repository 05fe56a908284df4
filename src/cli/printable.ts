// Text made fit for its place on a terminal or in a line of JSON. What is unprintable is told by torrent/text.ts.

import { UNPRINTABLE } from '../torrent/text.js';

/** JSON without unprintable characters: they are written as `\u` escapes, so that nothing is lost. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNPRINTABLE,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** At most `length` characters, `…` for some of the middle: the end tells one path from another. */
export function shortenedInside(text: string, length: number): string {
  const chars = Array.from(text);
  if (chars.length <= length) return text;
  const head = Math.floor(length / 3);
  return `${chars.slice(0, head).join('')}…${chars.slice(head + 1 - length).join('')}`;
}

/** At most `length` characters, the end given up for `…`. */
export function shortened(text: string, length: number): string {
  const chars = Array.from(text);
  return chars.length <= length ? text : `${chars.slice(0, length - 1).join('')}…`;
}
