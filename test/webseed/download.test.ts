// Web seeds at work: a real swarm that downloads from real HTTP servers on this machine, by the real HTTP client.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { HttpClient } from '../../src/net/http.js';
import type { SwarmPort } from '../../src/swarm/port.js';
import { Swarm } from '../../src/swarm/swarm.js';
import { Bitfield } from '../../src/torrent/bitfield.js';
import type { BlockList } from '../../src/torrent/block-list.js';
import type { CloseReason } from '../../src/torrent/errors.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';
import { WebSeed } from '../../src/webseed/web-seed.js';
import type { Block, Message } from '../../src/wire/message.js';
import { type Content, contentOf } from '../support/content.js';
import { factsOf, SETTINGS } from '../support/draw.js';
import { seeded } from '../support/random.js';

type Handler = (data: Buffer, range: readonly [number, number], response: ServerResponse) => void;

/** As any server does it. */
const serve: Handler = (data, [first, last], response) => {
  const part = data.subarray(first, last + 1);
  const range = `bytes ${first}-${last}/${data.length}`;
  response.writeHead(206, { 'content-range': range, 'content-length': part.length }).end(part);
};

/** A server that has the files of a torrent below `/pub`; its URL, and the paths and ranges it was asked for. */
async function serverOf(t: Test, content: Content, handler: Handler = serve) {
  const asked: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    const file = content.metainfo.files.find(
      ({ path }) => decodeURIComponent(pathname) === `/pub/${path.join('/')}`,
    );
    const [first = 0, last = 0] = (request.headers.range ?? '').replace('bytes=', '').split('-').map(Number);
    asked.push(`${pathname} ${first}-${last}`);
    if (file) handler(content.data.subarray(file.offset, file.offset + file.length), [first, last], response);
    else response.writeHead(404).end('nothing here');
  };
  const server = createServer(answer);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/pub/`, asked };
}

/** A swarm whose peers are web seeds, with its pieces in memory. */
class Download implements SwarmPort {
  readonly swarm: Swarm;
  readonly closed: { peer: number; reason: CloseReason }[] = [];
  readonly gone: string[] = [];
  readonly warnings: string[] = [];
  readonly stored: Buffer;
  readonly #content: Content;
  readonly #client = new HttpClient({});
  readonly #seeds = new Map<number, WebSeed>();
  readonly #received = new Map<Piece, number>();
  /** Ticks of a clock of its own: one ms for every message. */
  #now = 0;

  constructor(content: Content) {
    this.#content = content;
    this.stored = Buffer.alloc(content.data.length);
    const have = new Bitfield(content.geometry.pieceCount);
    this.swarm = new Swarm(content.geometry, have, SETTINGS, this, seeded(1));
  }

  add(url: string): WebSeed {
    const number = this.#seeds.size + 1;
    const seed = new WebSeed({
      url,
      metainfo: this.#content.metainfo,
      fetch: (url, options) => this.#client.get(url, { ...options, maxRedirects: 5 }),
      now: () => this.#now,
      wakeAt: () => {},
      random: seeded(1),
      onMessage: message => this.swarm.message(number, message, this.#now++),
      onGone: reason => {
        this.gone.push(reason);
        this.swarm.peerClosed(number, this.#now);
      },
      onWarning: text => this.warnings.push(text),
    });
    this.#seeds.set(number, seed);
    this.swarm.peerConnected(number, factsOf(number, { fast: false, webSeed: true }), this.#now);
    seed.start();
    return seed;
  }

  /** Until the swarm is complete, or nobody is left to give. */
  async end(): Promise<void> {
    while (!this.swarm.complete && this.swarm.peers.size > 0) await turn();
    this.#client.close();
  }

  send(peer: number, message: Message): void {
    if (message.type === 'cancel')
      this.#seeds.get(peer)?.cancel(message.index, message.begin, message.length);
  }

  choke(): void {
    throw new Error('a web seed wants nothing of us');
  }

  readBlock(): void {
    throw new Error('a web seed wants nothing of us');
  }

  request(peer: number, blocks: BlockList): void {
    this.#seeds.get(peer)?.request(blocks);
  }

  close(peer: number, reason: CloseReason): void {
    this.#seeds.get(peer)?.close();
    this.closed.push({ peer, reason });
  }

  storeBlock(piece: Piece, begin: number, { data, length }: Block): void {
    const { geometry, metainfo } = this.#content;
    const offset = geometry.offsetOf(piece);
    this.stored.set(data ?? [], offset + begin);
    const received = (this.#received.get(piece) ?? 0) + length;
    this.#received.set(piece, received);
    if (received < geometry.lengthOf(piece)) return;
    this.#received.delete(piece);
    const bytes = this.stored.subarray(offset, offset + received);
    const hash = metainfo.pieceHashes.subarray(piece * 20, piece * 20 + 20);
    const ok = createHash('sha1').update(bytes).digest().equals(hash);
    setImmediate(() => this.swarm.pieceChecked(piece, ok, this.#now));
  }

  discard(piece: Piece): void {
    this.#received.delete(piece);
  }
}

t.test('one file: few requests, one after the other over all of it', async t => {
  const content = contentOf(3_000_007, { name: 'one file.bin' });
  const { url, asked } = await serverOf(t, content);
  const download = new Download(content);
  download.add(url);
  await download.end();
  t.ok(download.stored.equals(content.data));
  t.same(download.closed, [{ peer: 1, reason: 'both-seeds' }]);
  t.ok(asked.every(line => line.startsWith('/pub/one%20file.bin ')));
  t.ok(asked.length < 20, `${asked.length} requests for ${content.geometry.pieceCount} pieces`);
  t.equal(download.swarm.downloads.receivedBytes, content.data.length, 'nothing twice');
});

t.test('a folder, from two servers of which one lacks a file and gives some in full only', async t => {
  const content = contentOf({ 'a/ü ?.txt': 70_000, empty: 0, b: 1_500_000, 'c#': 5, d: 600_000 });
  const lacking: Handler = (data, range, response) => {
    if (data.length === 600_000) response.writeHead(404).end('gone');
    else if (data.length === 70_000) response.end(data);
    else serve(data, range, response);
  };
  const servers = [await serverOf(t, content, lacking), await serverOf(t, content)];
  const download = new Download(content);
  for (const { url } of servers) download.add(url);
  await download.end();
  t.ok(download.stored.equals(content.data));
  t.same(
    download.closed.map(({ reason }) => reason),
    ['both-seeds', 'both-seeds'],
    'also the one that lacks a file',
  );
  for (const { asked } of servers) t.ok(asked.length > 1);
});

t.test('a server that lies is closed for its first piece', async t => {
  const content = contentOf(1_000_000);
  const lie: Handler = (data, range, response) =>
    serve(Buffer.from(data.map(byte => byte ^ 1)), range, response);
  const { url } = await serverOf(t, content, lie);
  const download = new Download(content);
  download.add(url);
  await download.end();
  t.same(download.closed, [{ peer: 1, reason: 'hash-failed' }]);
  t.equal(download.swarm.picker.wants.have.count, 0);
});

t.test('where one of two lies, the other one gives all', async t => {
  const content = contentOf(2_000_000, { pieceLength: 8 * BLOCK_LENGTH });
  const lie: Handler = (data, range, response) => serve(Buffer.alloc(data.length), range, response);
  const download = new Download(content);
  download.add((await serverOf(t, content, lie)).url);
  download.add((await serverOf(t, content)).url);
  await download.end();
  t.ok(download.stored.equals(content.data));
  t.same(download.closed, [
    { peer: 1, reason: 'hash-failed' },
    { peer: 2, reason: 'both-seeds' },
  ]);
});

t.test('a server without ranges has nothing to give of a long file', async t => {
  const content = contentOf(LIMITS.webSeedSkipBytes * 2);
  const { url } = await serverOf(t, content, (data, _range, response) => response.end(data));
  const download = new Download(content);
  download.add(url);
  await download.end();
  t.same(download.gone, ['the server has no ranges']);
});

t.test('closed while bodies are on their way, nothing keeps the process', async t => {
  const content = contentOf(1_000_000);
  const { url, asked } = await serverOf(t, content, (data, [first, last], response) => {
    const headers = {
      'content-range': `bytes ${first}-${last}/${data.length}`,
      'content-length': last - first + 1,
    };
    response.writeHead(206, headers).write(data.subarray(first, first + 5));
  });
  const download = new Download(content);
  const seed = download.add(url);
  while (asked.length === 0) await turn();
  seed.close();
  download.swarm.peerClosed(1, 0);
  await download.end();
  t.same([download.warnings, download.gone], [[], []]);
});
