import t from 'tap';
import { main } from '../../src/cli/main.js';
import type { FoundEvent } from '../../src/engine/events.js';
import type { FindOptions } from '../../src/engine/options.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { type FakeIo, fakeIo, settle, until } from './fake-io.js';

const HASH = 'a'.repeat(40);

/** Starts `peers`; `signal` is the one that findPeers was given. */
async function listing(io: FakeIo, ...flags: string[]) {
  const asked: FindOptions[] = [];
  io.prepare = engine => {
    engine.onFind = (_signal, options) => void asked.push(options);
  };
  const exit = main(['peers', ...flags, HASH], io);
  await until(() => asked.length > 0);
  const found = (host: string, from: FoundEvent['from']) =>
    io.engine!.options.onEvent({ event: 'found', host, port: 6881, from });
  return { exit, found, asked: asked[0]! };
}

t.test('addresses as they are heard of, until the time is up', async t => {
  const io = fakeIo();
  const { exit, found } = await listing(io);
  found('192.0.2.1', 'dht');
  found('2001:db8::1', 'tracker');
  io.pass(29_999);
  await settle();
  t.equal(io.engine?.closed, 0);
  io.pass(1);
  t.equal(await exit, 0);
  t.equal(io.stdout.text, '192.0.2.1:6881\tdht\n[2001:db8::1]:6881\ttracker\n');
  t.equal(io.stderr.text, '');
  t.equal(io.engine?.closed, 1);
});

t.test('NUL, and a time of our own', async t => {
  const io = fakeIo();
  const { exit, found } = await listing(io, '-0', '--timeout', '1m');
  found('192.0.2.1', 'dht');
  io.pass(60_000);
  t.equal(await exit, 0);
  t.equal(io.stdout.text, '192.0.2.1:6881\tdht\0');
});

t.test('JSON', async t => {
  const io = fakeIo();
  const { exit, found } = await listing(io, '--json');
  io.engine!.options.onEvent({ event: 'listening', host: '0.0.0.0', port: 1, dhtPort: null });
  found('192.0.2.1', 'dht');
  io.pass(30_000);
  t.equal(await exit, 0);
  t.equal(
    io.stdout.text,
    '{"v":1,"t":0,"event":"listening","host":"0.0.0.0","port":1,"dhtPort":null}\n' +
      `{"v":1,"t":0,"event":"found","source":"${HASH}","infoHash":"${HASH}","host":"192.0.2.1","port":6881,"from":"dht"}\n`,
  );
});

t.test('trackers: asked as told, shown to those who scrape', async t => {
  const io = fakeIo();
  const { exit, asked } = await listing(
    io,
    '--scrape',
    '--tracker',
    'udp://a:1',
    '--no-trackers',
    '--no-pex',
  );
  t.match(asked, { scrape: true, trackers: [['udp://a:1']], useTrackers: false, peers: [] });
  t.match(io.engine?.options, { pex: false, lsd: true });
  asked.onEvent({ event: 'tracker', url: 'udp://a:1', seeds: 12, leechers: 3 });
  asked.onEvent({ event: 'warning', message: 'this torrent is private' });
  io.pass(30_000);
  t.equal(await exit, 0);
  t.equal(
    io.stderr.text,
    'tracker udp://a:1: 12 seeds, 3 leechers\nrarest: warning: this torrent is private\nrarest: no peers found\n',
  );

  const plain = fakeIo();
  const listed = await listing(plain);
  listed.asked.onEvent({ event: 'tracker', url: 'udp://a:1', error: 'timeout' });
  listed.found('192.0.2.1', 'dht');
  plain.pass(30_000);
  t.equal(await listed.exit, 0);
  t.equal(plain.stderr.text, '', 'who failed is of no concern where others answered');
});

t.test('nobody is an answer too', async t => {
  const io = fakeIo();
  const { exit } = await listing(io);
  io.pass(30_000);
  t.equal(await exit, 0);
  t.equal(io.stderr.text, 'rarest: no peers found\n');
});

t.test('--timeout 0: until stopped', async t => {
  const io = fakeIo();
  const { exit } = await listing(io, '--timeout', '0');
  io.pass(10_000_000);
  await settle();
  t.equal(io.engine?.closed, 0);
  io.signal('SIGINT');
  t.equal(await exit, 130);
});

t.test('the reader goes away: the end, without complaint', async t => {
  const io = fakeIo();
  const { exit } = await listing(io);
  io.stdout.fail('EPIPE');
  t.equal(await exit, 0);
  t.equal(io.stderr.text, '');
  t.equal(io.engine?.closed, 1);
});

t.test('failures', async t => {
  t.equal(await main(['peers', 'missing.torrent'], fakeIo()), 4);
  t.equal(await main(['peers', `magnet:?xt=urn:btmh:1220${'0'.repeat(63)}1`], fakeIo()), 15);
  const taken = fakeIo();
  taken.prepare = engine => {
    engine.onStart = async () => {
      throw new TorrentError('NETWORK', 'listening on port 1: taken');
    };
  };
  t.equal(await main(['peers', '--port', '1', HASH], taken), 10);
  t.equal(taken.stderr.text, 'rarest: listening on port 1: taken (NETWORK)\n');
});

t.test('a source by stdin: the first of it', async t => {
  const io = fakeIo();
  io.prepare = engine => {
    engine.onFind = () => {
      engine.options.onEvent({ event: 'found', host: '192.0.2.1', port: 1, from: 'dht' });
      io.pass(30_000);
    };
  };
  io.input.write(`${HASH}\n`);
  t.equal(await main(['peers', '-'], io), 0);
  t.equal(io.stdout.text, '192.0.2.1:1\tdht\n');
  t.ok(io.input.destroyed);
});
