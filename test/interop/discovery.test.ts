// Peers that nobody named: those that other peers tell of (PEX, BEP 11), those on the same network (LSD, BEP 14), and
// that a private torrent (BEP 27) uses neither.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type Content, hashesOf, makeContent, oddFolder, PYTHON, singleFile } from './support/content.js';
import { Libtorrent, startLibtorrentSeed } from './support/libtorrent.js';
import { mktorrent } from './support/makers.js';
import { type Namespace, Network } from './support/namespaces.js';
import { eventually, type Program } from './support/program.js';
import {
  downloadArgs,
  eventsOf,
  expectData,
  outputOf,
  RAREST_PORT,
  type RarestEvent,
  startRarest,
  waitForEvent,
} from './support/rarest.js';

const KIB = 1024;
const RUN_MS = 60_000;
const READY_MS = 30_000;
const LOCAL_SCRIPT = fileURLToPath(new URL('support/libtorrent-local.py', import.meta.url));
/** Nobody is found by other means. */
const PEX_ALONE = ['--no-dht', '--no-lsd', '--no-trackers'];
const LSD_ALONE = ['--no-dht', '--no-trackers'];
/** What a leecher in the middle may fetch: it stays incomplete for minutes, and has next to nothing to give. */
const TRICKLE = ['--max-download', '50K'];
/** What a seed gives where the middle cannot be held back: nobody completes before peers are exchanged. */
const SLOW_BPS = 600_000;
/** Longer than any client waits before it tells of peers for the first time, or calls into the network. */
const IN_VAIN = ['--timeout', '10s'];

/** The tests wait for timers of the clients most of the time. */
const TOGETHER = { buffered: true };
t.jobs = 4;

const network = await Network.create(t);
const parent = join(network.directory, 'shared');
const single = await makeContent(singleFile('single.bin', 6_000_001, 64 * KIB), parent);
const folder = await makeContent(oddFolder('odd folder', 64 * KIB), parent);

/** A private torrent of the same data. */
const secret = join(network.directory, 'secret.torrent');
await mktorrent(join(parent, single.name), secret, { pieceLength: 64 * KIB, private: true });

function addressOf(namespace: Namespace): string {
  return `${namespace.address}:${RAREST_PORT}`;
}

/** Seeds with `--json -v`; ready. */
async function startSeed(namespace: Namespace, torrent: string, args: readonly string[]): Promise<Program> {
  const place = ['--output', parent, '--port', `${RAREST_PORT}`];
  const program = startRarest(namespace, ['seed', torrent, ...place, '--json', '-v', ...args]);
  await waitForEvent(program, 'seeding');
  return program;
}

function startDownload(namespace: Namespace, source: string, args: readonly string[]): Program {
  return startRarest(namespace, downloadArgs(namespace, source, ['--json', '-v', ...args]));
}

/** Events about the connections with this host. */
function meetings(program: Program, host: string): RarestEvent[] {
  return eventsOf(program.lines).filter(
    ({ event, address }) => event === 'peer' && `${address}`.startsWith(`${host}:`),
  );
}

/** Until a connection with this host is reported. */
async function met(program: Program, host: string): Promise<void> {
  const isOpen = (): true | undefined =>
    meetings(program, host).some(({ how }) => how === 'dialled' || how === 'incoming') || undefined;
  await eventually(`${program.name} meets ${host}`, RUN_MS, isOpen);
}

async function expectEnd(t: Test, program: Program, namespace: Namespace, content: Content): Promise<void> {
  const exit = await program.waitForEnd(RUN_MS);
  t.match(exit, { code: 0, signal: null }, 'ends with success');
  await expectData(t, namespace, content);
  t.comment(`${content.name}: ${exit.seconds.toFixed(2)} s`);
}

t.test('PEX: who knows a leecher meets the seed', TOGETHER, async t => {
  const a = await network.add('pex-seed');
  const seed = await startSeed(a, single.torrent, PEX_ALONE);
  const b = await network.add('pex-middle');
  const middle = startDownload(b, single.torrent, [...PEX_ALONE, ...TRICKLE, '--peer', addressOf(a)]);
  await met(middle, a.address);

  const c = await network.add('pex-leecher');
  const leecher = startDownload(c, single.torrent, [...PEX_ALONE, '--peer', addressOf(b)]);
  await expectEnd(t, leecher, c, single);
  t.same(
    eventsOf(middle.lines).filter(({ event }) => event === 'done'),
    [],
    'while the one it knew has not got it',
  );
  t.not(meetings(leecher, a.address).length + meetings(seed, c.address).length, 0, 'the two have met');
});

t.test('PEX: libtorrent tells us', TOGETHER, async t => {
  const a = await network.add('tells-seed');
  const seed = await startSeed(a, single.torrent, [...PEX_ALONE, '--max-upload', `${SLOW_BPS}`]);
  const b = await network.add('tells-middle');
  const middle = new Libtorrent(b, {
    torrents: [{ torrent: single.torrent, directory: b.directory, peers: [addressOf(a)] }],
  });
  await met(seed, b.address);
  const c = await network.add('tells-leecher');
  const leecher = startDownload(c, single.torrent, [...PEX_ALONE, '--peer', middle.peer]);
  await Promise.race([met(leecher, a.address), met(seed, c.address)]);
  t.pass('the two have met');
  await expectEnd(t, leecher, c, single);
});

t.test('PEX: we tell libtorrent', TOGETHER, async t => {
  const a = await network.add('told-seed');
  const seed = await startSeed(a, single.torrent, PEX_ALONE);
  const b = await network.add('told-middle');
  const middle = startDownload(b, single.torrent, [...PEX_ALONE, ...TRICKLE, '--peer', addressOf(a)]);
  await met(middle, a.address);
  const c = await network.add('told-leecher');
  const leecher = new Libtorrent(c, {
    torrents: [{ torrent: single.torrent, directory: c.directory, peers: [addressOf(b)] }],
  });
  await leecher.complete(0, RUN_MS);
  t.not(meetings(seed, c.address).length, 0, 'the two have met');
  t.same(await hashesOf(single, c.directory), await hashesOf(single), 'its bytes are right');
});

t.test('PEX: between libtorrent and libtorrent', TOGETHER, async t => {
  const torrents = [{ torrent: single.torrent, directory: parent, uploadLimit: 4_000_000 }];
  const a = await startLibtorrentSeed(await network.add('lt-seed'), { torrents });
  const b = await network.add('lt-middle');
  const middle = startDownload(b, single.torrent, [...PEX_ALONE, ...TRICKLE, '--peer', a.peer]);
  await met(middle, a.peer.split(':')[0] ?? '');
  const c = await network.add('lt-leecher');
  const leecher = new Libtorrent(c, {
    torrents: [{ torrent: single.torrent, directory: c.directory, peers: [addressOf(b)] }],
  });
  await leecher.complete(0, RUN_MS);
  t.same(
    eventsOf(middle.lines).filter(({ event }) => event === 'done'),
    [],
    'it has what we have not',
  );
});

t.test('LSD: a folder is seeded, and its magnet link is all that somebody has', TOGETHER, async t => {
  const a = await network.add('lsd-seed');
  const seed = startRarest(a, ['seed', join(parent, folder.name)]);
  const magnet = await seed.waitForLine('magnet link', READY_MS, line => line.startsWith('magnet:'));
  t.same(seed.lines, [magnet], 'stdout is the magnet link');
  const b = await network.add('lsd-leecher');
  const leecher = startRarest(b, ['download', magnet, '--output', outputOf(b)]);
  const exit = await leecher.waitForEnd(RUN_MS);
  t.match(exit, { code: 0, signal: null }, 'ends with success');
  await expectData(t, b, folder);
  t.comment(`${folder.name}: ${exit.seconds.toFixed(2)} s`);
});

t.test('LSD: libtorrent finds us, and we find it', TOGETHER, async t => {
  const c = await network.add('lt-local');
  const local = (namespace: Namespace, directory: string): Program => {
    const listen = [addressOf(namespace)];
    const options = { listen, torrents: [{ torrent: single.torrent, directory }] };
    return namespace.start('libtorrent', [PYTHON, LOCAL_SCRIPT, 'run', JSON.stringify(options)]);
  };
  const done = (program: Program): Promise<string> =>
    program.waitForLine('all of it', RUN_MS, line => line.includes('"done"'));

  const a = await network.add('local-seed');
  const seed = await startSeed(a, single.torrent, LSD_ALONE);
  await done(local(c, c.directory));
  t.same(await hashesOf(single, c.directory), await hashesOf(single), 'it fetched all from us');
  await seed.stop();

  const d = await network.add('local-leecher');
  await expectEnd(t, startDownload(d, single.torrent, LSD_ALONE), d, single);
  t.comment('we fetched all from it');
});

t.test('neither where they are off, nor for a private torrent', TOGETHER, async t => {
  const expectNobody = async (label: string, torrent: string, args: readonly string[]): Promise<void> => {
    const a = await network.add(`${label}-seed`);
    const seed = await startSeed(a, torrent, args);
    const b = await network.add(`${label}-middle`);
    const middle = startDownload(b, torrent, [...args, ...TRICKLE, '--peer', addressOf(a)]);
    await met(middle, a.address);
    const c = await network.add(`${label}-leecher`);
    const leecher = startDownload(c, torrent, [...args, ...IN_VAIN, '--peer', addressOf(b)]);
    t.match(await leecher.waitForEnd(RUN_MS), { code: 6 }, `${label}: runs out of time`);
    t.not(meetings(leecher, b.address).length, 0, 'it met the one it was told of');
    t.same([...meetings(leecher, a.address), ...meetings(seed, c.address)], [], 'and nobody else');
  };
  await Promise.all([
    expectNobody('off', single.torrent, [...PEX_ALONE, '--no-pex']),
    expectNobody('private', secret, ['--no-dht']),
  ]);
});
