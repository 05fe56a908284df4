// Each event of --json as the built program prints it, and that what it says is true.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toHex } from '../../src/torrent/ids.js';
import { contentOf } from '../support/content.js';
import { folder } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { built, Program } from '../support/program.js';
import { ALONE, FakeTracker, ran, towards, writeData } from '../support/runs.js';

const CONTENT = contentOf({ a: 100_000, b: 50_000 }, { name: 'root' });
const HEX = toHex(CONTENT.metainfo.infoHash);
const PIECES = CONTENT.geometry.pieceCount;

t.test(
  'event start, listening, metadata, file, piece, peer, choke, tracker, done: of a download and a seed',
  built,
  async t => {
    const directory = folder(t, { 'x.torrent': Buffer.from(CONTENT.torrentFile), data: {}, leech: {} });
    writeData(join(directory, 'data'), CONTENT);
    const seed = new Program(t, directory, ['seed', 'x.torrent', '-o', 'data', '--json', '-v', ...ALONE]);
    const { host, port, dhtPort } = await seed.until('listening');
    t.match({ host, dhtPort }, { host: /^(::|0\.0\.0\.0)$/, dhtPort: null });
    await seed.until('seeding');
    const address = `127.0.0.1:${port}`;
    const tracker = await FakeTracker.start(t);
    const argv = [
      'download',
      CONTENT.magnet,
      '-o',
      'out',
      '--json',
      '-v',
      '--peer',
      address,
      '--tracker',
      tracker.url,
    ];
    const run = await ran(t, join(directory, 'leech'), [...argv, ...ALONE]);
    t.match(run, { exit: 0, stderr: '' });

    const about = { v: 1, source: CONTENT.magnet, infoHash: HEX };
    const [start, listening, ...rest] = run.events;
    t.match(
      [start, listening],
      [{ event: 'start', output: 'out', version: /^\d+\.\d+\.\d+$/ }, { event: 'listening' }],
    );
    t.match(rest, Array(rest.length).fill(about));
    const times = run.events.map(event => event.t);
    t.same(
      times,
      times.toSorted((a, b) => a - b),
    );
    t.same(
      run.named('metadata').map(({ v: _v, t: _t, event: _event, source: _source, ...fields }) => fields),
      [
        {
          ...{
            infoHash: HEX,
            name: 'root',
            pieces: PIECES,
            pieceLength: 32_768,
            length: 150_000,
            private: false,
          },
          ...{ trackers: [[tracker.url]], webSeeds: [], from: 'peers' },
          files: [
            { index: 0, path: 'out/root/a', length: 100_000, selected: true },
            { index: 1, path: 'out/root/b', length: 50_000, selected: true },
          ],
        },
      ],
    );
    const files = run.named('file').toSorted((a, b) => Number(a.index) - Number(b.index));
    t.match(files, [
      { index: 0, path: 'out/root/a', length: 100_000 },
      { index: 1, path: 'out/root/b', length: 50_000 },
    ]);
    t.same(
      run
        .named('piece')
        .map(({ index }) => Number(index))
        .sort((a, b) => a - b),
      Array.from({ length: PIECES }, (_, index) => index),
    );
    t.match(run.named('peer')[0], { address, how: 'dialled' });
    t.match(run.named('tracker')[0], { url: tracker.url, peers: 0, seeds: 3, leechers: 1 });
    t.match(run.named('done'), [
      {
        ...{
          path: 'out/root',
          files: 2,
          length: 150_000,
          downloaded: 150_000,
          uploaded: 0,
          ratio: 0,
          wasted: 0,
        },
        seconds: Number,
      },
    ]);
    await seed.until('peer', 2);
    const closed = seed.named('peer').find(({ how }) => how === 'closed');
    t.match(closed, {
      address: /^(127\.0\.0\.1|\[::ffff:127\.0\.0\.1\]):\d+$/,
      why: String,
      sent: 150_000,
      received: 0,
    });
    t.match(seed.named('choke')[0], { address: closed?.address, decision: 'unchoke', reason: String });
    await seed.kill('SIGTERM');
  },
);

t.test(
  'event resumed, progress, seeding, warning: what was there, how it goes on, what is odd',
  built,
  async t => {
    const odd = contentOf({ 'a\u0007b': 100_000 }, { name: 'root' });
    const directory = folder(t, { 'x.torrent': Buffer.from(odd.torrentFile), root: {} });
    writeFileSync(join(directory, 'root', 'a_b'), odd.data.subarray(0, 40_000));
    const peer = await FakePeer.listen(t, odd, { have: [0] });
    const argv = ['download', 'x.torrent', '--json', ...ALONE, ...towards(peer)];
    const stuck = new Program(t, directory, [...argv, '--timeout', '10m']);
    await stuck.until('progress');
    t.match(stuck.named('resumed'), [{ piecesHave: 1, bytesHave: 32_768, how: 'recheck' }]);
    t.match(stuck.named('warning')[0], { message: /a_b/ });
    const {
      v: _v,
      t: _t,
      event: _event,
      source: _source,
      infoHash: _hash,
      ...progress
    } = stuck.named('progress').at(-1)!;
    t.same(Object.keys(progress).sort(), [
      ...['availability', 'downRate', 'downloaded', 'etaSeconds', 'length', 'peers'],
      ...['seeds', 'upRate', 'uploaded'],
    ]);
    t.match(progress, { downloaded: 32_768, length: 100_000, uploaded: 0, etaSeconds: null, seeds: 0 });
    await stuck.kill('SIGTERM');
    writeFileSync(join(directory, 'root', 'a_b'), odd.data);
    const seeding = new Program(t, directory, ['seed', 'x.torrent', '--json', ...ALONE]);
    t.match(await seeding.until('seeding'), { magnet: odd.magnet });
    await seeding.kill('SIGTERM');
  },
);

t.test(
  'event found, dht, tracker: who is in a swarm; command peers: host:port and who named it',
  built,
  async t => {
    const named = await FakePeer.listen(t, CONTENT);
    const tracker = await FakeTracker.start(t, [named]);
    const directory = folder(t, { 'x.torrent': Buffer.from(CONTENT.torrentFile) });
    const asked = ['--tracker', tracker.url, '--peer', '192.0.2.1:6881'];
    const argv = ['peers', 'x.torrent', ...asked, '--timeout', '10m', '--no-lsd', '--no-pex', '--port', '0'];
    const lonely = contentOf(1, { seed: 9 });
    const node = new Program(t, directory, [
      'download',
      lonely.magnet,
      '--json',
      '--no-lsd',
      '--port',
      '0',
      '--dht-bootstrap',
      '127.0.0.1:9',
    ]);
    const { dhtPort } = await node.until('listening');
    const dht = ['--dht-bootstrap', `127.0.0.1:${dhtPort}`];
    const [json, plain, scraping] = [
      new Program(t, directory, [...argv, '--json', ...dht]),
      new Program(t, directory, [...argv, '--no-dht']),
      new Program(t, directory, [...argv, '--scrape', '--json', '--no-dht']),
    ];
    await json.until('found', 2);
    t.match(
      json.named('found').map(({ host, port, from }) => ({ host, port, from })),
      [
        { host: '192.0.2.1', port: 6881, from: 'manual' },
        { host: '127.0.0.1', port: named.address.port, from: 'tracker' },
      ],
    );
    await plain.untilPrinted(() => plain.lines.length === 2);
    t.same(plain.lines, ['192.0.2.1:6881\tmanual', `127.0.0.1:${named.address.port}\ttracker`]);
    await scraping.until('tracker', 2);
    t.ok(
      scraping.named('tracker').some(({ seeds, leechers }) => seeds === 7 && leechers === 2),
      'as scraped',
    );
    for (const program of [json, plain, scraping])
      t.same(await program.kill('SIGINT'), { exit: null, signal: 'SIGINT' });
    await node.kill('SIGTERM');
  },
);

t.test(
  'event dht: nodes and addresses; flag --dht-bootstrap: in place of the built-in routers',
  built,
  async t => {
    const directory = folder(t);
    const alone = ['--json', '-v', '--no-lsd', '--port', '0', '--dht-bootstrap'];
    // they meet, and neither has what the other looks for
    const lonely = contentOf(1, { seed: 9 });
    const first = new Program(t, directory, ['download', lonely.magnet, ...alone, '127.0.0.1:9']);
    const { dhtPort } = await first.until('listening');
    const second = new Program(t, directory, [
      'download',
      CONTENT.magnet,
      '-o',
      'out',
      ...alone,
      `127.0.0.1:${dhtPort}`,
    ]);
    t.match(await second.until('dht'), { nodes: 1, found: Number });
    await Promise.all([first.kill('SIGTERM'), second.kill('SIGTERM')]);
  },
);

t.test(
  'event created, bad, error: of create, verify, and of what fails; event magnet: of magnet',
  built,
  async t => {
    const directory = folder(t, { data: {}, 'x.torrent': Buffer.from(CONTENT.torrentFile) });
    writeData(join(directory, 'data'), CONTENT);
    const created = await ran(t, directory, [
      'create',
      'data/root',
      '--piece-length',
      '32KiB',
      '-o',
      'y.torrent',
      '--json',
    ]);
    t.match(created.events, [{ event: 'created', path: 'y.torrent', infoHash: HEX }], 'the same torrent');
    t.equal(created.events.length, 1);
    writeFileSync(join(directory, 'data', 'root', 'b'), 'other');
    const bad = await ran(t, directory, ['verify', 'x.torrent', 'data', '--json']);
    t.match(bad.named('bad'), [
      { piece: 3, files: ['data/root/a', 'data/root/b'] },
      { piece: 4, files: ['data/root/b'] },
    ]);
    t.match(bad.named('error'), [
      { source: 'x.torrent', infoHash: HEX, code: 'VERIFY_FAILED', message: String, exit: 9 },
    ]);
    const link = await ran(t, directory, ['magnet', 'x.torrent', '--json']);
    t.match(link.events, [{ event: 'magnet', magnet: CONTENT.magnet, infoHash: HEX }]);
  },
);
