// The HTTP client against servers on loopback: what they may answer, and what they may fail to.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import dns from 'node:dns';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import tls from 'node:tls';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { HttpClient, HttpError, type HttpErrorKind, type HttpOptions, readBody } from '../../src/net/http.js';
import { checkedLookup } from '../../src/net/http-scope.js';
import { EVERYWHERE, MACHINE, PRIVATE, type Scope } from '../../src/torrent/ip.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { LOCALHOST_TLS } from '../fixtures/tls.js';
import { boundTo } from '../support/bound.js';

const OPTIONS: HttpOptions = { timeoutMs: 20_000, maxRedirects: 3 };
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

async function listening(t: Test, server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>(resolve => server.listen(0, host, resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server, its address, what it was asked, and a client. */
async function site(t: Test, answer: RequestListener, host = '127.0.0.1') {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  const port = await listening(t, server, host);
  const client = new HttpClient({ userAgent: 'rarest/test' });
  t.teardown(() => client.close());
  return { asked, port, server, client, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}` };
}

async function fails(
  t: Test,
  what: Promise<unknown>,
  kind: HttpErrorKind,
  message: RegExp | string,
): Promise<void> {
  const error = await what.then(
    () => undefined,
    (error: unknown) => error,
  );
  t.ok(error instanceof HttpError, `${kind}: ${error}`);
  if (error instanceof HttpError) t.match({ ...error, message: error.message }, { kind, message });
}

const body = (client: HttpClient, url: string, options: Partial<HttpOptions> = {}, maxBytes = 1 << 20) =>
  client.get(url, { ...OPTIONS, ...options }).then(response => readBody(response, maxBytes));

t.test('a GET, and what the server sees of it', async t => {
  const { client, url, asked } = await site(t, (_, response) =>
    response.writeHead(404, { 'X-Thing': ['a', 'b'] }).end('nothing here'),
  );
  const response = await client.get(`${url}/announce?info_hash=%00%ffA'#top`, {
    ...OPTIONS,
    headers: { 'X-Mine': '1' },
  });
  t.equal(response.status, 404, 'a status is not an error');
  t.equal(response.headers['x-thing'], 'a, b');
  t.equal(text(await readBody(response, 12)), 'nothing here');
  response.destroy();
  t.equal(asked[0]?.url, '/announce?info_hash=%00%ffA%27', 'percent-encoded bytes stay as they are');
  t.match(asked[0]?.headers, { 'user-agent': 'rarest/test', 'accept-encoding': 'identity', 'x-mine': '1' });
  t.notOk(asked[0]?.headers.authorization);
});

t.test('an IPv6 literal, and a local address', async t => {
  const { client, url, asked } = await site(t, (_, response) => response.end('six'), '::1');
  t.equal(text(await body(client, url)), 'six');
  t.equal(asked[0]?.headers.host, url.slice('http://'.length));
  const four = await site(t, (request, response) => response.end(request.socket.remoteAddress));
  const bound = (...addresses: string[]) => {
    const client = new HttpClient({ binding: boundTo(...addresses) });
    t.teardown(() => client.close());
    return client;
  };
  t.equal(text(await body(bound('127.0.0.9'), four.url)), '127.0.0.9');
  const elsewhere = body(bound('192.0.2.1'), four.url);
  await fails(t, elsewhere, 'network', 'the local address cannot be used for it');
  await fails(t, body(bound('127.0.0.9'), url), 'network', 'no IPv6 address is bound');
  await fails(t, body(bound('::1'), four.url), 'network', 'no IPv4 address is bound');

  const both = bound('127.0.0.9', '::1');
  t.equal(text(await body(both, four.url)), '127.0.0.9');
  t.equal(text(await body(both, url)), 'six');
  pretendNames(t, { 'both.test': ['::1', '127.0.0.1'], 'four.test': ['127.0.0.1'], 'six.test': ['::1'] });
  const at = (host: string, url: string) => `http://${host}:${new URL(url).port}`;
  t.equal(text(await body(both, at('both.test', four.url))), '127.0.0.9', 'IPv4 first');
  t.equal(text(await body(both, at('both.test', url))), 'six', 'IPv6 where nobody listens at the other');
  t.equal(text(await body(both, at('six.test', url))), 'six', 'IPv6 where there is no other');
  await fails(t, body(bound('127.0.0.9'), at('six.test', url)), 'network', 'the host was not found');
  await fails(t, body(bound('::1'), at('four.test', four.url)), 'network', 'the host was not found');
});

t.test('user and password, and where they are not carried', async t => {
  const other = await site(t, (_, response) => response.end('other'));
  const { client, url, asked } = await site(t, (request, response) => {
    const to = { '/a': '/b', '/b': `${other.url}/c` }[request.url ?? ''];
    if (to === undefined) response.end('same');
    else response.writeHead(302, { location: to }).end();
  });
  const withUser = url.replace('http://', 'http://us%C3%A9r:p%40ss@');
  const response = await client.get(`${withUser}/a`, { ...OPTIONS, headers: { Cookie: 'x=1' } });
  t.equal(response.url, `${other.url}/c`);
  t.equal(text(await readBody(response, 10)), 'other');
  const basic = `Basic ${Buffer.from('usér:p@ss').toString('base64')}`;
  t.same(
    asked.map(({ headers }) => [headers.authorization, headers.cookie]),
    [
      [basic, 'x=1'],
      [basic, 'x=1'],
    ],
  );
  t.match(other.asked[0]?.headers, { authorization: undefined, cookie: undefined });
  const plain = await client.get(`${withUser.replace('%40ss', '%zz')}/z`, OPTIONS);
  t.equal(plain.url, `${url}/z`, 'the final URL is fit to be shown');
  plain.destroy();
  t.equal(asked.at(-1)?.headers.authorization, `Basic ${Buffer.from('usér:p%zz').toString('base64')}`);
});

t.test('redirects: counted, of five kinds, only to http and https', async t => {
  const { client, url, asked } = await site(t, (request, response) => {
    const [, status, to] = /^\/(\d+)\/(.*)$/.exec(request.url ?? '') ?? [];
    if (status === undefined) return response.end('there');
    return response
      .writeHead(Number(status), { location: to === 'loop' ? request.url : `/${to}` })
      .end('moved');
  });
  for (const status of [301, 302, 303, 307, 308])
    t.equal(text(await body(client, `${url}/${status}/x`)), 'there');
  t.equal(text(await body(client, `${url}/300/x`)), 'moved', 'no redirect');
  t.equal(text(await body(client, `${url}/301/302/303/x`)), 'there', 'three are allowed');
  const before = asked.length;
  await fails(t, body(client, `${url}/302/loop`), 'too-many-redirects', 'more than 3 redirects');
  t.equal(asked.length - before, 4);
  await fails(t, body(client, `${url}/302/x`, { maxRedirects: 0 }), 'too-many-redirects', /more than 0/);
  for (const [to, message] of [
    ['file:///etc/passwd', 'file: is neither http: nor https:'],
    ['http://', 'redirected to what is no valid URL'],
    ['http://127.0.0.1:0/', 'nobody listens on port 0'],
  ] as const) {
    const bad = await site(t, (_, response) => response.writeHead(302, { location: to }).end());
    await fails(t, body(bad.client, bad.url), 'bad-url', message);
  }
  for (const bad of ['ftp://a/', 'no url', 'http://127.0.0.1:0/'])
    await fails(t, body(client, bad), 'bad-url', /./);
});

t.test('compressed answers are decoded, piece by piece', async t => {
  const plain = 'd8:intervali1800e5:peers0:e'.repeat(100);
  const encodings: Record<string, [string, Buffer]> = {
    '/gzip': ['gzip', gzipSync(plain)],
    '/x-gzip': ['X-Gzip', gzipSync(plain)],
    '/deflate': ['deflate', deflateSync(plain)],
    '/br': ['br', brotliCompressSync(plain)],
    '/cut': ['gzip', gzipSync(plain).subarray(0, 30)],
    '/lie': ['gzip', Buffer.from(plain)],
    '/odd': ['zstd', Buffer.from(plain)],
    '/bomb': ['gzip', gzipSync(Buffer.alloc(1 << 24))],
  };
  const { client, url, asked } = await site(t, (request, response) => {
    const [encoding = '', bytes] = encodings[request.url ?? ''] ?? [];
    response.writeHead(200, { 'content-encoding': encoding }).end(bytes);
  });
  for (const path of ['/gzip', '/x-gzip', '/deflate', '/br'])
    t.equal(text(await body(client, url + path)), plain, path);
  await fails(t, body(client, `${url}/cut`), 'network', 'its compressed answer is damaged');
  await fails(t, body(client, `${url}/lie`), 'network', 'its compressed answer is damaged');
  await fails(t, body(client, `${url}/odd`), 'network', 'its answer is encoded as zstd');
  await fails(t, body(client, `${url}/bomb`), 'too-large', 'the answer is larger than 1048576 bytes');
  t.equal(asked[0]?.headers['accept-encoding'], 'identity');
  await body(client, `${url}/gzip`, { headers: { 'Accept-Encoding': 'gzip' } });
  t.equal(asked.at(-1)?.headers['accept-encoding'], 'gzip');
});

t.test('bodies that are too large, endless or cut off', async t => {
  const { client, url, server } = await site(t, (request, response) => {
    if (request.url === '/announced') response.writeHead(200, { 'content-length': 1e7 }).write('x');
    else if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': 100 }).write('half');
      setImmediate(() => response.destroy());
    } else feed(response);
  });
  await fails(
    t,
    body(client, `${url}/announced`, {}, 1000),
    'too-large',
    'the answer is larger than 1000 bytes',
  );
  await fails(t, body(client, `${url}/endless`), 'too-large', /larger/);
  await fails(t, body(client, `${url}/cut`), 'network', 'the server closed the connection');
  const closed = new Promise(resolve => server.once('connection', socket => socket.on('close', resolve)));
  const response = await client.get(`${url}/endless`, OPTIONS);
  for await (const chunk of response.body) {
    t.ok(chunk.length > 0);
    break;
  }
  await closed;
  t.pass('leaving the loop ends the connection');
  for await (const chunk of response.body) t.fail(`read twice: ${chunk.length}`);
});

function feed(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(16384)));
  };
  response.on('drain', more);
  more();
}

t.test('servers that hang: connecting, before the headers, in the body, in all', async t => {
  const { client, url } = await site(t, (request, response) => {
    if (request.url === '/silent') return;
    response.writeHead(200);
    if (request.url === '/half') response.write('half');
    else {
      // Some progress all the time: only the bound on everything helps.
      const drip = setInterval(() => response.write('x'), 1);
      response.on('close', () => clearInterval(drip));
    }
  });
  const timeout = { timeoutMs: 30 };
  await fails(t, body(client, `${url}/silent`, timeout), 'timeout', 'no answer for 0.03 s');
  await fails(t, body(client, `${url}/half`, timeout), 'timeout', 'no answer for 0.03 s');
  await fails(t, body(client, `${url}/drip`, { totalMs: 30 }), 'timeout', 'not complete within 0.03 s');
  await fails(t, body(client, `${url}/silent`, { totalMs: 30 }), 'timeout', 'not complete within 0.03 s');
});

t.test('no deadline runs while the reader takes its time', async t => {
  const { client, url } = await site(t, (_, response) => response.end(Buffer.alloc(100_000)));
  const deadlines = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
  const before = deadlines();
  const response = await client.get(url, OPTIONS);
  t.equal(deadlines(), before);
  for await (const chunk of response.body) t.ok(deadlines() === before && chunk.length > 0);
  const silent = await site(t, () => {});
  const waiting = silent.client.get(silent.url, OPTIONS);
  while (silent.asked.length === 0) await new Promise(resolve => setImmediate(resolve));
  t.equal(deadlines(), before + 1, 'one runs while the server is waited for');
  silent.client.close();
  await fails(t, waiting, 'aborted', 'given up');
  t.equal(deadlines(), before);
});

t.test('refused, not found, not HTTP, not trusted', async t => {
  const { client, url, server } = await site(t, (_, response) => response.end());
  await new Promise(resolve => server.close(resolve));
  await fails(t, body(client, url), 'refused', 'connection refused');
  await fails(t, body(client, `http://${'x'.repeat(64)}.invalid/`), 'network', /host/);
  const chatty = createTcpServer(socket => socket.end('220 mail.example.org ESMTP\r\n'));
  await fails(
    t,
    body(client, `http://127.0.0.1:${await listening(t, chatty)}`),
    'network',
    'it does not speak HTTP',
  );
  const mute = createTcpServer(socket => socket.end());
  await fails(
    t,
    body(client, `http://127.0.0.1:${await listening(t, mute)}`),
    'network',
    'the server closed the connection',
  );
  const switching = createServer((_, response) =>
    response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
  );
  await fails(
    t,
    body(client, `http://127.0.0.1:${await listening(t, switching)}`),
    'network',
    'the server closed the connection',
  );
  const tls = createHttpsServer(LOCALHOST_TLS, (_, response) => response.end());
  await fails(
    t,
    body(client, `https://127.0.0.1:${await listening(t, tls)}`),
    'network',
    'its certificate is self-signed',
  );
});

/** Sockets that connect from now on say that they are connected to this address, which may be changed. */
function pretendConnected(t: Test, to: { address: string }): void {
  const pretend = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    Object.defineProperty(socket, 'remoteAddress', { get: () => to.address });
  };
  subscribe('net.client.socket', pretend);
  t.teardown(() => unsubscribe('net.client.socket', pretend));
}

/** From now on names have these addresses. */
function pretendNames(t: Test, names: Readonly<Record<string, readonly string[]>>): void {
  const { lookup } = dns;
  const pretended = (
    name: string,
    options: { readonly family?: number },
    callback: (...results: unknown[]) => void,
  ) => {
    const all = (names[name] ?? []).map(address => ({ address, family: address.includes(':') ? 6 : 4 }));
    const found = all.filter(({ family }) => !options.family || family === options.family);
    const missing = Object.assign(new Error(name), { code: 'ENOTFOUND', syscall: 'getaddrinfo' });
    if (found.length === 0) callback(missing);
    else callback(null, found);
  };
  Object.assign(dns, { lookup: pretended });
  syncBuiltinESMExports();
  t.teardown(() => {
    Object.assign(dns, { lookup });
    syncBuiltinESMExports();
  });
}

t.test('TLS with a certificate that is trusted, for the host that it names', async t => {
  const { createSecureContext } = tls;
  t.intercept(tls, 'createSecureContext', {
    value: (options: tls.SecureContextOptions) => createSecureContext({ ca: LOCALHOST_TLS.cert, ...options }),
  });
  const server = createHttpsServer(LOCALHOST_TLS, (request, response) =>
    request.url === '/away' ? response.writeHead(302, { location: '/' }).end() : response.end('sealed'),
  );
  let handshakes = 0;
  server.on('secureConnection', () => handshakes++);
  const port = await listening(t, server);
  const client = new HttpClient({});
  t.teardown(() => client.close());
  t.equal(text(await body(client, `https://127.0.0.1:${port}/away`)), 'sealed');
  t.equal(text(await body(client, `https://127.0.0.1:${port}/`)), 'sealed');
  t.ok(handshakes < 3, 'connections are kept');
  pretendNames(t, { 'other.test': ['127.0.0.1'] });
  const other = body(client, `https://other.test:${port}/`);
  await fails(t, other, 'network', 'its certificate is for another host');
});

t.test('no redirect leads to a nearer address', async t => {
  const inner = await site(t, (_, response) => response.end('secret'));
  const { client, url, asked, server } = await site(t, (request, response) => {
    if (request.url === '/') response.end('stay');
    else response.writeHead(302, { location: decodeURIComponent(request.url?.slice(2) ?? '') }).end();
  });
  let connections = 0;
  server.on('connection', () => connections++);
  const remote = { address: '127.0.0.1' };
  pretendConnected(t, remote);
  const redirected = (to: string) => body(client, `${url}/?${encodeURIComponent(to)}`);
  t.equal(text(await body(client, url)), 'stay');
  t.equal(text(await redirected(inner.url)), 'secret', 'between servers of this machine they may lead');
  const here = ['127.0.0.1', '127.1', '0x7f000001', '2130706433', '127.0.0.1.', '0.0.0.0', '[::]', '[::1]'];
  const machine = [...here, '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', 'localhost', 'localhost.', 'mixed.test'];
  const network = ['10.0.0.1', '192.168.1.1', '169.254.169.254', '[fe80::1]', '[fd00::1]', 'router.test'];
  pretendNames(t, {
    localhost: ['127.0.0.1'],
    'localhost.': ['::1'],
    'mixed.test': ['127.0.0.1', '192.168.1.1'],
    'router.test': ['192.168.1.1', 'fe80::1%2'],
  });
  const before = inner.asked.length;
  remote.address = '93.184.216.34';
  for (const [hosts, place] of [
    [machine, 'this machine'],
    [network, 'your network'],
  ] as const) {
    for (const host of hosts) {
      const message = `redirected to an address of ${place}, which is refused`;
      await fails(t, redirected(`http://${host}:${inner.port}/`), 'too-near', message);
    }
  }
  for (const address of ['10.1.2.3', 'fe80::1%eth0', '::ffff:192.168.0.1']) {
    remote.address = address;
    t.equal(text(await body(client, url)), 'stay');
    const near = redirected(`http://127.0.0.1:${inner.port}/`);
    await fails(t, near, 'too-near', 'redirected to an address of this machine, which is refused');
  }
  t.equal(inner.asked.length, before, 'nothing was asked');
  t.equal(asked.length - connections, 4, 'four redirects came on connections that were kept');
  // Outward they may lead; that this address cannot be connected to from loopback is another matter.
  const bound = new HttpClient({ binding: boundTo('127.0.0.1') });
  t.teardown(() => bound.close());
  const outward = bound.get(`${url}/?http://192.0.2.1:1/`, OPTIONS);
  await fails(t, outward, 'network', /./);
});

t.test('a name is connected to at addresses that are allowed, and at no others', async t => {
  const addresses = ['127.0.0.1', '192.168.1.1', '::1', '198.51.100.1', '2001:db8::1'];
  pretendNames(t, { 'all.test': addresses, 'here.test': ['127.0.0.1', '::1'] });
  const lookedUp = (name: string, nearest: Scope, all: boolean) =>
    new Promise<unknown>(resolve => {
      const refusal = (scope: Scope) => new HttpError('too-near', `scope ${scope}`);
      checkedLookup({ nearest, refusal })(name, { all }, (error, found) => resolve(error ?? found));
    });
  const allOf = async (nearest: Scope) =>
    ((await lookedUp('all.test', nearest, true)) as dns.LookupAddress[]).map(({ address }) => address);
  t.same(await allOf(MACHINE), addresses);
  t.same(await allOf(PRIVATE), ['192.168.1.1', '198.51.100.1', '2001:db8::1']);
  t.same(await allOf(EVERYWHERE), ['198.51.100.1', '2001:db8::1']);
  t.equal(await lookedUp('all.test', PRIVATE, false), '192.168.1.1');
  for (const all of [true, false])
    t.match(await lookedUp('here.test', PRIVATE, all), { kind: 'too-near', message: `scope ${MACHINE}` });
});

t.test('a rule of what may be asked of this machine holds on every way there', async t => {
  const { client, url, asked, port } = await site(t, (request, response) => {
    if (request.url === '/open/away') response.writeHead(302, { location: '/secret' });
    response.end('x');
  });
  const nearRule = {
    nearest: ({ pathname }: URL) => (pathname.startsWith('/open') ? MACHINE : PRIVATE),
    reason: 'only /open is',
  };
  const message = 'it names an address of this machine in a way that is refused: only /open is';
  t.equal(text(await body(client, `${url}/open`, { nearRule })), 'x');
  t.equal(text(await body(client, `http://localhost:${port}/secret`)), 'x', 'a connection is kept');
  for (const to of ['/secret', '/open/../secret', '/open/%2e%2e/secret', '/open/away']) {
    for (const from of [url, `http://localhost:${port}`, url.replace('http', 'https')]) {
      if (to === '/open/away' && !from.startsWith(url)) continue;
      await fails(t, body(client, from + to, { nearRule }), 'too-near', message);
    }
  }
  t.same(
    asked.map(request => request.url),
    ['/open', '/secret', '/open/away'],
    'a kept connection of others is not used',
  );
});

t.test('giving up: before, between, in the body; by signal, by the caller, by close', async t => {
  const { client, url } = await site(t, (request, response) => {
    if (request.url === '/half') response.writeHead(200, { 'content-length': 100 }).write('half');
  });
  await fails(t, body(client, url, { signal: AbortSignal.abort() }), 'aborted', 'given up');
  const abort = new AbortController();
  const waiting = body(client, url, { signal: abort.signal });
  const reading = body(client, `${url}/half`, { signal: abort.signal });
  const unread = await client.get(`${url}/half`, { ...OPTIONS, signal: abort.signal });
  abort.abort();
  await fails(t, waiting, 'aborted', 'given up');
  await fails(t, reading, 'aborted', 'given up');
  await fails(t, readBody(unread, 100), 'aborted', 'given up');
  const destroyed = await client.get(`${url}/half`, OPTIONS);
  destroyed.destroy();
  await fails(t, readBody(destroyed, 100), 'aborted', 'given up');

  // More than may be connected to one host: the last ones wait without a socket.
  const many = Array.from({ length: LIMITS.httpSocketsPerHost + 3 }, () => body(client, url));
  const half = await client.get(`${url.replace('127.0.0.1', 'localhost')}/half`, OPTIONS);
  client.close();
  for (const one of many) await fails(t, one, 'aborted', 'given up');
  await fails(t, readBody(half, 100), 'aborted', 'given up');
  await fails(t, client.get(url, OPTIONS), 'aborted', 'the client is closed');
});

t.test('a buffered body that is given up is not taken for a whole one', async t => {
  const { client, url } = await site(t, (_, response) => response.end('all of it'));
  const response = await client.get(url, OPTIONS);
  await new Promise(resolve => setImmediate(resolve));
  response.destroy();
  await fails(t, readBody(response, 100), 'aborted', 'given up');
});

t.test('a body is given up by who has read all of it, before its end was told', async t => {
  const { client, url } = await site(t, (_, response) => response.end('all of it'));
  const response = await client.get(url, OPTIONS);
  const parts = response.body[Symbol.asyncIterator]();
  const { value } = await parts.next();
  t.equal(text(value ?? new Uint8Array()), 'all of it');
  response.destroy();
  await fails(t, parts.next(), 'aborted', 'given up');
  // An error of the socket would come before an answer to this, and be uncaught.
  t.equal(text(await body(client, url)), 'all of it', 'the client goes on');
});

t.test('connections are kept, bounded, and replaced when the server closed them', async t => {
  let underWay = 0;
  let most = 0;
  const { client, url, server } = await site(t, async (_, response) => {
    most = Math.max(most, ++underWay);
    await new Promise(resolve => setImmediate(resolve));
    underWay--;
    response.end('x');
  });
  let connections = 0;
  server.on('connection', () => connections++);
  await body(client, url);
  await body(client, url);
  t.equal(connections, 1, 'the second request used the first connection');
  await Promise.all(Array.from({ length: 30 }, () => body(client, url)));
  t.ok(most <= LIMITS.httpSocketsPerHost && connections <= LIMITS.httpSocketsPerHost, `${most} at a time`);

  // Ends each connection with its second request unanswered, as a server does that closes what is idle.
  const seen = new WeakSet<Socket>();
  const forgetful = await site(t, (request, response) => {
    if (seen.has(request.socket)) return request.socket.destroy();
    seen.add(request.socket);
    return response.end('fresh');
  });
  t.equal(text(await body(forgetful.client, forgetful.url)), 'fresh');
  t.equal(text(await body(forgetful.client, forgetful.url)), 'fresh', 'asked again on a new connection');
  t.equal(forgetful.asked.length, 3);
});
