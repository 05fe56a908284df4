// What the built program takes for a source, each in all its forms.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toHex } from '../../src/torrent/ids.js';
import { contentOf } from '../support/content.js';
import { folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { built, Program } from '../support/program.js';
import { ALONE, FakeTracker, ran, serveHttp, towards } from '../support/runs.js';

const CONTENT = contentOf(50_000);
const HEX = toHex(CONTENT.metainfo.infoHash);

/** RFC 4648. */
function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, byte => byte.toString(2).padStart(8, '0')).join('');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return bits.replace(/.{5}/g, five => alphabet[Number.parseInt(five, 2)] ?? '');
}

t.test('sources: a magnet link, hex or base32, with x.pe; an info hash, hex or base32', built, async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const place = `x.pe=127.0.0.1:${peer.address.port}`;
  const short = base32(CONTENT.metainfo.infoHash);
  const forms = [
    [`magnet:?xt=urn:btih:${HEX}&${place}`],
    [`magnet:?xt=urn:btih:${short}&${place}`],
    [HEX, ...towards(peer)],
    [short, ...towards(peer)],
  ];
  const directory = folder(t);
  await Promise.all(
    forms.map(async ([source = '', ...flags], at) => {
      const run = await ran(t, directory, ['download', source, '-o', `${at}`, '--json', ...ALONE, ...flags]);
      t.equal(run.exit, 0, source);
      t.match(run.named('done'), [{ source, infoHash: HEX }]);
      sameFiles(t, join(directory, `${at}`), CONTENT);
    }),
  );
});

t.test(
  'sources: btmh and 64 hex digits are v2: read, and not downloadable yet; exit 15 UNSUPPORTED: v2 only',
  built,
  async t => {
    const v2 = 'c1'.repeat(32);
    const directory = folder(t);
    const sources = [v2, `magnet:?xt=urn:btmh:1220${v2}`];
    const run = await ran(t, directory, ['download', ...sources, '--json', '--jobs', '1', ...ALONE]);
    t.equal(run.exit, 15);
    t.match(
      run.named('error'),
      sources.map(source => ({ source, code: 'UNSUPPORTED', exit: 15 })),
    );
  },
);

t.test('sources: tr, ws and dn of a magnet link', built, async t => {
  // gives the metadata and not one block
  const peer = await FakePeer.listen(t, CONTENT, {
    answer: (_wire, message, honest) => message.type === 'request' || honest(),
  });
  const tracker = await FakeTracker.start(t, [peer]);
  const ranges: (string | undefined)[] = [];
  const url = await serveHttp(t, (request, response) => {
    ranges.push(request.headers.range);
    const [, begin = 0, end = 0] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    const bytes = CONTENT.data.subarray(Number(begin), Number(end) + 1);
    response.writeHead(206, { 'content-range': `bytes ${begin}-${end}/50000` }).end(bytes);
  });
  const link = `magnet:?xt=urn:btih:${HEX}&dn=A+title&tr=${encodeURIComponent(tracker.url)}&ws=${encodeURIComponent(`${url}/content`)}`;
  const directory = folder(t, { lost: {} });
  const [run, lost] = await Promise.all([
    ran(t, directory, ['download', link, '-o', 'out', '--json', ...ALONE]),
    ran(t, join(directory, 'lost'), [
      'download',
      link,
      'none',
      '--no-trackers',
      '--metadata-timeout',
      '0.2s',
      ...ALONE,
    ]),
  ]);
  t.equal(run.exit, 0);
  t.equal(tracker.events[0], 'started');
  t.ok(ranges.length > 0, 'what no peer gives comes from the web seed');
  sameFiles(t, join(directory, 'out'), CONTENT);
  t.match(lost.stderr, 'rarest: A title: fetching metadata: ');
});

t.test('sources: the path of a .torrent, an http URL; redirects and size are capped', built, async t => {
  const url = await serveHttp(t, (request, response) => {
    const path = request.url ?? '';
    const hop = Number(/^\/hop\/(\d+)/.exec(path)?.[1]);
    if (hop > 0) return void response.writeHead(302, { location: `/hop/${hop - 1}` }).end();
    if (path === '/missing') return void response.writeHead(404).end();
    if (path !== '/endless') return void response.end(CONTENT.torrentFile);
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(1 << 20, 'd')));
      response.once('drain', more);
    };
    more();
  });
  const directory = folder(t, { 'x.torrent': Buffer.from(CONTENT.torrentFile) });
  const info = (source: string) => ran(t, directory, ['info', source, '--json']);
  const [path, direct, five, six, missing, endless] = await Promise.all([
    info('x.torrent'),
    info(`${url}/x`),
    info(`${url}/hop/5`),
    info(`${url}/hop/6`),
    info(`${url}/missing`),
    info(`${url}/endless`),
  ]);
  for (const run of [path, direct, five])
    t.match(run.named('metadata'), [{ infoHash: HEX, from: 'torrent' }]);
  t.match(six, { exit: 4, stderr: /more than 5 redirects \(NOT_FOUND\)/ });
  t.match(missing, { exit: 4, stderr: /404 Not Found \(NOT_FOUND\)/ });
  t.match(endless, { exit: 3, stderr: /larger than 64 MiB/ });
});

t.test('sources: stdin: the bytes of a .torrent, a list, a list with NULs', built, async t => {
  const directory = folder(t, { 'x.torrent': Buffer.from(CONTENT.torrentFile) });
  const odd = 'new\nline.torrent';
  writeFileSync(join(directory, odd), CONTENT.torrentFile);
  const info = (stdin: string | Uint8Array, ...flags: string[]) =>
    ran(t, directory, ['info', '-', '--json', ...flags], { stdin });
  const [bytes, list, nul] = await Promise.all([
    info(CONTENT.torrentFile),
    info(`# a comment\n\nx.torrent\nx.torrent\n`),
    info(`${odd}\0x.torrent`, '-0'),
  ]);
  t.match(bytes.named('metadata'), [{ source: '-', infoHash: HEX }]);
  t.match(
    list.named('metadata').map(({ source }) => source),
    ['x.torrent', 'x.torrent'],
  );
  t.same(
    nul.named('metadata').map(({ source }) => source),
    [odd, 'x.torrent'],
  );
});

t.test(
  'sources: a list that never ends; flag --jobs: so many at a time, results as they are ready',
  built,
  async t => {
    const [slow, quick, last] = [1, 2, 3].map(seed => contentOf(40_000, { name: `of ${seed}`, seed }));
    const directory = folder(t, {});
    for (const [at, content] of [slow, quick, last].entries())
      writeFileSync(join(directory, `${at}.torrent`), content!.torrentFile);
    const held: (() => void)[] = [];
    const hesitant = await FakePeer.listen(t, slow!, {
      answer: (_wire, message, honest) => void (message.type === 'request' ? held.push(honest) : honest()),
    });
    const tracks = await Promise.all([FakePeer.listen(t, quick!), FakePeer.listen(t, last!)]);
    const flags = ['--json', '--jobs', '2', ...ALONE, ...towards(hesitant, ...tracks)];
    const program = new Program(t, directory, ['download', '-', ...flags], { stdin: 'open' });
    program.type('0.torrent\n1.torrent\n2.torr');
    t.match(await program.until('done'), { source: '1.torrent' });
    t.equal(program.named('done').length, 1, 'the first one is still at work');
    program.type('ent\n');
    t.match(await program.until('done', 2), { source: '2.torrent' });
    await program.until('metadata', 3);
    for (const give of held) give();
    const slowest = await program.until('done', 3);
    t.match(slowest, { source: '0.torrent' });
    for (const give of held) give();
    program.endInput();
    t.same(await program.ended, { exit: 0, signal: null });
    const about = program.events.filter(({ event }) => event !== 'start' && event !== 'listening');
    t.ok(
      about.every(({ source }) => /^[012]\.torrent$/.test(String(source))),
      'each line names its source',
    );
  },
);

t.test(
  'sources: one that seeds holds no place among the jobs, and seed has no such limit',
  built,
  async t => {
    const contents = [1, 2, 3].map(seed => contentOf(1000, { name: `${seed}`, seed }));
    const directory = folder(t);
    for (const { metainfo, data, torrentFile } of contents) {
      writeFileSync(join(directory, metainfo.name), data);
      writeFileSync(join(directory, `${metainfo.name}.torrent`), torrentFile);
    }
    const sources = contents.map(({ metainfo }) => `${metainfo.name}.torrent`);
    const download = new Program(t, directory, [
      'download',
      ...sources,
      '--seed',
      '--jobs',
      '1',
      '--json',
      ...ALONE,
    ]);
    await download.until('seeding', 3);
    await download.kill('SIGTERM');
    const seed = new Program(t, directory, ['seed', ...sources, '--json', ...ALONE], {
      env: { RAREST_JOBS: '1' },
    });
    await seed.until('seeding', 3);
    t.same(await seed.kill('SIGTERM'), { exit: null, signal: 'SIGTERM' });
  },
);
