import { writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { SourceItem } from '../../src/cli/source-list.js';
import { readSource, subjectOf } from '../../src/cli/sources.js';
import { fetchTorrent } from '../../src/cli/torrent-url.js';
import type { TorrentSource } from '../../src/engine/options.js';
import { TorrentError } from '../../src/torrent/errors.js';
import { toHex } from '../../src/torrent/ids.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { torrentFile } from './torrent-file.js';

const HASH = 'c12fe1c06bba254a9dc9f519b335aa7c1367a88a';
const never = { stopped: new AbortController().signal, binding: async () => undefined };
const { bytes: TORRENT, infoHash: TORRENT_HASH } = torrentFile('a.txt');

const named = (source: string): SourceItem => ({ kind: 'name', source });
const read = (source: string) => readSource(named(source), never);

function hashOf(source: TorrentSource): string {
  const hash = source.kind === 'torrent' ? source.metainfo.infoHash : source.magnet.infoHash;
  return hash === undefined ? '' : toHex(hash);
}

async function refused(reading: Promise<unknown>): Promise<TorrentError> {
  try {
    await reading;
  } catch (error) {
    if (error instanceof TorrentError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

t.test('magnet links and info hashes', async t => {
  for (const text of [
    `magnet:?xt=urn:btih:${HASH}`,
    `MAGNET:?xt=urn:btih:${HASH.toUpperCase()}`,
    HASH,
    'YEX6DQDLXISUVHOJ6UM3GNNKPQJWPKEK',
  ]) {
    const source = await read(text);
    t.equal(source.kind, 'magnet', text);
    t.equal(hashOf(source), HASH, text);
  }
  t.match(await refused(read('magnet:?dn=x')), { code: 'BAD_SOURCE', message: /^magnet:\?dn=x: / });
  const item: SourceItem = { kind: 'bytes', source: '-', bytes: Buffer.from('junk') };
  t.match(await refused(readSource(item, never)), { code: 'BAD_SOURCE', message: /^stdin: / });
  const long = `/${'folder/'.repeat(100)}x.torrent`;
  const { message } = await refused(read(long));
  t.match(message, /^reading \/folder\/.*….*\/x\.torrent: /, 'the name stays in sight');
  t.ok(message.length < 260, message);
});

t.test('v2 only is read and refused', async t => {
  const v2 = HASH.padEnd(64, '0');
  t.match(await refused(read(v2)), { code: 'UNSUPPORTED', message: `${v2}: this is a v2-only torrent` });
  t.match(await refused(read(`magnet:?xt=urn:btmh:1220${v2}`)), { code: 'UNSUPPORTED' });
  t.equal(hashOf(await read(`magnet:?xt=urn:btmh:1220${v2}&xt=urn:btih:${HASH}`)), HASH, 'a hybrid has both');
});

t.test('files', async t => {
  const dir = t.testdir({ 'a.torrent': TORRENT, 'bad.torrent': 'no bencode', folder: {} });
  t.equal(hashOf(await read(join(dir, 'a.torrent'))), TORRENT_HASH);
  const bad = join(dir, 'bad.torrent');
  t.match(await refused(read(bad)), {
    code: 'BAD_SOURCE',
    message: `${bad}: it is malformed: malformed value at byte 0`,
  });
  const missing = join(dir, 'none.torrent');
  t.match(await refused(read(missing)), {
    code: 'NOT_FOUND',
    message: `reading ${missing}: no such file or directory`,
    hint: 'a source is a magnet link, a .torrent, its URL, an info hash, or - for stdin',
  });
  t.match(await refused(read(join(dir, 'folder'))), {
    code: 'NOT_FOUND',
    message: `reading ${join(dir, 'folder')}: illegal operation on a directory`,
  });
  t.match(await refused(read(join(dir, 'a.torrent', 'b'))), {
    code: 'NOT_FOUND',
    message: /: not a directory$/,
  });
  t.match(await refused(read('')), { code: 'NOT_FOUND' });
});

t.test('a file that is too large is not read to its end', async t => {
  const dir = t.testdir({});
  const path = join(dir, 'large.torrent');
  writeFileSync(path, Buffer.alloc(LIMITS.torrentFileBytes + 1, 'd'));
  t.match(await refused(read(path)), {
    code: 'BAD_SOURCE',
    message: `reading ${path}: larger than 64 MiB, too large for a .torrent`,
  });
});

t.test('bytes that came by stdin', async t => {
  const item: SourceItem = { kind: 'bytes', source: '-', bytes: TORRENT };
  const source = await readSource(item, never);
  t.equal(subjectOf(item, undefined).label, 'stdin');
  t.same(subjectOf(item, source), { source: '-', infoHash: TORRENT_HASH, label: 'a.txt' });
});

t.test('who an event is about', async t => {
  const link = `magnet:?xt=urn:btih:${HASH}`;
  t.same(subjectOf(named(link), await read(link)), { source: link, infoHash: HASH, label: HASH });
  const titled = `${link}&dn=A+title`;
  t.equal(subjectOf(named(titled), await read(titled)).label, 'A title');
  const long = 'x'.repeat(100);
  t.same(subjectOf(named(long), undefined), {
    source: long,
    infoHash: undefined,
    label: `${'x'.repeat(20)}…${'x'.repeat(39)}`,
  });
});

/** A server that answers each path as told. */
async function serve(t: Test, answers: Record<string, (response: ServerResponse, auth?: string) => void>) {
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    if (answer === undefined) response.writeHead(404).end();
    else answer(response, request.headers.authorization);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const redirect = (location: string) => (response: ServerResponse) =>
  void response.writeHead(302, { location }).end();

t.test('URLs', async t => {
  const url = await serve(t, {
    '/a.torrent': response => response.end(TORRENT),
    '/page': response => response.end('<html>'),
    '/gone': response => response.writeHead(410).end(),
    '/once': redirect('/a.torrent'),
    '/to-magnet': redirect(`magnet:?xt=urn:btih:${HASH}`),
    '/to-file': redirect('file:///etc/passwd'),
    '/nowhere': redirect('http://'),
    '/round': redirect('/round'),
    '/cut': response => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('d8:', () => response.destroy());
    },
    '/endless': response => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20, 'd')));
        response.once('drain', more);
      };
      more();
    },
  });
  t.equal(hashOf(await read(`${url}/a.torrent`)), TORRENT_HASH);
  t.equal(hashOf(await read(`${url}/once`)), TORRENT_HASH);
  t.equal(hashOf(await read(`${url}/to-magnet`)), HASH);
  const page = `${url}/page`;
  t.match(await refused(read(page)), { code: 'BAD_SOURCE', message: `${page}: ` });
  const secret = page.replace('//', '//me:secret@');
  t.match(await refused(read(secret)), { code: 'BAD_SOURCE', message: `${page}: ` }, 'no password in it');
  const failures = {
    '/missing': '404 Not Found',
    '/gone': '410 Gone',
    '/to-file': 'file: is neither http: nor https:',
    '/nowhere': 'redirected to what is no valid URL',
    '/round': 'more than 5 redirects',
  };
  for (const [path, why] of Object.entries(failures)) {
    const error = await refused(read(url + path));
    t.match(error, { code: 'NOT_FOUND', message: `fetching ${url}${path}: ${why}` }, path);
  }
  t.match(await refused(read(`${url}/cut`)), { code: 'NOT_FOUND' });
  t.match(await refused(read(`${url}/endless`)), {
    code: 'BAD_SOURCE',
    message: `fetching ${url}/endless: larger than 64 MiB, too large for a .torrent`,
  });
});

t.test('a URL that is none, or has nobody behind it', async t => {
  t.match(await refused(read('http://')), { code: 'BAD_SOURCE', message: 'http://: not a valid URL' });
  const url = await serve(t, {});
  const unused = createServer();
  await new Promise<void>(resolve => unused.listen(0, '127.0.0.1', resolve));
  const { port } = unused.address() as AddressInfo;
  await new Promise(resolve => unused.close(resolve));
  t.match(await refused(read(`http://127.0.0.1:${port}/`)), {
    code: 'NOT_FOUND',
    message: `fetching http://127.0.0.1:${port}/: connection refused`,
  });
  const stopped = { ...never, stopped: AbortSignal.abort() };
  t.match(await refused(fetchTorrent(`${url}/a`, stopped)), { code: 'NOT_FOUND' });
});

t.test('a password goes to its own server, and into no message', async t => {
  const seen: Record<string, string | undefined> = {};
  const other = await serve(t, {
    '/b': (response, auth) => {
      seen.other = auth;
      response.end(TORRENT);
    },
  });
  const url = await serve(t, {
    '/a': (response, auth) => {
      seen.own = auth;
      redirect(`${other}/b`)(response);
    },
  });
  const withPassword = (path: string) => url.replace('http://', 'http://me:s%20ecret@') + path;
  await read(withPassword('/a'));
  t.same(seen, { own: `Basic ${Buffer.from('me:s ecret').toString('base64')}`, other: undefined });
  t.equal((await refused(read(withPassword('/c')))).message, `fetching ${url}/c: 404 Not Found`);
});
