// The streams of the built program: what goes where, for people, for pipes, for machines.

import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { contentOf } from '../support/content.js';
import { folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { built, Program } from '../support/program.js';
import { ALONE, atTerminal, RAREST, ran, Terminal, towards, writeData } from '../support/runs.js';
import { screenOf } from './screen.js';

const TWO = contentOf({ first: 40_000, second: 30_000 }, { name: 'two' });
const ONE = contentOf(100_000, { seed: 2 });

/** A peer that gives nothing but the first block until it is told to go on. */
async function patientPeer(t: Parameters<typeof FakePeer.listen>[0], content = ONE) {
  const waiting: (() => void)[] = [];
  let goes = false;
  let blocks = 2;
  const peer = await FakePeer.listen(t, content, {
    answer: (_wire, message, honest) => {
      if (goes || message.type !== 'request' || blocks-- > 0) honest();
      else waiting.push(honest);
    },
  });
  const goOn = () => {
    goes = true;
    for (const honest of waiting.splice(0)) honest();
  };
  return { peer, goOn };
}

t.test(
  'streams: stdout carries results only, stderr the rest, without ANSI and carriage returns',
  built,
  async t => {
    const peer = await FakePeer.listen(t, TWO);
    const run = await ran(t, folder(t), ['download', TWO.magnet, '-v', ...ALONE, ...towards(peer)]);
    t.equal(run.exit, 0);
    t.same(run.lines.toSorted(), [join('two', 'first'), join('two', 'second')]);
    t.match(run.stderr, /^listening on /m);
    t.match(run.stderr, /^two: done, /m);
    for (const control of ['\x1b', '\r']) t.notMatch(run.stdout + run.stderr, control);
  },
);

t.test('streams: a person at a terminal sees a bar, stdout in a file does not', atTerminal, async t => {
  const directory = folder(t, { 'x.torrent': Buffer.from(ONE.torrentFile) });
  const { peer, goOn } = await patientPeer(t);
  const words = ['download', 'x.torrent', ...ALONE, ...towards(peer)].join(' ');
  const terminal = new Terminal(t, directory, `${RAREST} ${words} >paths`);
  await terminal.shows(/[1-9]\.\d% \[=*-+\] [1-9]\/4/);
  goOn();
  t.equal(await terminal.ended, 0);
  t.match(terminal.text, '\x1b[', 'it is drawn in place');
  t.match(terminal.text, /content: done, /);
  t.equal(readFileSync(join(directory, 'paths'), 'utf8'), 'content\n');
});

t.test('streams: paths that share the terminal with bars stay whole', atTerminal, async t => {
  const directory = folder(t, { 'x.torrent': Buffer.from(ONE.torrentFile) });
  const { peer, goOn } = await patientPeer(t);
  const terminal = new Terminal(
    t,
    directory,
    `${RAREST} ${['download', 'x.torrent', ...ALONE, ...towards(peer)].join(' ')}`,
  );
  await terminal.shows('%');
  goOn();
  t.equal(await terminal.ended, 0);
  t.ok(screenOf(terminal.text.replaceAll('\r\n', '\n')).includes('content'));
});

t.test(
  'streams: NO_COLOR and --no-color; flag --no-color: colours only without them',
  atTerminal,
  async t => {
    const commands = [
      `${RAREST} magnet none`,
      `NO_COLOR=1 ${RAREST} magnet none`,
      `${RAREST} magnet none --no-color`,
    ];
    const directory = folder(t);
    const [colored, ...plain] = await Promise.all(
      commands.map(async command => {
        const terminal = new Terminal(t, directory, command);
        t.equal(await terminal.ended, 4);
        return terminal.text;
      }),
    );
    t.match(colored, '\x1b[31mrarest:');
    for (const text of plain) t.notMatch(text, '\x1b[');
  },
);

t.test('streams: -q silences all but errors; flag -q: of two sources one fails', built, async t => {
  const peer = await FakePeer.listen(t, ONE);
  const directory = folder(t, { 'x.torrent': Buffer.from(ONE.torrentFile) });
  const argv = ['download', '-q', 'none', 'x.torrent', ...ALONE, ...towards(peer)];
  const run = await ran(t, directory, argv);
  t.match(run, { exit: 4, lines: ['content'] });
  t.match(run.stderr, /^rarest: reading none: .* \(NOT_FOUND\)\nhint: .*\n$/);
});

t.test('streams: --json: every command prints events; flag --json: nothing else', built, async t => {
  const directory = folder(t, { 'x.torrent': Buffer.from(ONE.torrentFile), data: {} });
  writeData(join(directory, 'data'), ONE);
  const peer = await FakePeer.listen(t, ONE);
  const runs = {
    download: ['x.torrent', '-o', 'out', ...ALONE, ...towards(peer)],
    seed: ['x.torrent', '-o', 'data', '--seed-time', '0', ...ALONE],
    create: ['data', '-o', 'data.torrent'],
    info: ['x.torrent'],
    verify: ['x.torrent', 'data'],
    magnet: ['x.torrent'],
    peers: ['x.torrent', '--timeout', '0.1s', '--peer', '192.0.2.1:1', '--no-trackers', ...ALONE],
  };
  const lasts: Record<string, string> = {
    ...{ download: 'done', seed: 'done', create: 'created', info: 'metadata' },
    ...{ verify: 'done', magnet: 'magnet', peers: 'found' },
  };
  await Promise.all(
    Object.entries(runs).map(async ([command, words]) => {
      const run = await ran(t, directory, [command, ...words, '--json']);
      t.equal(run.exit, 0, command);
      t.equal(run.stderr, '', command);
      t.equal(run.events.at(-1)?.event, lasts[command], command);
    }),
  );
});

t.test('streams: events go to stderr where stdout carries a payload', built, async t => {
  const run = await ran(t, folder(t, { data: 'some data' }), ['create', 'data', '-o', '-', '--json']);
  t.equal(run.exit, 0);
  t.match(run.stdout, /^d10:created by/);
  t.match(JSON.parse(run.stderr), { event: 'created', path: '-' });
});

t.test('streams: paths are printed as a shell in this directory would use them', built, async t => {
  const directory = folder(t, { here: {}, 'x.torrent': Buffer.from(TWO.torrentFile) });
  writeData(directory, TWO);
  const cwd = join(directory, 'here');
  for (const output of ['..', directory]) {
    const run = await ran(t, cwd, ['download', '../x.torrent', '-o', output, ...ALONE]);
    t.same(
      run.lines,
      ['first', 'second'].map(name => join(output, 'two', name)),
    );
  }
});

t.test('streams: an error is one line and a hint; flag -v: the stack as well', built, async t => {
  const argv = ['download', 'magnet:?xt=urn:btih:1'];
  const directory = folder(t);
  const [short, long] = await Promise.all([ran(t, directory, argv), ran(t, directory, [...argv, '-v'])]);
  t.match(short.stderr, /^rarest: magnet:\?xt=urn:btih:1: .+ \(BAD_SOURCE\)\n(hint: .+\n)?$/);
  t.match(long.stderr, /^ {4}at /m);
});

t.test('flag -0, --null: NUL behind each item of a listing', built, async t => {
  const directory = folder(t, { 'x.torrent': Buffer.from(TWO.torrentFile) });
  writeData(directory, TWO);
  const [download, info, magnet, created] = await Promise.all([
    ran(t, directory, ['download', 'x.torrent', '-0', ...ALONE]),
    ran(t, directory, ['info', 'x.torrent', '-0']),
    ran(t, directory, ['magnet', 'x.torrent', '-0']),
    ran(t, directory, ['create', 'two', '-0', '-o', 'y.torrent']),
  ]);
  t.equal(download.stdout, `${join('two', 'first')}\0${join('two', 'second')}\0`);
  t.match(info.stdout, /^# name\ttwo\0/);
  t.ok(info.stdout.endsWith(`\0${['0\t40000\ttwo/first', '1\t30000\ttwo/second', ''].join('\0')}`));
  t.equal(magnet.stdout, `${TWO.magnet}\0`);
  t.equal(created.stdout, 'y.torrent\0');
});

t.test('streams: EPIPE: listings end with 0, download and seed carry on in silence', built, async t => {
  const directory = folder(t, { 'x.torrent': Buffer.from(TWO.torrentFile), data: {}, out: {} });
  writeData(join(directory, 'data'), TWO);
  const nobody = (argv: string[]) => {
    const program = new Program(t, directory, argv);
    program.hangUp();
    return program;
  };
  const listings = [
    ['info', 'x.torrent'],
    ['magnet', 'x.torrent'],
    ['peers', 'x.torrent', '--peer', '192.0.2.1:1', '--no-pex', '--timeout', '10m', ...ALONE],
  ].map(nobody);
  for (const program of listings) {
    t.same(await program.ended, { exit: 0, signal: null });
    t.notMatch(program.stderr, /rarest:/);
  }
  const seed = nobody(['seed', 'x.torrent', '-o', 'data', '-v', ...ALONE]);
  await seed.untilPrinted(() => /port \d+,.*seeding/s.test(seed.stderr));
  const port = /port (\d+)/.exec(seed.stderr)?.[1];
  const download = nobody(['download', 'x.torrent', '-o', 'out', ...ALONE, '--peer', `127.0.0.1:${port}`]);
  t.same(await download.ended, { exit: 0, signal: null }, 'given by a seed that nobody reads');
  sameFiles(t, join(directory, 'out'), TWO);
  t.notMatch(download.stderr + seed.stderr, /EPIPE|broken|rarest:/);
  t.same(await seed.kill('SIGTERM'), { exit: null, signal: 'SIGTERM' });
});

t.test('exit 8 DISK_FULL: a stdout that cannot be written is no success', built, async t => {
  const directory = folder(t, { 'x.torrent': Buffer.from(TWO.torrentFile) });
  const full = openSync('/dev/full', 'w');
  const run = await ran(t, directory, ['info', 'x.torrent'], { stdout: full });
  t.equal(run.exit, 8);
  t.match(run.stderr, 'rarest: writing to stdout: no space left on device (DISK_FULL)\n');
});
