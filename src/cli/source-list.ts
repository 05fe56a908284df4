// The sources of one command line in order: its operands, then what stdin lists. stdin may be endless.

import { TorrentError } from '../torrent/errors.js';
import { LIMITS } from '../torrent/limits.js';
import { torrentBytes } from './bounded.js';
import { systemReason } from './failure.js';
import type { InputStream } from './io.js';
import { textRecords } from './records.js';

/** A source as it was named; `bytes` is a .torrent that came by stdin, `bad` a line that cannot be one. */
export type SourceItem =
  | { readonly kind: 'name'; readonly source: string }
  | { readonly kind: 'bytes'; readonly source: string; readonly bytes: Uint8Array }
  | { readonly kind: 'bad'; readonly source: string; readonly error: TorrentError };

/** Bytes of one line of a list: the longest source is a magnet link. */
const LINE_BYTES = LIMITS.magnetChars;
/** How a torrent begins. Enough to tell a dictionary (`d`, the length of its first key, `:`) from an info hash that begins with `d8`. */
export const DICTIONARY = /^d\d{1,9}:/;
const MAYBE_DICTIONARY = /^(d\d{0,9})?$/;

const STDIN = '-';

/** All sources; those of stdin, if `-` is among the operands, last, for they may never end. */
export async function* listSources(
  operands: readonly string[],
  stdin: () => InputStream,
  nul: boolean,
): AsyncGenerator<SourceItem, void, undefined> {
  for (const source of operands) if (source !== STDIN) yield { kind: 'name', source };
  if (!operands.includes(STDIN)) return;
  try {
    yield* readStdin(stdin(), nul);
  } catch (error) {
    yield bad(error instanceof TorrentError ? error : unreadable(error));
  }
}

/** One .torrent, or a list of sources: one a line (blank lines and `#` comments are skipped), with `nul` one a NUL. */
async function* readStdin(stdin: InputStream, nul: boolean): AsyncGenerator<SourceItem, void, undefined> {
  const chunks = stdin[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  for (;;) {
    if (!MAYBE_DICTIONARY.test(latin1(head.subarray(0, 10)))) break;
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const stream = rejoined(head, chunks);
  if (DICTIONARY.test(latin1(head.subarray(0, 12)))) {
    yield { kind: 'bytes', source: STDIN, bytes: await torrentBytes(stream, 'reading stdin') };
    return;
  }
  let empty = true;
  const nothing = new TorrentError('BAD_SOURCE', 'reading stdin: neither a .torrent nor a list of sources');
  for await (const line of textRecords(stream, nul, LINE_BYTES, nothing)) {
    const item = itemOf(line, nul);
    if (item === undefined) continue;
    empty = false;
    yield item;
  }
  if (empty) yield bad(nothing);
}

function itemOf(text: string | undefined, nul: boolean): SourceItem | undefined {
  if (text === undefined) {
    return bad(new TorrentError('BAD_SOURCE', `reading stdin: a source longer than ${LINE_BYTES} bytes`));
  }
  const source = nul ? text : text.trim();
  if (source === '' || (!nul && source.startsWith('#'))) return undefined;
  if (source !== STDIN) return { kind: 'name', source };
  return bad(new TorrentError('BAD_SOURCE', 'reading stdin: - inside of a list'));
}

function bad(error: TorrentError): SourceItem {
  return { kind: 'bad', source: STDIN, error };
}

function unreadable(error: unknown): TorrentError {
  return new TorrentError('NOT_FOUND', `reading stdin: ${systemReason(error)}`, { cause: error });
}

async function* rejoined(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
