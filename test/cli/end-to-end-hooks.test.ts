// Hooks of the built program, run by a real shell.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toHex } from '../../src/torrent/ids.js';
import { contentOf } from '../support/content.js';
import { folder } from '../support/engine-run.js';
import { eventOf, type PrintedEvent } from '../support/event-line.js';
import { FakePeer } from '../support/fake-peer.js';
import { built } from '../support/program.js';
import { ALONE, atTerminal, RAREST, ran, Terminal, towards, writeData } from '../support/runs.js';
import { screenOf } from './screen.js';

/** The name is a command, were it ever to reach a command line. */
const CONTENT = contentOf({ a: 40_000, 'b $(touch pwned)': 10 }, { name: '$(touch pwned); "it\'s"' });

function place(t: Parameters<typeof folder>[0]): string {
  const directory = folder(t, { 'x.torrent': Buffer.from(CONTENT.torrentFile) });
  writeData(directory, CONTENT);
  return directory;
}

t.test('flag --exec, --exec-file: the events on stdin, RAREST_HOOK_* in the environment', built, async t => {
  const directory = place(t);
  const one = 'cat >>lines; printf "%s\\n" "$RAREST_HOOK_EVENT $RAREST_HOOK_INDEX $RAREST_HOOK_PATH" >>names';
  const all = 'cat >>lines; env | grep ^RAREST_HOOK_ >variables';
  const hooks = ['--exec-file', one, '--exec', all];
  const run = await ran(t, directory, ['download', 'x.torrent', '--json', ...hooks, ...ALONE]);
  t.match(run, { exit: 0, stderr: '' });
  const lines = readFileSync(join(directory, 'lines'), 'utf8').trimEnd().split('\n');
  const untimed = ({ t: _, ...fields }: PrintedEvent) => fields;
  t.same(
    lines.map(line => untimed(eventOf(line))),
    run.events.filter(({ event }) => event === 'file' || event === 'done').map(untimed),
  );
  const { name } = CONTENT.metainfo;
  const paths = CONTENT.metainfo.files.map(({ path }) => join(...path));
  t.same(
    readFileSync(join(directory, 'names'), 'utf8'),
    paths.map((path, index) => `file ${index} ${path}\n`).join(''),
  );
  t.same(readFileSync(join(directory, 'variables'), 'utf8').trimEnd().split('\n').sort(), [
    'RAREST_HOOK_EVENT=done',
    'RAREST_HOOK_FILES=2',
    `RAREST_HOOK_INFO_HASH=${toHex(CONTENT.metainfo.infoHash)}`,
    'RAREST_HOOK_LENGTH=40010',
    `RAREST_HOOK_NAME=${name}`,
    `RAREST_HOOK_PATH=${name}`,
    'RAREST_HOOK_SOURCE=x.torrent',
  ]);
  t.throws(() => readFileSync(join(directory, 'pwned')), 'nothing of the torrent was run');
});

t.test(
  'exit 11 HOOK_FAILED: --exec ended non-zero, which is an event; what it prints is no result',
  built,
  async t => {
    const argv = ['download', 'x.torrent', '--exec', 'echo to stdout; echo to stderr >&2; exit 3', ...ALONE];
    const directory = place(t);
    const json = await ran(t, directory, [...argv, '--json']);
    t.equal(json.exit, 11);
    t.match(json.named('error'), [{ code: 'HOOK_FAILED', exit: 11 }]);
    t.match(json.named('warning'), [{ message: /^running --exec for .*: exit status 3$/ }]);
    t.match(json.stderr, /^to stdout\nto stderr\nrarest: running --exec: exit status 3 \(HOOK_FAILED\)\n/);
  },
);

t.test('flag --exec: a hook may run rarest itself', built, async t => {
  const directory = place(t);
  const hook = `${RAREST} verify x.torrent --json >inner`;
  const env = { RAREST_EXEC: hook };
  const run = await ran(t, directory, ['download', 'x.torrent', '--json', ...ALONE], { env });
  t.match(run, { exit: 0, stderr: '' });
  const inner = readFileSync(join(directory, 'inner'), 'utf8').trimEnd().split('\n').map(eventOf);
  t.match(inner.at(-1), { event: 'done', length: 40_010 });
});

t.test('flag --exec: what a hook prints stays clear of the bars', atTerminal, async t => {
  const directory = place(t);
  const slow = contentOf(100_000, { name: 'slow', seed: 2 });
  let give = () => {};
  const peer = await FakePeer.listen(t, slow, {
    answer: (_wire, message, honest) => {
      if (message.type !== 'request') return honest();
      const before = give;
      give = () => {
        before();
        honest();
      };
    },
  });
  const flags = ['--exec', "'echo this is the hook; echo and this >&2'", ...ALONE, ...towards(peer)];
  // the bar of what is slow is drawn before the hook of what is here is run, which takes a shell
  const words = ['download', `'${slow.magnet}'`, 'x.torrent', ...flags].join(' ');
  const terminal = new Terminal(t, directory, `${RAREST} ${words}`);
  await terminal.shows('and this');
  // drawn again, so that the screen is as a person sees it
  const seen = terminal.text.length;
  await terminal.showsAfter(seen, 'slow');
  const screen = screenOf(terminal.text.replaceAll('\r\n', '\n'));
  t.ok(screen.includes('this is the hook'), screen.join('\n'));
  t.ok(screen.includes('and this'), screen.join('\n'));
  t.equal(screen.filter(line => /slow$/.test(line)).length, 1, 'one bar, drawn once');
  terminal.type('\x03');
  await terminal.ended;
});
