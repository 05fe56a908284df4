// The demonstration: its book-keeping, a small run of it, and that it leaves nothing behind however it ends.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { CONTENT_NAME, fingerprints, writeContent } from '../demo/content.js';
import { Ledger, matrix } from '../demo/ledger.js';
import { type Plan, play } from '../demo/play.js';
import { barLine, Screen } from '../demo/screen.js';
import { TorrentView } from '../src/cli/torrent-view.js';
import { BARE_NODE, PROGRAM } from './support/program.js';
import { ROOT } from './support/root.js';

const DEMO = join(ROOT, 'dist/demo/swarm.js');
const built = existsSync(PROGRAM) && existsSync(DEMO) ? {} : { skip: 'not built: npm run build' };

/** A third of the size, and no slower. */
const PLAN: Plan = {
  program: PROGRAM,
  lengthBytes: 3_000_000,
  seedBps: 1_500_000,
  leechers: ['A', 'B', 'C'].map(name => ({ name, giveBps: 1_500_000 })),
  staggerMs: 500,
  deadlineMs: 50_000,
};

/** Plays with temporary files in `place`; gives what was shown, or the failure. */
async function played(plan: Plan, place: string, signal = new AbortController().signal): Promise<string> {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = place;
  const shown = new PassThrough();
  try {
    await play(plan, new Screen(shown), signal);
  } catch (error) {
    return String(error);
  } finally {
    shown.end();
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
  return await text(shown);
}

t.test('each connection is booked once, where it was dialled', async t => {
  const ledger = new Ledger();
  const listening = { event: 'listening', host: '::', dhtPort: null } as const;
  const seed = '127.0.0.1:1001';
  const a = '127.0.0.1:1002';
  ledger.event('A', { event: 'peer', address: seed, how: 'dialled' });
  ledger.event('seed', { event: 'peer', address: '127.0.0.1:40000', how: 'incoming' });
  ledger.event('A', { event: 'peer', address: seed, how: 'closed', received: 5_000_000, sent: 0 });
  const atSeed = { received: 0, sent: 5_000_000 };
  ledger.event('seed', { event: 'peer', address: '127.0.0.1:40000', how: 'closed', ...atSeed });
  for (const how of ['dialled', 'closed'] as const)
    ledger.event('B', { event: 'peer', address: a, how, received: 1_250_000, sent: 300_000 });
  ledger.event('B', { event: 'peer', address: a, how: 'failed', why: 'connection refused' });
  t.same(ledger.strangers(), [seed, a], 'until they tell where they listen');
  ledger.event('seed', { ...listening, port: 1001 });
  ledger.event('A', { ...listening, port: 1002 });
  t.same(ledger.strangers(), []);
  t.equal(ledger.given(['seed', 'B'], ['A']), 5_300_000);
  t.same(matrix(ledger, ['seed', 'A', 'B'], ['A', 'B']), [
    'MB          to A    to B   total',
    'seed         5.0     0.0     5.0',
    'A              -     1.3     1.3',
    'B            0.3       -     0.3',
    'total        5.3     1.3     6.5',
  ]);
});

t.test('a line of progress fits a terminal', async t => {
  const view = new TorrentView('x');
  t.equal(barLine('A', view), '  A  looks for peers and metadata');
  view.pieces = 367;
  view.piecesHave = 184;
  const rates = { downRate: 999_000, upRate: 1_900_000, peers: 3, seeds: 1, uploaded: 0 };
  const sizes = { downloaded: 0, length: 1, etaSeconds: null, availability: 1 };
  view.update({ event: 'progress', ...rates, ...sizes });
  const line = barLine('A', view);
  t.equal(line, '  A  50.1% [======------] 184/367 pieces, 999 kB/s down, 1.9 MB/s up, 3 peers');
  t.ok(line.length < 80);
});

t.test('a copy is told from what is none', async t => {
  const place = t.testdir({ original: {}, copy: {} });
  const [original, copy] = [join(place, 'original'), join(place, 'copy')];
  for (const folder of [original, copy]) await writeContent(folder, 1000);
  const prints = await fingerprints(original);
  t.equal(prints.length, 5);
  t.same(await fingerprints(copy), prints, 'the bytes are the same each time');
  const file = join(copy, CONTENT_NAME, 'sub-folder', 'small.bin');
  writeFileSync(file, readFileSync(file).fill(0, 0, 1));
  t.not((await fingerprints(copy)).join(), prints.join(), 'a byte differs');
});

t.test('a small run', built, async t => {
  const place = t.testdir({});
  const shown = await played(PLAN, place);
  t.match(
    shown,
    /^rarest download 'magnet:\?xt=urn:btih:[0-9a-f]{40}\S*' --dht-bootstrap 127\.0\.0\.1:\d+$/m,
  );
  t.match(shown, /^ {2}C {3}100% \[=+\] 46\/46 pieces, complete/m);
  t.match(shown, /every file equal to the original/);
  t.match(shown, /^ {2}seed( +\d+\.\d){4}$/m);
  t.match(shown, /% came from other leechers/);
  t.same(readdirSync(place), [], 'nothing is left');
});

t.test('a process that fails is a failure of the whole', built, async t => {
  const place = t.testdir({ 'broken.js': 'console.error("rarest: no luck"); process.exit(5)', tmp: {} });
  const broken = { ...PLAN, program: join(place, 'broken.js') };
  t.match(await played(broken, join(place, 'tmp')), /seed ended early, exit code 5\nrarest: no luck$/);
  t.same(readdirSync(join(place, 'tmp')), []);
});

t.test('Ctrl-C', built, async t => {
  const place = t.testdir({});
  const demo = spawn('env', [...BARE_NODE, DEMO], { env: { PATH: process.env.PATH, TMPDIR: place } });
  const ended = once(demo, 'close');
  const errors = text(demo.stderr);
  let shown = '';
  for await (const some of demo.stdout.setEncoding('utf8')) {
    shown += some;
    // the seed is at work, and the first leecher about to be
    if (shown.includes('rarest download')) demo.kill('SIGINT');
  }
  t.same(await ended, [null, 'SIGINT'], 'dies of the signal');
  t.equal(await errors, 'demo: ended by SIGINT\n');
  t.same(readdirSync(place), [], 'nothing is left');
});
