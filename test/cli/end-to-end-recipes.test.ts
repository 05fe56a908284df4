// Every recipe of docs/scripting.md as its reader runs it, but for those that take programs which may be missing here
// (test/interop/recipes.test.ts has them).

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { parseTorrent } from '../../src/torrent/metainfo.js';
import { sha256 } from '../../src/torrent/sha.js';
import { contentOf } from '../support/content.js';
import { EngineRun, filesBelow, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { built } from '../support/program.js';
import {
  bytesOf,
  FILM,
  isForeign,
  RecipePlace as Place,
  recipes,
  SHOW,
  SHOW_PATHS,
  startSeed,
} from '../support/recipes.js';
import { RAREST, writeData } from '../support/runs.js';

/** As `rarest create` makes it. */
const PHOTOS = contentOf(
  { 'a.jpg': 50_000, 'deep/b.jpg': 20_000, 'notes.txt': 3_000 },
  { name: 'photos', pieceLength: 16_384, seed: 3 },
);
const NOBODY = `magnet:?xt=urn:btih:${'1'.repeat(40)}`;
const LIST = `# films\n\n${FILM.magnet}\n${SHOW.magnet}\n`;
const OK = { exit: 0, signal: null };
const INTERRUPTED = { exit: null, signal: 'SIGINT' };

/** What each is to bring about. */
const TRIED: Record<string, (place: Place) => Promise<void>> = {
  async 'Play it while it downloads'(place) {
    place.program('mpv', '[ "$1" = - ] && head -c 300000 > played');
    await place.ends(OK, { magnet: FILM.magnet });
    place.t.ok(
      place.bytes('played').equals(FILM.data.subarray(0, 300_000)),
      'closing the player is no failure',
    );
    place.t.notOk(place.has('film.mkv'));
  },

  async 'Convert each file when it is there'(place) {
    place.program('ffmpeg', '[ "$1" = -nostdin ] || cat > eaten; cp "$3" "$4"');
    await place.ends(OK, { magnet: SHOW.magnet });
    for (const name of ['theme song', 'extras/outtake'])
      place.t.ok(place.bytes('library', 'show', `${name}.opus`).equals(bytesOf(SHOW, `show/${name}.flac`)));
    place.t.equal(filesBelow(place.path('library')).length, SHOW_PATHS.length + 2);
  },

  async 'Hand on names with anything in them'(place) {
    const folder = 'a "new"\nfolder';
    await place.ends(OK, { magnet: SHOW.magnet, folder });
    for (const { path } of SHOW.metainfo.files) {
      const zipped = place.bytes(folder, ...path.slice(0, -1), `${path.at(-1)}.gz`);
      place.t.ok(gunzipSync(zipped).equals(bytesOf(SHOW, path.join('/'))), path.join('/'));
    }
  },

  async 'Download a list, four at a time'(place) {
    place.write('magnets.txt', `absent.torrent\n${LIST}`);
    const run = await place.ends({ exit: 4, signal: null });
    place.t.same(run.lines, ['library/film.mkv', ...SHOW_PATHS]);
    place.t.match(run.stderr, /^rarest: reading absent\.torrent: .*\(NOT_FOUND\)$/m);
  },

  async 'Download from a list that never ends'(place) {
    place.write('magnets.txt', `${FILM.magnet}\n`);
    const run = place.start();
    await run.untilLines(1);
    place.t.same(run.lines, ['library/film.mkv']);
    appendFileSync(place.path('magnets.txt'), `${SHOW.magnet}\n`);
    await run.untilLines(1 + SHOW_PATHS.length);
    place.t.same(await run.interrupt(), INTERRUPTED);
    place.t.same(run.lines, ['library/film.mkv', ...SHOW_PATHS]);
  },

  async 'Unpack from the swarm'(place) {
    place.makeFolder('library');
    await place.ends(OK, { magnet: SHOW.magnet });
    sameFiles(place.t, place.path('library'), SHOW);
  },

  async 'Checksum without keeping'(place) {
    const sum = Buffer.from(sha256(FILM.data)).toString('hex');
    const [right, wrong] = await Promise.all([
      place.ends(OK, { magnet: FILM.magnet, sum }),
      place.ends({ exit: 1, signal: null }, { magnet: FILM.magnet, sum: '0'.repeat(64) }),
    ]);
    place.t.same([right.stdout, wrong.stdout], ['-: OK\n', '-: FAILED\n']);
    place.t.notOk(place.has('film.mkv'));
  },

  async 'Look at the start of a file'(place) {
    place.program('file', '[ "$1" = - ] && cat > start && echo "/dev/stdin: data"');
    const run = await place.ends(OK, { magnet: FILM.magnet });
    place.t.same(run.lines, ['/dev/stdin: data']);
    place.t.ok(place.bytes('start').equals(FILM.data.subarray(0, 2 ** 20)));
  },

  async 'Fail a job that nobody serves'(place) {
    place.write('show.torrent', SHOW.torrentFile);
    const alone = { RAREST_PEER: '', patience: '0.2s' };
    await Promise.all([
      place.ends({ exit: 5, signal: null }, { ...alone, magnet: NOBODY }),
      place.ends({ exit: 6, signal: null }, { ...alone, magnet: 'show.torrent' }),
    ]);
  },

  async 'React to each way to fail'(place) {
    place.write('show.torrent', SHOW.torrentFile);
    const early = { magnet: NOBODY, RAREST_PEER: '', RAREST_METADATA_TIMEOUT: '0.2s' };
    const tries = [
      place.ends({ exit: 3, signal: null }, { magnet: 'magnet:?xt=urn:btih:short' }),
      place.ends(OK, early),
      place.ends(OK, { magnet: 'show.torrent' }),
    ];
    const [malformed, nobody, complete] = await Promise.all(tries);
    place.t.same(malformed?.lines, []);
    place.t.same(nobody?.lines, ['nobody has it now, try again later']);
    place.t.same(complete?.lines, ['complete', ...SHOW_PATHS]);
  },

  async 'Loop until Ctrl-C'(place) {
    const silent = await FakePeer.listen(place.t, PHOTOS, { greet: () => {} });
    const stuck = `${PHOTOS.magnet}&x.pe=127.0.0.1:${silent.address.port}`;
    place.write('magnets.txt', ['absent.torrent', FILM.magnet, stuck, SHOW.magnet, ''].join('\n'));
    const run = place.start();
    await silent.wire();
    place.t.same(await run.interrupt(), INTERRUPTED, 'bash is told of the signal');
    place.t.same(run.lines, ['library/film.mkv']);
    place.t.equal(place.text('failed.txt'), 'absent.torrent\n', 'what was interrupted has not failed');
  },

  async 'Download slower by day'(place) {
    place.program('date', '[ "$1" = +%H ] && echo "$hour"');
    place.program(
      'rarest',
      `echo "$hour $RAREST_MAX_DOWNLOAD" >> rates; [ "$hour" = 07 ] || exec ${RAREST} "$@"`,
    );
    place.write('show.torrent', SHOW.torrentFile);
    for (const hour of ['07', '08']) await place.ends(OK, { magnet: 'show.torrent', hour });
    place.t.equal(place.text('rates'), '07 0\n08 500K\n');
    sameFiles(place.t, place.path('library'), SHOW);
  },

  async 'Select by name and size'(place) {
    const run = await place.ends(OK, { magnet: SHOW.magnet });
    const chosen = ['library/show/episode 1.mkv', 'library/show/episode 2.mkv'];
    place.t.same(run.lines, chosen);
    place.t.same(
      filesBelow(place.path('library', 'show')),
      chosen.map(path => path.slice('library/show/'.length)),
    );
  },

  async 'Ask how much it would be'(place) {
    const run = await place.ends(OK, { magnet: SHOW.magnet });
    place.t.equal(run.stdout, '520001\n');
    place.t.notOk(place.has('show'));
  },

  async 'Seed in the background, link first'(place) {
    writeData(place.directory, PHOTOS);
    const leechers = await Promise.all(
      ['one', 'two'].map(async name => {
        const engine = await EngineRun.start(place.t, place.makeFolder(name));
        return { ...engine.add(PHOTOS, 'magnet'), engine };
      }),
    );
    const addresses = leechers.map(({ engine }) => `127.0.0.1:${engine.port}`);
    const run = await place.ends(OK, { RAREST_PEER: addresses.join(' ') });
    place.t.equal(run.stdout, `${PHOTOS.magnet}\n`);
    for (const { finished, engine } of leechers) {
      await finished;
      sameFiles(place.t, engine.output, PHOTOS);
    }
    place.t.match(place.text('seed.log'), /ratio 2/);
  },

  async 'Publish a folder in one line'(place) {
    writeData(place.directory, PHOTOS);
    const run = place.start();
    await run.untilLines(1);
    place.t.same(await run.interrupt(), INTERRUPTED);
    place.t.same(run.lines, [PHOTOS.magnet]);
    place.t.equal(place.text('magnet.txt'), `${PHOTOS.magnet}\n`);
    place.t.ok(place.has('photos.torrent'));
  },

  async 'Make a torrent of what find finds'(place) {
    writeData(place.directory, PHOTOS);
    await place.ends(OK);
    const { name, files } = parseTorrent(place.bytes('jpgs.torrent'));
    place.t.equal(name, 'photos');
    place.t.same(
      files.map(({ path }) => path.join('/')),
      ['photos/a.jpg', 'photos/deep/b.jpg'],
    );
  },

  async 'Move what is finished'(place) {
    place.write('magnets.txt', LIST);
    place.makeFolder('library');
    await place.ends(OK);
    place.t.same(filesBelow(place.path('incoming')), []);
    place.t.same(
      filesBelow(place.path('library')).map(path => join('library', path)),
      ['library/film.mkv', ...SHOW_PATHS],
    );
    place.t.equal(place.text('magnets.txt'), '');
  },

  async 'Repair what rotted'(place) {
    rotten(place, '.');
    await place.ends(OK);
    place.t.equal(place.text('repaired.txt'), 'library/show/episode 2.mkv\n');
    sameFiles(place.t, place.path('library'), SHOW);
  },

  async 'Repair every night'(place) {
    place.makeFolder('media');
    rotten(place, 'media');
    const run = await place.ends(OK);
    place.t.same([run.stdout, run.stderr], ['', ''], 'no mail');
    sameFiles(place.t, place.path('media', 'library'), SHOW);
  },

  async 'List who is in a swarm'(place) {
    const run = await place.ends(OK, { magnet: `${SHOW.magnet}&x.pe=127.0.0.1:9`, patience: '0.2s' });
    place.t.equal(run.stdout, `127.0.0.1:9\tmagnet\n${place.peer}\tmanual\n`);
  },

  async 'Compare two torrents'(place) {
    place.write('old.torrent', PHOTOS.torrentFile);
    place.write(
      'new.torrent',
      contentOf({ 'a.jpg': 50_001, 'notes.txt': 3_000 }, { name: 'photos' }).torrentFile,
    );
    const run = await place.ends({ exit: 1, signal: null });
    const changes = run.lines.filter(line => /^[<>]/.test(line));
    place.t.same(changes, ['< 20000\tphotos/deep/b.jpg', '< 50000\tphotos/a.jpg', '> 50001\tphotos/a.jpg']);
  },
};

/** A show with a wrong byte in its second episode. */
function rotten(place: Place, directory: string): void {
  place.write(join(directory, 'show.torrent'), SHOW.torrentFile);
  writeData(place.makeFolder(directory, 'library'), SHOW);
  const path = place.path(directory, 'library', 'show', 'episode 2.mkv');
  const bytes = readFileSync(path);
  bytes[75_000] = ~(bytes[75_000] ?? 0);
  writeFileSync(path, bytes);
}

const all = recipes();

t.test('each recipe is tried, and none but those of the page', async t => {
  const ours = [...all].filter(([, recipe]) => !isForeign(recipe)).map(([title]) => title);
  t.same(Object.keys(TRIED).sort(), ours.sort());
});

t.test('recipes', built, async t => {
  const peer = await startSeed(t);
  t.jobs = 4;
  for (const [title, attempt] of Object.entries(TRIED)) {
    const recipe = all.get(title);
    if (recipe === undefined) throw new Error(`${title}: no such recipe`);
    t.test(title, { buffered: true }, t => attempt(new Place(t, recipe, peer)));
  }
});
