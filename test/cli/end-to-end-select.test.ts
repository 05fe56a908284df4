// The built program: some files of a torrent, then others, then all, with one that seeds it and with nobody.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { contentOf } from '../support/content.js';
import { filesBelow, folder, sameFiles } from '../support/engine-run.js';
import { built, Program } from '../support/program.js';

// Pieces of 32 KiB: a.txt is 0 to 1, b.mkv 1 to 4, sub/c.mkv 4 to 6.
const CONTENT = contentOf(
  { 'a.txt': 50_000, 'b.mkv': 100_000, 'sub/c.mkv': 50_000, 'sub/empty': 0 },
  { name: 'T' },
);
const PIECE = 32_768;
const OFFLINE = ['--no-dht', '--no-lsd', '--port', '0'];
const PARTS = /^\.[0-9a-f]{40}\.rarest-parts$/;

t.test(
  'flag -s, --select, -n, --dry-run: some files, by flag, variable and link; exit 13 SELECT_EMPTY',
  built,
  async t => {
    const directory = folder(t, { 'x.torrent': Buffer.from(CONTENT.torrentFile), there: {}, linked: {} });
    for (const { path, offset, length } of CONTENT.metainfo.files) {
      mkdirSync(join(directory, 'there', ...path.slice(0, -1)), { recursive: true });
      writeFileSync(join(directory, 'there', ...path), CONTENT.data.subarray(offset, offset + length));
    }
    const seed = new Program(t, directory, ['seed', 'x.torrent', '-o', 'there', '--json', ...OFFLINE]);
    const [{ port }, { magnet }] = await Promise.all([seed.until('listening'), seed.until('seeding')]);
    const peer = ['--peer', `127.0.0.1:${port}`, ...OFFLINE];
    const run = async (exit: number, ...argv: string[]) => {
      const program = new Program(t, directory, ['download', ...argv]);
      t.same(await program.ended, { exit, signal: null }, argv.join(' '));
      return program;
    };

    const chain = async () => {
      mkdirSync(join(directory, 'out', 'T'), { recursive: true });
      writeFileSync(join(directory, 'out', 'T', 'a.txt'), 'mine');
      const first = await run(0, 'x.torrent', '-s', '**/*.mkv', '-s', '!sub/**', '-o', 'out', ...peer);
      t.same(first.lines, [join('out', 'T', 'b.mkv')]);
      const [parts, ...files] = filesBelow(join(directory, 'out'));
      t.match(parts, PARTS);
      t.same(files, ['T/a.txt', 'T/b.mkv'], 'what is not selected is not there');
      t.equal(readFileSync(join(directory, 'out', 'T', 'a.txt'), 'utf8'), 'mine', 'or as it was');
      const again = await run(0, 'x.torrent', '-s', '1', '-o', 'out', '--json', ...OFFLINE);
      t.match(again.named('done'), [{ files: 1, length: 100_000, downloaded: 0 }], 'with nobody there');

      const refused = await run(14, 'x.torrent', '-o', 'out', ...peer);
      t.match(refused.stderr, /a\.txt: no piece of the torrent is in it \(EXISTS\)/);
      const all = await run(0, String(magnet), '-o', 'out', '--force', '--json', ...peer);
      t.match(all.named('resumed'), [{ piecesHave: 4, bytesHave: 4 * PIECE }]);
      t.match(all.named('done'), [{ files: 4, downloaded: 200_000 - 4 * PIECE, wasted: 0 }], 'reused');
      sameFiles(t, join(directory, 'out'), CONTENT);
    };
    const link = async () => {
      // With a state of its own, so that the metadata comes from the peer.
      const argv = ['download', `${magnet}&so=0,3`, '--json', ...peer];
      const some = new Program(t, join(directory, 'linked'), argv);
      t.same(await some.ended, { exit: 0, signal: null });
      t.match(some.named('metadata'), [{ from: 'peers' }]);
      t.match(some.named('done'), [{ files: 2, length: 50_000, downloaded: 2 * PIECE }]);
      t.match(
        filesBelow(join(directory, 'linked')).filter(path => !path.startsWith('state')),
        [PARTS, 'T/a.txt', 'T/sub/empty'],
      );
    };
    const none = async () => {
      const empty = await run(13, 'x.torrent', '-s', '*.zip', '-o', 'nowhere', ...peer);
      t.match(
        empty.stderr,
        /^rarest: selecting files of T: no file matches --select \*\.zip \(SELECT_EMPTY\)$/m,
      );
      const planned = await run(0, String(magnet), '-n', '-s', '>60K', '-o', 'nowhere', ...peer);
      t.same(planned.lines, [`1\t100000\t${join('nowhere', 'T', 'b.mkv')}`]);
      t.notOk(existsSync(join(directory, 'nowhere')));
    };
    const told = async () => {
      const a = `0\t50000\t${join('T', 'a.txt')}`;
      const c = `2\t50000\t${join('T', 'sub', 'c.mkv')}`;
      const empty = `3\t0\t${join('T', 'sub', 'empty')}`;
      const files = async (argv: readonly string[], env: Readonly<Record<string, string>> = {}) => {
        const program = new Program(t, directory, ['info', ...argv], { env });
        t.same(await program.ended, { exit: 0, signal: null }, argv.join(' '));
        return program.lines.filter(line => !line.startsWith('#'));
      };
      const [byFlag, byVariable, byLink] = await Promise.all([
        files(['x.torrent', '-s', '!b.mkv']),
        files(['x.torrent'], { RAREST_SELECT: '{no such,sub}/*.mkv\n' }),
        files([`${magnet}&so=0,3`, ...peer]),
      ]);
      t.same(byFlag, [a, c, empty]);
      t.same(byVariable, [c], 'a line of a variable is one pattern, with its space');
      t.same(byLink, [a, empty]);
    };
    await Promise.all([chain(), link(), none(), told()]);
  },
);
