// Walks bencoded bytes without building objects: checks the structure strictly (BEP 3), without recursion, and says
// where values begin and end. Nothing reaches the npm decoder before it has passed here: that one accepts floats,
// signs, leading zeros and strings that run past the end, and overflows the stack. Knows nothing of torrents.

import { LIMITS } from './limits.js';

/** The bytes from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the value ends (what follows are trailing bytes), or why there is none, in words for the user. */
export type Scan = { readonly end: number } | { readonly fault: string };

const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const INTEGER = 0x69;
const LIST = 0x6c;
const DICT = 0x64;
const END = 0x65;

/** A list or dictionary that has not ended yet. */
interface Open {
  /** Starts and ends of the keys seen so far, two numbers each; undefined in a list. */
  readonly keys: number[] | undefined;
  keyIsNext: boolean;
  sorted: boolean;
}

/**
 * Checks the one value that begins at `at`. Refused are: integers and lengths that are not canonical, strings that
 * run past the end, keys that are not strings or come twice, nesting deeper than `depthLimit`. Keys out of order are
 * accepted: such torrents exist, and their hash is that of the raw bytes.
 */
export function scanValue(bytes: Uint8Array, at: number, depthLimit: number = LIMITS.bencodeDepth): Scan {
  const stack: Open[] = [];
  let position = at;
  for (;;) {
    const open = stack[stack.length - 1];
    const byte = bytes[position];
    if (byte === undefined) return { fault: `it ends in the middle, after ${bytes.length} bytes` };
    if (open && byte === END && (open.keys === undefined || open.keyIsNext)) {
      if (!open.sorted && open.keys && hasDuplicate(bytes, open.keys))
        return fault('a dictionary with a duplicate key ends', position);
      stack.pop();
      position++;
    } else if (open?.keys && open.keyIsNext) {
      const end = endOfString(bytes, position);
      if (end < 0) return fault('malformed key', position);
      if (!noteKey(bytes, open, bodyOf(bytes, position), end)) return fault('duplicate key', position);
      open.keyIsNext = false;
      position = end;
      continue;
    } else if (byte === LIST || byte === DICT) {
      if (stack.length >= depthLimit) return fault(`nesting deeper than ${depthLimit}`, position);
      stack.push({ keys: byte === DICT ? [] : undefined, keyIsNext: true, sorted: true });
      position++;
      continue;
    } else {
      const end = byte === INTEGER ? endOfInteger(bytes, position) : endOfString(bytes, position);
      if (end < 0) return fault(`malformed ${byte === INTEGER ? 'integer' : 'value'}`, position);
      position = end;
    }
    const parent = stack[stack.length - 1];
    if (parent === undefined) return { end: position };
    parent.keyIsNext = true;
  }
}

/** Byte at which the value that begins at `at` ends, or undefined when there is no well-formed value. */
export function endOfValue(
  bytes: Uint8Array,
  at: number,
  depthLimit: number = LIMITS.bencodeDepth,
): number | undefined {
  const scan = scanValue(bytes, at, depthLimit);
  return 'end' in scan ? scan.end : undefined;
}

/**
 * The keys and raw values of a dictionary that was scanned, in the order of the bytes; `key` spans the text of the
 * key without its length. Nothing when the value at `at` is not a dictionary.
 */
export function* dictEntries(bytes: Uint8Array, at: number): Generator<{ key: Span; value: Span }> {
  if (bytes[at] !== DICT) return;
  let position = at + 1;
  while (bytes[position] !== END) {
    const end = endOfString(bytes, position);
    const next = end < 0 ? -1 : skipValue(bytes, end);
    if (next < 0) return;
    yield { key: { start: bodyOf(bytes, position), end }, value: { start: end, end: next } };
    position = next;
  }
}

/** The raw items of a list that was scanned. Nothing when the value at `at` is not a list. */
export function* listItems(bytes: Uint8Array, at: number): Generator<Span> {
  if (bytes[at] !== LIST) return;
  let position = at + 1;
  while (bytes[position] !== END) {
    const end = skipValue(bytes, position);
    if (end < 0) return;
    yield { start: position, end };
    position = end;
  }
}

/** Raw values of the keys among `names` that the scanned dictionary at `at` has. A Map: no key is special. */
export function findValues<Name extends string>(
  bytes: Uint8Array,
  at: number,
  names: readonly Name[],
): Map<Name, Span> {
  const found = new Map<Name, Span>();
  for (const { key, value } of dictEntries(bytes, at)) {
    const name = names.find(name => isText(bytes, key, name));
    if (name !== undefined) found.set(name, value);
  }
  return found;
}

/** Raw value of one key of the scanned dictionary at `at`. */
export function findValue(bytes: Uint8Array, key: string, at: number = 0): Span | undefined {
  return findValues(bytes, at, [key]).get(key);
}

/** The text bytes of the scanned string at `at`, or undefined when the value is not a string. */
export function stringBody(bytes: Uint8Array, at: number): Uint8Array | undefined {
  const end = endOfString(bytes, at);
  return end < 0 ? undefined : bytes.subarray(bodyOf(bytes, at), end);
}

/** Byte after the value at `at`, which was scanned: nothing but its end is looked for. -1 where it was not. */
function skipValue(bytes: Uint8Array, at: number): number {
  let depth = 0;
  let position = at;
  do {
    const byte = bytes[position];
    if (byte === LIST || byte === DICT) {
      depth++;
      position++;
    } else if (byte === END && depth > 0) {
      depth--;
      position++;
    } else {
      position = byte === INTEGER ? endOfInteger(bytes, position) : endOfString(bytes, position);
      if (position < 0) return -1;
    }
  } while (depth > 0);
  return position;
}

function fault(what: string, position: number): Scan {
  return { fault: `${what} at byte ${position}` };
}

function isDigit(byte: number | undefined): byte is number {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
}

/** Byte after the digits at `at`; -1 when there are none or a zero leads others. */
function endOfDigits(bytes: Uint8Array, at: number): number {
  let end = at;
  while (isDigit(bytes[end])) end++;
  return end === at || (bytes[at] === ZERO && end > at + 1) ? -1 : end;
}

/** Byte after the string whose length begins at `at`, or -1. */
function endOfString(bytes: Uint8Array, at: number): number {
  let length = 0;
  let position = at;
  for (let byte = bytes[position]; isDigit(byte); byte = bytes[++position]) {
    length = length * 10 + byte - ZERO;
    if (length > bytes.length) return -1;
  }
  const digits = position - at;
  if (bytes[position] !== COLON || digits === 0 || (digits > 1 && bytes[at] === ZERO)) return -1;
  const end = position + 1 + length;
  return end <= bytes.length ? end : -1;
}

/** First byte of the text of the well-formed string at `at`. */
function bodyOf(bytes: Uint8Array, at: number): number {
  return bytes.indexOf(COLON, at) + 1;
}

/** Byte after the integer at `at`, or -1. */
function endOfInteger(bytes: Uint8Array, at: number): number {
  const negative = bytes[at + 1] === MINUS;
  const first = negative ? at + 2 : at + 1;
  const end = endOfDigits(bytes, first);
  return end < 0 || bytes[end] !== END || (negative && bytes[first] === ZERO) ? -1 : end + 1;
}

/** Remembers one more key; false when it equals the one before. Other duplicates can only be where order is broken. */
function noteKey(bytes: Uint8Array, open: Open, start: number, end: number): boolean {
  const keys = open.keys as number[];
  const count = keys.length;
  if (count > 0) {
    const order = compareText(bytes, keys[count - 2] as number, keys[count - 1] as number, start, end);
    if (order === 0) return false;
    if (order > 0) open.sorted = false;
  }
  keys.push(start, end);
  return true;
}

/** Whether a key comes twice in a dictionary whose keys are not in order. */
function hasDuplicate(bytes: Uint8Array, keys: readonly number[]): boolean {
  const compare = (a: number, b: number) =>
    compareText(
      bytes,
      keys[2 * a] as number,
      keys[2 * a + 1] as number,
      keys[2 * b] as number,
      keys[2 * b + 1] as number,
    );
  const order = Uint32Array.from({ length: keys.length / 2 }, (_, index) => index).sort(compare);
  for (let i = 1; i < order.length; i++)
    if (compare(order[i - 1] as number, order[i] as number) === 0) return true;
  return false;
}

/** Which of two ranges of these bytes comes first: negative, zero or positive, in the raw byte order of BEP 3. */
export function compareText(
  bytes: Uint8Array,
  startA: number,
  endA: number,
  startB: number,
  endB: number,
): number {
  const common = Math.min(endA - startA, endB - startB);
  for (let i = 0; i < common; i++) {
    const difference = (bytes[startA + i] as number) - (bytes[startB + i] as number);
    if (difference !== 0) return difference;
  }
  return endA - startA - (endB - startB);
}

/** Whether these bytes are this ASCII text. */
function isText(bytes: Uint8Array, span: Span, text: string): boolean {
  if (span.end - span.start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[span.start + i] !== text.charCodeAt(i)) return false;
  return true;
}
