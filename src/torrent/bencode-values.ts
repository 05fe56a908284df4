// Reads single values that the scanner has found and checked, by the npm package bencode. That package is handed
// integers and strings alone: of dictionaries it makes plain objects, where `__proto__` is live and a byte order mark
// vanishes from keys, and its objects take a hundred times the bytes.

import bencode from 'bencode';
import { listItems, type Span } from './bencode-scanner.js';
import { LIMITS } from './limits.js';
import { decodeStrictUtf8, decodeUtf8 } from './text.js';

const LIST = 0x6c;
const DICT = 0x64;

export function isDict(bytes: Uint8Array, span: Span): boolean {
  return bytes[span.start] === DICT;
}

export function isList(bytes: Uint8Array, span: Span): boolean {
  return bytes[span.start] === LIST;
}

/** The integer, or undefined when the value is none or not exact as a number. */
export function integerOf(bytes: Uint8Array, span: Span | undefined): number | undefined {
  const value = scalarOf(bytes, span);
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

/** The text of a string, what is not UTF-8 replaced, or undefined when the value is no string. */
export function textOf(bytes: Uint8Array, span: Span | undefined): string | undefined {
  const value = scalarOf(bytes, span);
  return value instanceof Uint8Array ? decodeUtf8(value) : undefined;
}

/** The text of a string of pure UTF-8, or undefined. */
export function strictTextOf(bytes: Uint8Array, span: Span | undefined): string | undefined {
  const value = scalarOf(bytes, span);
  return value instanceof Uint8Array ? decodeStrictUtf8(value) : undefined;
}

/** What `read` makes of each item of a short list, or undefined when it is no list or one item gives nothing. */
export function listOf<T>(
  bytes: Uint8Array,
  span: Span | undefined,
  read: (bytes: Uint8Array, item: Span) => T | undefined,
): T[] | undefined {
  if (span === undefined || !isList(bytes, span) || isLarge(span)) return undefined;
  const values: T[] = [];
  for (const item of listItems(bytes, span.start)) {
    const value = read(bytes, item);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

/** The texts of the strings in a list of any length, one by one; a string by itself counts as a list of one. */
export function* eachText(bytes: Uint8Array, span: Span | undefined): Generator<string> {
  if (span === undefined) return;
  for (const item of isList(bytes, span) ? listItems(bytes, span.start) : [span]) {
    const text = textOf(bytes, item);
    if (text !== undefined) yield text;
  }
}

function isLarge(span: Span): boolean {
  return span.end - span.start > LIMITS.decodedValueBytes;
}

function scalarOf(bytes: Uint8Array, span: Span | undefined): unknown {
  if (span === undefined || isDict(bytes, span) || isList(bytes, span) || isLarge(span)) return undefined;
  return bencode.decode(bytes, span.start, span.end);
}
