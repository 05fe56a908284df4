// What `create` writes, read by other programs and compared with what they make of the same data; then `verify` of it.

import { copyFile, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  type Content,
  type ContentFile,
  type ContentPlan,
  hashesOf,
  makeContent,
  oddFolder,
  singleFile,
} from './support/content.js';
import { startLibtorrentSeed } from './support/libtorrent.js';
import {
  type Facts,
  type MakeOptions,
  mktorrent,
  readByAria2,
  readByLibtorrent,
  readByTransmission,
  readByWebtorrent,
  transmissionCreate,
} from './support/makers.js';
import { Network } from './support/namespaces.js';
import type { Program } from './support/program.js';
import { eventsOf, outputOf, startRarest } from './support/rarest.js';

const KIB = 1024;
const MIB = KIB * KIB;
const RUN_MS = 60_000;
const READERS = {
  libtorrent: readByLibtorrent,
  WebTorrent: readByWebtorrent,
  aria2: readByAria2,
  transmission: readByTransmission,
};

/** Names that bytes, UTF-16 units, locales and a tree's levels put into different orders, and some awkward ones. */
const sortable: ContentPlan = {
  name: 'sortable',
  pieceLength: 32 * KIB,
  files: [
    ...['Zeta', 'alpha', '_x', 'a/b', 'a-b', 'a', 'É/ß', 'ee', '10', '9', '日本', '｡', '🎉'],
    ...['.hidden', '100% sure? #1 + ü;&=', '[brackets] {and} more', `'quotes" and ~`],
  ].map((stem, index) => ({ path: `sortable/${stem}.bin`, length: 10_007 * index })),
};

const network = await Network.create(t);
const parent = join(network.directory, 'shared');
const folder = await makeContent(oddFolder('odd folder', 64 * KIB), parent);
const names = await makeContent(sortable, parent);
const smallPieces = await makeContent(singleFile('small-pieces.bin', 5_000_001, 16 * KIB), parent);
const largePieces = await makeContent(singleFile('large-pieces.bin', 12_000_000, 4 * MIB), parent);
const maker = await network.add('maker');
const made = join(network.directory, 'made');
await mkdir(made);

/** In the order of the bytes of their paths. */
function inOrder(content: Content): ContentFile[] {
  const bytesOf = (file: ContentFile): Buffer => Buffer.from(file.path);
  return [...content.files].sort((a, b) => Buffer.compare(bytesOf(a), bytesOf(b)));
}

/** Runs `create` and returns the info hash that it tells. */
async function create(t: Test, out: string, args: readonly string[]): Promise<string> {
  const program = startRarest(maker, ['create', '--json', '--out', out, ...args]);
  t.match(await program.waitForEnd(RUN_MS), { code: 0 }, `create ${out.slice(made.length + 1)}`);
  const created = eventsOf(program.lines).filter(({ event }) => event === 'created');
  t.match(created, [{ path: out }], 'tells once what it wrote');
  return `${created[0]?.infoHash}`;
}

/** All readers agree with `facts` as far as each reads them. */
async function expectFacts(t: Test, torrent: string, facts: Facts): Promise<void> {
  const wanted: Readonly<Record<string, unknown>> = { ...facts };
  for (const [reader, read] of Object.entries(READERS)) {
    const found = await read(torrent);
    const flat = reader === 'aria2' || reader === 'WebTorrent';
    const expected = Object.fromEntries(Object.keys(found).map(key => [key, wanted[key]]));
    if (flat) expected.tiers = [facts.tiers.flat().sort()];
    t.same(found, expected, `${reader} reads all of it`);
  }
}

function plainFacts(content: Content, infoHash: string): Facts {
  return {
    infoHash,
    name: content.name,
    pieceLength: content.pieceLength,
    pieces: content.pieces,
    files: inOrder(content),
    aligned: content.files.length === 1,
    tiers: [],
    webSeeds: [],
    nodes: [],
    private: false,
    source: '',
    comment: '',
  };
}

function pathOf(content: Content): string {
  return join(content.parent, content.name);
}

t.test('what it is told is what others read', async t => {
  const single = join(made, 'single.torrent');
  const bare = await create(t, single, [pathOf(smallPieces), '--piece-length', `${16 * KIB}`]);
  await expectFacts(t, single, plainFacts(smallPieces, bare));

  const told = join(made, 'told.torrent');
  const tiers = [
    ['http://b.example/announce', 'udp://a.example:6969/announce'],
    ['http://c.example/x?y=1&z'],
  ];
  const webSeeds = ['http://one.example/a%20b/', 'https://two.example/'];
  const infoHash = await create(t, told, [
    pathOf(folder),
    ...['--piece-length', `${64 * KIB}`, '--private', '--source', 'SRC', '--comment', 'größer, 日本 🎉'],
    ...tiers.flatMap(tier => ['--tracker', tier.join(',')]),
    ...webSeeds.flatMap(url => ['--web-seed', url]),
    ...['--node', 'router.example:6881', '--node', '192.0.2.7:1'],
  ]);
  await expectFacts(t, told, {
    ...plainFacts(folder, infoHash),
    tiers: tiers.map(tier => [...tier].sort()),
    webSeeds,
    nodes: ['router.example:6881', '192.0.2.7:1'],
    private: true,
    source: 'SRC',
    comment: 'größer, 日本 🎉',
  });

  const renamed = join(made, 'renamed.torrent');
  const name = 'other name.bin';
  const other = await create(t, renamed, [
    pathOf(largePieces),
    '--piece-length',
    `${4 * MIB}`,
    '--name',
    name,
  ]);
  const file = { path: name, length: largePieces.length };
  await expectFacts(t, renamed, { ...plainFacts(largePieces, other), name, files: [file] });
});

t.test('padded: each file begins with a piece, and libtorrent finds the data right', async t => {
  const out = join(made, 'padded.torrent');
  const infoHash = await create(t, out, [pathOf(names), '--piece-length', `${32 * KIB}`, '--pad-files']);
  const pieces = names.files.reduce((sum, { length }) => sum + Math.ceil(length / (32 * KIB)), 0);
  await expectFacts(t, out, { ...plainFacts(names, infoHash), pieces, aligned: true });
  const torrents = ['single', 'told', 'padded'].map(stem => ({
    torrent: join(made, `${stem}.torrent`),
    directory: parent,
  }));
  await startLibtorrentSeed(await network.add('reader'), { torrents });
  t.pass('a seed of all torrents, checked against the data');
});

t.test('the info hash is that of other makers', async t => {
  const orders: readonly MakeOptions[] = [
    { pieceLength: 32 * KIB },
    { pieceLength: 32 * KIB, private: true },
    { pieceLength: 256 * KIB, private: true, source: 'SRC' },
    { pieceLength: 4 * MIB },
  ];
  for (const [index, order] of orders.entries()) {
    const stem = join(made, `names-${index}`);
    const flags = [
      ...['--piece-length', `${order.pieceLength}`],
      ...(order.private ? ['--private'] : []),
      ...(order.source ? ['--source', order.source] : []),
    ];
    const ours = await create(t, `${stem}.torrent`, [pathOf(names), ...flags]);
    const theirs = await mktorrent(pathOf(names), `${stem}.mk`, order);
    t.equal(ours, theirs, `of mktorrent: a folder, ${flags.join(' ')}`);
  }
  for (const content of [smallPieces, largePieces]) {
    const { pieceLength, infoHash } = content;
    const args = [pathOf(content), '--piece-length', `${pieceLength}`];
    const stem = join(made, `single-${pieceLength}`);
    t.equal(await create(t, `${stem}.torrent`, args), infoHash, 'of libtorrent: a file');
    const ours = await create(t, `${stem}-private.torrent`, [...args, '--private']);
    const theirs = await transmissionCreate(pathOf(content), `${stem}.tr`, pieceLength);
    t.equal(ours, theirs, 'of transmission-create: a private file');
  }
});

t.test('a list of paths on stdin; the torrent on stdout', async t => {
  const list = join(made, 'list');
  await writeFile(list, `${pathOf(smallPieces)}\n${pathOf(folder)}\n`);
  const out = join(made, 'listed.torrent');
  const args = ['--name', 'both', '--piece-length', `${64 * KIB}`, '-'];
  const prefix = ['sh', '-c', 'exec "$@" <"$0"', list];
  const program = startRarest(maker, ['create', '--out', out, ...args], { prefix });
  t.match(await program.waitForEnd(RUN_MS), { code: 0 }, 'ends with success');
  t.same(program.lines, [out], 'stdout is the path of the torrent');
  const facts = await readByLibtorrent(out);
  t.equal(facts.name, 'both');
  const files = [...folder.files, ...smallPieces.files].map(file => ({ ...file, path: `both/${file.path}` }));
  t.same([...facts.files].sort(byPath), files.sort(byPath), 'the files below the name');

  const copy = join(made, 'stdout.torrent');
  const piped = startRarest(maker, ['create', '--out', '-', ...args.slice(2, -1), pathOf(folder)], {
    prefix: ['sh', '-c', 'exec "$@" >"$0"', copy],
  });
  t.match(await piped.waitForEnd(RUN_MS), { code: 0 }, 'ends with success');
  await create(t, join(made, 'again.torrent'), [...args.slice(2, -1), pathOf(folder)]);
  t.same(await readFile(copy), await readFile(join(made, 'again.torrent')), 'the same bytes each time');
});

function byPath(a: ContentFile, b: ContentFile): number {
  return a.path < b.path ? -1 : 1;
}

t.test('verify, and the repair of one piece from libtorrent', async t => {
  const namespace = await network.add('verify');
  const output = outputOf(namespace);
  await mkdir(output);
  const path = join(output, smallPieces.name);
  await copyFile(pathOf(smallPieces), path);
  const seed = await startLibtorrentSeed(await network.add('seed'), {
    torrents: [{ torrent: smallPieces.torrent, directory: parent }],
  });
  const verify = (...more: string[]): Program =>
    startRarest(namespace, ['verify', smallPieces.torrent, output, ...more]);

  const good = verify();
  t.match(await good.waitForEnd(RUN_MS), { code: 0 }, 'the data is right');
  t.same(good.lines, [], 'nothing to tell');

  const piece = 77;
  await flip(path, piece * smallPieces.pieceLength + 5);
  const bad = verify();
  t.match(await bad.waitForEnd(RUN_MS), { code: 9 }, 'one byte is wrong');
  t.same(bad.lines, [`${piece}\t${path}`], 'and this is where');
  const events = verify('--json');
  t.match(await events.waitForEnd(RUN_MS), { code: 9 }, 'also with --json');
  t.match(named(events, 'bad'), [{ piece, files: [path] }], 'as an event');

  const repair = verify('--repair', '--json', '--no-dht', '--no-lsd', '--peer', seed.peer);
  t.match(await repair.waitForEnd(RUN_MS), { code: 0 }, 'repaired');
  t.same(await hashesOf(smallPieces, output), await hashesOf(smallPieces), 'the file is right again');
  const fetched = { downloaded: smallPieces.pieceLength, wasted: 0 };
  t.match(named(repair, 'done'), [fetched], 'that piece was fetched, and nothing else');
  t.match(await verify().waitForEnd(RUN_MS), { code: 0 }, 'and verifies');
});

function named(program: Program, name: string): ReturnType<typeof eventsOf> {
  return eventsOf(program.lines).filter(({ event }) => event === name);
}

async function flip(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  byte[0] = ~(byte[0] ?? 0) & 0xff;
  await file.write(byte, 0, 1, position);
  await file.close();
}
