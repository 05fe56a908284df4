import t from 'tap';
import { type CommandLine, type Environment, eventsWanted, parseCommandLine } from '../../src/cli/args.js';
import type { Invocation } from '../../src/cli/command.js';
import { createOptions } from '../../src/cli/commands/create.js';
import { downloadOptions } from '../../src/cli/commands/download.js';
import { infoOptions } from '../../src/cli/commands/info.js';
import { peersOptions } from '../../src/cli/commands/peers.js';
import { seedOptions } from '../../src/cli/commands/seed.js';
import { verifyOptions } from '../../src/cli/commands/verify.js';
import { SELECT_PATTERN } from '../../src/cli/select.js';
import { TorrentError } from '../../src/torrent/errors.js';

/** The options of one command, as its reader makes them of a command line. */
function optionsOf<Options>(name: string, read: (invocation: Invocation) => Options) {
  return async (argv: readonly string[], env: Environment = {}): Promise<Options> => {
    const line = parseCommandLine([name, ...argv], env);
    if (line.kind !== 'command' || line.spec.name !== name) throw new Error(`not ${name}`);
    return read(line.invocation);
  };
}

const download = optionsOf('download', downloadOptions);
const seed = optionsOf('seed', seedOptions);
const create = optionsOf('create', createOptions);
const verify = optionsOf('verify', verifyOptions);
const info = optionsOf('info', infoOptions);
const peers = optionsOf('peers', peersOptions);

const ENGINE = {
  port: undefined,
  dht: true,
  dhtBootstrap: [],
  lsd: true,
  pex: true,
  maxDownloadBps: undefined,
  maxUploadBps: undefined,
  maxConnections: 500,
};
const DISCOVERY = { peers: [], trackers: [], useTrackers: true };
const TORRENT = {
  ...DISCOVERY,
  output: '.',
  data: 'fetch',
  webSeeds: [],
  superSeed: false,
  maxPeers: 100,
  metadataTimeoutMs: 300_000,
  timeoutMs: undefined,
  stallTimeoutMs: undefined,
  seed: undefined,
  recheck: false,
  trust: false,
  force: false,
  saveTorrent: undefined,
  sequential: false,
};
const OUTPUT = { json: false, nul: false, quiet: false, verbose: false, color: true };

/** The message and hint of the usage error. */
async function refused(parsing: Promise<unknown>): Promise<[string, string?]> {
  try {
    await parsing;
  } catch (error) {
    if (error instanceof TorrentError && error.code === 'USAGE') {
      return error.hint === undefined ? [error.message] : [error.message, error.hint];
    }
    throw error;
  }
  throw new Error('nothing was refused');
}

async function parsed(argv: readonly string[], env: Environment): Promise<CommandLine> {
  return parseCommandLine(argv, env);
}

/** The name of the command that was understood. */
function named(line: CommandLine): string {
  return line.kind === 'command' ? line.spec.name : line.kind;
}

t.test('download without flags has the defaults of the contract', async t => {
  t.same(await download(['a.torrent']), {
    sources: ['a.torrent'],
    jobs: 5,
    select: [],
    dryRun: false,
    hooks: { done: undefined, file: undefined },
    torrent: TORRENT,
    engine: ENGINE,
    output: OUTPUT,
  });
});

t.test('every flag of download', async t => {
  const argv = [
    ...['-o', 'dir', '--peer', '192.0.2.1:1', '--peer', '[2001:db8::1]:2', '--port', '0', '--no-dht'],
    ...['--dht-bootstrap', 'router.example.org:6881', '--max-download', '1.5MiB', '--max-upload', '500K'],
    ...['--max-peers', '7', '--max-connections', '8', '--metadata-timeout', '1m', '--timeout', '2h'],
    ...[
      '--stall-timeout',
      '90',
      '--seed',
      '--seed-ratio',
      '1.5',
      '--seed-time',
      '1d',
      '--recheck',
      '--force',
    ],
    ...[
      '--save-torrent',
      'kept.torrent',
      '--sequential',
      '--jobs',
      '3',
      '--json',
      '-q',
      '-v',
      '--no-color',
      '-0',
    ],
    ...['--tracker', 'udp://a:1,http://b/x?y=1,2', '--tracker=https://c', '--no-trackers', '--no-lsd'],
    ...['--no-pex', '--web-seed', 'http://d/', '--web-seed', 'http://d/'],
    ...['--exec', 'all "$RAREST_HOOK_PATH"', '--exec-file=one'],
    ...['-s', '0-4,8', '--select=!**/*.txt', '-n'],
    'x',
  ];
  t.same(await download(argv), {
    sources: ['x'],
    jobs: 3,
    select: ['0-4,8', '!**/*.txt'].map(SELECT_PATTERN.parse),
    dryRun: true,
    hooks: { done: 'all "$RAREST_HOOK_PATH"', file: 'one' },
    torrent: {
      ...TORRENT,
      output: 'dir',
      trackers: [['udp://a:1', 'http://b/x?y=1,2'], ['https://c']],
      useTrackers: false,
      webSeeds: ['http://d/'],
      peers: [
        { host: '192.0.2.1', port: 1 },
        { host: '2001:db8::1', port: 2 },
      ],
      maxPeers: 7,
      metadataTimeoutMs: 60_000,
      timeoutMs: 7_200_000,
      stallTimeoutMs: 90_000,
      seed: { ratio: 1.5, timeMs: 86_400_000 },
      recheck: true,
      force: true,
      saveTorrent: 'kept.torrent',
      sequential: true,
    },
    engine: {
      port: 0,
      dht: false,
      dhtBootstrap: [{ host: 'router.example.org', port: 6881 }],
      lsd: false,
      pex: false,
      maxDownloadBps: 1_572_864,
      maxUploadBps: 500_000,
      maxConnections: 8,
    },
    output: { json: true, nul: true, quiet: true, verbose: true, color: false },
  });
  t.equal((await download(['--trust', 'x'])).torrent.trust, true);
});

t.test('peers', async t => {
  t.same(await peers(['x']), {
    source: 'x',
    timeoutMs: 30_000,
    scrape: false,
    discovery: DISCOVERY,
    engine: ENGINE,
    output: OUTPUT,
  });
  t.equal((await peers(['--timeout', '2m', 'x'])).timeoutMs, 120_000);
  const asked = await peers(['--scrape', '--tracker', 'udp://a:1', '--no-lsd', 'x']);
  t.match(asked, { scrape: true, discovery: { trackers: [['udp://a:1']] }, engine: { lsd: false } });
  t.same(await refused(peers(['x', 'y'])), ['peers: one source at a time, not 2']);
});

t.test('seed: everything that is here, for ever', async t => {
  const forever = { ratio: undefined, timeMs: undefined };
  t.same(await seed(['a', 'b']), {
    sources: ['a', 'b'],
    torrent: { ...TORRENT, data: 'complete', seed: forever },
    engine: ENGINE,
    output: OUTPUT,
  });
  const flags = ['--partial', '--super-seed', '--seed-ratio', '2', '--seed-time', '1h', '--trust', '-od'];
  t.match((await seed([...flags, '--max-upload', '1K', '--web-seed', 'http://w/', 'x'])).torrent, {
    data: 'partial',
    superSeed: true,
    seed: { ratio: 2, timeMs: 3_600_000 },
    trust: true,
    output: 'd',
    webSeeds: ['http://w/'],
  });
  t.same(await refused(seed([])), [
    'seed: no path or .torrent given',
    'rarest seed takes a file, a folder, a .torrent, a magnet link, - for stdin',
  ]);
});

t.test('create: -o is a file there', async t => {
  const torrent = {
    pieceLength: undefined,
    name: undefined,
    private: false,
    source: undefined,
    comment: undefined,
    trackers: [],
    webSeeds: [],
    nodes: [],
    padFiles: false,
  };
  t.same(await create(['a']), { paths: ['a'], out: undefined, force: false, torrent, output: OUTPUT });
  const flags = [
    ...['-o', 'x.torrent', '--force', '--piece-length', '256KiB', '--name', 'n', '--private'],
    ...[
      '--source',
      's',
      '--comment',
      'two words',
      '--tracker',
      'http://a,http://b',
      '--tracker',
      'udp://c:1',
    ],
    ...['--web-seed', 'http://w/', '--node', '[2001:db8::1]:6881', '--pad-files', 'a', '-'],
  ];
  t.same(await create(flags), {
    paths: ['a', '-'],
    out: 'x.torrent',
    force: true,
    torrent: {
      pieceLength: 262_144,
      name: 'n',
      private: true,
      source: 's',
      comment: 'two words',
      trackers: [['http://a', 'http://b'], ['udp://c:1']],
      webSeeds: ['http://w/'],
      nodes: [{ host: '2001:db8::1', port: 6881 }],
      padFiles: true,
    },
    output: OUTPUT,
  });
  t.equal((await create(['-o-', 'a'])).out, '-');
  t.equal((await create(['-ox.torrent', 'a'])).out, 'x.torrent', 'close to its short flag');
  const [message, hint] = await refused(create(['--piece-length', '256K', 'a']));
  t.equal(
    message,
    '--piece-length 256K: not a power of two from 16KiB to 64MiB (KiB is 1024 bytes, K is 1000)',
  );
  t.equal(hint, 'for example: --piece-length 256KiB');
  for (const length of ['8KiB', '128MiB', '0', 'large'])
    t.match(await refused(create(['--piece-length', length, 'a'])), [/^--piece-length/], length);
  t.equal((await create(['--piece-length', '65536', 'a'])).torrent.pieceLength, 65_536);
  t.match(await refused(create(['--node', 'nowhere', 'a'])), [/^--node nowhere: not HOST:PORT/]);
});

t.test('verify and info', async t => {
  t.same(await verify(['x.torrent']), {
    torrent: 'x.torrent',
    path: '.',
    repair: false,
    select: [],
    choices: TORRENT,
    engine: ENGINE,
    output: OUTPUT,
  });
  t.match(await verify(['--repair', 'x', 'data', '--peer', 'a:1']), { path: 'data', repair: true });
  t.same(await refused(verify(['x', 'y', 'z'])), ['verify: one torrent and one path, not 3 words']);
  t.same(await info(['x']), {
    sources: ['x'],
    select: [],
    choices: { ...TORRENT, data: 'none' },
    engine: ENGINE,
    output: OUTPUT,
  });
});

t.test('trackers and web seeds are checked', async t => {
  t.same(await refused(download(['--tracker', 'wss://a', 'x'])), [
    '--tracker wss://a: not an http, https or udp URL',
    'for example: --tracker udp://tracker.example.org:1337/announce',
  ]);
  t.match(await refused(download(['--tracker', 'http://a,wss://b', 'x'])), [
    /^--tracker http:..a,wss:..b: not/,
  ]);
  t.match(await refused(download(['--web-seed', 'ftp://a', 'x'])), [/^--web-seed ftp:..a: not an http or/]);
  const twice = await download(['--tracker', 'http://a,http://a', '--tracker', 'http://a', 'x']);
  t.same(twice.torrent.trackers, [['http://a']], 'each once');
  const env = { RAREST_TRACKER: 'http://a,http://b udp://c:1', RAREST_NO_TRACKERS: '1', RAREST_NO_LSD: '1' };
  const { torrent, engine } = await download(['x'], env);
  t.same(torrent.trackers, [['http://a', 'http://b'], ['udp://c:1']]);
  t.equal(torrent.useTrackers, false);
  t.equal(engine.lsd, false);
  t.equal((await download(['--lsd', 'x'], env)).engine.lsd, true);
});

t.test('a list in a variable is parted at white space, or at newlines alone where it has one', async t => {
  const selected = async (RAREST_SELECT: string) =>
    (await download(['x'], { RAREST_SELECT })).select.map(({ text }) => text);
  t.same(await selected(' a.mkv\tb.mkv  0-4 '), ['a.mkv', 'b.mkv', '0-4']);
  t.same(await selected('My Film.mkv\n'), ['My Film.mkv']);
  t.same(await selected('My Film.mkv\r\n\n  !the extras/**  \n >10M'), [
    'My Film.mkv',
    '!the extras/**',
    '>10M',
  ]);
  t.same(await selected(' \n '), []);
  const { torrent } = await download(['x'], { RAREST_PEER: 'a:1\nb:2', RAREST_OUTPUT: 'a\nb c' });
  t.same(
    torrent.peers.map(({ host }) => host),
    ['a', 'b'],
  );
  t.equal(torrent.output, 'a\nb c', 'one that is no list is taken as it is');
  t.match(await refused(download(['x'], { RAREST_PEER: 'a:1 b:2\n' })), [/^RAREST_PEER=a:1 b:2: not/]);
});

t.test('seeding: either goal implies it, 0 and --no-seed are said plainly', async t => {
  t.same((await download(['--seed', 'x'])).torrent.seed, { ratio: undefined, timeMs: undefined });
  t.same((await download(['--seed-ratio', '2', 'x'])).torrent.seed, { ratio: 2, timeMs: undefined });
  t.same((await download(['--seed-time', '0', 'x'])).torrent.seed, { ratio: undefined, timeMs: 0 });
  t.equal((await download(['--seed-ratio', '2', '--no-seed', 'x'])).torrent.seed, undefined);
});

t.test('0 turns time limits and rate limits off', async t => {
  const { torrent, engine } = await download([
    ...['--timeout', '0', '--metadata-timeout', '0', '--stall-timeout', '0s', '--max-upload', '0', 'x'],
  ]);
  t.same(
    [torrent.timeoutMs, torrent.metadataTimeoutMs, torrent.stallTimeoutMs],
    [undefined, undefined, undefined],
  );
  t.equal(engine.maxUploadBps, undefined);
});

t.test('the traps of yargs', async t => {
  t.same((await download(['-', 'x'])).sources, ['-', 'x'], 'a bare - stays');
  t.same((await download(['--peer', 'a:1', 'x', 'y'])).sources, ['x', 'y'], 'a list eats one word');
  const digits = '0123456789012345678901234567890123456789';
  t.same((await download([digits])).sources, [digits], 'an info hash of digits is no number');
  t.same((await download(['1e3', '0x10'])).sources, ['1e3', '0x10']);
  t.equal((await download(['-odir', 'x'])).torrent.output, 'dir', 'a value close to its short flag');
  t.equal((await download(['-o=dir', 'x'])).torrent.output, 'dir');
  t.equal(
    (await download(['--output', '1', '--output', '2', 'x'])).torrent.output,
    '2',
    'the last one counts',
  );
  t.equal((await download(['--no-dht', '--dht', 'x'])).engine.dht, true);
  t.equal((await download(['--dht', '--no-dht', 'x'])).engine.dht, false);
  t.same((await download(['--', '-x', '--y', '-odir'])).sources, ['-x', '--y', '-odir']);
  t.same((await download(['-qv', 'x'])).output.verbose, true, 'short flags in a group');
  t.equal(named(parseCommandLine(['-o', 'dir', 'get', 'x'], {})), 'download', 'flags before the alias');
  t.equal(named(parseCommandLine(['--recheck', '--json', 'get', 'x'], {})), 'download');
  t.equal(named(parseCommandLine(['--out=-', 'create', 'x'], {})), 'create');
  t.same((await download(['seed', 'create'])).sources, ['seed', 'create'], 'only one word is the command');
});

t.test('usage errors name the flag and show a good value', async t => {
  const cases: [string[], string, string?][] = [
    [
      ['--max-upload', '10Q', 'x'],
      '--max-upload 10Q: not a rate in bytes per second',
      'for example: --max-upload 500K',
    ],
    [
      ['--max-download=-5', 'x'],
      '--max-download -5: not a rate in bytes per second',
      'for example: --max-download 500K',
    ],
    [
      ['--max-peers', '-5', 'x'],
      '--max-peers -5: not a whole number from 1 to 65535',
      'for example: --max-peers 100',
    ],
    [
      ['--port', '65536', 'x'],
      '--port 65536: not a whole number from 0 to 65535',
      'for example: --port 6881',
    ],
    [['--jobs', '0', 'x'], '--jobs 0: not a whole number from 1 to 500', 'for example: --jobs 5'],
    [
      ['--timeout', 'soon', 'x'],
      '--timeout soon: not a duration in s, m, h or d',
      'for example: --timeout 15m',
    ],
    [
      ['--seed-ratio', 'all', 'x'],
      '--seed-ratio all: not a ratio of at least 0',
      'for example: --seed-ratio 1.5',
    ],
    [
      ['--peer', '::1:80', 'x'],
      '--peer ::1:80: not HOST:PORT with a port from 1 to 65535',
      'for example: --peer 192.0.2.7:6881',
    ],
    [['--output', '', 'x'], "--output '': not a path", 'for example: --output downloads'],
    [['--output'], '--output: needs a value', 'a value that begins with - is written --output=-x'],
    [['-o', '--json', 'x'], '--output: needs a value', 'a value that begins with - is written --output=-x'],
    [['--recheck', '--trust', 'x'], '--recheck --trust: one excludes the other'],
    [
      ['--save-torrent', 'f', 'x', 'y'],
      '--save-torrent: one file for 2 sources',
      'give it one source at a time',
    ],
    [['-', '-'], '-: stdin can be read only once'],
    [['--json=yes', 'x'], '--json=yes: this flag takes no value', 'write --json'],
    [['--json=false', 'x'], '--json=false: this flag takes no value', 'write --no-json'],
    [['--dht=no', 'x'], '--dht=no: this flag takes no value', 'write --no-dht'],
    [['--no-json=1', 'x'], '--no-json=1: this flag takes no value', 'write --no-json'],
    [['--no-json=0', 'x'], '--no-json=0: this flag takes no value', 'write --json'],
    [['x', ''], 'download: a source is empty', 'is the variable set that was to hold it?'],
    [
      ['--peer', 'x'.repeat(5_000), 'x'],
      `--peer ${'x'.repeat(119)}…: not HOST:PORT with a port from 1 to 65535`,
      'for example: --peer 192.0.2.7:6881',
    ],
    [
      [],
      'download: no source given',
      'rarest download takes a magnet link, a .torrent, its URL, an info hash, or - for stdin',
    ],
  ];
  for (const [argv, message, hint] of cases) {
    t.same(await refused(download(argv)), hint === undefined ? [message] : [message, hint], argv.join(' '));
  }
});

t.test('unknown flags are refused with the one that was meant', async t => {
  const cases: [string[], string, string][] = [
    [['--ouptut', 'd', 'x'], '--ouptut: unknown flag', 'did you mean --output?'],
    [['--max-up=1', 'x'], '--max-up: unknown flag', 'did you mean --max-upload?'],
    [['--trackers', 'http://a/', 'x'], '--trackers: unknown flag', 'did you mean --tracker?'],
    [['--trackers=http://a/', 'x'], '--trackers: unknown flag', 'did you mean --tracker?'],
    [['--no-dth', 'x'], '--no-dth: unknown flag', 'did you mean --no-dht?'],
    [['--no-output', 'x'], '--no-output: unknown flag', 'did you mean --output?'],
    [['-k', 'x'], '-k: unknown flag', 'rarest download --help lists all flags'],
    [['--no-scrape', 'x'], '--no-scrape: unknown flag', 'it is a flag of peers'],
    [['--out', 'd', 'x'], '--out: unknown flag', 'it is a flag of create; did you mean --output?'],
    [['--ratio', '2', 'x'], '--ratio: unknown flag', 'did you mean --seed-ratio?'],
    [['--pad-files', 'x'], '--pad-files: unknown flag', 'it is a flag of create'],
    [['--no-web-seed', 'x'], '--no-web-seed: unknown flag', 'did you mean --web-seed?'],
    [['--maxUpload', '1', 'x'], '--maxUpload: unknown flag', 'did you mean --max-upload?'],
  ];
  for (const [argv, message, hint] of cases) {
    const [said, hinted] = await refused(download(argv));
    t.equal(said, message, argv.join(' '));
    t.equal(hinted, hint, argv.join(' '));
  }
  for (const name of ['--__proto__', '--constructor', '--no-toString', '--valueOf=1']) {
    t.same(await refused(download([name, 'x'])), [`${name}: unknown flag`]);
  }
});

t.test('unknown commands', async t => {
  t.same(await refused(parsed(['dwonload', 'x'], {})), [
    'dwonload: unknown command',
    'did you mean download?',
  ]);
  t.same(await refused(parsed([], {})), ['command: none given', 'rarest --help lists them']);
  t.match(await refused(parsed(['unpack', 'x'], {})), ['unpack: unknown command']);
  t.match(await refused(parsed(['verfy', 'x'], {})), ['verfy: unknown command', 'did you mean verify?']);
  t.same(await refused(parsed(['magnet:?xt=urn:btih:x'], {})), [
    'magnet:?xt=urn:btih:x: the command comes first',
    'rarest download <source>',
  ]);
});

t.test('each flag is also an environment variable', async t => {
  const env = {
    RAREST_MAX_UPLOAD: '1M',
    RAREST_NO_DHT: '1',
    RAREST_JSON: 'true',
    RAREST_SEED: 'off',
    RAREST_QUIET: '',
    RAREST_PEER: '192.0.2.1:1  192.0.2.2:2',
    RAREST_OUTPUT: 'my downloads',
    RAREST_NOBODY_KNOWS: 'x',
    RAREST_VERSION: '9',
    RAREST_HELP: '1',
    RAREST_JOBS: '0x',
  };
  const { engine, torrent, output } = await download(['--jobs', '2', 'x'], env);
  t.equal(engine.maxUploadBps, 1_000_000);
  t.equal(engine.dht, false);
  t.equal(output.json, true);
  t.equal(output.quiet, false);
  t.equal(torrent.seed, undefined);
  t.equal(torrent.output, 'my downloads');
  t.same(torrent.peers, [
    { host: '192.0.2.1', port: 1 },
    { host: '192.0.2.2', port: 2 },
  ]);
  t.equal((await download(['--dht', '--jobs', '2', 'x'], env)).engine.dht, true, 'the command line wins');
  t.equal((await download(['--no-json', '--jobs', '2', 'x'], env)).output.json, false);
  t.equal((await download(['x'], { RAREST_DHT: '0' })).engine.dht, false);
  t.equal((await download(['x'], { RAREST_DHT: '1', RAREST_NO_DHT: '1' })).engine.dht, false);
  t.same(await refused(download(['x'], env)), [
    'RAREST_JOBS=0x: not a whole number from 1 to 500',
    'for example: RAREST_JOBS=5',
  ]);
  t.same(await refused(download(['x'], { RAREST_JSON: 'perhaps' })), [
    'RAREST_JSON=perhaps: neither on nor off',
    'for example: RAREST_JSON=1',
  ]);
  const others = { RAREST_JOBS: 'not ours to judge', RAREST_MAX_UPLOAD: 'nor this' };
  t.equal((await peers(['x'], others)).engine.maxUploadBps, undefined, 'it has no such flag');
});

t.test('colour', async t => {
  const color = async (argv: string[], env: Environment = {}) =>
    (await download([...argv, 'x'], env)).output.color;
  t.equal(await color(['--no-color']), false);
  t.equal(await color([], { NO_COLOR: '1' }), false);
  t.equal(await color([], { NO_COLOR: '' }), true);
  t.equal(await color([], { RAREST_NO_COLOR: '1' }), false);
  t.equal(await color(['--color'], { NO_COLOR: '1' }), true);
});

t.test('help and version come before everything else', async t => {
  t.same(parseCommandLine(['--version'], {}), { kind: 'version' });
  t.equal(parseCommandLine(['--help'], {}).kind, 'help');
  t.equal(parseCommandLine(['-h'], {}).kind, 'help');
  t.equal(parseCommandLine(['download', '--help', '--nonsense'], {}).kind, 'help');
  t.equal(parseCommandLine(['--help', 'seed'], {}).kind, 'help');
  const help = parseCommandLine(['get', '--help'], {});
  t.match(help, { kind: 'help', spec: { name: 'download' } });
});

t.test('where events are wanted is known before the flags are', async t => {
  t.equal(eventsWanted(['download', '--json', '--oops'], {}), 'stdout');
  t.equal(eventsWanted(['download', '--json', '--no-json'], {}), undefined);
  t.equal(eventsWanted(['download', '--', '--json'], {}), undefined);
  t.equal(eventsWanted(['download'], { RAREST_JSON: '1' }), 'stdout');
  t.equal(eventsWanted(['download'], {}), undefined);
  t.equal(eventsWanted(['create', '--json', 'x'], {}), 'stdout');
  t.equal(eventsWanted(['create', 'x', '-o', '-'], {}), undefined);
  for (const out of [['-o', '-'], ['-o-'], ['-o=-'], ['--out', '-'], ['--out=-']])
    t.equal(eventsWanted(['create', 'x', '--json', ...out], {}), 'stderr', out.join(' '));
  t.equal(eventsWanted(['create', 'x', '--json'], { RAREST_OUT: '-' }), 'stderr');
  t.equal(eventsWanted(['download', '-o', '-', '--json', 'x'], {}), 'stdout', 'a directory there');
});
