// Hashing what is on disk, in the page cache: verify and create, beside what OpenSSL could do on all cores, and mktorrent.

import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeContent, singleFile } from '../../test/interop/support/content.js';
import { measured } from '../../test/interop/support/measure.js';
import { BINARY, rarest } from '../../test/interop/support/rarest.js';
import type { Bench } from '../bench.js';
import { OURS } from '../clients.js';
import {
  type Contestant,
  CPU_PER_GB,
  MB_PER_SECOND,
  PEAK_RSS,
  type Sample,
  type Scenario,
  WALL,
} from '../scenario.js';

const MIB = 2 ** 20;
const OPENSSL_SECONDS = 1;

async function findMktorrent(): Promise<void> {
  await promisify(execFile)('sh', ['-c', 'command -v mktorrent']);
}

/** What hashing `bytes` would take on all cores if nothing but SHA-1 cost anything. */
async function openssl(bench: Bench, bytes: number): Promise<Sample> {
  const argv = ['openssl', 'speed', '-mr', '-seconds', `${OPENSSL_SECONDS}`, '-bytes', `${MIB}`, 'sha1'];
  const output = (await bench.place.output(argv)).toString();
  const rate = Number(/^\+F:\d+:sha1:([\d.]+)$/m.exec(output)?.[1]);
  if (!(rate > 0)) throw new Error(`no rate in what openssl speed printed: ${output}`);
  const cpuSeconds = bytes / rate;
  return { wallSeconds: cpuSeconds / availableParallelism(), cpuSeconds, bytes };
}

export const hash: Scenario = {
  name: 'hash',
  about:
    '1 GiB (full size) in 1 MiB pieces, in memory: verify and create beside openssl speed sha1 times cores, and mktorrent',
  metrics: [WALL, MB_PER_SECOND, CPU_PER_GB, PEAK_RSS],
  async prepare(bench) {
    const length = bench.pick({ full: 1024 * MIB, medium: 256 * MIB, small: 8 * MIB });
    const content = await makeContent(singleFile('hashed.bin', length, MIB), bench.shared);
    const data = join(content.parent, content.name);
    const out = join(bench.place.directory, 'made.torrent');
    const program = async (name: string, argv: readonly string[]): Promise<Sample> => {
      const start = (prefix: readonly string[]) => bench.place.start(name, [...prefix, ...argv]);
      return { ...(await measured(bench.place, bench.timeoutMs, start)), bytes: length };
    };
    const ours = (...args: readonly string[]): Contestant[] =>
      bench.has(OURS)
        ? [bench.contestant(rarest.name, () => program('rarest', [bench.options.node, BINARY, ...args]))]
        : [];
    const ceiling = bench.contestant('openssl', () => openssl(bench, length));
    const mktorrent = bench.contestant('mktorrent', () =>
      program('mktorrent', ['mktorrent', '-l', '20', '-a', 'http://127.0.0.1/announce', '-o', out, data]),
    );
    const others = await findMktorrent().then(
      () => [mktorrent],
      () => {
        bench.say('left out: mktorrent is not here');
        return [];
      },
    );
    const pieceLength = ['--piece-length', `${MIB}`];
    return {
      cases: [
        { title: 'verify', contestants: [...ours('verify', content.torrent, content.parent), ceiling] },
        {
          title: 'create',
          contestants: [...ours('create', data, '--out', out, ...pieceLength), ceiling, ...others],
        },
      ],
    };
  },
};
