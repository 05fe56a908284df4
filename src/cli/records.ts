// Lists on stdin: items with newlines or NULs between them, each of bounded length.

import { decodeStrictUtf8 } from '../torrent/text.js';

const NEWLINE = 0x0a;
const NUL = 0x00;

/** The lines of a stream, or what lies between its NULs; undefined for one of more than `limitBytes`, which is not kept. */
export async function* records(
  stream: AsyncIterable<Uint8Array>,
  nul: boolean,
  limitBytes: number,
): AsyncGenerator<Uint8Array | undefined, void, undefined> {
  const separator = nul ? NUL : NEWLINE;
  let kept: Uint8Array = new Uint8Array();
  let tooLong = false;
  for await (const chunk of stream) {
    let begin = 0;
    for (let end = chunk.indexOf(separator); end >= 0; end = chunk.indexOf(separator, begin)) {
      const line = Buffer.concat([kept, chunk.subarray(begin, end)]);
      yield tooLong || line.length > limitBytes ? undefined : line;
      kept = new Uint8Array();
      tooLong = false;
      begin = end + 1;
    }
    tooLong ||= kept.length + chunk.length - begin > limitBytes;
    kept = tooLong ? new Uint8Array() : Buffer.concat([kept, chunk.subarray(begin)]);
  }
  if (tooLong) yield undefined;
  else if (kept.length > 0) yield kept;
}

/** The same as text. Rejects with `notText` as soon as a line is not UTF-8, or NULs are where they separate nothing. */
export async function* textRecords(
  stream: AsyncIterable<Uint8Array>,
  nul: boolean,
  limitBytes: number,
  notText: Error,
): AsyncGenerator<string | undefined, void, undefined> {
  for await (const record of records(nul ? stream : withoutNul(stream, notText), nul, limitBytes)) {
    const text = record && decodeStrictUtf8(record);
    if (record !== undefined && text === undefined) throw notText;
    yield text;
  }
}

/** Looks at what comes rather than at lines: /dev/zero has none. */
async function* withoutNul(
  stream: AsyncIterable<Uint8Array>,
  notText: Error,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of stream) {
    if (chunk.includes(NUL)) throw notText;
    yield chunk;
  }
}
