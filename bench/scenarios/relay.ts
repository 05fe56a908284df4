// Download and upload at once: leechers that know nobody but the client, which fetches from a seed.

import { PEER_PORT } from '../../test/interop/support/client.js';
import { singleFile } from '../../test/interop/support/content.js';
import { startLibtorrentSeed } from '../../test/interop/support/libtorrent.js';
import { usageOf } from '../../test/interop/support/measure.js';
import { outputOf } from '../../test/interop/support/rarest.js';
import { type BenchClient, CLIENT_NAMES } from '../clients.js';
import { floorFigures, startFloorDownload } from '../floor/programs.js';
import {
  CPU_PER_GB,
  MB_PER_SECOND,
  PEAK_RSS,
  type Sample,
  type Scenario,
  WAITED,
  WALL,
} from '../scenario.js';

const MIB = 2 ** 20;
const LEECHERS = 2;

export const relay: Scenario = {
  name: 'relay',
  about: `1 GiB (full size) from one libtorrent seed through the client to ${LEECHERS} leechers of the floor; bytes are those in and out`,
  metrics: [WALL, WAITED, MB_PER_SECOND, CPU_PER_GB, PEAK_RSS],
  async prepare(bench) {
    const length = bench.pick({ full: 1024 * MIB, medium: 256 * MIB, small: 8 * MIB });
    const place = await bench.network.add('seed');
    const peers = [`${place.address}:${PEER_PORT}`];
    const leechers = await bench.network.add('leechers');
    const addresses = await leechers.addAddresses(LEECHERS);
    const content = await bench.shareAt(singleFile('relay.bin', length, MIB), peers);
    const { torrent } = content;
    await startLibtorrentSeed(place, { torrents: [{ torrent, directory: content.parent }] });
    const run = async (client: BenchClient): Promise<Sample> => {
      const { node } = bench.options;
      const directory = outputOf(bench.place);
      const startedAt = performance.now();
      const program = await client.relay!(bench.place, bench.order(content, directory, peers));
      const via = [`${bench.place.address}:${client.port}`];
      const ends = await Promise.all(
        addresses.map(from =>
          floorFigures(
            startFloorDownload(leechers, node, { torrent, peers: via, from, thread: 'main' }),
            bench.timeoutMs,
          ),
        ),
      );
      const wallSeconds = (performance.now() - startedAt) / 1000;
      const usage = await usageOf(program.pid);
      await bench.expectBytes(content, directory);
      const waitedSeconds = Math.min(...ends.map(({ waited }) => waited));
      return { ...usage, wallSeconds, waitedSeconds, bytes: (1 + LEECHERS) * length };
    };
    const relays = CLIENT_NAMES.filter(name => !name.startsWith('floor'));
    return {
      cases: [{ title: `${LEECHERS} leechers`, contestants: bench.contestants(relays, run, leechers) }],
    };
  },
};
