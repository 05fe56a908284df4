// The built program as part of a pipe: bytes of a torrent on its stdout while they come from a peer.

import { type ExecFileException, execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { contentOf } from '../support/content.js';
import { filesBelow, folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { built, environment } from '../support/program.js';
import { ran } from '../support/runs.js';

/** More than a pipe has room for. */
const LARGE = contentOf({ 'first file': 700_000, empty: 0, 'sub/ünïcode': 300_001 }, { name: 'a folder' });
const SINGLE = contentOf(100_000, { name: 'single' });
const [FIRST, SECOND] = [LARGE.data.subarray(0, 700_000), LARGE.data.subarray(700_000)];
const OFFLINE = ['--no-dht', '--no-lsd', '--port', '0'];

interface Ended {
  readonly exit: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end. */
function run(directory: string, file: string, argv: readonly string[]): Promise<Ended> {
  const options = {
    cwd: directory,
    env: { ...environment(directory), TZ: 'UTC' },
    encoding: 'buffer',
  } as const;
  return new Promise(resolve => {
    execFile(file, argv, options, (error: ExecFileException | null, stdout, stderr) =>
      resolve({ exit: Number(error?.code ?? 0), stdout, stderr: stderr.toString() }),
    );
  });
}

/** What it writes to a reader; `prefix` may be a pipe. */
async function cat(t: Test, directory: string, argv: readonly string[], prefix: readonly string[] = []) {
  const { exit, bytes, stderr } = await ran(t, directory, ['cat', ...argv, ...OFFLINE], { prefix });
  return { exit, stdout: bytes, stderr };
}

t.test('command cat: files, ranges, archives, and a reader that has enough', built, async t => {
  const directory = folder(t);
  const peer = await FakePeer.listen(t, LARGE);
  const alone = await FakePeer.listen(t, SINGLE);
  writeFileSync(join(directory, 'x.torrent'), LARGE.torrentFile);
  const from = ['--peer', `127.0.0.1:${peer.address.port}`];
  const head = ['bash', '-o', 'pipefail', '-c', '"$@" | head -c 1000', 'bash'];
  const [single, several, range, tar, again, first, unnamed] = await Promise.all([
    cat(t, directory, [SINGLE.magnet, '--peer', `127.0.0.1:${alone.address.port}`]),
    cat(t, directory, ['x.torrent', 'sub/ünïcode', 'a folder/first file', '--json', ...from]),
    cat(t, directory, [LARGE.magnet, 'sub/ünïcode', '--range', '1000-1999', ...from]),
    cat(t, directory, ['x.torrent', '--tar', ...from]),
    cat(t, directory, [LARGE.magnet, '--tar', ...from]),
    cat(t, directory, ['x.torrent', '0', ...from], head),
    cat(t, directory, ['x.torrent', ...from]),
  ]);

  t.match(single, { exit: 0 });
  t.ok(single.stdout.equals(SINGLE.data), 'the only file need not be named');
  t.match(several, { exit: 0 });
  t.ok(several.stdout.equals(Buffer.concat([SECOND, FIRST])), 'in the order named');
  const events = several.stderr
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  t.match(events.at(0), { event: 'start', output: '-' });
  t.match(events.at(-1), { event: 'done', path: '-', files: 2, length: 1_000_001 });
  t.ok(range.stdout.equals(SECOND.subarray(1000, 2000)));
  t.same(tar.exit, 0, tar.stderr);
  t.ok(tar.stdout.equals(again.stdout), 'the same torrent gives the same archive');
  t.equal(first.exit, 0, 'both ends of the pipe are content');
  t.ok(first.stdout.equals(FIRST.subarray(0, 1000)));
  t.match(unnamed, { exit: 2, stderr: /it has 3 files, and none was named \(USAGE\)\nhint: rarest info/ });
  t.same(filesBelow(directory), ['x.torrent'], 'nothing is left on the disk');

  mkdirSync(join(directory, 'unpacked'));
  writeFileSync(join(directory, 'x.tar'), tar.stdout);
  const list = await run(directory, 'tar', ['-tvf', 'x.tar', '--quoting-style=literal']);
  t.match(list, { exit: 0, stderr: '' });
  const lines = list.stdout.toString().trimEnd().split('\n');
  t.equal(lines.length, 3);
  for (const line of lines) t.match(line, /^-rw-r--r-- 0\/0 +\d+ 1970-01-01 \d\d:\d\d a folder\//);
  t.match(await run(directory, 'tar', ['-xf', 'x.tar', '-C', 'unpacked']), { exit: 0, stderr: '' });
  sameFiles(t, join(directory, 'unpacked'), LARGE);
});

t.test('-o keeps the data, and goes on from there', built, async t => {
  const directory = folder(t);
  const peer = await FakePeer.listen(t, LARGE);
  writeFileSync(join(directory, 'x.torrent'), LARGE.torrentFile);
  const from = ['--peer', `127.0.0.1:${peer.address.port}`];
  const part = await cat(t, directory, ['x.torrent', '2', '-o', 'out', ...from]);
  t.match(part, { exit: 0 });
  t.ok(part.stdout.equals(SECOND));
  const { path = [] } = LARGE.metainfo.files[2] ?? {};
  t.ok(readFileSync(join(directory, 'out', ...path)).equals(SECOND));
  const served = new Set(peer.served);
  t.equal(served.size, peer.served.length);

  const rest = await cat(t, directory, ['x.torrent', '0', '1', '2', '-o', 'out', ...from]);
  t.ok(rest.stdout.equals(LARGE.data));
  t.equal(new Set(peer.served).size, peer.served.length, 'no block is fetched twice');
  sameFiles(t, join(directory, 'out'), LARGE);
  await peer.close();
  const offline = await cat(t, directory, ['x.torrent', '0', '-o', 'out']);
  t.ok(offline.stdout.equals(FIRST), 'all is here');
});
