import { EventEmitter } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'bittorrent-dht';
import t from 'tap';
import { krpcKind, trimReply } from '../../src/discovery/krpc-guard.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { seeded } from '../support/random.js';
import { CORPUS } from '../support/root.js';
import { bytesOf, GOOD, HARMFUL, KILLER_ANSWERS, KILLERS, NODE_ID, TARGET } from './packets.js';

const FROM = { address: '127.0.0.1', port: 6881 };

/** As much of a dgram.Socket as the package needs, without a guard. */
class BareSocket extends EventEmitter {
  readonly sent: Buffer[] = [];
  bind(): void {}
  send(bytes: Buffer): void {
    this.sent.push(bytes);
  }
  close(): void {
    this.emit('close');
  }
}

function bareClient(): { client: Client; socket: BareSocket } {
  const socket = new BareSocket();
  const client = new Client({
    socket,
    bootstrap: [],
    concurrency: 16,
    timeout: 2000,
    maxPeers: 10,
    maxAge: 0,
  });
  client.on('error', () => {});
  client.on('warning', () => {});
  return { client, socket };
}

t.test('the package itself dies of each killer', async t => {
  for (const [name, packet] of Object.entries(KILLERS)) {
    const { client, socket } = bareClient();
    t.throws(() => socket.emit('message', bytesOf(packet), FROM), name);
    await new Promise<void>(resolve => client.destroy(resolve));
  }
});

t.test('the package itself dies of each killer answer to a query of its own', async t => {
  for (const [name, packet] of Object.entries(KILLER_ANSWERS)) {
    const { client, socket } = bareClient();
    client.addNode({ id: bytesOf(NODE_ID), host: '127.0.0.1', port: 6881 });
    client.lookup(bytesOf(TARGET), () => {});
    const answer = bytesOf(packet);
    transactionOf(socket.sent[0]).copy(answer, answer.indexOf('1:t2:aa') + 5);
    t.throws(() => socket.emit('message', answer, FROM), name);
    await new Promise<void>(resolve => client.destroy(resolve));
  }
});

t.test('nothing of the kind passes', async t => {
  for (const [name, packet] of Object.entries({ ...KILLERS, ...KILLER_ANSWERS, ...HARMFUL }))
    t.equal(krpcKind(bytesOf(packet)), undefined, name);
  const long = `d1:rd2:id20:${TARGET}6:valuesl${'6:axje.u'.repeat(2100)}ee1:t2:aa1:y1:re`;
  t.equal(krpcKind(bytesOf(long)), undefined, 'more bytes than a node has reason to send');
});

t.test('every well-formed message passes', async t => {
  for (const [name, packet] of Object.entries(GOOD)) {
    const type = /1:y1:(.)/.exec(packet)?.[1] ?? '';
    const kind = { q: 'query', r: 'response', e: 'error' }[type];
    t.equal(krpcKind(bytesOf(packet)), kind, name);
  }
});

t.test('whatever passes of 10,000 mutations leaves the package alive', async t => {
  const random = seeded(5);
  const { client, socket } = bareClient();
  const models = Object.values({ ...GOOD, ...KILLERS, ...KILLER_ANSWERS }).map(bytesOf);
  const passed = { query: 0, response: 0, error: 0 };
  for (let i = 0; i < 10_000; i++) {
    const mutated = mutate(models[Math.floor(random() * models.length)] ?? Buffer.alloc(0), random);
    const kind = krpcKind(mutated);
    if (kind === undefined) continue;
    passed[kind]++;
    if (kind !== 'query') {
      client.addNode({ host: FROM.address, port: FROM.port });
      transactionOf(socket.sent.at(-1)).copy(mutated, mutated.indexOf('1:t2:') + 5);
    }
    socket.emit('message', mutated, FROM);
  }
  t.ok(Math.min(passed.query, passed.response, passed.error) >= 20, JSON.stringify(passed));
  await new Promise<void>(resolve => client.destroy(resolve));
});

function transactionOf(query: Buffer = Buffer.alloc(0)): Buffer {
  return query.subarray(query.indexOf('1:t2:') + 5).subarray(0, 2);
}

/** One to three bytes changed, removed or added. */
function mutate(packet: Uint8Array, random: () => number): Buffer {
  const bytes = [...packet];
  for (let count = 1 + Math.floor(random() * 3); count > 0; count--) {
    const at = Math.floor(random() * (bytes.length + 1));
    const byte =
      random() < 0.5 ? Math.floor(random() * 256) : '0123456789deil:'.charCodeAt(Math.floor(random() * 15));
    bytes.splice(at, random() < 0.7 ? 1 : 0, ...(random() < 0.8 ? [byte] : []));
  }
  return Buffer.from(bytes);
}

t.test('answers are cut so that nobody is flooded through us', async t => {
  const nodes = Array.from({ length: 30 }, (_, at) => `${NODE_ID}\x7f\0\0\x01\x1a${String.fromCharCode(at)}`);
  const withNodes = bytesOf(
    `d1:rd2:id20:${TARGET}5:nodes${30 * 26}:${nodes.join('')}5:token2:abe1:t2:aa1:y1:re`,
  );
  const eight = bytesOf(
    `d1:rd2:id20:${TARGET}5:nodes208:${nodes.slice(0, 8).join('')}5:token2:abe1:t2:aa1:y1:re`,
  );
  t.strictSame(Buffer.from(trimReply(withNodes)), eight, 'the eight closest nodes stay');

  const peers = Array.from(
    { length: 500 },
    (_, at) => `6:\x7f\0\0\x01${String.fromCharCode(at >> 8, at & 255)}`,
  );
  const withPeers = bytesOf(`d1:rd2:id20:${TARGET}6:valuesl${peers.join('')}ee1:t2:aa1:y1:re`);
  const cut = Buffer.from(trimReply(withPeers));
  t.equal(krpcKind(cut), 'response');
  t.ok(cut.length <= LIMITS.dhtReplyBytes && cut.length > LIMITS.dhtReplyBytes - 8, 'as many peers as fit');
  t.ok(cut.includes(bytesOf(peers.slice(0, 120).join(''))));

  for (const [name, packet] of Object.entries(GOOD))
    t.equal(trimReply(bytesOf(packet)).length, packet.length, name);
});

interface Vector {
  readonly group: string;
  readonly id: string;
  readonly output: { readonly bencoded?: string; readonly message_hex?: string };
}

const VECTORS = join(CORPUS, 'vectors.json');
t.test('the published examples', { skip: !existsSync(VECTORS) && 'the corpus is absent' }, async t => {
  const all: { vectors: Vector[] } = JSON.parse(readFileSync(VECTORS, 'utf8'));
  const vectors = all.vectors.filter(vector => vector.group === 'bep5_krpc');
  t.equal(vectors.length, 14);
  // "def456..." is no list of nodes, transaction ids of our own have two bytes, and a message has a type.
  const refused = [
    'find-node-response',
    'get-peers-nodes',
    'bep42-ip-field',
    'bep51-sample-response',
    'read-only',
  ];
  for (const { id, output } of vectors) {
    const bytes = output.message_hex
      ? Buffer.from(output.message_hex, 'hex')
      : bytesOf(output.bencoded ?? '');
    t.equal(krpcKind(bytes) !== undefined, !refused.includes(id), id);
  }
});
