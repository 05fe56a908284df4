// A link over a real socket: what the engine's own tests cannot bring about in reasonable time.

import t, { type Test } from 'tap';
import { PeerLink } from '../../src/engine/peer-link.js';
import type { CloseReason } from '../../src/torrent/errors.js';
import { type InfoHash, infoHash, type PeerId, peerId } from '../../src/torrent/ids.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { encodeHandshake } from '../../src/wire/handshake.js';
import { acceptedPair, read } from '../net/sockets.js';

const HASH = infoHash(new Uint8Array(20).fill(1)) as InfoHash;
const PEER = peerId(new Uint8Array(20).fill(2)) as PeerId;
const WE = peerId(new Uint8Array(20).fill(3)) as PeerId;

/** A link that came in, its far end, and what its owner was told. */
async function link(t: Test, refusal?: CloseReason) {
  const { peer, far } = await acceptedPair(t);
  const told: string[] = [];
  let changed = () => {};
  const tell = (what: string) => {
    told.push(what);
    changed();
  };
  const owner = {
    infoHash: HASH,
    sharesDht: true,
    pieceCount: 1,
    linkOpened: (link: PeerLink) => {
      if (!refusal) link.number = 0;
      tell('opened');
      return refusal;
    },
    linkMessage: (_link: PeerLink, { type }: { type: string }) => tell(type),
    linkPort: (_link: PeerLink, port: number) => tell(`port ${port}`),
    linkDrained: () => tell('drained'),
    linkClosed: (_link: PeerLink, reason: CloseReason) => tell(`closed ${reason}`),
  };
  const context = {
    peerId: WE,
    now: () => 0,
    received: () => {},
    released: () => tell('released'),
    ownerOf: () => owner,
  };
  const made = new PeerLink(peer, context, undefined);
  peer.attach(made.handlers);
  const until = async (what: string) => {
    while (!told.includes(what)) {
      await new Promise<void>(resolve => {
        changed = resolve;
      });
    }
  };
  return { link: made, far, told, until };
}

const THEIRS = encodeHandshake({ infoHash: HASH, peerId: PEER, fast: true, extended: true, dht: true });
const OURS = encodeHandshake({ infoHash: HASH, peerId: WE, fast: true, extended: true, dht: true });

t.test('a handshake in two parts is answered after the first', async t => {
  const { far, told, until } = await link(t);
  far.write(THEIRS.subarray(0, 48));
  t.ok((await read(far, 68)).equals(OURS));
  t.same(told, []);
  // haveNone follows in the same segment.
  far.write(Buffer.concat([THEIRS.subarray(48), Buffer.of(0, 0, 0, 1, 15)]));
  await until('haveNone');
  t.same(told, ['opened', 'haveNone']);
});

t.test('who is turned away still gets our handshake, and is not heard', async t => {
  const { far, told, until } = await link(t, 'duplicate');
  far.write(Buffer.concat([THEIRS, Buffer.of(0, 0, 0, 1, 15)]));
  t.ok((await read(far, 68)).equals(OURS));
  await until('closed duplicate');
  t.same(told, ['opened', 'released', 'closed duplicate']);
});

t.test('one DHT port of a peer is heard', async t => {
  const { far, told, until } = await link(t);
  const port = (low: number) => Buffer.of(0, 0, 0, 3, 9, 0, low);
  far.write(Buffer.concat([THEIRS, port(7), port(8), Buffer.of(0, 0, 0, 1, 15)]));
  await until('haveNone');
  t.same(told, ['opened', 'port 7', 'haveNone']);
});

t.test('a peer that reads nothing does not fill our memory', async t => {
  const { link: stuck, far, told, until } = await link(t);
  far.write(THEIRS);
  await until('opened');
  const block = new Uint8Array(1024 * 1024);
  const hold = (bytes: number) => {
    while (stuck.socket.bufferedBytes < bytes) stuck.sendBlock(0, 0, block);
  };
  hold(LIMITS.unreadBytes - 2 * block.length);
  stuck.watch(0);
  t.same(told, ['opened'], 'so much may wait');
  hold(LIMITS.unreadBytes + 1);
  stuck.watch(0);
  t.same(told, ['opened', 'released', 'closed message-flood']);
  t.notOk(stuck.isOpen);
});
