// A torrent that is read while it comes: from the swarm to the reader, in memory and on disk.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import type { ByteRange, StreamOptions } from '../../src/engine/options.js';
import { SignalLine } from '../../src/engine/signal-line.js';
import { Stream } from '../../src/engine/stream.js';
import { MemoryStorage } from '../../src/storage/memory-storage.js';
import { Swarm } from '../../src/swarm/swarm.js';
import { Bitfield } from '../../src/torrent/bitfield.js';
import { TorrentError } from '../../src/torrent/errors.js';
import type { Piece } from '../../src/torrent/geometry.js';
import type { Block } from '../../src/wire/message.js';
import { type Content, contentOf } from '../support/content.js';
import { factsOf, RecordingPort, SETTINGS } from '../support/draw.js';
import { EngineRun, filesBelow, folder, holdUp, jumpingClock, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { seeded } from '../support/random.js';

/** Ten pieces of two blocks, the last one short. */
const CONTENT = contentOf(9 * 32_768 + 100);
const FOLDER = contentOf({ a: 40_000, 'b/empty': 0, 'b/c': 70_000 }, { pieceLength: 32_768 });

/** A reader that takes what it is given when it is let. */
class Reader {
  readonly bytes: Buffer[] = [];
  /** How often it may take something before it waits. */
  #allowed: number;
  #waiting: (() => void) | undefined;

  constructor(allowed = Number.POSITIVE_INFINITY) {
    this.#allowed = allowed;
  }

  /** All that it has taken. */
  get all(): Buffer {
    return Buffer.concat(this.bytes);
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** May be called whenever the last one is fulfilled. */
  async write(bytes: Uint8Array): Promise<boolean> {
    if (this.#allowed-- <= 0) await new Promise<void>(resolve => (this.#waiting = resolve));
    // A copy, as it may change afterwards.
    this.bytes.push(Buffer.from(bytes));
    return true;
  }

  /** Lets it take as many more. */
  read(times: number): void {
    this.#allowed = times - 1;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  /** What is to be handed to an engine. */
  options(ranges: readonly ByteRange[], keep = false): StreamOptions {
    const plan = {
      ranges,
      files: ranges.length,
      write: (bytes: Uint8Array) => this.write(bytes),
      end: async () => true,
    };
    return { keep, open: () => plan };
  }
}

const whole = ({ metainfo }: Content) => [{ offset: 0, length: metainfo.length }];

async function until(ready: () => boolean): Promise<void> {
  while (!ready()) await new Promise(resolve => setImmediate(resolve));
}

t.test('a slow reader slows the swarm, and memory is bounded', async t => {
  const { metainfo, geometry, data } = CONTENT;
  const { pieceLength } = geometry;
  const reader = new Reader(0);
  const plan = reader.options(whole(CONTENT)).open(metainfo);
  const storage = new MemoryStorage({
    list: metainfo,
    pieceHashes: metainfo.pieceHashes,
    pooledBytes: 0,
    onPiece: (piece, ok) => {
      swarm.pieceChecked(piece, ok, 0);
      stream.pieceArrived(piece);
    },
  });
  const stream = new Stream(plan, storage, storage, {
    streamAheadBytes: 4 * pieceLength,
    streamBehindBytes: 2 * pieceLength,
    streamNearBytes: pieceLength,
    streamNearPieces: 8,
    streamLateMs: 1000,
  });
  const port = new (class extends RecordingPort {
    override storeBlock(piece: Piece, begin: number, block: Block): void {
      if (block.data) storage.store(piece, begin, block.data);
    }
  })();
  const settings = { ...SETTINGS, reading: stream.reading };
  const swarm = new Swarm(geometry, new Bitfield(geometry.pieceCount), settings, port, seeded(1));
  let served = 0;
  let mostBytes = 0;
  /** The peer answers everything it was asked for. */
  const serve = () => {
    for (; served < port.requests.length; served++) {
      const { piece, begin, length } = port.requests[served] as (typeof port.requests)[number];
      const at = geometry.offsetOf(piece as Piece) + begin;
      const block = { length, data: data.subarray(at, at + length) };
      swarm.message(1, { type: 'piece', index: piece, begin, block }, 0);
      mostBytes = Math.max(mostBytes, storage.usedBytes);
    }
    return true;
  };
  swarm.peerConnected(1, factsOf(1), 0);
  swarm.message(1, { type: 'haveAll' }, 0);
  swarm.message(1, { type: 'unchoke' }, 0);
  const waiting = new SignalLine();
  stream.start(swarm, () => 0, waiting);
  const ended = waiting.wait();

  await until(() => serve() && storage.have.count === 4);
  t.same([...storage.have], [0, 1, 2, 3], 'the window, and no more');
  t.equal(port.requests.length, 8, 'nothing more is asked for');
  t.ok(reader.isWaiting);
  t.notOk(stream.isAwaited, 'nobody waits for the swarm');

  reader.read(3);
  await until(() => serve() && reader.isWaiting && storage.have.count === 6);
  t.same([...storage.have], [1, 2, 3, 4, 5, 6], 'two pieces behind are kept, four ahead are wanted');
  t.equal(stream.taken, 3 * pieceLength);

  reader.read(Number.POSITIVE_INFINITY);
  await until(() => serve() && stream.isDone);
  await ended;
  t.ok(reader.all.equals(data));
  t.ok(mostBytes <= 7 * pieceLength, `${mostBytes} bytes at most`);
  t.equal(port.requests.length, 19, 'each block once');
});

t.test('in memory: nothing is left behind', async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const directory = folder(t);
  const run = await EngineRun.start(t, directory);
  const reader = new Reader();
  const stream = reader.options(whole(CONTENT));
  const added = run.add(CONTENT, 'magnet', { peers: [peer.address], stream });
  await added.finished;
  t.ok(reader.all.equals(CONTENT.data));
  t.same(filesBelow(directory), []);
  t.same(peer.complaints, []);
  t.equal(added.completed(), 1);
  t.match(run.named('done'), [{ path: '-', files: 1, length: CONTENT.data.length, wasted: 0 }]);
  t.same(run.named('file'), [], 'there are no files');
  t.equal(run.named('piece').length, 10);
  t.equal(new Set(peer.served).size, peer.served.length, 'each block once');
});

t.test('ranges in any order, one twice, one empty', async t => {
  const peer = await FakePeer.listen(t, FOLDER);
  const run = await EngineRun.start(t, folder(t));
  const reader = new Reader();
  const ranges = [
    { offset: 40_000, length: 70_000 },
    { offset: 5, length: 0 },
    { offset: 3, length: 30 },
    { offset: 109_990, length: 10 },
    { offset: 3, length: 30 },
  ];
  await run.add(FOLDER, 'torrent', { peers: [peer.address], stream: reader.options(ranges) }).finished;
  const parts = ranges.map(({ offset, length }) => FOLDER.data.subarray(offset, offset + length));
  t.ok(reader.all.equals(Buffer.concat(parts)));
});

t.test('nothing to read needs nobody', async t => {
  const run = await EngineRun.start(t, folder(t));
  const reader = new Reader();
  await run.add(FOLDER, 'torrent', { stream: reader.options([{ offset: 40_000, length: 0 }]) }).finished;
  t.equal(reader.all.length, 0);
  t.match(run.named('done'), [{ length: 0, downloaded: 0, ratio: 0 }]);
});

t.test('kept: only what is read is fetched, and a download goes on from there', async t => {
  const peer = await FakePeer.listen(t, FOLDER);
  const directory = folder(t);
  const run = await EngineRun.start(t, directory);
  const reader = new Reader();
  const stream = reader.options([{ offset: 40_000, length: 10 }], true);
  await run.add(FOLDER, 'torrent', { peers: [peer.address], stream }).finished;
  t.ok(reader.all.equals(FOLDER.data.subarray(40_000, 40_010)));
  t.same(peer.served.toSorted(), ['1+0', '1+16384'], 'the piece of these bytes');

  await run.add(FOLDER, 'torrent', { peers: [peer.address] }).finished;
  sameFiles(t, run.output, FOLDER);
  t.match(run.named('resumed'), [{ piecesHave: 1, how: 'resume' }]);
  t.equal(peer.served.length, 7, 'that piece is not fetched again');

  const again = new Reader();
  await run.add(FOLDER, 'torrent', { stream: again.options(whole(FOLDER), true) }).finished;
  t.ok(again.all.equals(FOLDER.data), 'what is there is read without anybody');
});

t.test('kept: bytes that were on disk and bytes that come, in order', async t => {
  const peer = await FakePeer.listen(t, FOLDER);
  const directory = folder(t);
  const run = await EngineRun.start(t, directory);
  const [first] = FOLDER.metainfo.files;
  const path = join(run.output, ...(first?.path ?? []));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, FOLDER.data.subarray(0, 40_000));
  const reader = new Reader();
  await run.add(FOLDER, 'torrent', { peers: [peer.address], stream: reader.options(whole(FOLDER), true) })
    .finished;
  t.ok(reader.all.equals(FOLDER.data));
  sameFiles(t, run.output, FOLDER);
  t.notOk(peer.served.some(block => block.startsWith('0+')));
});

t.test('a reader that goes away ends it without a word', async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const run = await EngineRun.start(t, folder(t));
  const { open } = new Reader().options(whole(CONTENT));
  let left = 3;
  const stream = {
    keep: false,
    open: () => ({ ...open(CONTENT.metainfo), write: async () => --left > 0 }),
  };
  const added = run.add(CONTENT, 'torrent', { peers: [peer.address], stream });
  await added.finished;
  t.equal(left, 0);
  t.equal(added.completed(), 0);
  t.same(run.named('done'), []);
});

t.test('what the reader, or its plan, throws is the failure', async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const run = await EngineRun.start(t, folder(t));
  const { open } = new Reader().options(whole(CONTENT));
  const refuse = () => {
    throw new TorrentError('USAGE', 'reading: refused');
  };
  const failing = { keep: false, open: () => ({ ...open(CONTENT.metainfo), write: refuse }) };
  const added = run.add(CONTENT, 'torrent', { peers: [peer.address], stream: failing });
  await t.rejects(added.finished, { code: 'USAGE' });
  const unplanned = run.add(CONTENT, 'torrent', { stream: { keep: false, open: refuse } });
  await t.rejects(unplanned.finished, { code: 'USAGE' });
});

t.test('a stop while the reader takes its time', async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const run = await EngineRun.start(t, folder(t));
  const reader = new Reader(0);
  const added = run.add(CONTENT, 'torrent', {
    peers: [peer.address],
    stream: reader.options(whole(CONTENT)),
  });
  await until(() => reader.isWaiting);
  await added.stop();
  await added.finished;
  t.equal(added.completed(), 0);
});

t.test('a stall is when the reader waits for us, not when we wait for the reader', async t => {
  const clock = jumpingClock(t);
  const peer = await FakePeer.listen(t, CONTENT, {
    // The last piece never comes.
    answer: (_wire, message, honest) => {
      if (message.type !== 'request' || message.index !== 9) honest();
    },
  });
  const run = await EngineRun.start(t, folder(t));
  const reader = new Reader(0);
  const stream = reader.options(whole(CONTENT));
  const added = run.add(CONTENT, 'torrent', { peers: [peer.address], stallTimeoutMs: 60_000, stream });
  await until(() => reader.isWaiting && run.named('piece').length === 9);
  const told = run.named('progress').length;
  clock.jump(61_000);
  holdUp();
  await until(() => run.named('progress').length > told);
  t.ok(reader.isWaiting, 'no time ran out');
  reader.read(Number.POSITIVE_INFINITY);
  await until(() => reader.bytes.length === 9);
  const stalled = t.rejects(added.finished, { code: 'STALLED', hint: undefined }, 'nothing is kept');
  clock.jump(61_000);
  holdUp();
  await stalled;
});

t.test('who reads gives to others what it has', async t => {
  const peer = await FakePeer.listen(t, CONTENT, { have: [0, 1, 2, 3] });
  const run = await EngineRun.start(t, folder(t));
  const stream = new Reader().options(whole(CONTENT));
  const added = run.add(CONTENT, 'torrent', { peers: [peer.address], stream });
  await run.until('piece', ({ index }) => index === 1);
  const leecher = await FakePeer.dial(t, run.port, CONTENT, { have: [] });
  leecher.send({ type: 'interested' });
  await leecher.until('unchoke');
  leecher.send({ type: 'request', index: 1, begin: 16_384, length: 16_384 });
  const { block } = await leecher.until('piece');
  t.ok(CONTENT.data.subarray(49_152, 65_536).equals(block.data ?? new Uint8Array()));
  await added.stop();
});
