import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toHex } from '../../src/torrent/ids.js';
import { summarize, summaryOf } from '../../src/torrent/torrent-summary.js';
import { dict, type Entry, int, list, str } from '../fixtures/bencoded.js';
import { CORPUS } from '../support/root.js';
import { failure, fixture, parsed } from './reading.js';

const TORRENTS = join(CORPUS, 'torrents');
const skip = existsSync(TORRENTS) ? false : 'corpus is absent';

/** Their pads are such by an old convention of names alone, which we do not follow. */
const PADS_BY_NAME = new Set(['c__pad-bitcomet.torrent', 'libtorrent__pad_file.torrent']);

const K16 = 16_384;

function sha256(...parts: Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const ZERO = Buffer.alloc(32);
const leafHash = (seed: number) => sha256(Buffer.of(seed));
/** A file of three pieces of 32 KiB, the last of them one block: what lies beyond is made of zeros. */
const LAYER = [leafHash(1), leafHash(2), leafHash(3)] as const;
const ROOT = sha256(sha256(LAYER[0], LAYER[1]), sha256(LAYER[2], sha256(ZERO, ZERO)));
const LONG = dict(['', dict(['length', int(5 * K16)], ['pieces root', str(ROOT)])]);

function file(length: number, ...more: Entry[]): Buffer {
  return dict(['', dict(['length', int(length)], ['pieces root', str(leafHash(9))], ...more)]);
}

interface V2Parts {
  readonly tree?: Uint8Array;
  /** null: there are none. */
  readonly layers?: Uint8Array | null;
  readonly pieceLength?: number;
  readonly name?: Entry[];
}

const LAYERS = dict([ROOT, str(Buffer.concat(LAYER))]);

function v2({
  tree = dict(['a', file(9)], ['long', LONG]),
  layers = LAYERS,
  pieceLength = 2 * K16,
  ...rest
}: V2Parts): Buffer {
  const info = dict(
    ['file tree', tree],
    ['meta version', int(2)],
    ...(rest.name ?? [['name', str('n')] as const]),
    ['piece length', int(pieceLength)],
    ['private', int(1)],
    ['source', str('s')],
  );
  const around: Entry[] = layers === null ? [] : [['piece layers', layers]];
  return dict(['announce', str('http://t/')], ['comment', str('c')], ['info', info], ...around);
}

const why = (parts: V2Parts) => failure(() => summarize(v2(parts)));

t.test('a v2-only torrent', async t => {
  const bytes = v2({
    tree: dict(['d', dict(['a', file(9)], ['empty', dict(['', dict(['length', int(0)])])])], ['long', LONG]),
  });
  const start = bytes.indexOf('4:info') + 6;
  const summary = summarize(bytes);
  t.same(summary, {
    infoHash: undefined,
    infoHashV2: new Uint8Array(sha256(bytes.subarray(start, bytes.indexOf('12:piece layers')))),
    version: 'v2',
    name: 'n',
    length: 9 + 5 * K16,
    pieceLength: 2 * K16,
    pieces: 4,
    private: true,
    source: 's',
    comment: 'c',
    createdBy: undefined,
    creationDate: undefined,
    trackers: [['http://t/']],
    webSeeds: [],
    nodes: [],
    files: [
      { path: ['n', 'd', 'a'], length: 9, pad: false },
      { path: ['n', 'd', 'empty'], length: 0, pad: false },
      { path: ['n', 'long'], length: 5 * K16, pad: false },
    ],
    warnings: [],
  });
  const paths = (parts: V2Parts) => summarize(v2(parts)).files.map(({ path }) => path.join('/'));
  const one = { layers: dict() };
  t.same(
    paths({ ...one, tree: dict(['n', file(9)]) }),
    ['n'],
    'one file of the name of the torrent is no folder',
  );
  t.same(paths({ ...one, tree: dict(['m', file(9)]) }), ['n/m']);
  t.same(paths({ ...one, tree: dict(['..', dict(['a/b', file(9)])]) }), ['n/a_b'], 'paths are made safe');
  const link = dict(['', dict(['attr', str('l')], ['symlink path', list(str('a'))])]);
  const linked = summarize(v2({ ...one, tree: dict(['a', file(9)], ['l', link]) }));
  t.same([linked.length, linked.warnings], [9, ['symbolic links are not made: 1 became empty files']]);
  const odd = summarize(v2({ ...one, tree: dict(['a', file(9)]), name: [['name', str('n.')]] }));
  t.same([odd.name, odd.warnings], ['n_', ['unsafe name "n.": written as "n_"']]);
});

t.test('what no v2 torrent may be', async t => {
  const tree = (...entries: Entry[]) => why({ layers: dict(), tree: dict(...entries) });
  t.match(tree(), /it has no files/);
  t.match(why({ tree: list() }), /its file tree is not a dictionary \(BAD_SOURCE\)/);
  t.match(tree(['a', int(1)]), /holds something that is no dictionary/);
  t.match(tree(['', dict(['length', int(1)])]), /its file tree is a file itself/);
  t.match(
    tree(['a', dict(['', dict(['length', int(0)])], ['b', file(1)])]),
    /has a file that is a folder too/,
  );
  t.match(tree(['b', file(1)], ['a', file(1)]), /is not in order/);
  t.match(tree(['a', dict(['', dict()])]), /the length of "a" is missing/);
  t.match(tree(['a', file(-1)]), /the length of "a"/);
  t.match(tree(['a', dict(['', dict(['length', int(1)])])]), /the pieces root of "a" is missing/);
  t.match(
    tree(['a', dict(['', dict(['length', int(1)], ['pieces root', str(ZERO)])])]),
    /pieces root of "a"/,
  );
  t.match(tree(['a', dict(['', dict(['attr', str('p')], ['length', int(1)])])]), /"a" is a pad file/);
  t.match(tree(['a', file(2 ** 52)], ['b', file(2 ** 52)], ['c', file(2 ** 52)]), /too long in all/);
  t.match(tree(['a', file(2 ** 50)]), /pieces, more than .* \(UNSUPPORTED\)/);
  t.match(why({ name: [] }), /its name is missing/);
  t.match(why({ name: [['name', str('..')]] }), /nothing safe is left of its name/);
  for (const pieceLength of [0, 8192, 3 * K16]) t.match(why({ pieceLength }), /piece length/);
  t.match(why({ pieceLength: 2 ** 30 }), /UNSUPPORTED/);
});

t.test('piece layers', async t => {
  const [a, b, c] = LAYER;
  const layers = (...entries: Entry[]) => why({ layers: dict(...entries) });
  t.equal(why({}), 'accepted');
  t.match(layers(), /1 of its piece layers are missing/);
  t.match(layers([ROOT, str(Buffer.concat([a, c, b]))]), /does not match its root/);
  t.match(layers([ROOT, str(Buffer.concat([a, b]))]), /wrong length/);
  t.match(layers([ROOT, int(1)]), /wrong length/);
  t.match(layers([ROOT.subarray(1), str('')]), /belongs to no file/);
  t.match(why({ layers: list() }), /its piece layers are not a dictionary/);
  t.match(
    why({
      tree: dict(['a', LONG], ['b', dict(['', dict(['length', int(3 * K16)], ['pieces root', str(ROOT)])])]),
    }),
    /share a pieces root/,
  );
  t.equal(
    why({ tree: dict(['a', LONG], ['b', LONG]) }),
    'accepted',
    'files of the same content share a layer',
  );
  const without = { layers: null };
  t.match(summarize(v2(without)).warnings, [/no piece layers/]);
  t.same(summarize(v2({ ...without, tree: dict(['a', file(9)]) })).warnings, [], 'a short file needs none');
});

t.test('v1 and hybrid torrents', async t => {
  const v1 = summarize(fixture('pad-file'));
  t.equal(v1.version, 'v1');
  t.equal(v1.infoHashV2, undefined);
  t.ok(v1.files.some(file => file.pad));
  t.equal(
    v1.length,
    v1.files.reduce((sum, file) => sum + (file.pad ? 0 : file.length), 0),
    'padding is no content',
  );
  t.same(summaryOf(parsed('pad-file')), v1);
  const hybrid = summarize(fixture('hybrid'));
  t.equal(hybrid.version, 'hybrid');
  t.ok(hybrid.infoHash && hybrid.infoHashV2);
  t.match(
    failure(() => summarize(fixture('meta-version-3'))),
    /UNSUPPORTED/,
  );
  t.match(
    failure(() => summarize(fixture('info-missing'))),
    /BAD_SOURCE/,
  );
});

interface Entries {
  readonly entries: readonly {
    readonly file: string;
    readonly format: string | null;
    readonly expected: { readonly verdict: string; readonly facts: Record<string, unknown> };
  }[];
}

t.test('the torrents of the corpus', { skip }, async t => {
  const { entries } = JSON.parse(readFileSync(join(TORRENTS, 'manifest.json'), 'utf8')) as Entries;
  let read = 0;
  for (const { file, format, expected } of entries) {
    if (!['v1', 'v2', 'hybrid'].includes(`${format}`)) continue;
    let summary: ReturnType<typeof summarize> | undefined;
    const outcome = failure(() => {
      summary = summarize(readFileSync(join(TORRENTS, file)));
    });
    t.notMatch(outcome, /not ours/, file);
    if (format === 'v2' && expected.verdict !== 'either')
      t.equal(summary ? 'accept' : 'reject', expected.verdict, `${file} ${outcome}`);
    if (!summary) continue;
    read++;
    const { info_hash_v1, info_hash_v2, num_pieces, content_files, content_size, piece_length } =
      expected.facts;
    t.equal(summary.infoHash && toHex(summary.infoHash), info_hash_v1, file);
    t.equal(summary.infoHashV2 && toHex(summary.infoHashV2), info_hash_v2, file);
    if (expected.verdict !== 'accept' || content_files === undefined || PADS_BY_NAME.has(file)) continue;
    t.same(
      [summary.pieces, summary.length, summary.pieceLength, summary.files.filter(({ pad }) => !pad).length],
      [num_pieces, content_size, piece_length, content_files],
      file,
    );
  }
  t.ok(read > 150);
});
