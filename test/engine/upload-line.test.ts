// Blocks on their way to a peer: what leaves together, what is read together, whose memory is used again.

import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import type { PeerLink } from '../../src/engine/peer-link.js';
import { UploadLine } from '../../src/engine/upload-line.js';
import { type BlockRun, UploadRuns } from '../../src/engine/upload-runs.js';
import { RateLimiter } from '../../src/net/rate-limiter.js';
import { Bitfield } from '../../src/torrent/bitfield.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { Geometry, type Piece } from '../../src/torrent/geometry.js';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';
import { Decoder } from '../../src/wire/decoder.js';
import type { Message } from '../../src/wire/message.js';

const p = (index: number) => index as Piece;
const RUN_BYTES = LIMITS.runBlocks * BLOCK_LENGTH;
const PIECE = 5 * RUN_BYTES;
/** Two whole pieces, and one of a run and 100 bytes. */
const GEOMETRY = new Geometry(2 * PIECE + RUN_BYTES + 100, PIECE);

/** Every byte tells its offset in the torrent. */
const byteAt = (offset: number) => (offset * 31 + (offset >> 8)) & 0xff;

function bench(capBytes?: number, geometry = GEOMETRY) {
  const reads: string[] = [];
  const writes: Buffer[] = [];
  const held: BlockRun[] = [];
  const sent: (number | string)[] = [];
  const errors: TorrentError[] = [];
  const broken = new Set<number>();
  const have = new Bitfield(geometry.pieceCount);
  have.fill();
  const source = {
    geometry,
    have,
    async read(piece: Piece, begin: number, targets: readonly Uint8Array[]) {
      const bytes = targets.reduce((sum, { length }) => sum + length, 0);
      reads.push(`${piece}:${begin}+${bytes}`);
      await turn();
      if (broken.has(piece)) throw new TorrentError('DISK_IO', 'reading f: gone');
      let offset = geometry.offsetOf(piece) + begin;
      for (const target of targets) for (const at of target.keys()) target[at] = byteAt(offset++);
    },
  };
  const socket = { bufferedBytes: 0 };
  const refused: Message[] = [];
  const link = {
    isOpen: true,
    socket,
    handshake: { fast: true },
    send: (message: Message) => refused.push(message),
    sendShared(frames: Buffer, run: BlockRun) {
      run.retain();
      held.push(run);
      writes.push(Buffer.from(frames));
    },
    sendBlock(_piece: number, begin: number, bytes: Uint8Array) {
      sent.push(`part ${begin}+${bytes.length}`);
    },
  } as unknown as PeerLink;
  const runs = new UploadRuns(capBytes);
  const line = (limiter?: RateLimiter) =>
    new UploadLine({
      link,
      source,
      runs: runs.open(source),
      limiter,
      waits: () => {},
      sent: (bytes, ok) => sent.push(ok ? bytes : -bytes),
      failed: error => errors.push(error),
    });
  return { reads, writes, held, sent, errors, refused, broken, have, socket, line };
}

/** Asks for `count` blocks of a piece from number `first` on. */
function ask(line: UploadLine, piece: number, first: number, count: number): void {
  for (let block = first; block < first + count; block++)
    line.push(p(piece), block * BLOCK_LENGTH, GEOMETRY.blockLength(p(piece), block));
}

/** The blocks in these bytes as `piece:begin`, each of which holds what it should. */
function blocksIn(writes: readonly Buffer[]): string[] {
  const blocks: string[] = [];
  const decoder = new Decoder({ fast: true, pieceCount: GEOMETRY.pieceCount });
  for (const bytes of writes) {
    decoder.push(bytes, message => {
      if (message.type !== 'piece') throw new Error(message.type);
      const { index, begin, block } = message;
      const offset = index * PIECE + begin;
      const isRight = block.data?.every((byte, at) => byte === byteAt(offset + at)) ?? false;
      blocks.push(isRight ? `${index}:${begin / BLOCK_LENGTH}` : 'wrong');
    });
  }
  return blocks;
}

async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await turn();
}

t.test('blocks of a run leave in one write, and are read in one go with the runs that follow', async t => {
  const { line, reads, writes, sent } = bench();
  ask(line(), 0, 8, 56);
  await settled();
  t.same(reads, [`0:0+${4 * RUN_BYTES}`]);
  t.same(
    blocksIn(writes),
    Array.from({ length: 56 }, (_, at) => `0:${8 + at}`),
  );
  t.same(
    writes.map(({ length }) => length),
    [8, 16, 16, 16].map(count => count * (13 + BLOCK_LENGTH)),
  );
  t.same(
    sent,
    [8, 16, 16, 16].map(count => count * BLOCK_LENGTH),
  );
});

t.test(
  'who asks for some blocks of a piece will ask for the others: they are read in the same go',
  async t => {
    const { line, reads, writes } = bench();
    const peer = line();
    ask(peer, 0, 20, 2);
    await settled();
    t.same(reads, [`0:${RUN_BYTES}+${4 * RUN_BYTES}`], 'not beyond the end of the piece');
    ask(peer, 0, 32, 48);
    ask(peer, 0, 0, 16);
    await settled();
    t.same(reads.slice(1), [`0:0+${RUN_BYTES}`], 'what is here is not read again');
    t.equal(blocksIn(writes).length, 66);
  },
);

t.test('until what was read ahead is let go unused', async t => {
  const runs = 64;
  const geometry = new Geometry(20 * PIECE, PIECE);
  const { line, reads, held } = bench(runs * LIMITS.runBlocks * (BLOCK_LENGTH + 13), geometry);
  const peer = line();
  const lengths = async (pieces: readonly number[]) => {
    reads.length = 0;
    for (const piece of pieces) {
      peer.push(p(piece), 0, BLOCK_LENGTH);
      await settled();
      held.pop()?.release();
    }
    return new Set(reads.map(read => Number(read.split('+')[1]) / RUN_BYTES));
  };
  const pieces = Array.from({ length: 16 }, (_, at) => at);
  t.same(await lengths(pieces), new Set([4]), 'there is room for these');
  t.same(await lengths([16]), new Set([4]));
  t.same(await lengths([17, 18, 19, ...pieces]), new Set([1]), 'they were for nothing');
});

t.test('the end of the torrent, and blocks out of order', async t => {
  const { line, reads, writes } = bench();
  const peer = line();
  ask(peer, 2, 16, 1);
  ask(peer, 2, 0, 2);
  ask(peer, 2, 3, 1);
  await settled();
  t.same(blocksIn(writes), ['2:16', '2:0', '2:1', '2:3']);
  t.equal(writes[0]?.length, 113, 'the last block is short');
  t.same(reads, [`2:${RUN_BYTES}+100`, `2:0+${RUN_BYTES}`]);
  ask(peer, 2, 5, 2);
  await settled();
  t.equal(reads.length, 2, 'the run is still here');
});

t.test('what is no block is read for itself', async t => {
  const { line, sent, reads } = bench();
  const peer = line();
  peer.push(p(0), 5, 100);
  peer.push(p(0), BLOCK_LENGTH, 2 * BLOCK_LENGTH);
  await settled();
  t.same(reads, ['0:5+100', `0:${BLOCK_LENGTH}+${2 * BLOCK_LENGTH}`]);
  t.same(sent, ['part 5+100', 100, `part ${BLOCK_LENGTH}+${2 * BLOCK_LENGTH}`, 2 * BLOCK_LENGTH]);
});

t.test('memory that a socket holds is left alone', async t => {
  const { line, writes, held } = bench(2 * LIMITS.runBlocks * (BLOCK_LENGTH + 13));
  const peer = line();
  for (let run = 0; run < 5; run++) {
    ask(peer, 0, run * LIMITS.runBlocks, 1);
    await settled();
  }
  const memory = new Set(held.map(run => run.memory));
  t.equal(memory.size, 5, 'all of it is held');
  for (const run of held) run.release();
  for (let run = 0; run < 5; run++) {
    ask(peer, 1, run * LIMITS.runBlocks, 1);
    await settled();
    held.at(-1)?.release();
  }
  t.equal(new Set(held.map(run => run.memory)).size, 5, 'no more was needed');
  t.notOk(blocksIn(writes).includes('wrong'));
});

t.test('two peers that want the same run share one read', async t => {
  const { line, reads, writes } = bench();
  const [a, b] = [line(), line()];
  ask(a, 1, 0, 3);
  ask(a, 1, 3, 1);
  await settled();
  ask(b, 1, 0, 1);
  await settled();
  t.equal(reads.length, 2, 'lines of their own torrents here');
  t.same(blocksIn(writes), ['1:0', '1:1', '1:2', '1:3', '1:0']);
});

t.test('a run that cannot be read is told once, and the others go on', async t => {
  const { line, broken, sent, errors, writes } = bench();
  broken.add(0);
  const peer = line();
  ask(peer, 0, 0, 2);
  ask(peer, 1, 0, 1);
  await settled();
  t.same(sent, [-BLOCK_LENGTH, -BLOCK_LENGTH, BLOCK_LENGTH]);
  t.match(errors, [{ code: 'DISK_IO' }]);
  t.same(blocksIn(writes), ['1:0']);
});

t.test('blocks of a piece that was let go meanwhile are refused, which is no failure', async t => {
  const { line, broken, have, sent, errors, refused } = bench();
  const peer = line();
  broken.add(p(0));
  ask(peer, 0, 0, 2);
  peer.push(p(0), 1, 100);
  have.delete(p(0));
  while (sent.length < 3) await turn();
  t.same(sent.toSorted(), [-100, -BLOCK_LENGTH, -BLOCK_LENGTH].toSorted());
  t.same(
    refused.map(message => message.type),
    ['reject', 'reject', 'reject'],
  );
  t.same(errors, []);
});

t.test('while the socket is full nothing counts as sent until it drains', async t => {
  const { line, socket, sent } = bench();
  const peer = line();
  socket.bufferedBytes = LIMITS.sendBufferBytes;
  ask(peer, 0, 0, 2);
  await settled();
  t.same(sent, []);
  peer.drained();
  peer.drained();
  t.same(sent, [2 * BLOCK_LENGTH]);
});

t.test('a limit lets blocks go as it grants them; what is closed sends nothing', async t => {
  const { line, writes } = bench();
  const limiter = new RateLimiter(1_000_000, 0);
  const peer = line(limiter);
  ask(peer, 0, 0, 3);
  limiter.serve(0);
  await settled();
  t.same(blocksIn(writes), []);
  for (const [now, count] of [
    [17, 1],
    [34, 2],
  ] as const) {
    limiter.serve(now);
    await settled();
    t.equal(blocksIn(writes).length, count);
  }
  ask(peer, 1, 0, 1);
  peer.close();
  limiter.serve(1000);
  await settled();
  t.equal(blocksIn(writes).length, 2);
});
