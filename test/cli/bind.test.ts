// --bind on the command line: what it may be, that all that fetches heeds it, and how a run ends that loses its address.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { COMMANDS } from '../../src/cli/commands.js';
import { BIND } from '../../src/cli/kinds.js';
import { main } from '../../src/cli/main.js';
import { lostBinding } from '../../src/engine/binding.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { type FakeIo, fakeIo, settle, until } from './fake-io.js';
import { torrentFile } from './torrent-file.js';

const HASH = 'c'.repeat(40);
const card = { netmask: '', mac: '', internal: false, cidr: null, family: 'IPv4' } as const;
const MACHINE = {
  lo: [{ ...card, address: '127.0.0.1', internal: true }],
  tun0: [{ ...card, address: '10.8.0.2' }],
};

function boundIo(): FakeIo {
  const io = fakeIo();
  io.interfaces = () => MACHINE;
  return io;
}

t.test('an address, or what may be the name of an interface', async t => {
  const names = ['tun0', 'eth0.100', 'eth0:1', 'br-0a1b2c', 'Ethernet 2', 'vEthernet (WSL)', 'wg-büro'];
  const addresses = ['192.0.2.7', '::1', '2001:db8::7', 'fe80::1%eth0'];
  for (const good of [...addresses, ...names]) t.equal(BIND.parse(good), good);
  for (const bad of [
    '',
    ' tun0',
    '192.0.2',
    '192.0.2.300',
    '192.0.2.7:80',
    '[::1]',
    'a:b:c',
    '::g',
    'a/b',
    '\n',
  ])
    t.equal(BIND.parse(bad), undefined, JSON.stringify(bad));
  const io = fakeIo();
  t.equal(await main(['download', '--bind', '192.0.2.300', HASH], io), 2);
  t.match(io.stderr.text, '--bind 192.0.2.300: not an address or an interface (USAGE)\nhint: for example: ');
});

t.test('the engine gets it, and what is not here starts no engine', async t => {
  const io = boundIo();
  io.prepare = engine => {
    engine.onAdd = torrent => torrent.finish();
  };
  io.env.RAREST_BIND = 'tun0';
  t.equal(await main(['download', HASH], io), 0);
  const { bound } = io.engine?.options ?? {};
  t.same(bound?.binding, { name: 'tun0', addresses: ['10.8.0.2'] });
  t.equal(bound?.interfaces, io.interfaces);

  for (const argv of [
    ['download', HASH],
    ['seed', HASH],
    ['info', HASH],
    ['peers', HASH],
    ['magnet', 'http://127.0.0.1:9/x'],
    ['verify', 'http://127.0.0.1:9/x'],
  ]) {
    const away = boundIo();
    t.equal(await main([...argv, '--bind', 'tun9'], away), 10, argv.join(' '));
    t.match(away.stderr.text, /tun9: no interface.*\(NETWORK\)\nhint: there are lo \(127.0.0.1\), tun0 /);
    t.equal(away.engine, undefined);
  }
  const directory = t.testdir({ 'a.torrent': Buffer.from(torrentFile('a.txt').bytes) });
  const offline = ['magnet', '--bind', 'tun9', join(directory, 'a.torrent')];
  t.equal(await main(offline, boundIo()), 0, 'who needs no network does not ask for it');
});

t.test('every command that has a flag for the network has this one', async t => {
  for (const { name, flags } of COMMANDS) {
    const has = (flag: string) => flags.some(candidate => candidate.name === flag);
    t.equal(has('bind'), has('port') || name === 'magnet', name);
  }
});

/** A server that has a .torrent, and the addresses it was asked from. */
async function library(t: Test) {
  const from: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    from.push(request.socket.remoteAddress);
    if (request.url === '/a') response.writeHead(302, { location: '/b' }).end();
    else response.end(torrentFile('a.txt').bytes);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/a`, from };
}

t.test('a .torrent is fetched from there too', async t => {
  const { url, from } = await library(t);
  for (const command of ['magnet', 'info']) {
    const io = boundIo();
    t.equal(await main([command, '--bind', '127.0.0.2', url], io), 0, io.stderr.text);
  }
  t.same(from, ['127.0.0.2', '127.0.0.2', '127.0.0.2', '127.0.0.2'], 'redirects included');
});

t.test('a lost address ends the run with its own code, whatever failed before', async t => {
  const io = boundIo();
  const [a, b] = ['a'.repeat(40), 'b'.repeat(40)];
  const running = main(['download', '--bind', 'tun0', a, b], io);
  await until(() => io.engine?.torrents.length === 2);
  io.engine?.torrents[0]?.fail(new TorrentError('STALLED', 'downloading: no new byte for 60 s'));
  await settle();
  const { bound } = io.engine!.options;
  bound!.onLost(lostBinding(bound!.binding));
  io.engine?.torrents[1]?.finish();
  t.equal(await running, 10);
  t.equal(io.engine?.closed, 1);
  t.match(
    io.stderr.text,
    /lost the bound interface: tun0 \(10\.8\.0\.2\) is gone or has changed \(NETWORK\)\n/,
  );
  t.same(io.raised, []);
});

t.test('an address that goes while we stop is no news', async t => {
  const io = boundIo();
  const running = main(['download', '--bind', 'tun0', HASH], io);
  await until(() => io.engine?.torrents.length === 1);
  io.signal('SIGTERM');
  const { bound } = io.engine!.options;
  bound!.onLost(lostBinding(bound!.binding));
  t.equal(await running, 143);
  t.notMatch(io.stderr.text, 'lost');
});
