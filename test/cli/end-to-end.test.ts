// The built program, from its arguments to its files, output and exit code.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { toHex } from '../../src/torrent/ids.js';
import { type Content, contentOf } from '../support/content.js';
import { filesBelow, folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { built, Program } from '../support/program.js';

const CONTENT = contentOf({ 'first file': 100_000, empty: 0, 'sub/ünïcode': 50_001 }, { name: 'a folder' });
const OFFLINE = ['--no-dht', '--no-lsd', '--port', '0'];

/** Data, the .torrent beside it, and a program that seeds it. */
async function seeder(t: Test, directory: string, content: Content, args = OFFLINE) {
  for (const { path, offset, length } of content.metainfo.files) {
    mkdirSync(join(directory, 'data', ...path.slice(0, -1)), { recursive: true });
    writeFileSync(join(directory, 'data', ...path), content.data.subarray(offset, offset + length));
  }
  writeFileSync(join(directory, 'x.torrent'), content.torrentFile);
  const command = ['download', 'x.torrent', '-o', 'data', '--seed', '--json', ...args];
  const program = new Program(t, directory, command);
  const { port } = await program.until('listening');
  const { magnet } = await program.until('seeding');
  return { program, port, magnet: String(magnet) };
}

/** Nothing is left but what these runs are to leave: no lock, no draft, no journal. */
function nothingHalfDone(t: Test, directory: string): void {
  const state = filesBelow(join(directory, 'state'));
  t.same(
    state.filter(path => /locks|\.tmp$|\.journal$/.test(path)),
    [],
    'nothing half-done is left',
  );
}

t.test('one seeds, one downloads by its magnet link', built, async t => {
  const directory = folder(t, { seed: {}, leech: {} });
  const [there, here] = [join(directory, 'seed'), join(directory, 'leech')];
  const { program: seed, port, magnet } = await seeder(t, there, CONTENT);
  t.equal(magnet, CONTENT.magnet);
  const peer = ['--peer', `127.0.0.1:${port}`];

  const plain = new Program(t, here, ['download', magnet, '-o', 'out', ...OFFLINE, ...peer]);
  t.same(await plain.ended, { exit: 0, signal: null });
  const below = join('out', 'a folder');
  const paths = ['empty', 'first file', 'sub/ünïcode'].map(path => join(below, path));
  t.same(plain.lines.toSorted(), paths, 'stdout is the paths, and nothing else');
  t.equal(plain.lines[0], join(below, 'empty'), 'as they are complete');
  t.notMatch(plain.stderr, '\x1b');
  sameFiles(t, join(here, 'out'), CONTENT);
  nothingHalfDone(t, here);

  await t.test('--json tells it in order', async t => {
    const again = ['download', magnet, '-o', 'elsewhere', '--json', ...OFFLINE, ...peer];
    const json = new Program(t, folder(t), again);
    t.same(await json.ended, { exit: 0, signal: null });
    t.equal(json.stderr, '');
    const names = json.events.map(({ event }) => event);
    t.same(
      names.filter(name => name !== 'progress'),
      ['start', 'listening', 'metadata', 'file', 'file', 'file', 'done'],
    );
    const times = json.events.map(({ t }) => t);
    t.same(
      times.toSorted((a, b) => a - b),
      times,
    );
    const about = { v: 1, source: magnet, infoHash: toHex(CONTENT.metainfo.infoHash) };
    t.match(json.events.slice(2), Array(json.events.length - 2).fill(about));
    t.match(json.named('start'), [{ output: 'elsewhere', version: /^\d+\.\d+\.\d+$/ }]);
    t.match(json.named('listening'), [{ dhtPort: null }]);
    t.match(json.named('metadata'), [{ name: 'a folder', length: 150_001, pieces: 5, from: 'peers' }]);
    const done = { path: join('elsewhere', 'a folder'), files: 3, length: 150_001, downloaded: 150_001 };
    t.match(json.named('done'), [done]);
  });

  await t.test('run again, with nobody there', async t => {
    t.same(await seed.kill('SIGTERM'), { exit: null, signal: 'SIGTERM' }, 'a death by signal');
    nothingHalfDone(t, there);
    const offline = new Program(t, here, ['download', magnet, '-o', 'out', ...OFFLINE, ...peer]);
    t.same(await offline.ended, { exit: 0, signal: null });
    t.same(offline.lines.toSorted(), paths);
  });
});

t.test('two sources, one of which fails', built, async t => {
  const directory = folder(t);
  const content = contentOf(70_000);
  const peer = await FakePeer.listen(t, content);
  writeFileSync(join(directory, 'good.torrent'), content.torrentFile);
  const address = `127.0.0.1:${peer.address.port}`;
  const program = new Program(t, directory, [
    ...['download', 'missing.torrent', 'good.torrent', '--peer', address],
    ...OFFLINE,
  ]);
  t.same(await program.ended, { exit: 4, signal: null });
  t.same(program.lines, ['content'], 'the other one is downloaded all the same');
  t.match(program.stderr, /^rarest: reading missing.torrent: no such file or directory \(NOT_FOUND\)\n/m);
});

const SMALL = contentOf(50_000);

t.test('two programs on the same data: the second one is locked out', built, async t => {
  const directory = folder(t);
  const { program: seed } = await seeder(t, directory, SMALL);
  const second = new Program(t, directory, ['download', 'x.torrent', '-o', 'data', '--json', ...OFFLINE]);
  t.same(await second.ended, { exit: 12, signal: null });
  t.match(second.named('error'), [{ code: 'LOCKED' }]);
  t.same(await seed.kill('SIGINT'), { exit: null, signal: 'SIGINT' });
  const third = new Program(t, directory, ['download', 'x.torrent', '-o', 'data', ...OFFLINE]);
  t.same(await third.ended, { exit: 0, signal: null });
  t.ok(readFileSync(join(directory, 'data', 'content')).equals(SMALL.data));
});

t.test('three programs, a DHT of their own, and nothing but a magnet link', built, async t => {
  const directory = folder(t, { first: {}, seed: {}, leech: {} });
  // The first one knows nobody, and is known to the others.
  const nowhere = ['--no-lsd', '--port', '0', '--dht-bootstrap', '127.0.0.1:9'];
  const unknown = contentOf(1, { seed: 3 }).magnet;
  const first = new Program(t, join(directory, 'first'), ['download', unknown, '--json', ...nowhere]);
  const { dhtPort } = await first.until('listening');
  const dht = ['--no-lsd', '--port', '0', '--dht-bootstrap', `127.0.0.1:${dhtPort}`];
  await seeder(t, join(directory, 'seed'), SMALL, dht);
  const here = join(directory, 'leech');
  const leech = new Program(t, here, ['download', SMALL.magnet, '--json', '-v', ...dht]);
  t.same(await leech.ended, { exit: 0, signal: null });
  t.ok(readFileSync(join(here, 'content')).equals(SMALL.data));
  t.ok(existsSync(join(here, 'state', 'rarest', 'dht.json')), 'and it remembers the nodes it met');
});
