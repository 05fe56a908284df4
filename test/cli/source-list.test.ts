import { PassThrough } from 'node:stream';
import t from 'tap';
import { listSources, type SourceItem } from '../../src/cli/source-list.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { torrentFile } from './torrent-file.js';

/** What the items say, of a stdin that brings these pieces. */
async function listed(operands: string[], pieces: (string | Buffer)[] = [], nul = false): Promise<string[]> {
  const stdin = new PassThrough();
  const items = listSources(operands, () => stdin, nul);
  const bring = async () => {
    for (const piece of pieces) {
      stdin.write(piece);
      await new Promise(resolve => setImmediate(resolve));
    }
    stdin.end();
  };
  const bringing = bring();
  const said: string[] = [];
  for await (const item of items) said.push(words(item));
  await bringing;
  return said;
}

function words(item: SourceItem): string {
  if (item.kind === 'name') return item.source;
  if (item.kind === 'bytes') return `${item.bytes.length} bytes`;
  return `${item.error.code}: ${item.error.message}`;
}

t.test('operands in order, stdin last', async t => {
  t.same(await listed(['a', 'b']), ['a', 'b']);
  t.same(await listed(['-', 'a'], ['x\n']), ['a', 'x']);
});

t.test('without - stdin is never opened', async t => {
  const opened = () => {
    throw new Error('opened');
  };
  const items = listSources(['a'], opened, false);
  for await (const item of items) t.equal(item.source, 'a');
});

t.test('a list, split anywhere', async t => {
  const list = '# comment\nmagnet:?xt=1 \r\n\n  b c.torrent\nlast';
  const expected = ['magnet:?xt=1', 'b c.torrent', 'last'];
  for (let at = 0; at <= list.length; at++) {
    t.same(await listed(['-'], [list.slice(0, at), list.slice(at)]), expected, `split at ${at}`);
  }
});

t.test('NUL keeps names as they are', async t => {
  t.same(await listed(['-'], ['a\nb\0 #c\0\0d'], true), ['a\nb', ' #c', 'd']);
});

t.test('a .torrent, split anywhere', async t => {
  const { bytes } = torrentFile('a');
  for (let at = 0; at <= 12; at++) {
    const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
    t.same(await listed(['-'], pieces), [`${bytes.length} bytes`], `split at ${at}`);
  }
});

t.test('an info hash that looks like a dictionary is none', async t => {
  const hash = 'd41d8cd98f00b204e9800998ecf8427e00000000';
  t.same(await listed(['-'], [`${hash}\n`]), [hash]);
  t.same(await listed(['-'], ['d4', '1d8\n']), ['d41d8']);
  t.same(await listed(['-'], ['d12345678901:']), ['d12345678901:'], 'no key is that long');
  t.same(await listed(['-'], ['d']), ['d']);
});

t.test('what cannot be a source is said and does not stop the rest', async t => {
  const long = 'x'.repeat(LIMITS.magnetChars + 1);
  const tooLong = `BAD_SOURCE: reading stdin: a source longer than ${LIMITS.magnetChars} bytes`;
  t.same(await listed(['-'], [`a\n${long}\nb\n`]), ['a', tooLong, 'b']);
  t.same(await listed(['-'], ['a\n', long.slice(0, -9), long, long, '\nb\n']), ['a', tooLong, 'b']);
  t.same(await listed(['-'], [long]), [tooLong]);
  t.same(await listed(['-'], ['-\na']), ['BAD_SOURCE: reading stdin: - inside of a list', 'a']);
  const empty = 'BAD_SOURCE: reading stdin: neither a .torrent nor a list of sources';
  t.same(await listed(['-'], []), [empty]);
  t.same(await listed(['-'], ['\n# nothing\n']), [empty]);
});

t.test('what is no text is one failure, and read no further', async t => {
  const none = 'BAD_SOURCE: reading stdin: neither a .torrent nor a list of sources';
  const junk = Buffer.from('ff'.repeat(30) + '0a'.repeat(30), 'hex');
  t.same(await listed(['-'], [junk, junk]), [none]);
  t.same(await listed(['-'], [junk, junk], true), [none]);
  t.same(await listed(['-'], [Buffer.from('a\n\xe9\nb\n', 'latin1')]), ['a', none]);
  t.same(await listed(['-'], ['a\0b\0']), [none], 'NULs are asked for with -0');
  const endless = new PassThrough();
  const items = listSources(['-'], () => endless, false);
  endless.write(Buffer.alloc(10));
  t.equal((await items.next()).value?.kind, 'bad', 'long before its end');
});

t.test('each line is handed on as soon as it is there', async t => {
  const stdin = new PassThrough();
  const items = listSources(['-'], () => stdin, false);
  stdin.write('a\nb\nc');
  t.equal((await items.next()).value?.source, 'a');
  t.equal((await items.next()).value?.source, 'b');
  const third = items.next();
  stdin.write('d\n');
  t.equal((await third).value?.source, 'cd');
});

t.test('a stdin that cannot be read', async t => {
  const stdin = new PassThrough();
  const items = listSources(['-'], () => stdin, false);
  const first = items.next();
  stdin.destroy(Object.assign(new Error('EISDIR: read'), { errno: -21, code: 'EISDIR' }));
  const item = (await first).value;
  t.match(item?.kind === 'bad' && item.error, {
    code: 'NOT_FOUND',
    message: 'reading stdin: illegal operation on a directory',
  });
});
