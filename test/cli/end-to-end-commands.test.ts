// The built program, from data to a torrent to a swarm, and back: every command once, each with what the one before gave.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { contentOf } from '../support/content.js';
import { folder } from '../support/engine-run.js';
import { built, Program } from '../support/program.js';
import { atTerminal, RAREST, ran, Terminal } from '../support/runs.js';

const OFFLINE = ['--no-dht', '--no-lsd', '--port', '0'];
const CONTENT = contentOf(150_000);

t.test(
  'command create, info, magnet, verify, seed, download: one after the other, and --repair',
  built,
  async t => {
    const directory = folder(t, { here: {}, there: {}, elsewhere: {} });
    const [here, there] = [join(directory, 'here'), join(directory, 'there')];
    const data = join(here, 'data');
    mkdirSync(join(data, 'sub'), { recursive: true });
    writeFileSync(join(data, 'first'), CONTENT.data.subarray(0, 100_000));
    writeFileSync(join(data, 'sub', 'second'), CONTENT.data.subarray(100_000));
    /** Runs the program in `here` to its end: the lines of its stdout. */
    const lines = async (...argv: string[]) => {
      const program = new Program(t, here, argv);
      t.same(await program.ended, { exit: 0, signal: null }, argv.join(' '));
      return program.lines;
    };

    t.same(await lines('create', 'data', '--piece-length', '16KiB'), ['data.torrent']);
    const [shown = [], [link = ''] = [], matched] = await Promise.all(
      ['info', 'magnet', 'verify'].map(command => lines(command, 'data.torrent')),
    );
    t.equal(shown[0], '# name\tdata');
    const infoHash = shown[1]?.split('\t')[1];
    t.match(infoHash, /^[0-9a-f]{40}$/);
    t.same(shown.slice(-2), [
      `0\t100000\t${join('data', 'first')}`,
      `1\t50000\t${join('data', 'sub', 'second')}`,
    ]);
    t.equal(link, `magnet:?xt=urn:btih:${infoHash}&dn=data`);
    t.same(matched, []);

    const seed = new Program(t, here, ['seed', 'data', '--json', ...OFFLINE]);
    const { port } = await seed.until('listening');
    const { magnet } = await seed.until('seeding');
    t.ok(String(magnet).includes(`xt=urn:btih:${infoHash}`), 'hashed anew it is the same torrent');
    const peer = ['--peer', `127.0.0.1:${port}`];

    const fetched = new Program(t, join(directory, 'elsewhere'), [
      'info',
      link,
      '--json',
      ...OFFLINE,
      ...peer,
    ]);
    const download = new Program(t, there, ['download', link, ...OFFLINE, ...peer]);
    t.same(await fetched.ended, { exit: 0, signal: null });
    t.match(fetched.events, [{ event: 'metadata', name: 'data', length: 150_000, from: 'peers' }]);
    t.equal(fetched.events.length, 1);
    t.same(await download.ended, { exit: 0, signal: null });
    t.same(download.lines.toSorted(), [join('data', 'first'), join('data', 'sub', 'second')]);

    const second = join(there, 'data', 'sub', 'second');
    writeFileSync(second, Buffer.alloc(50_000));
    const torrent = join(here, 'data.torrent');
    const bad = new Program(t, there, ['verify', torrent]);
    const partial = new Program(t, there, ['seed', torrent, ...OFFLINE]);
    t.same(await bad.ended, { exit: 9, signal: null });
    t.equal(bad.lines.length, 5, 'one piece belongs to both files');
    t.match(bad.stderr, /^rarest: verifying data: 4 of 10 pieces do not match \(VERIFY_FAILED\)$/m);
    t.same(await partial.ended, { exit: 9, signal: null }, 'incomplete data is not seeded unasked');
    const repaired = new Program(t, there, ['verify', torrent, '--repair', ...OFFLINE, ...peer]);
    t.same(await repaired.ended, { exit: 0, signal: null });
    t.same(repaired.lines, bad.lines);
    t.ok(readFileSync(second).equals(CONTENT.data.subarray(100_000)));
    t.same(await seed.kill('SIGTERM'), { exit: null, signal: 'SIGTERM' });
  },
);

t.test(
  'command download, info: get and show are the same; info is a table at a terminal',
  atTerminal,
  async t => {
    const directory = folder(t, { 'x.torrent': Buffer.from(CONTENT.torrentFile), content: CONTENT.data });
    const [get, show] = await Promise.all([
      ran(t, directory, ['get', 'x.torrent', ...OFFLINE]),
      ran(t, directory, ['show', 'x.torrent']),
    ]);
    t.match(get, { exit: 0, lines: ['content'] });
    t.match(show.lines, ['# name\tcontent']);
    const terminal = new Terminal(t, directory, `${RAREST} info x.torrent`);
    t.equal(await terminal.ended, 0);
    t.match(terminal.text, /^content\r\n {2}info hash {5}[0-9a-f]{40}\r\n/);
    t.notMatch(terminal.text, '\t');
  },
);

t.test('command seed: a bare path is hashed first; the link alone leads to it', built, async t => {
  const directory = folder(t, { file: CONTENT.data });
  const seed = new Program(t, directory, ['seed', 'file', '-v', ...OFFLINE]);
  await seed.untilPrinted(() => seed.lines.length > 0 && /port \d+/.test(seed.stderr));
  t.match(seed.lines, [/^magnet:\?xt=urn:btih:[0-9a-f]{40}&dn=file$/]);
  const port = /port (\d+)/.exec(seed.stderr)?.[1];
  const argv = ['download', seed.lines[0]!, '-o', 'out', ...OFFLINE, '--peer', `127.0.0.1:${port}`];
  t.match(await ran(t, directory, argv), { exit: 0, lines: [join('out', 'file')] });
  t.ok(readFileSync(join(directory, 'out', 'file')).equals(CONTENT.data));
  await seed.kill('SIGTERM');
});

t.test('flag --config: flag, variable, file and default, in this order', built, async t => {
  const config = join('.config', 'rarest', 'config.toml');
  const directory = folder(t, { '.config': { rarest: {} }, data: 'content' });
  writeFileSync(join(directory, config), 'out = "filed.torrent"\n[create]\nname = "filed"\n');
  const named = async (argv: readonly string[], env: Readonly<Record<string, string>>) => {
    const program = new Program(t, directory, ['create', 'data', ...argv], { env });
    t.same(await program.ended, { exit: 0, signal: null });
    const [path = ''] = program.lines;
    return [path, /4:name\d+:([a-z]+)/.exec(readFileSync(join(directory, path), 'latin1'))?.[1]];
  };
  const env = { RAREST_NAME: 'variable' };
  t.same(
    await Promise.all([
      named(['--name', 'flag', '-o', 'flag.torrent'], env),
      named(['-o', 'variable.torrent'], env),
      named([], {}),
      named(['--config', '/dev/null'], {}),
    ]),
    [
      ['flag.torrent', 'flag'],
      ['variable.torrent', 'variable'],
      ['filed.torrent', 'filed'],
      ['data.torrent', 'data'],
    ],
  );
});
