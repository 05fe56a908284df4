import t, { type Test } from 'tap';
import { MemoryStorage } from '../../src/storage/memory-storage.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { BLOCK_LENGTH } from '../../src/torrent/limits.js';
import { pieceData, type Sample, sample } from './support.js';

const PIECE_LENGTH = 2 * BLOCK_LENGTH;
/** Four pieces, the last one short; padding from the middle of the second one. */
const TORRENT = sample(
  [
    { path: 'a', length: PIECE_LENGTH + BLOCK_LENGTH },
    { path: '.pad/1', length: BLOCK_LENGTH, pad: true },
    { path: 'b', length: PIECE_LENGTH + 100 },
  ],
  PIECE_LENGTH,
);

function memoryOf(t: Test, { metainfo }: Sample) {
  const told: string[] = [];
  let wake = () => {};
  const storage = new MemoryStorage({
    list: metainfo,
    pieceHashes: metainfo.pieceHashes,
    pooledBytes: 4 * PIECE_LENGTH,
    onPiece: (piece, ok) => {
      told.push(`${ok ? '+' : '-'}${piece}`);
      wake();
    },
  });
  t.teardown(() => storage.close());
  /** Hands in a piece, padding left out, and waits for its check. */
  const fill = (piece: Piece, data: Uint8Array = pieceData(TORRENT, piece)) =>
    new Promise<void>(resolve => {
      wake = resolve;
      const padding = storage.padding.blocksOf(piece);
      for (let block = 0; block < storage.geometry.blocksIn(piece); block++) {
        if (padding.includes(block)) continue;
        const begin = block * BLOCK_LENGTH;
        storage.store(piece, begin, data.subarray(begin, begin + storage.geometry.blockLength(piece, block)));
      }
    });
  return { storage, told, fill };
}

async function readFrom(
  storage: MemoryStorage,
  piece: Piece,
  begin: number,
  length: number,
): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await storage.read(piece, begin, [bytes]);
  return bytes;
}

t.test('pieces are checked, kept and read', async t => {
  const { storage, told, fill } = memoryOf(t, TORRENT);
  for (const piece of TORRENT.pieces) await fill(piece);
  t.same(told, ['+0', '+1', '+2', '+3']);
  t.ok(storage.have.full);
  for (const piece of TORRENT.pieces) {
    const data = pieceData(TORRENT, piece);
    t.ok(data.equals(await readFrom(storage, piece, 0, data.length)), 'padding reads as zeros');
    const parts = [Buffer.alloc(10), new Uint8Array(new ArrayBuffer(100), 20, 73)];
    await storage.read(piece, 7, parts);
    t.ok(data.subarray(7, 90).equals(Buffer.concat(parts)), 'into several places');
  }
  await storage.close();
  t.equal(storage.usedBytes, 0);
});

t.test('a wrong piece is not kept', async t => {
  const { storage, told, fill } = memoryOf(t, TORRENT);
  const [piece = 0 as Piece] = TORRENT.pieces;
  await fill(piece, new Uint8Array(PIECE_LENGTH));
  t.same(told, ['-0']);
  t.notOk(storage.have.has(piece));
  await t.rejects(readFrom(storage, piece, 0, 1), { code: 'INTERNAL' });
  t.equal(storage.usedBytes, 0);
  await fill(piece);
  t.same(told, ['-0', '+0'], 'it can be tried again');
});

t.test('what is let go makes room; what others were given of it stays as it was', async t => {
  const { storage, fill } = memoryOf(t, TORRENT);
  const [first = 0 as Piece, second = 0 as Piece, third = 0 as Piece] = TORRENT.pieces;
  await fill(first);
  await fill(second);
  const given = await readFrom(storage, first, 0, 1000);
  t.equal(storage.usedBytes, 2 * PIECE_LENGTH);
  storage.drop(first);
  storage.drop(first);
  t.equal(storage.usedBytes, PIECE_LENGTH);
  t.notOk(storage.have.has(first));
  await t.rejects(readFrom(storage, first, 0, 1), { code: 'INTERNAL' });
  await fill(third);
  t.equal(storage.usedBytes, 2 * PIECE_LENGTH);
  t.ok(
    pieceData(TORRENT, first)
      .subarray(0, 1000)
      .equals(given ?? new Uint8Array()),
  );
  await fill(first);
  t.ok(storage.have.has(first), 'it may come again');
});

t.test('blocks of a piece that is given up, and of one that comes after the end', async t => {
  const { storage, told } = memoryOf(t, TORRENT);
  const [first = 0 as Piece, second = 0 as Piece] = TORRENT.pieces;
  storage.store(first, 0, pieceData(TORRENT, first).subarray(0, BLOCK_LENGTH));
  t.equal(storage.usedBytes, PIECE_LENGTH);
  storage.discard(first);
  t.equal(storage.usedBytes, 0);
  storage.store(second, 0, pieceData(TORRENT, second).subarray(0, BLOCK_LENGTH));
  await storage.close();
  storage.store(first, 0, pieceData(TORRENT, first).subarray(0, BLOCK_LENGTH));
  t.equal(storage.usedBytes, 0);
  t.same(told, ['+1'], 'but the check that had begun ends');
});
