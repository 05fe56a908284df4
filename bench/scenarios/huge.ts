// Memory in a torrent of 100 GB in large pieces, of which 2 GB are fetched. Source and copy are sparse files in memory that
// claims to have the room; all pieces are zeros, so all hashes are equal.

import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fixedTrackerUrl, startFixedTracker } from '../../test/interop/support/aria2.js';
import { PEER_PORT } from '../../test/interop/support/client.js';
import { usageOf } from '../../test/interop/support/measure.js';
import { eventually } from '../../test/interop/support/program.js';
import { type BenchClient, CLIENT_NAMES } from '../clients.js';
import { startFloorSeed } from '../floor/programs.js';
import { CPU_PER_GB, MB_PER_SECOND, PEAK_RSS, type Sample, type Scenario, WALL } from '../scenario.js';
import { writeTorrent } from '../torrent-file.js';

const MIB = 2 ** 20;
const PIECE_BYTES = 16 * MIB;
const POLL_MS = 20;
const STAT_BLOCK_BYTES = 512;
/** Transmission and qbittorrent are left out: the one allocates all 100 GB, the other may be told to. */
const FETCHERS = CLIENT_NAMES.filter(name => !/^(floor|transmission|qbittorrent)/.test(name));

/** What a file takes, holes not counted. */
async function allocatedBytes(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter(entry => entry.isFile());
  const sizes = files.map(file =>
    stat(join(file.parentPath, file.name)).then(
      ({ blocks }) => blocks * STAT_BLOCK_BYTES,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
}

export const huge: Scenario = {
  name: 'huge',
  about:
    '100 GB in 16 MiB pieces from one seed of the floor, ended once 2 GB are on disk (full size): peak memory',
  metrics: [PEAK_RSS, WALL, MB_PER_SECOND, CPU_PER_GB],
  async prepare(bench) {
    const length = bench.pick({ full: 100e9, medium: 100e9, small: 10e9 });
    const enough = bench.pick({ full: 2e9, medium: 1e9, small: 64 * MIB });
    const memory = await bench.network.addMemory('huge', 4 * length);
    const place = await bench.network.add('seed');
    const peers = [`${place.address}:${PEER_PORT}`];
    const tracker = await bench.network.add('tracker');
    await startFixedTracker(tracker, ...peers);
    const source = await open(join(memory, 'huge.bin'), 'w');
    await source.truncate(length);
    await source.close();
    const hash = (bytes: number): Buffer => createHash('sha1').update(Buffer.alloc(bytes)).digest();
    const whole = Math.floor(length / PIECE_BYTES);
    const last = length % PIECE_BYTES === 0 ? [] : [hash(length % PIECE_BYTES)];
    const hashes = Buffer.concat([...new Array<Buffer>(whole).fill(hash(PIECE_BYTES)), ...last]);
    const content = await writeTorrent(memory, {
      name: 'huge.bin',
      length,
      pieceLength: PIECE_BYTES,
      hashes,
      tracker: fixedTrackerUrl(tracker),
    });
    const data = join(memory, 'huge.bin');
    await startFloorSeed(place, bench.options.node, { torrent: content.torrent, data, listen: peers });
    const run = async (client: BenchClient): Promise<Sample> => {
      const directory = join(memory, `out-${client.name}`);
      await mkdir(directory);
      const startedAt = performance.now();
      const program = await client.relay!(bench.place, bench.order(content, directory, peers));
      const bytes = await eventually(
        `${client.name} has ${enough} bytes`,
        bench.timeoutMs,
        async () => {
          if (program.hasEnded) throw new Error(`${client.name} ended before that:\n${program.log}`);
          const bytes = await allocatedBytes(directory);
          return bytes >= enough ? bytes : undefined;
        },
        POLL_MS,
      );
      const wallSeconds = (performance.now() - startedAt) / 1000;
      return { ...(await usageOf(program.pid)), wallSeconds, bytes };
    };
    const contestants = bench.contestants(FETCHERS, run).map(({ name, run }) => ({
      name,
      run: () => run().finally(() => rm(join(memory, `out-${name}`), { recursive: true, force: true })),
    }));
    return { cases: [{ title: `${length / 1e9} GB`, contestants }] };
  },
};
