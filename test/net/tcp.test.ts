import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { PeerSocket } from '../../src/net/peer-socket.js';
import { dial, Listener, type ListenOptions } from '../../src/net/tcp.js';
import type { Binding } from '../../src/torrent/binding.js';
import { TorrentError } from '../../src/torrent/errors.js';
import type { HostPort } from '../../src/torrent/metainfo-types.js';
import { boundTo } from '../support/bound.js';
import { dialled, LOOPBACK, portOf, Recorder } from './sockets.js';

const hasIPv6 = Object.values(networkInterfaces()).some(list =>
  list?.some(({ address }) => address === '::1'),
);

async function listening(t: Test, options: Partial<ListenOptions>): Promise<Listener> {
  const listener = await Listener.open({ port: 0, onAccept: () => new Recorder(), ...options });
  t.teardown(() => listener.close());
  return listener;
}

/** A program that holds a port of all addresses. */
async function squatter(t: Test, port = 0): Promise<Server> {
  const server = createServer().listen({ port, host: '0.0.0.0', exclusive: true });
  await once(server, 'listening');
  t.teardown(() => server.close());
  return server;
}

/** Fails, and says why. */
function failure(address: HostPort, timeoutMs = 10_000, binding?: Binding): Promise<string> {
  return new Promise((resolve, reject) => {
    dial(
      address,
      { timeoutMs, binding },
      { onConnected: () => void reject(new Error('connected')), onFailed: resolve },
    );
  });
}

t.test('a port that was asked for is had or missed', async t => {
  const taken = portOf(await squatter(t));
  const error = await Listener.open({ port: taken, onAccept: () => undefined }).catch(
    (error: unknown) => error,
  );
  t.ok(error instanceof TorrentError);
  t.match(error, { code: 'NETWORK', message: `listening on port ${taken}: address in use`, hint: /--port/ });
  const free = await listening(t, {});
  await free.close();
  t.equal((await listening(t, { port: free.port })).port, free.port);
});

t.test('an address that is not here', async t => {
  await t.rejects(Listener.open({ port: 0, hosts: ['203.0.113.1'], onAccept: () => undefined }), {
    code: 'NETWORK',
    message: 'listening on any port: no such address here',
  });
});

t.test('several addresses share a port, or it counts as taken', async t => {
  const tried: number[] = [];
  const hosts = [LOOPBACK, '127.0.0.2'];
  const seen: string[] = [];
  const listener = await listening(t, {
    hosts,
    alsoBind: async port => void tried.push(port),
    onAccept: ({ address }) => {
      seen.push(address.host);
      return new Recorder();
    },
  });
  t.same(listener.hosts, hosts);
  t.same(tried, [listener.port], 'asked once');
  for (const host of hosts) {
    const binding = boundTo(host);
    const recorder = new Recorder();
    const peer = await new Promise<PeerSocket>((resolve, reject) =>
      dial(
        { host, port: listener.port },
        { timeoutMs: 10_000, binding },
        {
          onConnected: peer => {
            resolve(peer);
            return recorder;
          },
          onFailed: reject,
        },
      ),
    );
    while (seen.at(-1) !== host) await turn();
    peer.destroy();
  }
  t.same(seen, hosts, 'who dials is seen under the address that it is bound to');
  t.equal(await failure({ host: '127.0.0.3', port: listener.port }), 'connection refused');

  const taken = createServer().listen({ port: 0, host: '127.0.0.2', exclusive: true });
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const port = portOf(taken);
  await t.rejects(Listener.open({ port, hosts, onAccept: () => undefined }), {
    message: `listening on port ${port}: address in use`,
  });
  t.equal(await failure({ host: LOOPBACK, port }), 'connection refused', 'what was had is given back');
});

t.test('without a port the usual ones are tried in turn, then any', async t => {
  const tried: number[] = [];
  const listener = await listening(t, {
    port: undefined,
    hosts: [LOOPBACK],
    alsoBind: async port => {
      tried.push(port);
      if (port >= 6881 && port <= 6889) throw new TorrentError('NETWORK', 'listening on UDP: taken');
    },
  });
  const usual = tried.slice(0, -1);
  t.strictSame(usual, [...usual].sort(), 'in order');
  t.ok(usual.every(port => port >= 6881 && port <= 6889));
  t.equal(listener.port, tried.at(-1));
  t.ok(listener.port > 6889);
});

t.test('what must have the same port gets it, or the port counts as taken', async t => {
  const tried: number[] = [];
  const listener = await listening(t, {
    port: 0,
    alsoBind: async port => {
      tried.push(port);
      if (tried.length < 3) throw new TorrentError('NETWORK', 'listening on UDP: taken');
    },
  });
  t.equal(tried.length, 3);
  t.equal(listener.port, tried[2]);

  const free = await listening(t, {});
  await free.close();
  const udpTaken = new TorrentError('NETWORK', `listening on UDP port ${free.port}: address in use`);
  const asked = Listener.open({
    port: free.port,
    onAccept: () => undefined,
    alsoBind: () => Promise.reject(udpTaken),
  });
  t.equal(await asked.catch((error: unknown) => error), udpTaken);
  t.equal((await listening(t, { port: free.port })).port, free.port, 'and is free again');
});

t.test('IPv4 peers of a dual-stack listener have IPv4 addresses', async t => {
  const peers: PeerSocket[] = [];
  const recorder = new Recorder();
  const listener = await listening(t, {
    onAccept: peer => {
      peers.push(peer);
      return recorder;
    },
  });
  t.same(listener.hosts, [hasIPv6 ? '::' : '0.0.0.0']);
  const { peer } = await dialled(t, listener.port);
  peer.write(Buffer.from('hi'));
  await recorder.until(() => recorder.bytes.length === 2);
  t.match(peers[0], { incoming: true, address: { host: LOOPBACK, port: Number } });
});

t.test('IPv6', { skip: !hasIPv6 && 'this machine has no IPv6' }, async t => {
  let host = '';
  const recorder = new Recorder();
  const listener = await listening(t, {
    onAccept: peer => {
      host = peer.address.host;
      return recorder;
    },
  });
  const { peer } = await dialled(t, listener.port, '::1');
  t.equal(peer.address.host, '::1');
  peer.write(Buffer.from('hi'));
  await recorder.until(() => recorder.bytes.length === 2);
  t.equal(host, '::1');
});

t.test('who is not accepted is hung up on', async t => {
  const listener = await listening(t, { hosts: [LOOPBACK], onAccept: () => undefined });
  const { recorder } = await dialled(t, listener.port);
  await recorder.until(() => recorder.closed !== undefined);
  t.equal(recorder.closed, 'remote-closed');
});

t.test('closing hangs up on those accepted, and leaves no handle', async t => {
  const listener = await listening(t, { hosts: [LOOPBACK] });
  const { recorder } = await dialled(t, listener.port);
  await listener.close();
  await recorder.until(() => recorder.closed !== undefined);
  await listener.close();
  t.equal(await failure({ host: LOOPBACK, port: listener.port }), 'connection refused');
  // A handle is gone a turn of the event loop after it was closed.
  await turn();
  await turn();
  const handles = process.getActiveResourcesInfo().filter(name => name.startsWith('TCP'));
  t.strictSame(handles, []);
});

t.test('a dial that fails says why', async t => {
  const gone = await squatter(t);
  const port = portOf(gone);
  gone.close();
  await once(gone, 'close');
  t.equal(await failure({ host: LOOPBACK, port }), 'connection refused');
  for (const host of ['example.invalid', '0.0.0.0', '255.255.255.255', 'ff02::1'])
    t.equal(await failure({ host, port: 6881 }), 'not an address to dial', host);
  t.equal(await failure({ host: LOOPBACK, port: 0 }), 'not an address to dial');
  const to = { host: LOOPBACK, port };
  t.equal(await failure(to, 10_000, boundTo('203.0.113.1')), 'address not available');
  t.equal(await failure(to, 10_000, boundTo('::1')), 'no IPv4 address is bound');
  const six = { host: '2001:db8::1', port };
  t.equal(await failure(six, 10_000, boundTo('127.0.0.1')), 'no IPv6 address is bound');
});

t.test('a dial that takes too long', async t => {
  const listener = await listening(t, { hosts: [LOOPBACK] });
  const failed = failure({ host: LOOPBACK, port: listener.port }, 1);
  // The event loop looks at timers before it hears that the connection is there.
  for (const begun = performance.now(); performance.now() - begun < 5; );
  t.equal(await failed, 'timed out');
});

t.test('a dial that was given up says nothing', async t => {
  const listener = await listening(t, { hosts: [LOOPBACK] });
  const handlers = {
    onConnected: () => t.fail('connected') as unknown as undefined,
    onFailed: () => t.fail('failed') as unknown as undefined,
  };
  dial({ host: LOOPBACK, port: listener.port }, { timeoutMs: 10_000 }, handlers)();
  dial({ host: 'no address', port: 1 }, { timeoutMs: 10_000 }, handlers)();
  const { peer, recorder } = await dialled(t, listener.port);
  t.equal(recorder.closed, undefined, 'the ones before would have been heard of by now');
  peer.destroy();
});

t.test('giving up a dial that has ended changes nothing', async t => {
  const recorder = new Recorder();
  const listener = await listening(t, { hosts: [LOOPBACK], onAccept: () => recorder });
  const client = new Recorder();
  let giveUp = () => {};
  const peer = await new Promise<PeerSocket>((resolve, reject) => {
    giveUp = dial(
      { host: LOOPBACK, port: listener.port },
      { timeoutMs: 10_000 },
      {
        onConnected: peer => {
          resolve(peer);
          return client;
        },
        onFailed: reject,
      },
    );
  });
  giveUp();
  peer.write(Buffer.from('still here'));
  await recorder.until(() => recorder.bytes.length === 10);
  t.equal(client.closed, undefined);
  peer.destroy();
});

t.test('small receive buffers, where a limit is to be kept smoothly', async t => {
  const server = createServer(socket => socket.end(Buffer.alloc(100_000)));
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const recorder = new Recorder();
  dial(
    { host: LOOPBACK, port: portOf(server) },
    { timeoutMs: 10_000, receiveBytes: 4096 },
    { onConnected: () => recorder, onFailed: t.fail },
  );
  await recorder.until(() => recorder.closed !== undefined);
  t.equal(recorder.bytes.length, 100_000);
  t.ok(recorder.received.every(chunk => chunk.length <= 4096));
});

t.test('errors of a listener after it began do not end the process', async t => {
  const listener = await listening(t, { hosts: [LOOPBACK] });
  const far = connect(listener.port, LOOPBACK);
  far.on('error', () => {});
  far.on('connect', () => far.resetAndDestroy());
  await once(far, 'close');
  const { peer } = await dialled(t, listener.port);
  t.equal(peer.address.port, listener.port);
});
