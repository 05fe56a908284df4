// One swarm of many clients over one tracker: our slow seed, and two of ours and four others that fetch from each other.

import { join } from 'node:path';
import t from 'tap';
import { aria2 } from './support/aria2.js';
import { type Client, expectCopy } from './support/client.js';
import { makeContent, singleFile } from './support/content.js';
import { Network } from './support/namespaces.js';
import { announceUrls, Opentracker } from './support/opentracker.js';
import { qbittorrent } from './support/qbittorrent.js';
import { eventsOf, expectData, outputOf, rarest, startRarestSeed } from './support/rarest.js';
import { report } from './support/report.js';
import { transmission } from './support/transmission.js';
import { webtorrent } from './support/webtorrent.js';

const KIB = 1024;
const LEECHERS: readonly Client[] = [rarest, rarest, aria2, transmission, qbittorrent, webtorrent];
const LENGTH = 16_000_001;
/** So slow that six copies of its own would take half a minute: they have to share. */
const SEED_UPLOAD = '3M';
const ENDED_MS = 30_000;

const network = await Network.create(t);
const parent = join(network.directory, 'shared');
const trackerPlace = await network.add('tracker');
const trackers = [announceUrls(trackerPlace).HTTP];
const content = await makeContent({ ...singleFile('shared.bin', LENGTH, 64 * KIB), trackers }, parent);
const tracker = await Opentracker.start(trackerPlace, [content.infoHash]);

t.test('all complete, and we take our leave', async t => {
  const order = { content, directory: parent };
  const seed = await startRarestSeed(await network.add('seed'), order, ['--max-upload', SEED_UPLOAD]);
  await tracker.seeded(content.infoHash);

  const places = await Promise.all(LEECHERS.map(({ name }, index) => network.add(`${name}-${index}`)));
  const startedAt = performance.now();
  const runs = places.map(async (namespace, index) => {
    const program = await LEECHERS[index]?.leech(namespace, { content, directory: outputOf(namespace) });
    return { program, seconds: (performance.now() - startedAt) / 1000 };
  });
  const leechers = await Promise.all(runs);
  for (const [index, namespace] of places.entries()) {
    if (LEECHERS[index] === rarest) await expectData(t, namespace, content);
    else await expectCopy(t, content, outputOf(namespace));
  }

  // aria2 has left by itself, which is how the tracker comes to know of it.
  const staying = 1 + LEECHERS.filter(client => client !== aria2).length;
  const whole = await tracker.until(content.infoHash, 'all are seeds', ({ seeds }) => seeds >= staying);
  t.match(whole, { seeds: staying, leechers: 0 }, 'the tracker knows all of them as seeds');

  const ours = [seed, ...leechers.filter((_, index) => LEECHERS[index] === rarest).map(run => run.program)];
  for (const program of ours) program?.kill('SIGINT');
  for (const program of ours) {
    t.match(await program?.waitForEnd(ENDED_MS), { signal: 'SIGINT' }, 'SIGINT ends us, as a signal');
  }
  const left = staying - ours.length;
  const after = await tracker.until(content.infoHash, 'ours have left', ({ seeds }) => seeds <= left);
  t.match(after, { seeds: left, leechers: 0 }, 'the tracker knows that ours have stopped, and no others');

  const uploaded = Number(eventsOf(seed.lines).findLast(({ event }) => event === 'progress')?.uploaded);
  t.ok(uploaded < LEECHERS.length * LENGTH, 'the leechers had pieces from each other');
  const named = async (client: Client): Promise<string> => `${client.name} ${await client.version()}`;
  report(t, 'interop', {
    title: 'One swarm',
    setup: `${(LENGTH / 1e6).toFixed(0)} MB in ${content.pieces} pieces, one seed of ours that gives ${SEED_UPLOAD}B a second and gave ${(uploaded / LENGTH).toFixed(2)} copies in all; all others began at once, without data. Found by an HTTP tracker alone, whose scrape counts fewer seeds after SIGINT has ended ours.`,
    columns: ['downloads', 'result', 's'],
    rows: await Promise.all(
      leechers.map(async ({ seconds }, index) => [
        await named(LEECHERS[index] ?? rarest),
        'complete, bytes equal',
        seconds.toFixed(1),
      ]),
    ),
  });
});
