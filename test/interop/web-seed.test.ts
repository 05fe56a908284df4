// Against nginx as a web seed (BEP 19): alone, two at a time, one that lies, one that lacks a file, one without ranges.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { type Content, type ContentPlan, hashesOf, makeContent, singleFile } from './support/content.js';
import { Libtorrent, startLibtorrentSeed } from './support/libtorrent.js';
import { type Namespace, Network } from './support/namespaces.js';
import { Nginx, type WebRequest, withWebSeeds } from './support/nginx.js';
import {
  downloadArgs,
  eventsOf,
  expectData,
  expectDownload,
  RAREST_PORT,
  type RarestEvent,
  startRarest,
  waitForEvent,
} from './support/rarest.js';

const KIB = 1024;
const RUN_MS = 60_000;
/** Nobody is found, unless a test says who. */
const ALONE = ['--no-dht', '--no-lsd', '--no-trackers'];
/** What the servers may give altogether, in bytes of the torrent: one is asked for nothing twice, two are in the endgame. */
const MOST_OF_ONE = 1.05;
const MOST_OF_TWO = 1.5;

/** Names that a URL has to escape, small files of which many lie in one piece, and borders within pieces. */
const awkward: ContentPlan = {
  name: 'awkward & folder',
  pieceLength: 64 * KIB,
  files: (
    [
      ['100% sure? #1 + ü;&=.bin', 1_500_000],
      ['%41%2F..bin', 70_000],
      ['[brackets] {and} more|.bin', 1],
      [`it's "quoted" ~!$,@:.bin`, 65_537],
      ['empty.bin', 0],
      ['日本語/Привет мир 🎉.bin', 900_001],
      ['日本語/+/ leading space.bin', 33_333],
      ...Array.from({ length: 20 }, (_, index) => [`many/${index}.bin`, 1000 + index] as const),
      ['rest.bin', 500_000],
    ] as const
  ).map(([path, length]) => ({ path: `awkward & folder/${path}`, length })),
};

const network = await Network.create(t);
const parent = join(network.directory, 'shared');
const folder = await makeContent(awkward, parent);
const single = await makeContent(singleFile('single file.bin', 8_000_001, 128 * KIB), parent);
const peer = await startLibtorrentSeed(await network.add('slow-peer'), {
  torrents: [folder, single].map(({ torrent }) => ({ torrent, directory: parent, uploadLimit: 3_000_000 })),
});

async function serve(label: string, more: Partial<Parameters<typeof Nginx.start>[1]> = {}): Promise<Nginx> {
  return Nginx.start(await network.add(label), { root: parent, ...more });
}

function sum(requests: readonly WebRequest[]): number {
  return requests.reduce((total, { bytes }) => total + bytes, 0);
}

/** All of the content was asked for, and nothing twice. */
function expectServed(t: Test, content: Content, requests: readonly WebRequest[]): void {
  const bytes = sum(requests);
  t.ok(
    bytes >= content.length && bytes < content.length * MOST_OF_ONE,
    `served ${bytes} of ${content.length}`,
  );
  t.same(
    requests.filter(({ status, range }) => status !== 206 || range === ''),
    [],
    'by ranges alone',
  );
}

/** Downloads with `--json` and compares the data; the events. */
async function download(
  t: Test,
  namespace: Namespace,
  content: Content,
  source: string,
  args: readonly string[],
): Promise<RarestEvent[]> {
  const program = startRarest(namespace, downloadArgs(namespace, source, ['--json', ...ALONE, ...args]));
  t.match(await program.waitForEnd(RUN_MS), { code: 0, signal: null }, 'ends with success');
  await expectData(t, namespace, content);
  return eventsOf(program.lines);
}

function warningsAbout(events: readonly RarestEvent[], text: string): RarestEvent[] {
  return events.filter(({ event, message }) => event === 'warning' && `${message}`.includes(text));
}

t.test('a web seed and nobody else', async t => {
  const web = await serve('alone');
  for (const [content, url] of [
    [single, `${web.url}/${encodeURIComponent(single.name)}`],
    [folder, `${web.url}/`],
  ] as const) {
    const before = (await web.requests()).length;
    const torrent = await withWebSeeds(content, 'alone', [url]);
    await expectDownload(t, await network.add(`alone-${content.pieces}`), content, torrent, ALONE);
    expectServed(t, content, (await web.requests()).slice(before));
  }
  // The place where the file lies, not the file itself.
  const args = [...ALONE, '--web-seed', `${web.url}/`];
  await expectDownload(t, await network.add('flag'), single, single.torrent, args);
});

t.test('a magnet link with a web seed; the peer has the metadata and no data', async t => {
  const web = await serve('magnet');
  const place = await network.add('knows-names');
  const other = new Libtorrent(place, {
    torrents: [{ torrent: folder.torrent, directory: place.directory }],
  });
  const magnet = `${folder.magnet}&ws=${encodeURIComponent(`${web.url}/`)}`;
  const args = [...ALONE, '--peer', other.peer];
  await expectDownload(t, await network.add('by-magnet'), folder, magnet, args);
  expectServed(t, folder, await web.requests());
});

t.test('two web seeds at a time', async t => {
  const pair = [
    await serve('left', { rateBps: 500_000 }),
    await serve('right', { rateBps: 500_000 }),
  ] as const;
  const urls = pair.map(({ url }) => `${url}/`);
  const torrent = await withWebSeeds(single, 'pair', urls);
  await expectDownload(t, await network.add('of-two'), single, torrent, ALONE);
  const bytes = [sum(await pair[0].requests()), sum(await pair[1].requests())] as const;
  t.ok(Math.min(...bytes) > single.length / 10, `both gave their part: ${bytes.join(', ')}`);
  t.ok(bytes[0] + bytes[1] < single.length * MOST_OF_TWO, 'little of it twice');
});

t.test('one that has moved', async t => {
  const web = await serve('there');
  const old = await serve('moved', { movedTo: web.url });
  const torrent = await withWebSeeds(folder, 'moved', [`${old.url}/`]);
  await expectDownload(t, await network.add('follows'), folder, torrent, ALONE);
  expectServed(t, folder, await web.requests());
});

t.test('one that lies is left, and not a byte of it stays', async t => {
  const lies = join(network.directory, 'lies');
  for (const { path } of [...folder.files, ...single.files]) await writeInverse(path, lies);
  for (const content of [folder, single]) {
    const { pieces } = content;
    const liar = await serve(`liar-${pieces}`, { root: lies });
    const byPeer = await network.add(`with-peer-${pieces}`);
    const torrent = await withWebSeeds(content, 'lies', [`${liar.url}/`]);
    const events = await download(t, byPeer, content, torrent, ['--peer', peer.peer]);
    const asked = (await liar.requests()).length;
    t.ok(asked > 0 && asked <= 2 * content.files.length + 8, `asked ${asked} times, then no more`);
    t.ok(sum(await liar.requests()) < content.length, 'not even once for all');
    t.not(warningsAbout(events, liar.url).length, 0, 'the user is told which one it is');

    const honest = await serve(`honest-${pieces}`, { rateBps: 2_000_000 });
    const two = await withWebSeeds(content, 'one-lies', [`${liar.url}/`, `${honest.url}/`]);
    await download(t, await network.add(`with-other-${pieces}`), content, two, []);
    t.ok(sum(await honest.requests()) >= content.length, 'all of it came from the honest one');
  }
});

async function writeInverse(path: string, root: string): Promise<void> {
  const bytes = await readFile(join(parent, path));
  for (let at = 0; at < bytes.length; at++) bytes[at] = 255 - (bytes[at] ?? 0);
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), bytes);
}

t.test('one that lacks a file is not asked for it again and again', async t => {
  const part = join(network.directory, 'part');
  for (const { path } of folder.files) {
    await mkdir(dirname(join(part, path)), { recursive: true });
    await writeFile(join(part, path), await readFile(join(parent, path)));
  }
  const gone = folder.files[5]?.path ?? '';
  await rm(join(part, gone));
  const web = await serve('part', { root: part });
  const torrent = await withWebSeeds(folder, 'part', [`${web.url}/`]);
  const events = await download(t, await network.add('of-part'), folder, torrent, ['--peer', peer.peer]);
  const missed = (await web.requests()).filter(({ status }) => status === 404);
  t.ok(missed.length > 0 && missed.length <= 8, `${missed.length} requests for what is not there`);
  t.ok(sum(await web.requests()) > 0, 'the rest was still taken');
  t.not(warningsAbout(events, '404').length, 0, 'the user is told');
});

t.test('nothing is asked for after 100 %', async t => {
  const web = await serve('after');
  const namespace = await network.add('goes-on');
  const torrent = await withWebSeeds(single, 'after', [`${web.url}/`]);
  const program = startRarest(namespace, downloadArgs(namespace, torrent, ['--json', '--seed', ...ALONE]));
  await waitForEvent(program, 'seeding');
  const before = (await web.requests()).length;
  const place = await network.add('our-leecher');
  const us = `${namespace.address}:${RAREST_PORT}`;
  const leecher = new Libtorrent(place, {
    torrents: [{ torrent: single.torrent, directory: place.directory, peers: [us] }],
  });
  await leecher.complete(0, RUN_MS);
  t.same(await hashesOf(single, place.directory), await hashesOf(single), 'a leecher has it all from us');
  t.equal((await web.requests()).length, before, 'and the web seed was left alone');
  program.kill('SIGINT');
  t.match(await program.waitForEnd(RUN_MS), { signal: 'SIGINT' });
});

t.test('a server without ranges', async t => {
  const web = await serve('no-ranges', { ranges: false });
  const small = await makeContent(
    {
      name: 'small files',
      pieceLength: 64 * KIB,
      files: Array.from({ length: 12 }, (_, index) => ({
        path: `small files/${index}.bin`,
        length: 30_000 * index,
      })),
    },
    parent,
  );
  const torrent = await withWebSeeds(small, 'no-ranges', [`${web.url}/`]);
  await expectDownload(t, await network.add('whole-files'), small, torrent, ALONE);
  t.same(new Set((await web.requests()).map(({ status }) => status)), new Set([200]), 'it sent whole files');

  const namespace = await network.add('too-long');
  const args = ['--json', ...ALONE, '--web-seed', `${web.url}/`, '--stall-timeout', '3s'];
  const program = startRarest(namespace, downloadArgs(namespace, single.torrent, args));
  t.match(await program.waitForEnd(RUN_MS), { code: 6 }, 'a long file cannot be had in parts');
  t.not(warningsAbout(eventsOf(program.lines), 'range').length, 0, 'which is said');
  const bytes = sum(await web.requests());
  t.ok(bytes < 2 * single.length + 4 * small.length, `and not tried for ever: ${bytes} bytes`);
});
