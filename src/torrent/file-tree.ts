// Walks the file tree of a v2 or hybrid torrent (BEP 52, "File tree layout"), without recursion.

import { compareText, dictEntries, type Span } from './bencode-scanner.js';
import { isDict } from './bencode-values.js';
import { decodeUtf8 } from './text.js';

export interface Leaf {
  /** Components as the torrent has them, what is not UTF-8 replaced; the last is the file's name. */
  readonly path: readonly string[];
  /** What is said of the file: a dictionary, or undefined where the tree has something else. */
  readonly entry: Span | undefined;
  /** How the tree differs here from what BEP 52 asks for. */
  readonly fault: string | undefined;
}

interface Level {
  readonly entries: ReturnType<typeof dictEntries>;
  previous: Span | undefined;
}

/** The files of a tree in order. @param bytes scanned @param tree a dictionary */
export function* leavesOf(bytes: Uint8Array, tree: Span): Generator<Leaf, undefined> {
  const path: string[] = [];
  const levels: Level[] = [{ entries: dictEntries(bytes, tree.start), previous: undefined }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = level.entries.next();
    if (next.done) {
      levels.pop();
      path.pop();
      continue;
    }
    const { key, value } = next.value;
    const fault = faultOf(bytes, level.previous, key, path.length);
    level.previous = key;
    if (!isDict(bytes, value)) {
      yield { path: [...path], entry: undefined, fault: fault ?? 'holds something that is no dictionary' };
    } else if (key.start === key.end) {
      yield { path: [...path], entry: value, fault };
    } else {
      path.push(decodeUtf8(bytes.subarray(key.start, key.end)));
      if (fault !== undefined) yield { path: [...path], entry: undefined, fault };
      levels.push({ entries: dictEntries(bytes, value.start), previous: undefined });
    }
  }
}

function faultOf(
  bytes: Uint8Array,
  previous: Span | undefined,
  key: Span,
  depth: number,
): string | undefined {
  if (key.start === key.end && depth === 0) return 'is a file itself';
  if (previous === undefined) return undefined;
  if (previous.start === previous.end) return 'has a file that is a folder too';
  return compareText(bytes, previous.start, previous.end, key.start, key.end) < 0
    ? undefined
    : 'is not in order';
}
