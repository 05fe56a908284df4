// Every message as literal bytes beside its value, and a few tools shared by the tests of this folder.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CloseReason } from '../../src/torrent/errors.js';
import { fromHex, toHex } from '../../src/torrent/ids.js';
import type { Decoder } from '../../src/wire/decoder.js';
import type { WireMessage } from '../../src/wire/message.js';
import { CORPUS } from '../support/root.js';

/** Bytes of hex digits, which may be grouped by blanks. */
export function hex(digits: string): Uint8Array {
  const bytes = fromHex(digits.replaceAll(' ', ''));
  if (bytes === undefined) throw new RangeError(`not hex: ${digits}`);
  return bytes;
}

/** Bytes of ASCII text. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, char => char.charCodeAt(0));
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A value as one line; byte views are written out, so that it may be kept longer than they are valid. */
export function show(value: unknown): string {
  return JSON.stringify(value, (_, field) =>
    ArrayBuffer.isView(field) ? toHex(field as Uint8Array) : field,
  );
}

/** Every message that has bytes of its own; the torrent is one of 37 pieces. */
export const SAMPLES: readonly (readonly [bytes: string, message: WireMessage])[] = [
  ['00000000', { type: 'keepAlive' }],
  ['00000009 14 00 64313a6d646565', { type: 'extended', id: 0, payload: ascii('d1:mdee') }],
  ['00000003 09 aabb', { type: 'port', port: 43707 }],
  ['00000006 05 2100000080', { type: 'bitfield', bits: hex('2100000080') }],
  ['00000001 00', { type: 'choke' }],
  ['00000001 01', { type: 'unchoke' }],
  ['00000001 02', { type: 'interested' }],
  ['00000001 03', { type: 'notInterested' }],
  ['00000005 04 0000002a', { type: 'have', index: 42 }],
  ['00000005 04 fffffffe', { type: 'have', index: 4294967294 }],
  ['0000000d 06 00000001 00004000 00004000', { type: 'request', index: 1, begin: 16384, length: 16384 }],
  ['0000000d 08 00000001 00004000 80000000', { type: 'cancel', index: 1, begin: 16384, length: 2147483648 }],
  ['0000000d 10 00000001 00004000 00004000', { type: 'reject', index: 1, begin: 16384, length: 16384 }],
  [
    '0000000e 07 00000002 80000000 0102030405',
    { type: 'piece', index: 2, begin: 2147483648, block: { length: 5, data: hex('0102030405') } },
  ],
  [
    '0000000a 07 00000000 00000000 ff',
    { type: 'piece', index: 0, begin: 0, block: { length: 1, data: hex('ff') } },
  ],
  ['00000005 0d 00000007', { type: 'suggest', index: 7 }],
  ['00000005 11 00000007', { type: 'allowedFast', index: 7 }],
  ['00000002 14 03', { type: 'extended', id: 3, payload: hex('') }],
  ['00000001 ff', { type: 'unknown', id: 255 }],
  ['00000005 15 01020304', { type: 'unknown', id: 21 }],
];
/** These stand where the bitfield does in the list above. */
export const BITFIELD_SAMPLES: typeof SAMPLES = [
  ['00000001 0e', { type: 'haveAll' }],
  ['00000001 0f', { type: 'haveNone' }],
];
export const SAMPLE_PIECES = 37;

/** What a decoder made of these chunks: its messages as lines, and the fault if there was one. */
export function decodeAll(decoder: Decoder, chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  let fault: CloseReason | undefined;
  for (const chunk of chunks) fault ??= decoder.push(chunk, message => lines.push(show(message)));
  if (fault !== undefined) lines.push(fault);
  return lines;
}

export interface Vectors {
  /** Why tests that need the corpus are skipped: it is not beside the repository. */
  readonly skip: string | false;
  /** A field of a vector's input or output; elements of a list with blanks between them. */
  get(id: string, field: string): string;
}

/** One group of the corpus of protocol vectors. */
export function vectors(group: string): Vectors {
  const file = join(CORPUS, 'vectors.json');
  if (!existsSync(file)) return { skip: 'the corpus is absent', get: () => '' };
  const { vectors: all }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'));
  const get = (id: string, field: string) => {
    const vector = all.find(vector => vector.group === group && vector.id === id);
    const value = vector?.output[field] ?? vector?.input[field];
    if (value === undefined) throw new RangeError(`no vector ${group}/${id} with ${field}`);
    return Array.isArray(value) ? value.join(' ') : String(value);
  };
  return { skip: false, get };
}

interface Vector {
  readonly group: string;
  readonly id: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly output: Readonly<Record<string, unknown>>;
}
