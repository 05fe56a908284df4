// Against libtorrent: found through a private DHT alone, at both ends of the piece sizes, in a swarm, and as our leecher.

import { join } from 'node:path';
import t from 'tap';
import { hashesOf, makeContent, oddFolder, singleFile } from './support/content.js';
import { Libtorrent, PrivateDht, startLibtorrentSeed } from './support/libtorrent.js';
import { Network } from './support/namespaces.js';
import {
  downloadArgs,
  expectData,
  expectDownload,
  expectPaths,
  RAREST_PORT,
  startRarest,
  waitForEvent,
} from './support/rarest.js';

const KIB = 1024;
const LEECHER_MS = 60_000;

const network = await Network.create(t);
const parent = join(network.directory, 'shared');
const folder = await makeContent(oddFolder('odd folder', 64 * KIB), parent);
const single = await makeContent(singleFile('single.bin', 45_000_000, 256 * KIB), parent);
const smallPieces = await makeContent(singleFile('small-pieces.bin', 5_000_001, 16 * KIB), parent);
const largePieces = await makeContent(singleFile('large-pieces.bin', 40_000_000, 16 * KIB * KIB), parent);
const contents = [folder, single, smallPieces, largePieces];
const ours = await makeContent(singleFile('ours.bin', 20_000_001, 128 * KIB), parent);

const dht = await PrivateDht.start(await network.add('dht'));
const seed = await startLibtorrentSeed(await network.add('seed'), {
  bootstrap: dht.nodes,
  torrents: contents.map(({ torrent }) => ({ torrent, directory: parent })),
});
const byDht = dht.nodes.slice(0, 2).flatMap(node => ['--dht-bootstrap', node]);

t.test('a magnet link and a private DHT, nothing else', async t => {
  for (const content of [folder, single]) {
    await dht.announced(content.infoHash, seed.peer);
    const namespace = await network.add(`dht-${content.pieces}`);
    await expectDownload(t, namespace, content, content.magnet, byDht);
  }
});

t.test('without --json, stdout lists the paths', async t => {
  await expectPaths(t, await network.add('paths'), folder, folder.magnet, byDht);
});

t.test('pieces of 16 KiB and of 16 MiB', async t => {
  for (const content of [smallPieces, largePieces]) {
    const namespace = await network.add(`size-${content.pieces}`);
    await expectDownload(t, namespace, content, content.magnet, ['--no-dht', '--peer', seed.peer]);
  }
});

t.test('a .torrent, fetched from a seed and from a leecher that fetches too', async t => {
  const torrent = single.torrent;
  const slow = await startLibtorrentSeed(await network.add('slow-seed'), {
    torrents: [{ torrent, directory: parent, uploadLimit: 15_000_000 }],
  });
  const place = await network.add('other-leecher');
  const other = new Libtorrent(place, {
    torrents: [{ torrent, directory: place.directory, peers: [slow.peer] }],
  });
  const peers = ['--peer', slow.peer, '--peer', other.peer];
  await expectDownload(t, await network.add('between'), single, torrent, ['--no-dht', ...peers]);
  await other.complete(0, LEECHER_MS);
  t.same(await hashesOf(single, place.directory), await hashesOf(single), 'the other leecher has it too');
});

t.test('we seed what we fetched, to a leecher that has nobody else', async t => {
  const namespace = await network.add('our-seed');
  const first = await startLibtorrentSeed(await network.add('first-seed'), {
    torrents: [{ torrent: ours.torrent, directory: parent }],
  });
  const args = ['--json', '--seed', '--peer', first.peer, ...byDht];
  const program = startRarest(namespace, downloadArgs(namespace, ours.torrent, args));
  await waitForEvent(program, 'seeding');
  await first.program.stop();
  await expectData(t, namespace, ours);
  const us = `${namespace.address}:${RAREST_PORT}`;

  const place = await network.add('our-leecher');
  const leecher = new Libtorrent(place, {
    torrents: [{ magnet: ours.magnet, directory: place.directory, peers: [us] }],
    leaveWhenDone: true,
  });
  const { code, seconds } = await leecher.program.waitForEnd(LEECHER_MS);
  t.equal(code, 0, 'the leecher ends complete');
  t.same(await hashesOf(ours, place.directory), await hashesOf(ours), 'and its bytes are right');
  t.comment(`${ours.name}: ${seconds.toFixed(2)} s for the leecher`);

  await dht.announced(ours.infoHash, us);
  t.pass('a lookup in the DHT finds us');

  program.kill('SIGINT');
  t.match(await program.waitForEnd(LEECHER_MS), { signal: 'SIGINT' }, 'SIGINT ends us, as a signal');
});
