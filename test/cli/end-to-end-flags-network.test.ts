// What each flag of the built program does that says how to talk to others, seen from outside.

import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Content, contentOf } from '../support/content.js';
import { folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { built, Program } from '../support/program.js';
import { ALONE, FakeTracker, ran, serveHttp, towards, writeData } from '../support/runs.js';

const CONTENT = contentOf(400_000);

/** A folder with the .torrent, and with the data if so wished. */
function place(t: Test, content: Content = CONTENT, data = false): string {
  const directory = folder(t, { 'x.torrent': Buffer.from(content.torrentFile) });
  if (data) writeData(directory, content);
  return directory;
}

t.test('flag --max-download, --max-upload: no faster, over all torrents', built, async t => {
  const two = [1, 2].map(seed => contentOf(60_000, { name: `of ${seed}`, seed }));
  const directory = folder(t, { down: {}, up: {} });
  for (const [at, { torrentFile }] of two.entries())
    writeFileSync(join(directory, `${at}.torrent`), torrentFile);
  for (const content of two) writeData(directory, content);
  const peers = await Promise.all(two.map(content => FakePeer.listen(t, content)));
  const sources = ['0.torrent', '1.torrent'];
  const seconds = async (flags: string[]) => {
    const start = performance.now();
    const run = await ran(t, directory, ['download', ...sources, '--json', ...ALONE, ...flags]);
    t.equal(run.exit, 0);
    t.equal(run.named('done').length, 2);
    return (performance.now() - start) / 1000;
  };
  const seed = new Program(t, directory, ['seed', ...sources, '--json', '--max-upload', '80K', ...ALONE]);
  const { port } = await seed.until('listening');
  await seed.until('seeding', 2);
  // 120 kB, less what a bucket holds at the beginning
  const [down, up] = await Promise.all([
    seconds(['-o', 'down', '--max-download', '80K', ...towards(...peers)]),
    seconds(['-o', 'up', '--peer', `127.0.0.1:${port}`]),
  ]);
  t.ok(down > 1.2, `${down} s`);
  t.ok(up > 1.2, `${up} s`);
});

t.test('flag --max-peers, --max-connections: no more at a time', built, async t => {
  for (const flag of ['--max-peers', '--max-connections']) {
    const peers = await Promise.all([1, 2, 3].map(() => FakePeer.listen(t, CONTENT)));
    const run = await ran(t, place(t), [
      'download',
      'x.torrent',
      '--json',
      '-v',
      flag,
      '1',
      ...ALONE,
      ...towards(...peers),
    ]);
    t.equal(run.exit, 0, flag);
    let open = 0;
    for (const { how } of run.named('peer')) {
      if (how === 'dialled') open++;
      if (how === 'closed') open--;
      t.ok(open <= 1, flag);
    }
    t.equal(peers.filter(peer => peer.served.length > 0).length, 1, 'one gave all');
  }
});

t.test('flag --port: the same for TCP and UDP; flag --dht, --no-dht: on by default', built, async t => {
  const any = new Program(t, place(t), [
    ...['download', 'x.torrent', '--json', '--no-lsd', '--port', '0', '--dht-bootstrap', '127.0.0.1:9'],
  ]);
  const { port, dhtPort } = await any.until('listening');
  t.ok(Number(port) > 0);
  t.equal(dhtPort, port, 'the DHT is on');
  await any.kill('SIGTERM');
  const argv = ['download', 'x.torrent', '--json', '--no-lsd', '--no-dht', '--port', `${port}`];
  const asked = new Program(t, place(t), argv);
  t.match(await asked.until('listening'), { port, dhtPort: null }, 'and off');
  await asked.kill('SIGTERM');
});

t.test('flag --port: 6881 to 6889 in turn by default', built, async t => {
  const argv = ['download', 'x.torrent', '--json', '--no-lsd', '--no-dht'];
  const [first, second] = [new Program(t, place(t), argv), new Program(t, join(t.testdirName), argv)];
  const ports = await Promise.all(
    [first, second].map(async program => (await program.until('listening')).port),
  );
  t.not(ports[0], ports[1], 'the next one');
  // where others hold all nine it is any other
  t.ok(
    ports.some(port => Number(port) >= 6881 && Number(port) <= 6889) ||
      ports.every(port => Number(port) > 1023),
  );
  await Promise.all([first.kill('SIGTERM'), second.kill('SIGTERM')]);
});

t.test('flag --tracker, --no-trackers: each is asked, or none', built, async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const [named, first, second, third] = await Promise.all(
    [1, 2, 3, 4].map(() => FakeTracker.start(t, [peer])),
  );
  const link = `${CONTENT.magnet}&tr=${encodeURIComponent(named!.url)}`;
  const flags = ['--tracker', `${first!.url},${second!.url}`, '--tracker', third!.url];
  const directory = folder(t);
  const asked = await ran(t, directory, ['download', link, '--json', ...flags, ...ALONE]);
  t.match(asked, { exit: 0 });
  const told = [named, first, second, third].map(tracker => tracker!.events[0]);
  t.same(
    [told[0], told[3]],
    ['started', 'started'],
    'the link names one, and each flag is a tier of its own',
  );
  t.equal(told.filter(Boolean).length, 3, 'of one tier one is asked');
  for (const tracker of [named, first, second, third]) tracker!.announces.length = 0;
  const none = await ran(t, directory, [
    ...['download', link, '-o', 'out', '--no-trackers', ...flags, ...ALONE, ...towards(peer)],
  ]);
  t.equal(none.exit, 0);
  t.same(
    [named, first, second, third].flatMap(tracker => tracker!.announces),
    [],
  );
});

t.test('flag --peer: [v6]:port too; by environment: white space between several', built, async t => {
  const directory = place(t, CONTENT, true);
  const seed = new Program(t, directory, ['seed', 'x.torrent', '--json', ...ALONE]);
  const { port, host } = await seed.until('listening');
  await seed.until('seeding');
  const run = await ran(t, directory, ['download', CONTENT.magnet, '-o', 'out', '--json', '-v', ...ALONE], {
    env: {
      RAREST_PEER: `127.0.0.1:1 ${host === '::' ? '[::1]' : '127.0.0.1'}:${port}`,
      RAREST_UNHEARD_OF: 'x',
    },
  });
  t.equal(run.exit, 0);
  if (host === '::')
    t.match(
      run.named('peer').filter(({ how }) => how === 'dialled'),
      [{ address: `[::1]:${port}` }],
    );
});

t.test(
  'flag --no-pex: no exchange is offered; flag --no-lsd: nobody listens for the local network',
  built,
  async t => {
    const offers = async (...flags: string[]) => {
      const peer = await FakePeer.listen(t, CONTENT, {
        answer: (_wire, message, honest) => message.type === 'request' || honest(),
      });
      const argv = ['download', 'x.torrent', ...flags, ...ALONE, ...towards(peer)];
      const program = new Program(t, place(t), argv);
      const wire = await peer.wire();
      const handshake = await wire.until('extensionHandshake');
      if (process.platform === 'linux') t.notOk(listensForLocalPeers(program.pid), '--no-lsd');
      await program.kill('SIGTERM');
      return handshake.utPex !== undefined && handshake.utPex !== 0;
    };
    t.equal(await offers(), true);
    t.equal(await offers('--no-pex'), false);
  },
);

/** Whether this process has a UDP socket on the port of BEP 14. */
function listensForLocalPeers(pid: number): boolean {
  const open = readdirSync(`/proc/${pid}/fd`).map(fd => readlinkSync(`/proc/${pid}/fd/${fd}`));
  const sockets = ['udp', 'udp6'].flatMap(name =>
    readFileSync(`/proc/${pid}/net/${name}`, 'utf8').split('\n'),
  );
  const port = `:${(6771).toString(16).toUpperCase()} `;
  return sockets.some(
    line => line.includes(port) && open.includes(`socket:[${line.trim().split(/\s+/)[9]}]`),
  );
}

t.test('flag --web-seed: a server that has the data', built, async t => {
  const url = await serveHttp(t, (request, response) => {
    const [, begin = 0, end = 0] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    const range = `bytes ${begin}-${end}/${CONTENT.data.length}`;
    response.writeHead(206, { 'content-range': range });
    response.end(CONTENT.data.subarray(Number(begin), Number(end) + 1));
  });
  const directory = place(t);
  const argv = ['download', 'x.torrent', '-o', 'out', '--web-seed', `${url}/content`, ...ALONE];
  t.equal((await ran(t, directory, argv)).exit, 0);
  sameFiles(t, join(directory, 'out'), CONTENT);
});
