// One seed, one file: what a download costs.

import { PEER_PORT } from '../../test/interop/support/client.js';
import { singleFile } from '../../test/interop/support/content.js';
import { startLibtorrentSeed } from '../../test/interop/support/libtorrent.js';
import { CLIENT_NAMES } from '../clients.js';
import { CPU_PER_GB, MB_PER_SECOND, PEAK_RSS, type Scenario, WALL } from '../scenario.js';

const MIB = 2 ** 20;

export const download: Scenario = {
  name: 'download',
  about: '1 GiB (full size) in 1 MiB pieces from one libtorrent seed, from process start to end',
  metrics: [WALL, MB_PER_SECOND, CPU_PER_GB, PEAK_RSS],
  async prepare(bench) {
    const length = bench.pick({ full: 1024 * MIB, medium: 256 * MIB, small: 8 * MIB });
    const place = await bench.network.add('seed');
    const peers = [`${place.address}:${PEER_PORT}`];
    const content = await bench.shareAt(singleFile('one.bin', length, MIB), peers);
    await startLibtorrentSeed(place, {
      torrents: [{ torrent: content.torrent, directory: content.parent }],
    });
    const contestants = bench.contestants(CLIENT_NAMES, client => bench.fetch(client, content, peers));
    return { cases: [{ title: '1 seed', contestants }] };
  },
};
