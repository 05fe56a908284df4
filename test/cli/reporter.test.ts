import t from 'tap';
import { failureOf } from '../../src/cli/failure.js';
import { plainHuman } from '../../src/cli/human-plain.js';
import type { OutputOptions } from '../../src/cli/options.js';
import { Reporter } from '../../src/cli/reporter.js';
import {
  badPieces,
  filePaths,
  foundAddresses,
  type Items,
  jsonResults,
  plainResults,
} from '../../src/cli/results.js';
import { shownSource } from '../../src/cli/source-text.js';
import type { TorrentEvent } from '../../src/engine/events.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { Kept } from './fake-io.js';
import { METADATA, progress, RECORDED, SUBJECT } from './recorded.js';

const PLAIN: OutputOptions = { json: false, nul: false, quiet: false, verbose: false, color: true };

/** A reporter on two strings and a clock that goes on by hand. */
function reporterOf(options: Partial<OutputOptions>, several = false, items: Items = filePaths) {
  const output = { ...PLAIN, ...options };
  const clock = { now: 5_000 };
  const now = () => clock.now;
  const [stdout, stderr] = [new Kept(), new Kept()];
  const results = output.json ? jsonResults(output, 5_000, now) : plainResults(output, items);
  const human = plainHuman(text => stderr.write(text), now);
  const write = (text: string) => void stdout.write(text);
  return { reporter: new Reporter({ output, human, results, write, several }), stdout, stderr, clock };
}

/** What comes of the recording, one event a second. */
function played(options: Partial<OutputOptions>) {
  const { reporter, stdout, stderr, clock } = reporterOf(options);
  reporter.event({ event: 'start', output: 'out', version: '0.1.0' });
  reporter.event({ event: 'listening', host: '0.0.0.0', port: 6881, dhtPort: 6881 });
  reporter.begun(SUBJECT);
  for (const event of RECORDED) {
    clock.now += 1_000;
    reporter.event(event, SUBJECT);
  }
  reporter.ended(SUBJECT);
  reporter.close();
  return { stdout: stdout.text, stderr: stderr.text };
}

t.test('plain: paths on stdout, words on stderr', async t => {
  const { stdout, stderr } = played({});
  t.equal(stdout, 'out/Sintel/b.srt\nout/Sintel/a.mkv\n');
  t.equal(
    stderr,
    [
      'Sin [2Jtel: 2 files, 60 kB in 4 pieces',
      'Sin [2Jtel: 16 kB already here',
      'rarest: warning: Sin [2Jtel: tracker said "no "',
      'Sin [2Jtel: 66.6% of 60 kB, 2/4 pieces, 5.1 MB/s down, 120 kB/s up, 12 peers (3 seeds)',
      'Sin [2Jtel: done, 60 kB, 44 kB received in 10s (4.4 kB/s), 16 kB wasted, 1.0 kB sent (ratio 0.02)',
      'Sin [2Jtel: seeding magnet:?xt=urn:btih:c1&dn=Sintel',
      '',
    ].join('\n'),
  );
});

t.test('a download that cost nothing', async t => {
  const { reporter, stderr } = reporterOf({});
  const nothing = { seconds: 0.02, downloaded: 0, uploaded: 0, ratio: 0, wasted: 0 };
  reporter.begun(SUBJECT);
  reporter.event({ event: 'done', path: 'out', files: 1, length: 100_000, ...nothing }, SUBJECT);
  t.equal(stderr.text, 'c1c1: done, 100 kB\n');
});

t.test('verbose: more words', async t => {
  const { stdout, stderr } = played({ verbose: true });
  t.equal(stdout, 'out/Sintel/b.srt\nout/Sintel/a.mkv\n');
  t.same(stderr.split('\n').slice(0, 6), [
    'listening on 0.0.0.0 port 6881, DHT on port 6881',
    'c1c1: DHT: 120 nodes, 14 addresses found',
    'c1c1: peer 192.0.2.1:6881 dialled',
    'Sin [2Jtel: 2 files, 60 kB in 4 pieces',
    'Sin [2Jtel: 16 kB already here',
    'rarest: warning: Sin [2Jtel: tracker said "no "',
  ]);
  t.match(stderr, '\nSin [2Jtel: unchoke 192.0.2.1:6881: fastest\n');
  t.match(stderr, '\nSin [2Jtel: peer 192.0.2.1:6881 closed: idle-timeout\n');
});

t.test('quiet: the results alone; -0: with NUL', async t => {
  t.same(played({ quiet: true, nul: true }), { stdout: 'out/Sintel/b.srt\0out/Sintel/a.mkv\0', stderr: '' });
});

t.test('JSON: one event a line, without pieces and peers', async t => {
  const { stdout, stderr } = played({ json: true });
  t.equal(stderr, '');
  const lines = stdout.split('\n');
  t.equal(lines.pop(), '');
  const about = `"source":"magnet:?xt=…","infoHash":"${'c1'.repeat(20)}"`;
  t.equal(lines[0], '{"v":1,"t":0,"event":"start","output":"out","version":"0.1.0"}');
  t.equal(lines[1], '{"v":1,"t":0,"event":"listening","host":"0.0.0.0","port":6881,"dhtPort":6881}');
  t.equal(lines[2], `{"v":1,"t":1000,"event":"dht",${about},"nodes":120,"found":14}`);
  t.match(lines[3], `{"v":1,"t":3000,"event":"metadata",${about},"name":"Sin\\u001b[2Jtel","pieces":4,`);
  t.equal(lines[5], `{"v":1,"t":5000,"event":"warning",${about},"message":"tracker said\\n\\"no\\u202e\\""}`);
  t.equal(
    lines[7],
    `{"v":1,"t":9000,"event":"file",${about},"index":1,"path":"out/Sintel/b.srt","length":10000}`,
  );
  t.same(
    lines.map(line => JSON.parse(line).event),
    [
      ...[
        'start',
        'listening',
        'dht',
        'metadata',
        'resumed',
        'warning',
        'progress',
        'file',
        'progress',
        'file',
      ],
      ...['done', 'seeding', 'progress'],
    ],
  );
});

t.test('JSON and verbose: all events', async t => {
  const events = played({ json: true, verbose: true })
    .stdout.trimEnd()
    .split('\n')
    .map(line => JSON.parse(line).event);
  t.same(events, ['start', 'listening', ...RECORDED.map(({ event }) => event)]);
});

t.test('a progress line every ten seconds for each torrent', async t => {
  const { reporter, stderr, clock } = reporterOf({});
  reporter.begun(SUBJECT);
  for (let second = 0; second < 35; second++) {
    clock.now += 1_000;
    reporter.event(progress({ downloaded: 0, length: 0, peers: second + 1 }), SUBJECT);
  }
  t.same(stderr.text.trimEnd().split('\n'), [
    'c1c1: waiting for metadata, 10 peers (3 seeds)',
    'c1c1: waiting for metadata, 20 peers (3 seeds)',
    'c1c1: waiting for metadata, 30 peers (3 seeds)',
  ]);
});

t.test('addresses of a listing', async t => {
  const { reporter, stdout } = reporterOf({}, false, foundAddresses);
  reporter.event({ event: 'file', index: 0, path: 'no result of this command', length: 1 }, SUBJECT);
  reporter.event({ event: 'found', host: '192.0.2.1', port: 6881, from: 'dht' }, SUBJECT);
  reporter.event({ event: 'found', host: '2001:db8::1', port: 1, from: 'lsd' }, SUBJECT);
  t.equal(stdout.text, '192.0.2.1:6881\tdht\n[2001:db8::1]:1\tlsd\n');
});

t.test('bad pieces: one line for each file they touch', async t => {
  const { reporter, stdout } = reporterOf({ nul: true }, false, badPieces);
  reporter.event({ event: 'bad', piece: 3, files: ['data/a', 'data/b'] }, SUBJECT);
  reporter.event({ event: 'bad', piece: 4, files: [] }, SUBJECT);
  t.equal(stdout.text, '3\tdata/a\0' + '3\tdata/b\0');
});

t.test('one is not several', async t => {
  const { reporter, stderr } = reporterOf({ verbose: true });
  reporter.begun(SUBJECT);
  reporter.event({ event: 'dht', nodes: 1, found: 1 }, SUBJECT);
  reporter.event({ event: 'tracker', url: 'udp://a:1', peers: 1 }, SUBJECT);
  reporter.event({ ...(METADATA as Extract<TorrentEvent, { event: 'metadata' }>), pieces: 1 }, SUBJECT);
  reporter.event(progress({ peers: 1, seeds: 1 }), SUBJECT);
  reporter.status();
  t.match(stderr.text, /^c1c1: DHT: 1 node, 1 address found$/m);
  t.match(stderr.text, /^c1c1: tracker udp:\/\/a:1: 1 peer$/m, 'of which torrent');
  t.match(stderr.text, / in 1 piece$/m);
  t.match(stderr.text, / 1 peer \(1 seed\)/);
});

t.test('trackers are told of to those who want to know more', async t => {
  const events: TorrentEvent[] = [
    { event: 'tracker', url: 'udp://a:1', peers: 1, seeds: 12, leechers: 1 },
    { event: 'tracker', url: 'http://b\x1b/', error: 'HTTP\n404' },
    { event: 'tracker', url: 'http://c', peers: 3, seeds: 1, warning: 'soon\x07 over' },
    { event: 'tracker', url: 'http://d' },
  ];
  const silent = reporterOf({});
  const verbose = reporterOf({ verbose: true });
  for (const event of events) {
    silent.reporter.event(event, SUBJECT);
    verbose.reporter.event(event, SUBJECT);
  }
  t.equal(silent.stderr.text, '');
  t.same(verbose.stderr.text.trimEnd().split('\n'), [
    'tracker udp://a:1: 1 peer, 12 seeds, 1 leecher',
    'tracker http://b /: failed: HTTP 404',
    'tracker http://c: 3 peers, 1 seed, warning: soon  over',
    'tracker http://d: answered',
  ]);
});

t.test('hashing is no waiting for metadata', async t => {
  const { reporter, stderr, clock } = reporterOf({});
  reporter.begun(SUBJECT, true);
  reporter.status();
  reporter.event(progress({ peers: 0 }), SUBJECT);
  clock.now += 10_000;
  reporter.event(progress({ downloaded: 30_000, downRate: 3_000, etaSeconds: 10 }), SUBJECT);
  reporter.event(METADATA, SUBJECT);
  reporter.status();
  t.same(stderr.text.trimEnd().split('\n'), [
    'c1c1: hashing',
    'c1c1: hashed 50.0% of 60 kB, 3.0 kB/s, 10s left',
    'Sin [2Jtel: 2 files, 60 kB in 4 pieces',
    'Sin [2Jtel: 50.0% of 60 kB, 0/4 pieces, 3.0 kB/s down, 120 kB/s up, 12 peers (3 seeds), 10s left',
  ]);
});

t.test('the status line, asked for even of the silent', async t => {
  const { reporter, stderr } = reporterOf({ quiet: true });
  const take = () => {
    const { text } = stderr;
    stderr.text = '';
    return text;
  };
  reporter.status();
  t.equal(take(), 'rarest: no torrent at work\n');
  reporter.begun(SUBJECT);
  reporter.status();
  t.equal(take(), 'c1c1: waiting for metadata\n');
  reporter.event(METADATA, SUBJECT);
  reporter.status();
  t.equal(take(), 'Sin [2Jtel: starting\n');
  reporter.event(progress({}), SUBJECT);
  reporter.status();
  t.equal(
    take(),
    'Sin [2Jtel: 42.3% of 60 kB, 0/4 pieces, 5.1 MB/s down, 120 kB/s up, 12 peers (3 seeds), 2m10s left\n',
  );
  reporter.event({ event: 'seeding', magnet: 'magnet:' }, SUBJECT);
  reporter.status();
  t.equal(take(), 'Sin [2Jtel: seeding, 120 kB/s up, 1.0 kB uploaded, 12 peers (3 seeds)\n');
  const other = { ...SUBJECT, source: 'b', label: 'b' };
  reporter.begun(other);
  reporter.event(progress({ downloaded: 0, length: 40_000, downRate: 900_000, peers: 1 }), other);
  reporter.status();
  t.equal(take(), '2 torrents: 25.3% of 100 kB, 6.0 MB/s down, 240 kB/s up, 13 peers\n');
});

t.test('failures are one line and a hint', async t => {
  const error = new TorrentError('DISK_IO', 'writing out/a\nb: permission denied', { hint: 'use -o' });
  const plain = reporterOf({ quiet: true });
  plain.reporter.failure(failureOf(error), SUBJECT);
  t.equal(plain.stderr.text, 'rarest: writing out/a b: permission denied (DISK_IO)\nhint: use -o\n');
  t.equal(plain.stdout.text, '');

  const json = reporterOf({ json: true });
  json.reporter.failure(failureOf(error), SUBJECT);
  t.equal(
    json.stdout.text,
    `{"v":1,"t":0,"event":"error","source":"magnet:?xt=…","infoHash":"${'c1'.repeat(20)}","code":"DISK_IO",` +
      '"message":"writing out/a\\nb: permission denied","exit":7}\n',
  );
  t.equal(json.stderr.text, plain.stderr.text, 'on stderr too');

  const verbose = reporterOf({ verbose: true });
  verbose.reporter.failure(failureOf(error));
  t.match(verbose.stderr.text, /^rarest: .* \(DISK_IO\)\nhint: use -o\n {4}at /);
});

t.test('of several sources the failure says which', async t => {
  const { reporter, stderr } = reporterOf({}, true);
  reporter.failure(failureOf(new TorrentError('BAD_SOURCE', 'torrent: no info')), {
    ...SUBJECT,
    label: 'a.torrent',
  });
  reporter.failure(failureOf(new TorrentError('NOT_FOUND', 'reading x: gone')), { ...SUBJECT, source: 'x' });
  reporter.failure(failureOf(new TorrentError('NETWORK', 'port 1: taken')));
  t.equal(
    stderr.text,
    'rarest: a.torrent: torrent: no info (BAD_SOURCE)\nrarest: reading x: gone (NOT_FOUND)\nrarest: port 1: taken (NETWORK)\n',
  );
  const long = reporterOf({}, true);
  const source = `/${'x'.repeat(300)}.torrent`;
  const message = `reading ${shownSource(source)}: gone`;
  long.reporter.failure(failureOf(new TorrentError('NOT_FOUND', message)), { ...SUBJECT, source });
  long.reporter.event({ event: 'warning', message: 'odd' }, SUBJECT);
  t.equal(long.stderr.text, `rarest: ${message} (NOT_FOUND)\nrarest: warning: c1c1: odd\n`);
});

t.test('what is no TorrentError is a bug of ours', async t => {
  t.match(failureOf(new TypeError('x is not a function')), {
    code: 'INTERNAL',
    message: 'internal error: x is not a function',
    exit: 1,
  });
  t.match(failureOf('a string'), { message: 'internal error: a string', stack: undefined });
});

t.test('what comes after the end changes nothing', async t => {
  const { reporter, stdout, stderr } = reporterOf({});
  reporter.begun(SUBJECT);
  reporter.ended(SUBJECT);
  reporter.event(progress({}), SUBJECT);
  reporter.close();
  reporter.event({ event: 'file', index: 0, path: 'late', length: 1 }, SUBJECT);
  t.equal(stdout.text + stderr.text, '');
});
