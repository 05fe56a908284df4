import { createHash } from 'node:crypto';
import t from 'tap';
import { toHex } from '../../src/torrent/ids.js';
import { parseInfo } from '../../src/torrent/metainfo.js';
import { dict, int, list, str } from '../fixtures/bencoded.js';
import { failure, infoOf, parsed } from './reading.js';

t.test('a hybrid is read by its v1 half and keeps both hashes', async t => {
  const metainfo = parsed('hybrid');
  const info = infoOf('hybrid');
  t.equal(toHex(metainfo.infoHash), createHash('sha1').update(info).digest('hex'));
  t.equal(toHex(metainfo.infoHashV2 ?? new Uint8Array()), createHash('sha256').update(info).digest('hex'));
  t.equal(metainfo.files.length, 3);
});

t.test('a hybrid whose halves differ in some other way', async t => {
  const pieces = ['pieces', str(Buffer.alloc(20))] as const;
  const file = (path: string) => dict(['length', int(5)], ['path', list(str(path))]);
  const leaf = dict(['', dict(['length', int(5)])]);
  const info = (tree: Uint8Array, ...files: Uint8Array[]) =>
    dict(
      ['file tree', tree],
      ['files', list(...files)],
      ['meta version', int(2)],
      ['name', str('n')],
      ['piece length', int(16384)],
      pieces,
    );
  const why = (bytes: Uint8Array) => failure(() => parseInfo(bytes, [], []));
  t.equal(why(info(dict(['a', leaf]), file('a'))), 'accepted');
  t.equal(
    why(info(dict(['d', dict(['a', leaf])]), dict(['length', int(5)], ['path', list(str('d'), str('a'))]))),
    'accepted',
  );
  t.match(why(info(dict(['b', leaf]), file('a'))), /its files are others/, 'another name');
  t.match(why(info(dict(['a', int(5)]), file('a'))), /its file tree holds something that is no dictionary/);
  t.match(why(info(dict(['b', leaf], ['a', leaf]), file('b'))), /it has more files/);
  const aligned = dict(['length', int(0)], ['path', list(str('b'))]);
  const empty = dict(['', dict(['length', int(0)])]);
  t.match(why(info(dict(['b', empty], ['a', leaf]), aligned, file('a'))), /its file tree is not in order/);
  t.match(why(info(dict(), file('a'))), /its files are others/, 'fewer files');
  t.match(why(info(dict(['a', leaf], ['b', leaf]), file('a'))), /it has more files/);
  t.match(why(info(dict(['a', leaf], ['b', leaf]), file('a'), file('b'))), /does not begin with a piece/);
  t.match(why(info(list(), file('a'))), /there is no file tree/);
});
