// Pieces that are to be stored, many in one message: as an object each, small pieces would cost more to send than to hash.

import { HASH_LENGTH } from '../torrent/ids.js';
import type { DiskAnswer, DiskPart, StoreJob } from './disk-job.js';

/** Numbers of a piece, and of each of its parts. */
const PIECE_NUMBERS = 5;
const PART_NUMBERS = 4;

export interface StoreBatch {
  readonly kind: 'stores';
  readonly memories: readonly SharedArrayBuffer[];
  readonly paths: readonly string[];
  /** 20 bytes for each piece. */
  readonly hashes: Uint8Array;
  /** Of each piece: owner, memory, offset, length, parts; of each part: path, position, start, length. */
  readonly numbers: Float64Array;
}

/** Answers to the jobs of a batch. */
export interface StoreAnswers {
  readonly kind: 'stores';
  /** 1 for each piece that had its hash. */
  readonly ok: Uint8Array;
  /** Those that could not be written, by their place in the batch. */
  readonly unwritten: ReadonlyMap<number, DiskAnswer>;
}

export function packStores(jobs: readonly StoreJob[]): StoreBatch {
  const parts = jobs.reduce((sum, job) => sum + job.parts.length, 0);
  const numbers = new Float64Array(jobs.length * PIECE_NUMBERS + parts * PART_NUMBERS);
  const hashes = new Uint8Array(jobs.length * HASH_LENGTH);
  const memories = new Map<SharedArrayBuffer, number>();
  const paths = new Map<string, number>();
  let at = 0;
  for (const [index, { owner, memory, offset, length, hash, parts }] of jobs.entries()) {
    hashes.set(hash, index * HASH_LENGTH);
    numbers[at++] = owner;
    numbers[at++] = numberOf(memories, memory);
    numbers[at++] = offset;
    numbers[at++] = length;
    numbers[at++] = parts.length;
    for (const part of parts) {
      numbers[at++] = numberOf(paths, part.path);
      numbers[at++] = part.position;
      numbers[at++] = part.start;
      numbers[at++] = part.length;
    }
  }
  return { kind: 'stores', memories: [...memories.keys()], paths: [...paths.keys()], hashes, numbers };
}

export function* unpackStores({ memories, paths, hashes, numbers }: StoreBatch): Generator<StoreJob> {
  let at = 0;
  for (let index = 0; at < numbers.length; index++) {
    const owner = numbers[at++]!;
    const memory = memories[numbers[at++]!]!;
    const offset = numbers[at++]!;
    const length = numbers[at++]!;
    const parts: DiskPart[] = [];
    for (let left = numbers[at++]!; left > 0; left--) {
      const path = paths[numbers[at++]!]!;
      parts.push({ path, position: numbers[at++]!, start: numbers[at++]!, length: numbers[at++]! });
    }
    const hash = hashes.subarray(index * HASH_LENGTH, (index + 1) * HASH_LENGTH);
    yield { kind: 'store', owner, memory, offset, length, hash, parts };
  }
}

export function packAnswers(answers: readonly DiskAnswer[]): StoreAnswers {
  const ok = new Uint8Array(answers.length);
  const unwritten = new Map<number, DiskAnswer>();
  for (const [index, answer] of answers.entries()) {
    if (answer.kind === 'stored') ok[index] = answer.ok ? 1 : 0;
    else unwritten.set(index, answer);
  }
  return { kind: 'stores', ok, unwritten };
}

const RIGHT: DiskAnswer = { kind: 'stored', ok: true };
const WRONG: DiskAnswer = { kind: 'stored', ok: false };

export function* unpackAnswers({ ok, unwritten }: StoreAnswers): Generator<DiskAnswer> {
  for (const [index, isRight] of ok.entries()) yield unwritten.get(index) ?? (isRight ? RIGHT : WRONG);
}

/** The number of a thing in a list without repetitions. */
function numberOf<T>(numbers: Map<T, number>, thing: T): number {
  const known = numbers.get(thing);
  if (known !== undefined) return known;
  numbers.set(thing, numbers.size);
  return numbers.size - 1;
}
