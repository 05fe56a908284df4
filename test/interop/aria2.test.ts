// Against aria2, found through a private DHT alone.

import { join } from 'node:path';
import t from 'tap';
import { startAria2Seed } from './support/aria2.js';
import { makeContent, oddFolder, singleFile } from './support/content.js';
import { PrivateDht } from './support/libtorrent.js';
import { Network } from './support/namespaces.js';
import { expectDownload, expectPaths } from './support/rarest.js';

const KIB = 1024;
const PORT = 6881;

const network = await Network.create(t);
const parent = join(network.directory, 'shared');
const folder = await makeContent(oddFolder('odd folder', 64 * KIB), parent);
const single = await makeContent(singleFile('single.bin', 45_000_000, 256 * KIB), parent);

const dht = await PrivateDht.start(await network.add('dht'));
const seed = await network.add('seed');
await startAria2Seed(seed, {
  sources: [folder.torrent, single.torrent],
  directory: parent,
  port: PORT,
  bootstrap: dht.nodes[0],
});
const byDht = dht.nodes.slice(0, 2).flatMap(node => ['--dht-bootstrap', node]);

t.test('a magnet link and a private DHT, nothing else', async t => {
  for (const content of [folder, single]) {
    await dht.announced(content.infoHash, `${seed.address}:${PORT}`);
    const namespace = await network.add(`dht-${content.pieces}`);
    await expectDownload(t, namespace, content, content.magnet, byDht);
  }
});

t.test('without --json, stdout lists the paths', async t => {
  await expectPaths(t, await network.add('paths'), folder, folder.magnet, byDht);
});
