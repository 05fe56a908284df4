// What each flag of the built program does, seen from outside.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { toHex } from '../../src/torrent/ids.js';
import { parseTorrent } from '../../src/torrent/metainfo.js';
import { type Content, contentOf } from '../support/content.js';
import { filesBelow, folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { built, Program } from '../support/program.js';
import { ALONE, ran, towards, writeData } from '../support/runs.js';

const CONTENT = contentOf(400_000);
const PIECES = CONTENT.geometry.pieceCount;

/** A folder with the .torrent, and with the data if so wished. */
function place(t: Test, content: Content = CONTENT, data = false): string {
  const directory = folder(t, { 'x.torrent': Buffer.from(content.torrentFile) });
  if (data) writeData(directory, content);
  return directory;
}

t.test('flag --output, -o: where the data goes', built, async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const directory = place(t);
  const run = await ran(t, directory, ['download', 'x.torrent', '-oa/b', ...ALONE, ...towards(peer)]);
  t.match(run, { exit: 0, lines: ['a/b/content'] });
  sameFiles(t, join(directory, 'a/b'), CONTENT);
});

t.test('flag --sequential: from the first piece to the last', built, async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const argv = ['download', 'x.torrent', '--sequential', ...ALONE, ...towards(peer)];
  t.equal((await ran(t, place(t), argv)).exit, 0);
  const pieces = peer.served.map(block => Number.parseInt(block, 10));
  t.same(
    pieces,
    pieces.toSorted((a, b) => a - b),
  );
  t.equal(new Set(pieces).size, PIECES);
});

t.test(
  'flag --seed, --seed-time, --seed-ratio: for ever, for a time, until so much was given',
  built,
  async t => {
    const small = contentOf(30_000, { pieceLength: 32_768 });
    const directory = place(t, small, true);
    const seeding = (...goal: string[]) =>
      new Program(t, directory, ['download', 'x.torrent', '--json', ...goal, ...ALONE]);
    const time = seeding('--seed-time', '0.1s');
    t.same(await time.ended, { exit: 0, signal: null });
    t.equal(time.named('seeding').length, 1);
    const ratio = seeding('--seed-ratio', '1');
    const { port } = await ratio.until('listening');
    await ratio.until('seeding');
    const leech = await ran(t, directory, [
      ...['download', small.magnet, '-o', 'out', '--json', ...ALONE, '--peer', `127.0.0.1:${port}`],
    ]);
    t.equal(leech.exit, 0);
    t.same(await ratio.ended, { exit: 0, signal: null }, 'all was given once');
    const forever = seeding('--seed');
    await forever.until('seeding');
    await forever.until('progress', 2);
    t.same(await forever.kill('SIGTERM'), { exit: null, signal: 'SIGTERM' });
  },
);

t.test(
  'flag --out, --piece-length, --name, --private, --source, --comment, --node, --pad-files: of create',
  built,
  async t => {
    const directory = folder(t, { data: { a: 'x'.repeat(20_000), b: 'y' } });
    const flags = [
      ...[
        '--out',
        'made.torrent',
        '--piece-length',
        '32KiB',
        '--name',
        'called',
        '--private',
        '--source',
        'S',
      ],
      ...['--comment', 'words', '--node', 'router.example.org:6881', '--pad-files'],
      ...['--tracker', 'http://a/,http://b/', '--tracker', 'udp://c:1', '--web-seed', 'http://w/'],
    ];
    t.match(await ran(t, directory, ['create', 'data', ...flags]), { exit: 0, lines: ['made.torrent'] });
    const metainfo = parseTorrent(readFileSync(join(directory, 'made.torrent')));
    t.match(metainfo, {
      ...{ name: 'called', private: true, source: 'S', comment: 'words', pieceLength: 32_768 },
      nodes: [{ host: 'router.example.org', port: 6881 }],
      trackers: [['http://a/', 'http://b/'], ['udp://c:1']],
      webSeeds: ['http://w/'],
    });
    t.ok(metainfo.files.some(({ pad }) => pad));
    const [dash, plain] = await Promise.all([
      ran(t, directory, ['create', 'data', '-o', '-']),
      ran(t, directory, ['create', '-'], { stdin: 'data\n' }),
    ]);
    t.match(plain, { exit: 0, lines: ['data.torrent'] }, '<name>.torrent, and paths by stdin');
    t.equal(
      readFileSync(join(directory, 'data.torrent'), 'utf8'),
      dash.stdout,
      'the same input, the same bytes',
    );
  },
);

t.test(
  'flag --partial: what is there of incomplete data; exit 9 VERIFY_FAILED: without it',
  built,
  async t => {
    const directory = place(t, CONTENT, true);
    const broken = Buffer.from(CONTENT.data).fill(0, 0, 32_768);
    writeFileSync(join(directory, 'content'), broken);
    t.equal((await ran(t, directory, ['seed', 'x.torrent', ...ALONE])).exit, 9);
    const program = new Program(t, directory, ['seed', 'x.torrent', '--partial', '--json', ...ALONE]);
    const { port } = await program.until('listening');
    await program.until('seeding');
    const wire = await FakePeer.dial(t, Number(port), CONTENT, { have: [] });
    const { bits } = await wire.until('bitfield');
    t.equal(bits[0], 0b01111111, 'all but the first piece');
    await program.kill('SIGTERM');
  },
);

t.test('flag --super-seed: shows one piece at a time', built, async t => {
  const argv = ['seed', 'x.torrent', '--super-seed', '--json', ...ALONE];
  const program = new Program(t, place(t, CONTENT, true), argv);
  const { port } = await program.until('listening');
  await program.until('seeding');
  const wire = await FakePeer.dial(t, Number(port), CONTENT, { have: [] });
  await wire.until('have');
  t.same(
    wire.received.map(({ type }) => type).filter(type => /^(have|bitfield)/.test(type)),
    ['haveNone', 'have'],
  );
  await program.kill('SIGTERM');
});

t.test('flag --recheck, --trust, --force: what is believed, what is overwritten', built, async t => {
  const directory = place(t, CONTENT, true);
  const download = (...flags: string[]) =>
    ran(t, directory, ['download', 'x.torrent', '--json', ...flags, ...ALONE]);
  t.match(
    (await download()).named('resumed'),
    [{ how: 'recheck', piecesHave: PIECES }],
    'hashed: it is not ours',
  );
  t.match((await download()).named('resumed'), [{ how: 'resume' }], 'a finished download run again');
  t.match((await download('--recheck')).named('resumed'), [{ how: 'recheck' }]);
  const other = folder(t, { 'x.torrent': Buffer.from(CONTENT.torrentFile) });
  writeFileSync(join(other, 'content'), Buffer.alloc(CONTENT.data.length));
  const believed = await ran(t, other, ['download', 'x.torrent', '--trust', '--json', ...ALONE]);
  t.match(believed, { exit: 0 }, 'zeros are believed');
  const again = folder(t, { 'x.torrent': Buffer.from(CONTENT.torrentFile), content: 'not ours' });
  t.equal((await ran(t, again, ['download', 'x.torrent', ...ALONE])).exit, 14);
  const peer = await FakePeer.listen(t, CONTENT);
  t.equal((await ran(t, again, ['download', 'x.torrent', '--force', ...ALONE, ...towards(peer)])).exit, 0);
  t.ok(readFileSync(join(again, 'content')).equals(CONTENT.data));
});

t.test('flag --save-torrent: keeps the metadata of a magnet', built, async t => {
  const peer = await FakePeer.listen(t, CONTENT);
  const directory = folder(t);
  const argv = ['download', CONTENT.magnet, '--save-torrent', 'kept.torrent', ...ALONE, ...towards(peer)];
  t.equal((await ran(t, directory, argv)).exit, 0);
  const { infoHash } = parseTorrent(readFileSync(join(directory, 'kept.torrent')));
  t.equal(toHex(infoHash), toHex(CONTENT.metainfo.infoHash));
});

t.test('flag --help, --version: of a command, of all; each flag is also a variable', built, async t => {
  const directory = folder(t);
  const [version, ...helps] = await Promise.all([
    ran(t, directory, ['--version']),
    ...['download', 'create'].map(command => ran(t, directory, [command, '--help'])),
  ]);
  t.match(version, { exit: 0, stdout: /^rarest \d+\.\d+\.\d+\n$/ });
  for (const help of helps) t.match(help, { exit: 0, stdout: /^Usage: rarest \w+ \[options\]/, stderr: '' });
  const json = await ran(t, place(t), ['info', 'x.torrent'], { env: { RAREST_JSON: '1' } });
  t.match(json.events, [{ event: 'metadata' }]);
});

t.test('names of a torrent that are unsafe are made safe, with a warning', built, async t => {
  const odd = contentOf({ '../../out': 10, 'con\u0007trol': 10 }, { name: '../up' });
  const directory = folder(t, { here: {} });
  const peer = await FakePeer.listen(t, odd);
  writeFileSync(join(directory, 'here', 'x.torrent'), odd.torrentFile);
  mkdirSync(join(directory, 'beside'));
  const argv = ['download', 'x.torrent', '--json', ...ALONE, ...towards(peer)];
  const run = await ran(t, join(directory, 'here'), argv);
  t.equal(run.exit, 0);
  t.ok(run.named('warning').length > 0);
  t.same(
    run.named('file').map(({ path }) => path),
    ['.._up/out', '.._up/con_trol'],
  );
  t.same(
    filesBelow(directory).filter(path => !path.startsWith('here/')),
    [],
    'nothing is written outside',
  );
});
