// `rarest cat` of a file into sha256sum, beside a download of the same: what it costs to have the bytes in order.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PEER_PORT } from '../../test/interop/support/client.js';
import { type Content, singleFile } from '../../test/interop/support/content.js';
import { startLibtorrentSeed } from '../../test/interop/support/libtorrent.js';
import { measured } from '../../test/interop/support/measure.js';
import { startRarest } from '../../test/interop/support/rarest.js';
import { type Bench, WrongBytes } from '../bench.js';
import { CLIENTS, OURS } from '../clients.js';
import { CPU_PER_GB, MB_PER_SECOND, PEAK_RSS, type Sample, type Scenario, WALL } from '../scenario.js';

const MIB = 2 ** 20;

async function sha256(content: Content): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(content.parent, content.name)), hash);
  return hash.digest('hex');
}

/** The shell waits for both, so that the cost is that of both. */
async function cat(bench: Bench, content: Content, peer: string): Promise<Sample> {
  const shell = ['sh', '-c', '"$@" | sha256sum', 'sh'];
  await mkdir(bench.place.directory, { recursive: true });
  const roads = ['--no-dht', '--no-lsd', '--no-trackers', '--peer', peer];
  let sum = '';
  const cost = await measured(bench.place, bench.timeoutMs, prefix =>
    startRarest(bench.place, ['cat', content.torrent, ...roads], {
      prefix: [...prefix, ...shell],
      node: bench.options.node,
      onLine: line => {
        sum = line.split(' ')[0] ?? '';
      },
    }),
  );
  if (sum !== (await sha256(content))) throw new WrongBytes(`sha256sum says ${sum}`);
  return { ...cost, bytes: content.length };
}

export const catScenario: Scenario = {
  name: 'cat',
  about:
    'rarest cat of 1 GiB (full size) into sha256sum, whose cost is included, beside rarest download of the same; one libtorrent seed',
  metrics: [WALL, MB_PER_SECOND, CPU_PER_GB, PEAK_RSS],
  async prepare(bench) {
    const download = CLIENTS.find(({ name }) => name === OURS);
    if (download === undefined || !bench.has(OURS)) return { cases: [], why: 'rarest does not take part' };
    const length = bench.pick({ full: 1024 * MIB, medium: 256 * MIB, small: 8 * MIB });
    const place = await bench.network.add('seed');
    const peer = `${place.address}:${PEER_PORT}`;
    const content = await bench.shareAt(singleFile('cat.bin', length, MIB), [peer]);
    await startLibtorrentSeed(place, {
      torrents: [{ torrent: content.torrent, directory: content.parent }],
    });
    const contestants = [
      bench.contestant('rarest cat', () => cat(bench, content, peer)),
      bench.contestant('rarest download', () => bench.fetch(download, content, [peer])),
    ];
    return { cases: [{ title: '1 seed', contestants }] };
  },
};
