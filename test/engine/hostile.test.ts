// One hostile peer, then an honest one: the first is closed for the right reason, the download is correct.

import t from 'tap';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';
import { contentOf } from '../support/content.js';
import { EngineRun, folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import type { FakeWire, Script } from '../support/fake-wire.js';

const CONTENT = contentOf(100_001);
const PIECES = 4;

interface Case extends Script {
  readonly does: string;
  readonly told: readonly string[];
  /** A link: it is met while the metadata is still wanted. */
  readonly from?: 'magnet' | 'torrent';
}

/** A message by id and body, right or wrong. */
function raw(wire: FakeWire, id: number, body: Uint8Array | string, length?: number): void {
  const bytes = Buffer.from(body);
  const frame = Buffer.alloc(5 + bytes.length);
  frame.writeUInt32BE(length ?? bytes.length + 1);
  frame[4] = id;
  bytes.copy(frame, 5);
  wire.sendBytes(frame);
}

/** Opens as an honest peer does, then does this. */
function afterwards(act: (wire: FakeWire) => void): (wire: FakeWire) => void {
  return wire => {
    wire.introduce();
    act(wire);
  };
}

const CASES: readonly Case[] = [
  {
    does: 'talks HTTP',
    greet: wire => wire.sendBytes(Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')),
    told: ['failed bad-handshake'],
  },
  {
    does: 'has another torrent',
    greet: wire => wire.sendHandshake(contentOf(1).metainfo.infoHash),
    told: ['failed wrong-info-hash'],
  },
  { does: 'hangs up at once', greet: wire => wire.hangUp(), told: ['failed remote-closed'] },
  {
    does: 'hangs up in the middle of a handshake',
    greet: wire => wire.socket.end(Buffer.from('\x13BitTorrent pro')),
    told: ['failed remote-closed'],
  },
  {
    does: 'announces 4 GiB',
    opened: wire => raw(wire, 20, '', 0xffffffff),
    told: ['dialled', 'closed message-too-long'],
  },
  {
    does: 'sends a block larger than anybody asks for',
    opened: wire => raw(wire, 7, '', 9 + LIMITS.requestBytes + 1),
    told: ['dialled', 'closed message-too-long'],
  },
  {
    does: 'sends a have that is too short',
    opened: wire => raw(wire, 4, '\0\0\0'),
    told: ['dialled', 'closed bad-message-length'],
  },
  {
    does: 'sends a bitfield that is too long',
    opened: wire => raw(wire, 5, Buffer.alloc(2)),
    told: ['dialled', 'closed bad-message-length'],
  },
  {
    does: 'has pieces that do not exist',
    opened: wire => raw(wire, 5, Buffer.of(0xff)),
    told: ['dialled', 'closed bad-bitfield'],
  },
  {
    does: 'is fast without having said so',
    fast: false,
    opened: afterwards(wire => wire.send({ type: 'allowedFast', index: 0 })),
    told: ['dialled', 'closed fast-not-enabled'],
  },
  {
    does: 'announces a piece beyond the last',
    opened: afterwards(wire => wire.send({ type: 'have', index: PIECES })),
    told: ['dialled', 'closed bad-index'],
  },
  {
    does: 'asks for bytes beyond the last',
    opened: afterwards(wire =>
      wire.send({ type: 'request', index: PIECES - 1, begin: 0, length: BLOCK_LENGTH }),
    ),
    told: ['dialled', 'closed bad-request'],
  },
  {
    does: 'sends a block that nobody asked for',
    opened: afterwards(wire => wire.sendBlock(0, 0, BLOCK_LENGTH)),
    told: ['dialled', 'closed unrequested-block'],
  },
  {
    does: 'sends garbage for an extension handshake',
    opened: wire => raw(wire, 20, '\0d1:mi1e'),
    told: ['dialled', 'closed bad-extension'],
  },
  {
    does: 'sends an extension of a wrong length',
    opened: afterwards(wire => raw(wire, 20, '\x03\0')),
    told: ['dialled', 'closed bad-extension'],
  },
  {
    does: 'sends wrong bytes',
    answer: (wire, message, honest) => {
      if (message.type === 'request') wire.sendBlock(message.index, message.begin, message.length, true);
      else honest();
    },
    told: ['dialled', 'closed hash-failed'],
  },
  {
    does: 'hangs up in the middle of a block',
    answer: (wire, message, honest) => {
      if (message.type === 'request') wire.socket.end(Buffer.from('00004009070000000000000000ff', 'hex'));
      else honest();
    },
    told: ['dialled', 'closed remote-closed'],
  },
  {
    does: 'asks and asks while it is choked',
    opened: afterwards(wire => {
      const request = Buffer.from('0000000d06000000000000000000004000', 'hex');
      wire.sendBytes(Buffer.concat(Array(10 * LIMITS.incomingRequests + 1).fill(request)));
    }),
    answer: () => {},
    told: ['dialled', 'closed request-flood'],
  },
  {
    does: 'gives wrong metadata',
    from: 'magnet',
    answer: (wire, message, honest) => {
      if (message.type !== 'metadataRequest') return honest();
      const totalSize = CONTENT.metainfo.infoBytes.length;
      wire.send({ ...message, type: 'metadataData', totalSize, data: new Uint8Array(totalSize) });
    },
    told: ['dialled', 'closed bad-metadata'],
  },
  {
    does: 'gives metadata that nobody asked for',
    from: 'magnet',
    opened: afterwards(wire => raw(wire, 20, '\x02d8:msg_typei1e5:piecei1e10:total_sizei16385eex')),
    told: ['dialled', 'closed bad-metadata'],
  },
  {
    does: 'changes its mind about the size of the metadata',
    from: 'magnet',
    opened: afterwards(wire => raw(wire, 20, '\0d13:metadata_sizei77ee')),
    told: ['dialled', 'closed bad-metadata'],
  },
  {
    does: 'sends a block while the metadata is wanted',
    from: 'magnet',
    opened: afterwards(wire => wire.sendBlock(0, 0, BLOCK_LENGTH)),
    told: ['dialled', 'closed unrequested-block'],
  },
];

for (const { does, told, from = 'torrent', ...script } of CASES) {
  t.test(`a peer that ${does}`, async t => {
    const hostile = await FakePeer.listen(t, CONTENT, script);
    const run = await EngineRun.start(t, folder(t));
    const added = run.add(CONTENT, from, { peers: [hostile.address] });
    await run.until('peer', ({ how }) => how !== 'dialled');
    t.same(run.toldOf(hostile), told);
    const honest = await FakePeer.dial(t, run.port, CONTENT);
    await added.finished;
    sameFiles(t, run.output, CONTENT);
    t.same(honest.complaints, []);
    t.same(run.named('warning'), []);
  });
}

/** Peers that break no rule but are of no use; the honest one comes once they have shown it. */
const USELESS: readonly (Script & { readonly is: string; readonly until: 'interested' | 'request' })[] = [
  {
    is: 'never unchokes',
    until: 'interested',
    answer: (_wire, message, honest) => {
      if (message.type !== 'interested') honest();
    },
  },
  {
    is: 'is silent after unchoking',
    until: 'request',
    answer: (_wire, message, honest) => {
      if (message.type !== 'request') honest();
    },
  },
  {
    is: 'rejects what it is asked for',
    until: 'request',
    answer: (wire, message, honest) => {
      if (message.type === 'request') wire.send({ ...message, type: 'reject' });
      else honest();
    },
  },
  {
    is: 'chokes when asked',
    until: 'request',
    answer: (wire, message, honest) => {
      if (message.type === 'request') wire.send({ type: 'choke' });
      else honest();
    },
    fast: false,
  },
];

for (const { is, until, ...script } of USELESS) {
  t.test(`a peer that ${is}`, async t => {
    const useless = await FakePeer.listen(t, CONTENT, script);
    const run = await EngineRun.start(t, folder(t));
    const added = run.add(CONTENT, 'torrent', { peers: [useless.address] });
    await (await useless.wire()).until(until);
    await FakePeer.dial(t, run.port, CONTENT);
    await added.finished;
    sameFiles(t, run.output, CONTENT);
    t.same(run.toldOf(useless), ['dialled', 'closed both-seeds']);
  });
}

for (const size of [2 ** 40, LIMITS.metadataBytes, 1]) {
  t.test(`a peer whose metadata is said to have ${size} bytes`, async t => {
    const liar = await FakePeer.listen(t, CONTENT, {
      opened: wire => wire.introduce(size),
      answer: () => {},
    });
    const run = await EngineRun.start(t, folder(t));
    const added = run.add(CONTENT, 'magnet', { peers: [liar.address] });
    await (await liar.wire()).until('extensionHandshake');
    await FakePeer.dial(t, run.port, CONTENT);
    await added.finished;
    sameFiles(t, run.output, CONTENT);
  });
}

t.test('a handshake that never ends holds up nothing', async t => {
  const endless: Script = { greet: wire => wire.sendBytes(Buffer.from('\x13BitTorrent')), opened: () => {} };
  const loris = await FakePeer.listen(t, CONTENT, endless);
  const run = await EngineRun.start(t, folder(t));
  const added = run.add(CONTENT, 'magnet', { peers: [loris.address] });
  const wires = [await loris.wire(), await FakePeer.dial(t, run.port, CONTENT, endless)];
  await FakePeer.dial(t, run.port, CONTENT);
  await added.finished;
  sameFiles(t, run.output, CONTENT);
  await wires[0]?.closed;
  t.same(run.toldOf(loris), [], 'the dial ends in silence');
  t.notOk(wires[1]?.isClosed, 'nobody knows yet what the other one is here for');
  await run.engine.close();
  await wires[1]?.closed;
});

t.test('who gives wrong bytes twice is banned', async t => {
  const run = await EngineRun.start(t, folder(t));
  let goAhead: () => void = () => {};
  const turn = new Promise<void>(resolve => {
    goAhead = resolve;
  });
  const patient = await FakePeer.listen(t, CONTENT, {
    answer: async (_wire, message, honest) => {
      if (message.type === 'interested') await turn;
      honest();
    },
  });
  const added = run.add(CONTENT, 'torrent', { peers: [patient.address] });
  await (await patient.wire()).until('interested');
  const liar: Script = {
    answer: (wire, message, honest) => {
      if (message.type === 'request') wire.sendBlock(message.index, message.begin, message.length, true);
      else honest();
    },
  };
  for (const how of ['closed', 'banned'] as const) {
    const wire = await FakePeer.dial(t, run.port, CONTENT, liar);
    await wire.closed;
    await run.untilPeer(how, 'hash-failed');
  }
  const third = await FakePeer.dial(t, run.port, CONTENT, liar);
  await third.closed;
  t.same(third.received, [], 'it is not let in again');
  await run.untilPeer('failed', 'banned');
  goAhead();
  await added.finished;
  sameFiles(t, run.output, CONTENT);
  t.ok((run.named('done')[0]?.wasted ?? 0) >= 2 * BLOCK_LENGTH, 'what was wrong is counted');
});
