// A folder of many small files: what a file costs.

import { PEER_PORT } from '../../test/interop/support/client.js';
import type { ContentPlan } from '../../test/interop/support/content.js';
import { startLibtorrentSeed } from '../../test/interop/support/libtorrent.js';
import { seeded } from '../../test/support/random.js';
import { CLIENT_NAMES } from '../clients.js';
import { CPU, CPU_PER_GB, PEAK_RSS, type Scenario, WALL } from '../scenario.js';

const PIECE_BYTES = 256 * 1024;
const LARGEST_BYTES = 20_000;
const FILES_PER_FOLDER = 200;
const RANDOM_SEED = 7;

function folderOf(count: number): ContentPlan {
  const random = seeded(RANDOM_SEED);
  const files = Array.from({ length: count }, (_, index) => ({
    path: `many/${Math.floor(index / FILES_PER_FOLDER)}/${index}.bin`,
    length: 1 + Math.floor(random() * LARGEST_BYTES),
  }));
  return { name: 'many', pieceLength: PIECE_BYTES, files };
}

export const smallFiles: Scenario = {
  name: 'small-files',
  about: `20,000 files (full size) of up to ${LARGEST_BYTES / 1000} kB from one libtorrent seed`,
  metrics: [WALL, CPU, CPU_PER_GB, PEAK_RSS],
  async prepare(bench) {
    const count = bench.pick({ full: 20_000, medium: 5000, small: 200 });
    const place = await bench.network.add('seed');
    const peers = [`${place.address}:${PEER_PORT}`];
    const content = await bench.shareAt(folderOf(count), peers);
    await startLibtorrentSeed(place, {
      torrents: [{ torrent: content.torrent, directory: content.parent }],
    });
    const fetchers = CLIENT_NAMES.filter(name => !name.startsWith('floor'));
    const contestants = bench.contestants(fetchers, client => bench.fetch(client, content, peers));
    return { cases: [{ title: `${count.toLocaleString('en')} files`, contestants }] };
  },
};
