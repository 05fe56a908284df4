import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { main } from '../../src/cli/main.js';
import { version } from '../../src/engine/version.js';
import { ROOT } from '../support/root.js';
import { fakeIo } from './fake-io.js';

t.test('the version', async t => {
  const io = fakeIo();
  t.equal(await main(['--version'], io), 0);
  t.equal(io.stdout.text, `rarest ${version()}\n`);
  t.match(version(), /^\d+\.\d+\.\d+$/);
});

t.test('help fits into 80 columns, the last one free, and names every flag', async t => {
  const commands = ['download', 'seed', 'create', 'info', 'show', 'verify', 'magnet', 'peers'];
  for (const argv of [['--help'], ...commands.map(name => [name, '--help'])]) {
    const io = fakeIo();
    t.equal(await main(argv, io), 0);
    for (const line of io.stdout.text.split('\n')) t.ok(Array.from(line).length < 80, line);
    t.equal(io.stderr.text, '');
  }
  const all = fakeIo();
  await main(['--help'], all);
  for (const name of commands) t.match(all.stdout.text, new RegExp(`\\b${name}\\b`), name);
  const io = fakeIo();
  await main(['download', '--help'], io);
  for (const group of ['Data:', 'When to end:', 'Network:', 'Output:'])
    t.match(io.stdout.text, `\n${group}\n`);
  const flags = [
    ...['-o, --output', '--peer', '--port', '--no-dht', '--dht-bootstrap', '--max-download', '--max-upload'],
    ...[
      '--max-peers',
      '--max-connections',
      '--metadata-timeout',
      '--timeout',
      '--stall-timeout',
      '--seed ',
      '--seed-ratio',
    ],
    ...[
      '--seed-time',
      '--recheck',
      '--trust',
      '--force',
      '--save-torrent',
      '--sequential',
      '--jobs',
      '--json',
      '-q, --quiet',
    ],
    ...['-v, --verbose', '--no-color', '-0, --null', '-h, --help', '--version'],
  ];
  for (const flag of flags) t.ok(io.stdout.text.includes(flag), flag);
  t.notMatch(io.stdout.text, '--color', 'the hidden side of --no-color');
});

t.test('help is a word too', async t => {
  for (const [words, flags] of [
    [['help'], ['--help']],
    [
      ['help', 'create'],
      ['create', '--help'],
    ],
  ]) {
    const [asked, expected] = [fakeIo(), fakeIo()];
    t.equal(await main(words!, asked), 0);
    t.equal(await main(flags!, expected), 0);
    t.equal(asked.stdout.text, expected.stdout.text);
  }
});

t.test('usage errors', async t => {
  const io = fakeIo();
  t.equal(await main(['download', '--max-upload', 'fast\x1b[2J', 'x'], io), 2);
  t.equal(io.stdout.text, '');
  t.equal(
    io.stderr.text,
    'rarest: --max-upload fast [2J: not a rate in bytes per second (USAGE)\nhint: for example: --max-upload 500K\n',
  );
});

t.test('usage errors are events too', async t => {
  const io = fakeIo();
  t.equal(await main(['download', '--json', '--oops', 'x'], io), 2);
  t.equal(
    io.stdout.text,
    '{"v":1,"t":0,"event":"error","code":"USAGE","message":"--oops: unknown flag","exit":2}\n',
  );
  t.match(io.stderr.text, /^rarest: --oops: unknown flag \(USAGE\)\n/);
});

t.test('nothing heavy is loaded before it is needed', async t => {
  /** All that is loaded along with a file: its imports, and theirs. Types are no imports. */
  const loadedWith = (path: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(path)) return seen;
    seen.add(path);
    const imports = readFileSync(path, 'utf8').matchAll(
      /^(?:import|export)\s(?!type\b)[^;']*from\s'([^']+)';/gm,
    );
    for (const [, name = ''] of imports) {
      if (name.startsWith('.')) loadedWith(join(dirname(path), name).replace(/js$/, 'ts'), seen);
      else seen.add(name);
    }
    return seen;
  };
  const cli = join(ROOT, 'src/cli');
  const commands = readdirSync(join(cli, 'commands')).map(name => join('commands', name));
  for (const file of ['main.ts', 'session.ts', ...commands]) {
    const loaded = [...loadedWith(join(cli, file))];
    t.ok(loaded.includes('yargs-parser') || file !== 'main.ts', 'the imports were found');
    const heavy =
      /\/(discovery|net|storage|swarm|tracker|webseed|wire)\/|engine\/(?!version)|parse-torrent|cli-progress|smol-toml|child_process/;
    t.same(
      loaded.filter(name => heavy.test(name)),
      [],
      file,
    );
  }
});

t.test('help for a reader who left', async t => {
  const io = fakeIo();
  t.equal(await main(['--help'], io), 0);
  io.stdout.fail('EPIPE');
  io.stderr.fail('EPIPE');
});
