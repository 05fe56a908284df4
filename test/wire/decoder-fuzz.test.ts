// Damaged streams: whatever a peer sends ends in messages, waiting or a fault, and the same however it is cut.

import t from 'tap';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';
import { Decoder } from '../../src/wire/decoder.js';
import { seeded } from '../support/random.js';
import { concat, decodeAll, hex, SAMPLE_PIECES, SAMPLES, show } from './samples.js';

type Random = () => number;

const VALID = concat(...SAMPLES.map(([digits]) => hex(digits)));
const FAULTS = ['message-too-long', 'bad-message-length', 'fast-not-enabled'];
const LARGEST = 4 + 2 + LIMITS.extendedBytes;
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xff];

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** One to four bytes changed, taken out or put in; a third of the time an edge value. */
function mutated(random: Random): Uint8Array {
  const bytes = Array.from(VALID);
  for (let left = 1 + below(random, 4); left > 0; left--) {
    const at = below(random, bytes.length);
    const value = random() < 1 / 3 ? EDGES[below(random, EDGES.length)]! : below(random, 256);
    const kind = below(random, 4);
    if (kind === 0) bytes.splice(at, 1 + below(random, 4));
    else if (kind === 1) bytes.splice(at, 0, value);
    else bytes[at] = value;
  }
  return Uint8Array.from(bytes);
}

function chunked(bytes: Uint8Array, random: Random): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + below(random, 24);
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

/** The fault, or that the decoder waits for more after its last message. */
function endOf(lines: readonly string[]): string {
  const last = lines.at(-1);
  return last === undefined || last.startsWith('{') ? 'waits' : last;
}

t.test('ten thousand damaged streams', async t => {
  const random = seeded(2026);
  const ends = new Set<string>();
  const wrong: string[] = [];
  for (let run = 0; run < 10_000; run++) {
    const stream = mutated(random);
    const options = { fast: random() < 0.8, pieceCount: random() < 0.5 ? SAMPLE_PIECES : undefined };
    const whole = decodeAll(new Decoder(options), [stream]);
    const cut = new Decoder(options);
    const lines = decodeAll(cut, chunked(stream, random));

    if (lines.join('\n') !== whole.join('\n')) wrong.push(`run ${run} depends on the cuts`);
    if (cut.assemblyBytes > LARGEST) wrong.push(`run ${run} holds ${cut.assemblyBytes} bytes`);
    ends.add(endOf(lines));
  }
  t.same(wrong, []);
  t.same([...ends].sort(), [...FAULTS, 'waits'].sort(), 'every way to end came up, and no other');
});

t.test('random bytes', async t => {
  const random = seeded(7);
  const ends = new Set<string>();
  for (let run = 0; run < 2_000; run++) {
    const noise = Uint8Array.from({ length: 64 }, () =>
      random() < 0.7 ? below(random, 18) : below(random, 256),
    );
    noise.fill(0, 0, 3);
    const lines = decodeAll(new Decoder({ fast: true }), chunked(noise, random));
    ends.add(endOf(lines));
  }
  t.ok(
    [...ends].every(end => end === 'waits' || FAULTS.includes(end)),
    [...ends].join(),
  );
});

t.test('a long download in random chunks', async t => {
  const random = seeded(3);
  const block = Uint8Array.from({ length: BLOCK_LENGTH }, () => below(random, 256));
  const piece = concat(hex('00004009 07 00000005 0000c000'), block);
  const stream = concat(...Array.from({ length: 20 }, () => piece));
  const expected = show({
    type: 'piece',
    index: 5,
    begin: 49152,
    block: { length: BLOCK_LENGTH, data: block },
  });
  const decoder = new Decoder({ fast: false, pieceCount: 6 });
  let right = 0;
  for (let at = 0; at < stream.length; ) {
    const end = at + 1 + below(random, 50_000);
    decoder.push(stream.subarray(at, end), message => {
      if (show(message) === expected) right++;
    });
    at = end;
  }
  t.equal(right, 20);
  t.equal(decoder.assemblyBytes, piece.length);
});
