// Many torrents that nobody asks for: what it costs to seed them.

import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { READY_MS } from '../../test/interop/support/client.js';
import type { Content } from '../../test/interop/support/content.js';
import { startLibtorrentSeed } from '../../test/interop/support/libtorrent.js';
import { usageOf } from '../../test/interop/support/measure.js';
import type { Program } from '../../test/interop/support/program.js';
import { eventually } from '../../test/interop/support/program.js';
import { roads, startRarest } from '../../test/interop/support/rarest.js';
import { startTransmissionSeed } from '../../test/interop/support/transmission.js';
import type { Bench } from '../bench.js';
import { RSS, type Sample, type Scenario } from '../scenario.js';
import { writeTorrent } from '../torrent-file.js';

const LENGTH = 16_384;
const SETTLED_MS = 1000;
const POLL_MS = 50;

type Start = (bench: Bench, contents: readonly Content[]) => Promise<Program>;

/** Others than these tell by nothing but a list of all torrents, once a second, that they are ready. */
const CLIENTS: Readonly<Record<string, Start>> = {
  async rarest(bench, contents) {
    const torrents = contents.map(({ torrent }) => torrent);
    const args = ['seed', ...torrents, '--output', bench.shared, ...roads({})];
    let seeding = 0;
    const onLine = (line: string): void => {
      if (JSON.parse(line).event === 'seeding') seeding++;
    };
    const program = startRarest(bench.place, args, { onLine, node: bench.options.node });
    await eventually(
      `rarest seeds ${contents.length} torrents`,
      READY_MS,
      () => {
        if (program.hasEnded) throw new Error(`rarest ended with ${seeding} of them:\n${program.log}`);
        return seeding === contents.length || undefined;
      },
      POLL_MS,
    );
    return program;
  },
  async libtorrent(bench, contents) {
    const torrents = contents.map(({ torrent }) => ({ torrent, directory: bench.shared }));
    return (await startLibtorrentSeed(bench.place, { torrents })).program;
  },
  transmission: async (bench, contents) =>
    (await startTransmissionSeed(bench.place, contents, bench.shared)).program,
};

async function makeContents(bench: Bench, count: number): Promise<Content[]> {
  await mkdir(bench.shared, { recursive: true });
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const name = `${index}.bin`;
      const data = Buffer.alloc(LENGTH, name);
      const hashes = createHash('sha1').update(data).digest();
      await writeFile(join(bench.shared, name), data);
      return writeTorrent(bench.shared, { name, length: LENGTH, pieceLength: LENGTH, hashes });
    }),
  );
}

export const idle: Scenario = {
  name: 'idle',
  about:
    '1,000 torrents of one piece (full size) that are seeded to nobody: memory, and CPU over some seconds',
  metrics: [
    RSS,
    {
      title: 'CPU % of a core',
      digits: 2,
      better: 'less',
      of: ({ cpuSeconds = Number.NaN, wallSeconds = Number.NaN }) => (cpuSeconds / wallSeconds) * 100,
    },
  ],
  async prepare(bench) {
    const count = bench.pick({ full: 1000, medium: 200, small: 20 });
    const watchedMs = bench.pick({ full: 10_000, medium: 5000, small: 1000 });
    const contents = await makeContents(bench, count);
    const run = async (start: Start): Promise<Sample> => {
      const program = await start(bench, contents);
      await pause(SETTLED_MS);
      const startedAt = performance.now();
      const before = await usageOf(program.pid);
      await pause(watchedMs);
      const { cpuSeconds, rssBytes } = await usageOf(program.pid);
      const wallSeconds = (performance.now() - startedAt) / 1000;
      return { rssBytes, wallSeconds, cpuSeconds: cpuSeconds - before.cpuSeconds };
    };
    const contestants = bench.contestants(Object.keys(CLIENTS), ({ name }) => {
      const start = CLIENTS[name];
      if (start === undefined) throw new Error(`${name} does not seed here`);
      return run(start);
    });
    return { cases: [{ title: `${count.toLocaleString('en')} torrents`, contestants }] };
  },
};
