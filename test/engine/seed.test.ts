// What others get from us: metadata, blocks, and no for an answer.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { EngineOptions, TorrentOptions } from '../../src/engine/options.js';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';
import { formatMagnet } from '../../src/torrent/magnet-link.js';
import type { Message } from '../../src/wire/message.js';
import { type Content, contentOf } from '../support/content.js';
import { EngineRun, folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import type { FakeWire } from '../support/fake-wire.js';

/** Metadata of two parts; two pieces of seven blocks, the last one short. */
const CONTENT = contentOf(210_001, {
  pieceLength: 7 * BLOCK_LENGTH,
  info: { padding: 'x'.repeat(BLOCK_LENGTH) },
});
const FOR_EVER = { ratio: undefined, timeMs: undefined };

async function seeding(
  t: Test,
  seed: TorrentOptions['seed'] = FOR_EVER,
  options: Partial<EngineOptions> = {},
  content: Content = CONTENT,
) {
  const directory = folder(t, { out: {} });
  writeFileSync(join(directory, 'out', content.metainfo.name), content.data);
  const run = await EngineRun.start(t, directory, options);
  const added = run.add(content, 'torrent', { seed });
  await run.until('seeding');
  return { run, added };
}

/** A peer that has nothing, unchoked. */
async function leecher(t: Test, run: EngineRun, fast = true): Promise<FakeWire> {
  const wire = await FakePeer.dial(t, run.port, CONTENT, { have: [], fast });
  await wire.until(fast ? 'haveAll' : 'bitfield');
  wire.send({ type: 'interested' });
  await wire.until('unchoke');
  return wire;
}

type Request = Extract<Message, { type: 'request' }>;

/** Requests for all blocks of the content. */
function everything({ geometry }: Content): Request[] {
  return [...geometry.pieces()].flatMap(piece =>
    Array.from({ length: geometry.blocksIn(piece) }, (_, block) => ({
      type: 'request' as const,
      index: piece,
      begin: block * BLOCK_LENGTH,
      length: geometry.blockLength(piece, block),
    })),
  );
}

/** Sends all in one segment, so that they are read in one go. */
function sendTogether(wire: FakeWire, messages: readonly Message[]): void {
  wire.socket.cork();
  for (const message of messages) wire.send(message);
  wire.socket.uncork();
}

function piecesOf(wire: FakeWire) {
  return wire.received.filter(message => message.type === 'piece');
}

for (const fast of [true, false]) {
  t.test(`a leecher that is ${fast ? '' : 'not '}fast gets all`, async t => {
    const { run, added } = await seeding(t, { ratio: 1, timeMs: undefined });
    t.match(run.named('seeding'), [{ magnet: formatMagnet(CONTENT.metainfo) }]);
    const wire = await leecher(t, run, fast);
    sendTogether(wire, everything(CONTENT));
    await added.finished;
    await wire.closed;
    const data = Buffer.alloc(CONTENT.data.length);
    for (const { index, begin, block } of piecesOf(wire)) {
      data.set(block.data ?? [], index * CONTENT.geometry.pieceLength + begin);
    }
    t.ok(data.equals(CONTENT.data), 'the bytes are right, and all were sent before the end');
    t.same(wire.complaints, []);
    t.match(run.named('done'), [{ downloaded: 0, uploaded: 0 }], 'done was told before anybody came');
    t.match(run.named('peer').at(-1), { why: 'shutdown', sent: 210_001, received: 0 });
    t.match(run.named('choke'), [{ decision: 'unchoke' }]);
  });
}

t.test('the extension handshake, and the metadata', async t => {
  const { run } = await seeding(t);
  const wire = await FakePeer.dial(t, run.port, CONTENT, { have: [] });
  const { infoBytes } = CONTENT.metainfo;
  t.match(await wire.until('extensionHandshake'), {
    metadataSize: infoBytes.length,
    // cut on receipt
    reqq: LIMITS.pipelineMax,
    uploadOnly: true,
    yourIp: Uint8Array.of(127, 0, 0, 1),
    listenPort: undefined,
    client: /^rarest \d+\.\d+\.\d+$/,
  });
  const parts = Math.ceil(infoBytes.length / BLOCK_LENGTH);
  for (const piece of [1, 0]) wire.send({ type: 'metadataRequest', piece });
  const second = await wire.until('metadataData', ({ piece }) => piece === 1);
  const first = await wire.until('metadataData', ({ piece }) => piece === 0);
  t.same(Buffer.concat([first.data, second.data]), Buffer.from(infoBytes));
  t.equal(second.totalSize, infoBytes.length);
  wire.send({ type: 'metadataRequest', piece: parts });
  t.same(
    await wire.until('metadataReject'),
    { type: 'metadataReject', piece: parts },
    'there is no such part',
  );
  // Twice the metadata and a bit, then no more.
  sendTogether(wire, Array(20).fill({ type: 'metadataRequest', piece: 0 }));
  await wire.until('metadataReject', ({ piece }) => piece === 0);
  t.equal(wire.received.filter(({ type }) => type === 'metadataData').length, 2 * parts + 8);
});

t.test('where we dialled we say at which port we listen', async t => {
  const peer = await FakePeer.listen(t, CONTENT, { answer: () => {} });
  const run = await EngineRun.start(t, folder(t));
  run.add(CONTENT, 'torrent', { peers: [peer.address] });
  const handshake = await (await peer.wire()).until('extensionHandshake');
  t.equal(handshake.listenPort, run.port);
  t.equal(handshake.uploadOnly, undefined);
});

t.test('who is choked gets nothing', async t => {
  const { run } = await seeding(t);
  const fast = await FakePeer.dial(t, run.port, CONTENT, { have: [] });
  await fast.until('haveAll');
  // Beyond what it may have while choked (BEP 6): each piece twice.
  const twoPieces = Array(5).fill(everything(CONTENT)).flat();
  sendTogether(fast, twoPieces);
  await fast.until('reject');
  const plain = await FakePeer.dial(t, run.port, CONTENT, { have: [], fast: false });
  await plain.until('bitfield');
  sendTogether(plain, [
    ...everything(CONTENT),
    { type: 'interested' },
    { type: 'metadataRequest', piece: 0 },
  ]);
  await plain.until('metadataData');
  t.same(piecesOf(plain), []);
  t.notOk(plain.received.some(({ type }) => type === 'reject'));
});

t.test('what is cancelled in time is not sent', async t => {
  const { run } = await seeding(t);
  const wire = await leecher(t, run);
  const requests = everything(CONTENT);
  const last = requests.at(-1);
  if (!last) throw new RangeError('unreachable');
  // The first ones are being read from disk when the cancel comes.
  sendTogether(wire, [...requests, { ...last, type: 'cancel' }]);
  await wire.until('reject', ({ index, begin }) => index === last.index && begin === last.begin);
  const others = requests.length - 1;
  await wire.until('piece', () => piecesOf(wire).length === others);
  wire.send({ type: 'request', index: 0, begin: 1, length: 2 });
  await wire.until('piece', ({ begin }) => begin === 1);
  t.equal(piecesOf(wire).length, others + 1, 'all but that one, and the one asked for afterwards');
});

t.test('who leaves in the middle leaves nothing undone', async t => {
  const { run } = await seeding(t);
  const requests = everything(CONTENT);
  const hasty = await leecher(t, run);
  sendTogether(hasty, requests);
  await hasty.until('piece');
  hasty.hangUp();
  await run.untilPeer('closed', 'remote-closed');
  const told = run.named('progress').length;
  await run.until('progress', () => run.named('progress').length > told);
  t.equal(run.named('progress').at(-1)?.peers, 0, 'it is counted no more');
  const patient = await leecher(t, run);
  sendTogether(patient, requests);
  await patient.until('piece', () => piecesOf(patient).length === requests.length);
  t.same(patient.complaints, []);
});

t.test('a peer that reads slowly gets all in the end', async t => {
  // More than kernels hold for one connection, and than we do: reading stops until the peer has taken what there is.
  const length = 10_000_000;
  const large = contentOf(length, { pieceLength: 524_288 });
  const { run, added } = await seeding(t, { ratio: 1, timeMs: undefined }, {}, large);
  const wire = await FakePeer.dial(t, run.port, large, { have: [] });
  await wire.until('haveAll');
  wire.send({ type: 'interested' });
  await wire.until('unchoke');
  wire.socket.pause();
  sendTogether(wire, everything(large));
  await run.until('progress', ({ uploaded }) => uploaded > 0);
  wire.socket.resume();
  await added.finished;
  const bytes = piecesOf(wire).reduce((sum, { block }) => sum + block.length, 0);
  t.equal(bytes, length);
});

t.test('a limit of the rate', async t => {
  const { run } = await seeding(t, FOR_EVER, { maxUploadBps: 700_000 });
  const wire = await leecher(t, run);
  const before = performance.now();
  const requests = everything(CONTENT);
  sendTogether(wire, requests);
  await wire.until('piece', () => piecesOf(wire).length === requests.length);
  // Up to 150 ms of the rate may leave in one burst.
  t.ok(performance.now() - before >= 100, 'not faster');
});

t.test('blocks given while we download ourselves', async t => {
  const run = await EngineRun.start(t, folder(t));
  const giver = await FakePeer.listen(t, CONTENT, {
    have: [0],
    answer: (_wire, message, honest) => {
      if (message.type !== 'request' || message.index === 0) honest();
    },
  });
  const added = run.add(CONTENT, 'torrent', { peers: [giver.address] });
  const early = await FakePeer.dial(t, run.port, CONTENT, { have: [] });
  t.same(await early.until('have'), { type: 'have', index: 0 }, 'told once it is verified');
  const late = await FakePeer.dial(t, run.port, CONTENT, { have: [], fast: false });
  t.same(await late.until('bitfield'), { type: 'bitfield', bits: Uint8Array.of(0x80) });
  for (const wire of [early, late]) {
    wire.send({ type: 'interested' });
    await wire.until('unchoke');
    wire.send({ type: 'request', index: 0, begin: 0, length: 100 });
    const { block } = await wire.until('piece');
    t.same(block.data, Uint8Array.from(CONTENT.data.subarray(0, 100)));
  }
  // What we lack is refused.
  early.send({ type: 'request', index: 1, begin: 0, length: 100 });
  await early.until('reject', ({ index }) => index === 1);
  await FakePeer.dial(t, run.port, CONTENT);
  await added.finished;
  sameFiles(t, run.output, CONTENT);
});

t.test('a peer that chokes us is asked for nothing until it unchokes us', async t => {
  const wires: FakeWire[] = [];
  const peer = await FakePeer.listen(t, CONTENT, {
    fast: false,
    answer: (wire, message, honest) => {
      if (message.type !== 'request' || wires.length > 0) return honest();
      wires.push(wire);
      wire.send({ type: 'choke' });
      // The answer tells that the choke was heard.
      wire.send({ type: 'metadataRequest', piece: 0 });
    },
  });
  const run = await EngineRun.start(t, folder(t));
  const added = run.add(CONTENT, 'torrent', { peers: [peer.address] });
  const wire = await peer.wire();
  await wire.until('metadataData');
  const before = wire.received.filter(({ type }) => type === 'request').length;
  wire.send({ type: 'metadataRequest', piece: 1 });
  await wire.until('metadataData', ({ piece }) => piece === 1);
  t.equal(wire.received.filter(({ type }) => type === 'request').length, before);
  wire.unchoke();
  await added.finished;
  sameFiles(t, run.output, CONTENT);
});

t.test('goals that are reached already', async t => {
  const empty = contentOf(0, { name: 'nothing' });
  const run = await EngineRun.start(t, folder(t));
  await run.add(empty, 'torrent', { seed: { ratio: 2, timeMs: undefined } }).finished;
  const { added } = await seeding(t, { ratio: 0, timeMs: undefined });
  await added.finished;
  t.pass('both end');
});
