// From a magnet link without trackers to the last byte, in a private DHT: each run has a fresh one, with no trace of others.

import { startAria2Leecher } from '../../test/interop/support/aria2.js';
import { type Content, makeContent, singleFile } from '../../test/interop/support/content.js';
import { Libtorrent, PrivateDht, startLibtorrentSeed } from '../../test/interop/support/libtorrent.js';
import { measured } from '../../test/interop/support/measure.js';
import { type Namespace, Network } from '../../test/interop/support/namespaces.js';
import type { Program } from '../../test/interop/support/program.js';
import { outputOf, startRarest } from '../../test/interop/support/rarest.js';
import { startWebtorrent } from '../../test/interop/support/webtorrent.js';
import type { Bench } from '../bench.js';
import { now } from '../clients.js';

import { CPU, METADATA, PEAK_RSS, type Sample, type Scenario, WALL } from '../scenario.js';

const NODES = 8;
const LENGTH = { full: 45e6, medium: 45e6, small: 2e6 };
const PIECE_BYTES = 262_144;

interface MagnetClient {
  start(run: {
    readonly namespace: Namespace;
    readonly magnet: string;
    readonly directory: string;
    /** The one node that a client is told of. */
    readonly node: string;
    readonly prefix: readonly string[];
    readonly bench: Bench;
  }): Program | Promise<Program>;
  /** What it prints once it has the metadata. */
  readonly metadata: RegExp;
}

/** Qbittorrent and Transmission know no way to be told of a node. */
const CLIENTS: Readonly<Record<string, MagnetClient>> = {
  rarest: {
    start({ namespace, magnet, directory, node, prefix, bench }) {
      const args = ['--json', '--output', directory, '--no-lsd', '--dht-bootstrap', node];
      return startRarest(namespace, ['download', magnet, ...args], { prefix, node: bench.options.node });
    },
    metadata: /"event":"metadata"/,
  },
  libtorrent: {
    start: ({ namespace, magnet, directory, node, prefix }) =>
      new Libtorrent(namespace, {
        torrents: [{ magnet, directory }],
        bootstrap: [node],
        leaveWhenDone: true,
        prefix,
      }).program,
    metadata: /"event": "metadata"/,
  },
  aria2: {
    start: ({ namespace, magnet, directory, node, prefix }) =>
      startAria2Leecher(namespace, { sources: [magnet], directory, bootstrap: node, prefix }),
    metadata: /Download complete: .*\[METADATA\]/,
  },
  webtorrent: {
    start: ({ namespace, magnet, directory, node, prefix, bench }) =>
      startWebtorrent(namespace, {
        source: magnet,
        directory,
        bootstrap: [node],
        leaveWhenDone: true,
        prefix,
        node: bench.options.node,
      }),
    metadata: /^metadata$/,
  },
};

async function run(bench: Bench, client: MagnetClient, content: Content): Promise<Sample> {
  let passing = false;
  const life = { teardown: () => {}, passing: () => passing };
  const network = await Network.create(life, { parent: bench.options.scratch });
  try {
    const dht = await PrivateDht.start(await network.add('dht'), NODES);
    const seed = await startLibtorrentSeed(await network.add('seed'), {
      bootstrap: dht.nodes,
      torrents: [{ torrent: content.torrent, directory: content.parent }],
    });
    await dht.announced(content.infoHash, seed.peer);
    const namespace = await network.add('client');
    const directory = outputOf(namespace);
    const [node = ''] = dht.nodes;
    let known: Promise<number> | undefined;
    const cost = await measured(namespace, bench.timeoutMs, async prefix => {
      const order = { namespace, magnet: content.magnet, directory, node, prefix, bench };
      const program = await client.start(order);
      known = program.waitForLine('metadata', bench.timeoutMs, line => client.metadata.test(line)).then(now);
      known.catch(() => {}); // It is awaited below, unless the program failed.
      return program;
    });
    await bench.expectBytes(content, directory);
    const knownAt = (await known) ?? Number.NaN;
    passing = true;
    return { ...cost, bytes: content.length, metadataSeconds: knownAt - cost.startedAtSeconds };
  } finally {
    await network.close();
  }
}

export const magnet: Scenario = {
  name: 'magnet',
  about: `a magnet link of 45 MB (full size), a private DHT of ${NODES} libtorrent nodes, one libtorrent seed`,
  metrics: [METADATA, WALL, CPU, PEAK_RSS],
  async prepare(bench) {
    const content = await makeContent(
      singleFile('magnet.bin', bench.pick(LENGTH), PIECE_BYTES),
      bench.shared,
    );
    const contestants = bench.contestants(Object.keys(CLIENTS), ({ name }) => {
      const client = CLIENTS[name];
      if (client === undefined) throw new Error(`${name} fetches no magnet here`);
      return run(bench, client, content);
    });
    return { cases: [{ title: 'private DHT', contestants }] };
  },
};
