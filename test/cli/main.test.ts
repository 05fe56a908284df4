import t from 'tap';
import { main } from '../../src/cli/main.js';
import { version } from '../../src/engine/version.js';
import { fakeIo } from './fake-io.js';

t.test('the version', async t => {
  const io = fakeIo();
  t.equal(await main(['--version'], io), 0);
  t.equal(io.stdout.text, `rarest ${version()}\n`);
  t.match(version(), /^\d+\.\d+\.\d+$/);
});

t.test('help fits 80 columns and names every flag', async t => {
  for (const argv of [['--help'], ['download', '--help'], ['peers', '--help']]) {
    const io = fakeIo();
    t.equal(await main(argv, io), 0);
    for (const line of io.stdout.text.split('\n')) t.ok(Array.from(line).length <= 80, line);
    t.equal(io.stderr.text, '');
  }
  const io = fakeIo();
  await main(['download', '--help'], io);
  for (const group of ['Data:', 'When to end:', 'Network:', 'Output:'])
    t.match(io.stdout.text, `\n${group}\n`);
  const flags = [
    ...[
      '-o, --output',
      '--peer',
      '--port',
      '--dht ',
      '--no-dht',
      '--dht-bootstrap',
      '--max-download',
      '--max-upload',
    ],
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

t.test('help for a reader who left', async t => {
  const io = fakeIo();
  t.equal(await main(['--help'], io), 0);
  io.stdout.fail('EPIPE');
  io.stderr.fail('EPIPE');
});
