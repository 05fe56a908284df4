// A disk that is too small, or fills up while we write: a file system of 1 MiB, for one process alone.

import { execFileSync } from 'node:child_process';
import t from 'tap';
import { contentOf } from '../support/content.js';
import { folder } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { built, Program } from '../support/program.js';
import { ALONE, ran, towards } from '../support/runs.js';

const SMALL_DISK = [
  ...['unshare', '--mount', 'sh', '-c'],
  ...['mount -t tmpfs -o size=1m rarest out && exec "$@"', 'sh'],
];

t.test('exit 8 DISK_FULL: free space is looked at before the first write', built, async t => {
  const content = contentOf(2_000_000);
  const directory = folder(t, { out: {}, 'x.torrent': Buffer.from(content.torrentFile) });
  const peer = await FakePeer.listen(t, content);
  const argv = ['download', 'x.torrent', '-o', 'out', '--json', '-v', ...ALONE, ...towards(peer)];
  const run = await ran(t, directory, argv, { prefix: SMALL_DISK });
  t.equal(run.exit, 8);
  t.match(run.named('error'), [{ code: 'DISK_FULL', exit: 8 }]);
  t.same(run.named('piece'), []);
});

t.test('exit 8 DISK_FULL: no space left in the middle; what was verified is kept', built, async t => {
  const content = contentOf(900_000);
  const directory = folder(t, { out: {}, 'x.torrent': Buffer.from(content.torrentFile) });
  const held: (() => void)[] = [];
  let blocks = 10;
  const peer = await FakePeer.listen(t, content, {
    answer: (_wire, message, honest) => {
      if (message.type === 'request' && blocks-- <= 0) held.push(honest);
      else honest();
    },
  });
  const argv = [
    'download',
    'x.torrent',
    '-o',
    'out',
    '--json',
    '-v',
    '--sequential',
    ...ALONE,
    ...towards(peer),
  ];
  const program = new Program(t, directory, argv, { prefix: SMALL_DISK });
  await program.until('piece', 5);
  // more than there is room for, and no more than that
  const fill = 'cd "$1" && head -c 2000000 /dev/zero >out/other';
  const inside = [`--mount=/proc/${program.pid}/ns/mnt`, 'sh', '-c', fill, 'sh', directory];
  t.throws(() => execFileSync('nsenter', inside, { stdio: 'ignore' }), 'it is full');
  for (const give of held.splice(0)) give();
  t.same(await program.ended, { exit: 8, signal: null });
  t.match(program.named('error'), [{ code: 'DISK_FULL', exit: 8, message: /no space left/ }]);
  t.equal(program.named('done').length, 0);
  t.ok(program.named('piece').length >= 5 && program.named('piece').length < content.geometry.pieceCount);
});
