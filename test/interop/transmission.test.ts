// Against transmission, whose address we are told: it has neither DHT nor anything else to be found by.

import { join } from 'node:path';
import t from 'tap';
import { makeContent, oddFolder, singleFile } from './support/content.js';
import { Network } from './support/namespaces.js';
import { expectDownload, expectPaths } from './support/rarest.js';
import { startTransmissionSeed } from './support/transmission.js';

const KIB = 1024;

const network = await Network.create(t);
const parent = join(network.directory, 'shared');
const folder = await makeContent(oddFolder('odd folder', 64 * KIB), parent);
const single = await makeContent(singleFile('single.bin', 45_000_000, 256 * KIB), parent);
const seed = await startTransmissionSeed(await network.add('seed'), [folder, single], parent);
const byPeer = ['--no-dht', '--peer', seed.peer];

// Each run has an address of its own: transmission refuses one that it remembers as a seed of the same torrent. They run
// at the same time, since it lets each newcomer wait for its next round.
t.jobs = 3;
for (const content of [folder, single]) {
  t.test(`a magnet link and the address of a peer: ${content.name}`, { buffered: true }, async t => {
    const namespace = await network.add(`peer-${content.pieces}`);
    await expectDownload(t, namespace, content, content.magnet, byPeer);
  });
}

t.test('without --json, stdout lists the paths', { buffered: true }, async t => {
  await expectPaths(t, await network.add('paths'), folder, folder.magnet, byPeer);
});
