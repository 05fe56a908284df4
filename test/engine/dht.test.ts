// The engine and the DHT: whom it asks, what it tells peers, and that a private torrent keeps out of it. The DHT is one
// socket of ours that hears everything.

import { createSocket, type Socket } from 'node:dgram';
import bencode from 'bencode';
import t, { type Test } from 'tap';
import { rememberedNodes, rememberNodes } from '../../src/engine/dht-memory.js';
import type { FindOptions } from '../../src/engine/options.js';
import { toHex } from '../../src/torrent/ids.js';
import { parseMagnet } from '../../src/torrent/magnet.js';
import type { HostPort } from '../../src/torrent/metainfo-types.js';
import { encode } from '../../src/wire/encode.js';
import { type Content, contentOf } from '../support/content.js';
import { EngineRun, folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';

/** What `peers` is asked to do. */
function find(peers: readonly HostPort[]): FindOptions {
  return { peers, trackers: [], useTrackers: false, scrape: false, onEvent: () => {} };
}

const PUBLIC = contentOf(100_001);
const PRIVATE = contentOf(100_001, { private: true, name: 'private' });

interface Query {
  readonly q: string;
  readonly infoHash: string | undefined;
}

/** A DHT node that knows where the peers of some torrents are. */
class FakeNode {
  readonly queries: Query[] = [];
  readonly port: number;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket, known: ReadonlyMap<string, number>) {
    this.port = socket.address().port;
    socket.on('message', (datagram, from) => {
      const message = bencode.decode(datagram);
      if (Buffer.from(message.y).toString() !== 'q') return;
      const q = Buffer.from(message.q).toString();
      const infoHash = message.a.info_hash && toHex(message.a.info_hash);
      this.queries.push({ q, infoHash });
      const peer = known.get(infoHash);
      const r = {
        id: Buffer.alloc(20, 7),
        token: Buffer.from('token'),
        ...(q === 'find_node' && { nodes: Buffer.alloc(0) }),
        ...(q === 'get_peers' &&
          (peer ? { values: [Buffer.of(127, 0, 0, 1, peer >> 8, peer & 255)] } : { nodes: Buffer.alloc(0) })),
      };
      socket.send(bencode.encode({ t: message.t, y: 'r', r }), from.port, from.address);
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  static async listen(t: Test, known: ReadonlyMap<string, number> = new Map()): Promise<FakeNode> {
    const socket = createSocket('udp4');
    await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
    t.teardown(() => socket.close());
    return new FakeNode(socket, known);
  }

  async until(accept: (query: Query) => boolean): Promise<void> {
    while (!this.queries.some(accept)) await new Promise<void>(resolve => this.#waiting.push(resolve));
  }

  asksFor({ metainfo }: Content): boolean {
    return this.queries.some(({ infoHash }) => infoHash === toHex(metainfo.infoHash));
  }
}

function withDht(t: Test, node: FakeNode): Promise<EngineRun> {
  const dhtBootstrap = [{ host: '127.0.0.1', port: node.port }];
  return EngineRun.start(t, folder(t), { dht: true, dhtBootstrap });
}

t.test('a magnet link alone finds its peer, and we announce ourselves', async t => {
  const peer = await FakePeer.listen(t, PUBLIC);
  const hash = toHex(PUBLIC.metainfo.infoHash);
  const node = await FakeNode.listen(t, new Map([[hash, peer.address.port]]));
  const run = await withDht(t, node);
  t.match(run.named('listening'), [{ dhtPort: run.port }], 'UDP has the port of TCP');
  await run.add(PUBLIC, 'magnet', { seed: { ratio: undefined, timeMs: undefined } });
  await run.until('seeding');
  sameFiles(t, run.output, PUBLIC);
  await node.until(({ q, infoHash }) => q === 'announce_peer' && infoHash === hash);
});

t.test('a private torrent keeps out of the DHT', async t => {
  const node = await FakeNode.listen(t);
  const [spied, named] = await Promise.all([FakeNode.listen(t), FakeNode.listen(t)]);
  const run = await withDht(t, node);
  run.add(PRIVATE, 'torrent');
  const seed = { answer: () => {}, dht: true };
  const secret = await FakePeer.dial(t, run.port, PRIVATE, seed);
  await secret.until('interested');
  secret.sendBytes(encode({ type: 'port', port: spied.port }));
  run.add(PUBLIC, 'torrent');
  const open = await FakePeer.dial(t, run.port, PUBLIC, seed);
  await open.until('interested');
  open.sendBytes(encode({ type: 'port', port: named.port }));
  await named.until(({ q }) => q === 'ping' || q === 'find_node');
  await node.until(({ infoHash }) => infoHash === toHex(PUBLIC.metainfo.infoHash));
  t.notOk(node.asksFor(PRIVATE), 'its hash is never told');
  t.same(spied.queries, [], 'its peers are no nodes to us');
  t.same(open.ports, [run.port], 'others learn our port');
  t.same(secret.ports, [], 'its peers do not');
});

t.test('a link of a torrent that turns out to be private', async t => {
  const peer = await FakePeer.listen(t, PRIVATE);
  const node = await FakeNode.listen(t);
  const run = await withDht(t, node);
  run.add(PRIVATE, 'magnet', { peers: [peer.address], seed: { ratio: undefined, timeMs: undefined } });
  await run.until('seeding');
  sameFiles(t, run.output, PRIVATE);
  const before = node.queries.length;
  run.add(PUBLIC, 'torrent');
  const asked = (content: Content) => {
    const hash = toHex(content.metainfo.infoHash);
    return node.queries.slice(before).filter(({ q, infoHash }) => q === 'get_peers' && infoHash === hash);
  };
  // Both would have asked several times by then.
  await node.until(() => asked(PUBLIC).length >= 3);
  t.same(asked(PRIVATE), [], 'it leaves the DHT');
});

t.test('nodes are remembered', async t => {
  const node = await FakeNode.listen(t);
  const directory = folder(t);
  const run = await EngineRun.start(t, directory, {
    dht: true,
    dhtBootstrap: [{ host: '127.0.0.1', port: node.port }],
  });
  run.add(PUBLIC, 'magnet');
  await node.until(({ q }) => q === 'get_peers');
  await run.until('dht', ({ nodes }) => nodes === 1);
  await run.engine.close();
  t.same(await rememberedNodes(run.stateDirectory), [{ host: '127.0.0.1', port: node.port }]);
});

t.test('what is remembered is not believed blindly', async t => {
  const directory = folder(t);
  t.same(await rememberedNodes(directory), [], 'nothing yet');
  const good = { host: '192.0.2.1', port: 6881 };
  const bad = [{ host: 'a b', port: 1 }, { host: '192.0.2.1', port: 0 }, { host: '192.0.2.1' }, null, 'x'];
  // biome-ignore lint/suspicious/noExplicitAny: as an older version might have written
  await rememberNodes(directory, [good, ...(bad as any[])]);
  t.same(await rememberedNodes(directory), [good]);
  await rememberNodes(directory, []);
  t.same(await rememberedNodes(directory), [good], 'no nodes are no reason to forget those of before');
});

t.test('addresses of a swarm that is not joined', async t => {
  const hash = toHex(PUBLIC.metainfo.infoHash);
  const node = await FakeNode.listen(t, new Map([[hash, 4711]]));
  const run = await withDht(t, node);
  const magnet = parseMagnet(`${PUBLIC.magnet}&x.pe=192.0.2.9:7`);
  const stop = new AbortController();
  const user = [
    { host: '192.0.2.8', port: 6 },
    { host: '192.0.2.8', port: 6 },
  ];
  const finding = run.engine.findPeers({ kind: 'magnet', magnet }, find(user), stop.signal);
  await run.until('found', ({ from }) => from === 'dht');
  stop.abort();
  await finding;
  t.same(
    run.named('found').map(({ host, port, from }) => [host, port, from]),
    [
      ['192.0.2.8', 6, 'manual'],
      ['192.0.2.9', 7, 'magnet'],
      ['127.0.0.1', 4711, 'dht'],
    ],
  );
  t.notOk(
    node.queries.some(({ q }) => q === 'announce_peer'),
    'we only look',
  );
  const metainfo = PRIVATE.metainfo;
  await run.engine.findPeers({ kind: 'torrent', metainfo }, find([]), AbortSignal.abort());
  t.notOk(node.asksFor(PRIVATE));
});
