import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Environment, eventsWanted, loadSettings, parseCommandLine } from '../../src/cli/args.js';
import type { CommandSpec, Invocation } from '../../src/cli/command.js';
import { catOptions } from '../../src/cli/commands/cat.js';
import { createOptions } from '../../src/cli/commands/create.js';
import { downloadOptions } from '../../src/cli/commands/download.js';
import { infoOptions } from '../../src/cli/commands/info.js';
import { peersOptions } from '../../src/cli/commands/peers.js';
import { seedOptions } from '../../src/cli/commands/seed.js';
import { verifyOptions } from '../../src/cli/commands/verify.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { defaultConfigPath } from '../../src/cli/config-file.js';
import { FlagValues } from '../../src/cli/flag-values.js';
import { COMMON_FLAGS, type Flag, NEVER_FROM_FILE, variableOf } from '../../src/cli/flags.js';
import { main } from '../../src/cli/main.js';
import { bindOption } from '../../src/cli/options.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { fakeIo } from './fake-io.js';

/** The readers of options, by the names of their commands. */
const READERS: Record<string, (invocation: Invocation) => unknown> = {
  download: downloadOptions,
  seed: seedOptions,
  cat: catOptions,
  create: createOptions,
  info: infoOptions,
  verify: verifyOptions,
  peers: peersOptions,
};

/** The environment of somebody whose configuration file says this. */
function homeWith(t: Test, config: string | Buffer): Record<string, string> {
  const HOME = t.testdir({ '.config': { rarest: { 'config.toml': config } } });
  return { HOME };
}

async function invocationOf(argv: readonly string[], env: Environment): Promise<Invocation> {
  const line = parseCommandLine(argv, env, await loadSettings(argv, env));
  if (line.kind !== 'command') throw new Error(`${line.kind} instead of a command`);
  return line.invocation;
}

const download = async (argv: readonly string[], env: Environment) =>
  downloadOptions(await invocationOf(['download', ...argv], env));

/** The message and hint of the usage error; the path of the file is `FILE` in it. */
async function refused(env: Environment, argv = ['create', 'x']): Promise<string[]> {
  const path = join(env.HOME ?? '', '.config', 'rarest', 'config.toml');
  try {
    const invocation = await invocationOf(argv, env);
    READERS[argv[0] ?? '']?.(invocation);
  } catch (error) {
    if (!(error instanceof TorrentError) || error.code !== 'USAGE') throw error;
    return [error.message.replace(path, 'FILE'), ...(error.hint === undefined ? [] : [error.hint])];
  }
  throw new Error('nothing was refused');
}

t.test('where the file is', async t => {
  t.equal(defaultConfigPath({ HOME: '/home/a' }, 'linux'), '/home/a/.config/rarest/config.toml');
  t.equal(defaultConfigPath({ HOME: '/Users/a' }, 'darwin'), '/Users/a/.config/rarest/config.toml');
  t.equal(defaultConfigPath({ HOME: '/home/a', XDG_CONFIG_HOME: '/c' }, 'linux'), '/c/rarest/config.toml');
  t.equal(
    defaultConfigPath({ HOME: '/home/a', XDG_CONFIG_HOME: 'relative' }, 'linux'),
    '/home/a/.config/rarest/config.toml',
  );
  t.equal(defaultConfigPath({ APPDATA: 'C:\\A' }, 'win32'), 'C:\\A\\rarest\\config.toml');
  t.equal(defaultConfigPath({}, 'linux'), undefined);
  t.equal(defaultConfigPath({}, 'win32'), undefined);
});

t.test('the command line wins over the environment, that over the file, that over the default', async t => {
  const env = homeWith(t, 'max-peers = 7\nlsd = false\noutput = "filed"\njson = true');
  const both = { ...env, RAREST_MAX_PEERS: '8', RAREST_LSD: '1', RAREST_OUTPUT: 'variable' };
  const flags = ['--max-peers', '9', '--no-lsd', '-o', 'flag'];
  const seen = async (argv: readonly string[], env: Environment) => {
    const { torrent, engine } = await download([...argv, 'x'], env);
    return [torrent.maxPeers, engine.lsd, torrent.output];
  };
  t.same(await seen(flags, both), [9, false, 'flag']);
  t.same(await seen([], both), [8, true, 'variable']);
  t.same(await seen([], env), [7, false, 'filed']);
  t.same(await seen([], {}), [100, true, '.']);
  t.equal((await download(['x'], env)).output.json, true);
  t.equal((await download(['--no-json', 'x'], env)).output.json, false);
});

t.test('the table of a command wins over the top, and is nobody else’s', async t => {
  const env = homeWith(
    t,
    `max-upload = "1M"
     tracker = ["http://a/", "http://b/"]
     no-pex = true
     seed-ratio = 1.5
     piece-length = "1MiB" # a flag of create
     [download]
     max-upload = 500_000
     no-pex = false
     tracker = []
     seed = false
     [seed]
     seed-ratio = 2
     tracker = "http://c/"`,
  );
  const { engine, torrent } = await download(['x'], env);
  t.match(engine, { maxUploadBps: 500_000, pex: true });
  t.match(torrent, { trackers: [], seed: undefined });
  const seeding = seedOptions(await invocationOf(['seed', 'x'], env));
  t.match(seeding, { engine: { maxUploadBps: 1_000_000, pex: false }, torrent: { seed: { ratio: 2 } } });
  t.same(seeding.torrent.trackers, [['http://c/']], 'a text is a list of one');
  t.same(infoOptions(await invocationOf(['show', 'x'], env)).choices.trackers, [
    ['http://a/'],
    ['http://b/'],
  ]);
});

t.test('~ is the home in paths, and only there', async t => {
  const env = homeWith(t, 'output = "~/a"\nsave-torrent = "~"\nexec = "~/b"\n');
  const { torrent, hooks } = await download(['x'], env);
  t.equal(torrent.output, `${env.HOME}/a`);
  t.equal(torrent.saveTorrent, env.HOME);
  t.equal(hooks.done, '~/b', 'the shell that runs it expands it');
  t.equal((await download(['x'], homeWith(t, 'output = "~other/a"'))).torrent.output, '~other/a');
  t.equal((await download(['-o', '~', 'x'], env)).torrent.output, '~', 'what a shell left is meant so');
});

t.test('--config names another file', async t => {
  const HOME = t.testdir({
    '.config': { rarest: { 'config.toml': 'max-peers = 7' } },
    'other.toml': '\ufeffmax-peers = 8',
    'third.toml': 'config = "other.toml"',
  });
  const maxPeers = async (argv: string[], env: Environment = {}) =>
    (await download([...argv, 'x'], { HOME, ...env })).torrent.maxPeers;
  const other = join(HOME, 'other.toml');
  t.equal(await maxPeers([]), 7);
  t.equal(await maxPeers(['--config', other]), 8);
  t.equal(await maxPeers([], { RAREST_CONFIG: other }), 8);
  t.equal(await maxPeers(['--config', '/dev/null'], { RAREST_CONFIG: other }), 100, 'and so none at all');
  t.equal(await maxPeers([], { HOME: join(HOME, 'other.toml') }), 100, 'a home that is none');
  t.same(await refused({ RAREST_CONFIG: '/nowhere.toml' }), [
    'RAREST_CONFIG=/nowhere.toml: no such file or directory',
  ]);
  t.same(await refused({}, ['create', '--config', '/nowhere.toml', 'x']), [
    '--config /nowhere.toml: no such file or directory',
  ]);
  t.match(await refused({ RAREST_CONFIG: join(HOME, 'third.toml') }), [
    /third.toml: config = "other.toml": this is for the command line alone$/,
  ]);
});

t.test('help and version need no file', async t => {
  const env = homeWith(t, 'this = = is none');
  for (const argv of [['--help'], ['help', 'seed'], ['--version'], ['create', '--version']])
    t.equal(await loadSettings(argv, env), undefined, argv.join(' '));
});

t.test('what is wrong with a file is told with its name, the key and a good value', async t => {
  const cases: [config: string | Buffer, ...refusal: string[]][] = [
    ['max-uplaod = "1M"', 'FILE: max-uplaod = "1M": unknown flag', 'did you mean max-upload?'],
    ['xyzzyx = 1', 'FILE: xyzzyx = 1: unknown flag'],
    ['__proto__ = 1', 'FILE: __proto__ = 1: unknown flag'],
    ['[create]\nnmae = "x"', 'FILE: [create] nmae = "x": unknown flag', 'did you mean name?'],
    ['[create]\njobs = 3', 'FILE: [create] jobs = 3: unknown flag', 'it is a flag of download'],
    ['[create.x]', 'FILE: [create.x]: unknown flag'],
    ['[sede]', 'FILE: [sede]: no command has this name', 'did you mean [seed]?'],
    ['[get]', 'FILE: [get]: no command has this name', 'did you mean [download]?'],
    ['help = true', 'FILE: help = true: this is for the command line alone'],
    ['no-version = true', 'FILE: no-version = true: this is for the command line alone'],
    ['private = "yes"', 'FILE: private = "yes": neither true nor false', 'for example: private = true'],
    ['no-private = 1', 'FILE: no-private = 1: neither true nor false', 'for example: no-private = true'],
    [
      'piece-length = 7',
      'FILE: piece-length = 7: not a power of two from 16KiB to 64MiB (KiB is 1024 bytes, K is 1000)',
      'for example: piece-length = "256KiB"',
    ],
    [
      '[create]\nnode = ["a:1", "b"]',
      'FILE: [create] node = "b": not HOST:PORT with a port from 1 to 65535',
      'for example: node = "router.example.org:6881"',
    ],
    [
      'node = [true]',
      'FILE: node = true: not HOST:PORT with a port from 1 to 65535',
      'for example: node = "router.example.org:6881"',
    ],
    ['comment = ["a"]', 'FILE: comment = ["a"]: not a text', "for example: comment = 'some words'"],
    [
      'comment = 1979-05-27',
      'FILE: comment = "1979-05-27": not a text',
      "for example: comment = 'some words'",
    ],
    [
      'json = true\na = = 3',
      'FILE: line 2, column 5: invalid value',
      'a line reads like max-upload = "1M" or lsd = false',
    ],
    [Buffer.from([0xff, 0xfe]), 'FILE: not a text in UTF-8'],
    ['#'.repeat(LIMITS.configFileBytes + 1), 'FILE: larger than 256 KiB'],
  ];
  for (const [config, ...refusal] of cases)
    t.same(await refused(homeWith(t, config)), refusal, String(config).slice(0, 40));
  const folder = { HOME: t.testdir({ '.config': { rarest: { 'config.toml': {} } } }) };
  t.same(await refused(folder), [
    'reading FILE: illegal operation on a directory',
    '--config /dev/null goes without it',
  ]);
  t.same(
    await refused(homeWith(t, 'port = 65536'), ['info', 'x']),
    ['FILE: port = 65536: not a whole number from 0 to 65535', 'for example: port = 6881'],
    'a number is shown as one',
  );
  const others = homeWith(t, 'port = 65536\njobs = "many"\n[seed]\nseed-ratio = "all"');
  t.ok(await invocationOf(['create', 'x'], others), 'values of other commands are not judged');
});

t.test('a file can ask for events of a usage error', async t => {
  const io = fakeIo();
  Object.assign(io.env, homeWith(t, 'json = true\n[create]\nout = "-"'));
  t.equal(await main(['download', '--oops', 'x'], io), 2);
  t.match(JSON.parse(io.stdout.text), { event: 'error', code: 'USAGE', message: '--oops: unknown flag' });
  const settings = await loadSettings(['create'], io.env);
  t.equal(eventsWanted(['create', '--oops'], io.env, settings), 'stderr', 'its stdout may be payload');
  t.equal(eventsWanted(['create', '--no-json'], io.env, settings), undefined);
  t.equal(eventsWanted(['create', '-o', 'x'], io.env, settings), 'stdout');
  const odd = homeWith(t, 'json = "perhaps"');
  t.equal(eventsWanted(['create'], odd, await loadSettings(['create'], odd)), undefined);
});

/** A value that any flag with such a value takes. */
const GOOD: Record<string, string> = {
  'ADDR|IFACE': 'tun0',
  BYTES: '65536',
  CMD: 'true',
  'A-B': '7-9',
  DIR: 'some/dir',
  DUR: '7m',
  FILE: 'some-file',
  'HOST:PORT': 'host.example:7',
  N: '7',
  NAME: 'name',
  PATTERN: '0-7,9',
  R: '7',
  RATE: '7K',
  TEXT: 'text',
  URL: 'https://host.example/',
};

/** What a command can be told in a file. */
function settable(spec: CommandSpec): Flag[] {
  return [...spec.flags, ...COMMON_FLAGS].filter(({ name }) => !NEVER_FROM_FILE.includes(name));
}

/** A value of the flag that is not its default, as its variable has it and as TOML has it. */
function goodFor({ name, kind, negative, value = '' }: Flag): { text: string; toml: string } {
  if (kind === 'switch') return { text: `${!negative}`, toml: `${!negative}` };
  const text = GOOD[value];
  if (text === undefined) throw new Error(`no good value is known for --${name} ${value}`);
  return { text, toml: kind === 'list' ? `[${JSON.stringify(text)}]` : JSON.stringify(text) };
}

t.test('every flag can be set in the environment and in the file', async t => {
  for (const spec of COMMANDS) {
    const flags = settable(spec);
    const lines = flags.map(flag => `${flag.name} = ${goodFor(flag).toml}`);
    const words = flags.flatMap(flag =>
      flag.kind === 'switch'
        ? [`--${flag.negative ? 'no-' : ''}${flag.name}`]
        : [`--${flag.name}`, goodFor(flag).text],
    );
    const { values: unset } = await invocationOf([spec.name, 'x'], {});
    const roads = {
      'on the command line': [words, {}],
      'by its variable': [
        [],
        Object.fromEntries(flags.map(flag => [variableOf(flag.name), goodFor(flag).text])),
      ],
      'in the file': [[], homeWith(t, lines.join('\n'))],
    } as const;
    for (const [road, [argv, env]] of Object.entries(roads)) {
      const { values } = await invocationOf([spec.name, ...argv, 'x'], env);
      for (const flag of flags)
        t.equal(seen(values, flag), goodFor(flag).text, `${spec.name} --${flag.name} ${road}`);
    }
    const { values } = await invocationOf(
      [spec.name, 'x'],
      homeWith(t, [`[${spec.name}]`, ...lines].join('\n')),
    );
    for (const flag of flags) {
      t.equal(seen(values, flag), goodFor(flag).text, `${spec.name} --${flag.name} in its table`);
      t.not(seen(unset, flag), goodFor(flag).text, `${spec.name} --${flag.name} is told from the default`);
    }
  }
});

function seen(values: FlagValues, { name, kind, negative }: Flag): string | undefined {
  return kind === 'switch' ? `${values.on(name, negative === true)}` : values.given(name)?.text;
}

t.test('every flag of a command is read by it', async t => {
  for (const spec of COMMANDS) {
    const read = new Set<string>();
    class Watched extends FlagValues {
      override on(name: string, byDefault: boolean): boolean {
        read.add(name);
        return super.on(name, byDefault);
      }
      override given(name: string) {
        read.add(name);
        return super.given(name);
      }
      override list(...args: Parameters<FlagValues['list']>): never[] {
        read.add(args[0]);
        return [];
      }
    }
    const values = new Watched([...spec.flags, ...COMMON_FLAGS], {}, {});
    const { plan } = await spec.load();
    const { completes } = spec.operand;
    plan({ values, operands: [typeof completes === 'string' ? 'x' : completes[0]!], env: {} }, fakeIo());
    // main reads it for all of them
    bindOption(values);
    for (const { name } of settable(spec)) t.ok(read.has(name), `${spec.name} --${name}`);
  }
});

t.test('the defaults of the table are those of the commands', async t => {
  for (const spec of COMMANDS) {
    for (const { name, byDefault } of spec.flags) {
      if (byDefault === undefined) continue;
      const read = READERS[spec.name];
      if (read === undefined) throw new Error(`no reader of ${spec.name}`);
      const given = await invocationOf([spec.name, `--${name}`, byDefault, 'x'], {});
      t.same(read(given), read(await invocationOf([spec.name, 'x'], {})), `${spec.name} --${name}`);
    }
  }
});
