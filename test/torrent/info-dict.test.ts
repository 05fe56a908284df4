import t from 'tap';
import { LIMITS } from '../../src/torrent/limits.js';
import { parseInfo, parseTorrent } from '../../src/torrent/metainfo.js';
import { dict, type Entry, int, list, str } from '../fixtures/bencoded.js';
import { failure, parsed, pathsOf } from './reading.js';

t.test('what is wrong inside the info dictionary', async t => {
  const cases: [string, string][] = [
    ['length-negative', 'the length of the file is -1'],
    ['length-beyond-double', 'the length of the file is missing or not a usable integer'],
    ['length-sum-beyond-double', 'its files are too long in all'],
    ['piece-length-zero', 'its piece length is 0'],
    ['pieces-missing', 'its piece hashes are missing'],
    ['pieces-too-few', 'it has 1 piece hashes for 2 pieces'],
    ['pieces-not-whole', 'its piece hashes are 19 bytes long, not a multiple of 20'],
    ['name-missing', 'its name is missing'],
    ['name-parent', 'nothing safe is left of its name ".."'],
    ['files-empty', 'it has no files'],
    ['files-not-a-list', 'its files are not a list'],
    ['path-missing', 'file 0 has no path'],
    ['path-empty', 'file 0 has no path'],
    ['path-not-strings', 'file 0 has no path'],
    ['hybrid-other-files', 'its v2 half does not fit its v1 half: its files are others'],
  ];
  for (const [name, why] of cases)
    t.equal(
      failure(() => parsed(name)),
      `torrent: ${why} (BAD_SOURCE)`,
      name,
    );
});

t.test('what we can read but not use', async t => {
  t.match(
    failure(() => parsed('v2-only')),
    /v2-only.*\(UNSUPPORTED\)$/,
  );
  t.match(
    failure(() => parsed('meta-version-3')),
    /meta version 3 is newer than 2.*\(UNSUPPORTED\)$/,
  );
  t.match(
    failure(() => parsed('piece-length-huge')),
    /larger than 67108864 \(UNSUPPORTED\)$/,
  );
  const many = Buffer.alloc((LIMITS.pieces + 1) * 20);
  const info = dict(
    ['length', int(LIMITS.pieces + 1)],
    ['name', str('a')],
    ['piece length', int(1)],
    ['pieces', str(many)],
  );
  t.match(
    failure(() => parseInfo(info, [], [])),
    /2097153 pieces, more than 2097152 \(UNSUPPORTED\)$/,
  );
});

t.test('keys named like members of every object are unknown keys', async t => {
  const metainfo = parsed('proto-keys');
  t.equal(metainfo.private, false);
  t.notOk('polluted' in {}, 'no prototype was touched');
  t.notOk('polluted' in metainfo);
});

t.test('names and paths are made safe and distinct', async t => {
  const cases: [string, string[], number][] = [
    ['name-absolute', ['_etc_passwd'], 1],
    ['name-latin1', ['café'], 0],
    ['path-parent', ['folder/etc/passwd', 'folder/ok'], 1],
    ['path-separators', ['folder/a_.._.._b', 'folder/c_d'], 2],
    ['path-controls', ['folder/nul_byte', 'folder/_[2Jclear__', 'folder/txt_exe'], 3],
    ['path-invalid-utf8', ['folder/f\ufffdo', 'folder/f\ufffdo.1'], 1],
    ['path-utf8-key', ['folder/ÿ'], 0],
    ['path-too-long', [`folder/${'é'.repeat(127)}`, `folder/${'d'.repeat(200)}`], 2],
    ['dup-files', ['folder/bar.txt', 'folder/BAR.1.TXT', 'folder/bar.2.txt'], 2],
    ['dup-normalized', ['folder/caf\u00e9', 'folder/cafe\u0301.1'], 1],
    ['file-and-folder', ['folder/a.1', 'folder/a/b'], 1],
  ];
  for (const [name, paths, warnings] of cases) {
    t.same(pathsOf(parsed(name)), paths, name);
    t.equal(parsed(name).warnings.length, warnings, `warnings of ${name}`);
  }
  t.equal(parsed('name-absolute').name, '_etc_passwd');
});

t.test('files of a folder follow one another', async t => {
  const metainfo = parsed('pad-file');
  t.equal(metainfo.singleFile, false);
  t.same(metainfo.files, [
    { path: ['folder', 'a'], length: 10, offset: 0, pad: false },
    { path: ['folder', '.pad', '16374'], length: 16374, offset: 10, pad: true },
    { path: ['folder', 'b'], length: 10, offset: 16384, pad: false },
  ]);
  t.equal(metainfo.length, 16394);
});

t.test('a torrent without a byte has no pieces', async t => {
  const metainfo = parsed('length-zero');
  t.equal(metainfo.length, 0);
  t.equal(metainfo.pieceHashes.length, 0);
  t.equal(metainfo.files.length, 1);
});

t.test('a symbolic link is an empty file and says so', async t => {
  const metainfo = parsed('symlink');
  t.same(pathsOf(metainfo), ['folder/a', 'folder/link']);
  t.equal(metainfo.files[1]?.length, 0);
  t.same(metainfo.warnings, ['symbolic links are not made: 1 became empty files']);
});

t.test('an executable file is a plain one and says so', async t => {
  const file = dict(['attr', str('x')], ['length', int(1)], ['path', list(str('run'))]);
  const torrent = dict([
    'info',
    dict(
      ['files', list(file)],
      ['name', str('a')],
      ['piece length', int(1)],
      ['pieces', str(new Uint8Array(20))],
    ),
  ]);
  t.same(parseTorrent(torrent).warnings, ['marks of executable files are ignored: 1 stay plain files']);
});

t.test('what a file was called before its name was made safe', async t => {
  t.same(parsed('path-parent').files[0]?.rawPath, ['folder', '..', '..', 'etc', 'passwd']);
  t.equal(parsed('plain').files[0]?.rawPath, undefined);
});

t.test('private and source stand inside the info dictionary', async t => {
  const info = (...entries: Entry[]) =>
    parseTorrent(
      dict(
        ['private', int(1)],
        [
          'info',
          dict(
            ...entries,
            ['length', int(0)],
            ['name', str('a')],
            ['piece length', int(1)],
            ['pieces', str('')],
          ),
        ],
      ),
    );
  t.equal(info().private, false);
  t.equal(info(['private', int(1)]).private, true);
  t.equal(info(['private', int(0)]).private, false);
  t.equal(info(['private', str('1')]).private, false);
  t.equal(info(['source', str('TRACKER\n')]).source, 'TRACKER');
});
