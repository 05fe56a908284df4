// Over HTTP and over UDP, what opentracker sees of us: there, complete, completed once, gone; and what a scrape tells us.

import { join } from 'node:path';
import t from 'tap';
import { makeContent, oddFolder } from './support/content.js';
import { Network } from './support/namespaces.js';
import { announceUrls, Opentracker } from './support/opentracker.js';
import {
  downloadArgs,
  eventsOf,
  expectData,
  type RarestEvent,
  rarest,
  startRarest,
} from './support/rarest.js';

const KIB = 1024;
const ENDED_MS = 60_000;
const ALONE = ['--no-dht', '--no-lsd', '--no-pex', '--json'];

const network = await Network.create(t);
const parent = join(network.directory, 'shared');
const trackerPlace = await network.add('tracker');
const urls = announceUrls(trackerPlace);
const contents = {
  HTTP: await makeContent({ ...oddFolder('by HTTP', 16 * KIB), trackers: [urls.HTTP] }, parent),
  UDP: await makeContent({ ...oddFolder('by UDP', 16 * KIB), trackers: [urls.UDP] }, parent),
};
const tracker = await Opentracker.start(
  trackerPlace,
  Object.values(contents).map(({ infoHash }) => infoHash),
);

function eventsNamed(lines: readonly string[], name: string): RarestEvent[] {
  return eventsOf(lines).filter(({ event }) => event === name);
}

t.jobs = 2;
for (const road of ['HTTP', 'UDP'] as const) {
  const content = contents[road];
  const { infoHash } = content;
  t.test(`over ${road}`, { buffered: true }, async t => {
    t.test('announced, and told of others', async t => {
      const seed = await rarest.seed(await network.add(`${road}-seed`), { content, directory: parent });
      const begun = await tracker.until(infoHash, 'our seed', ({ seeds }) => seeds > 0);
      t.same(begun, { seeds: 1, leechers: 0, completed: 0 }, 'a seed is there that has completed nothing');

      const place = await network.add(`${road}-leech`);
      const leech = startRarest(place, downloadArgs(place, content.torrent, ALONE));
      t.match(await leech.waitForEnd(ENDED_MS), { code: 0 }, 'a download ends with success');
      await expectData(t, place, content);
      const [answer] = eventsNamed(leech.lines, 'tracker');
      // opentracker tells us of ourselves too.
      const told = { url: urls[road], peers: 2, seeds: 1, leechers: 1 };
      t.match(answer, told, 'which the tracker told of one seed');
      const fetched = await tracker.counts(infoHash);
      t.same(fetched, { seeds: 1, leechers: 0, completed: 1 }, 'completed once, and gone when it had ended');

      const again = startRarest(place, downloadArgs(place, content.torrent, ALONE));
      t.match(await again.waitForEnd(ENDED_MS), { code: 0 }, 'the same command again has nothing to do');
      t.equal((await tracker.counts(infoHash)).completed, 1, 'and completes nothing');

      seed.kill('SIGTERM');
      t.match(await seed.waitForEnd(ENDED_MS), { signal: 'SIGTERM' }, 'SIGTERM ends the seed, as a signal');
      t.same(
        await tracker.counts(infoHash),
        { seeds: 0, leechers: 0, completed: 1 },
        'and the tracker knows',
      );
    });

    t.test('an unfinished download stops', async t => {
      const place = await network.add(`${road}-lonely`);
      const lonely = startRarest(place, downloadArgs(place, content.torrent, ALONE));
      const begun = await tracker.until(infoHash, 'our leecher', ({ leechers }) => leechers > 0);
      t.same(begun, { seeds: 0, leechers: 1, completed: 1 }, 'a leecher is there');
      lonely.kill('SIGINT');
      t.match(await lonely.waitForEnd(ENDED_MS), { signal: 'SIGINT' }, 'SIGINT ends it, as a signal');
      t.same(
        await tracker.counts(infoHash),
        { seeds: 0, leechers: 0, completed: 1 },
        'and the tracker knows',
      );
    });

    t.test('scraped', async t => {
      const seedPlace = await network.add(`${road}-scraped`);
      const seed = await rarest.seed(seedPlace, { content, directory: parent });
      await tracker.seeded(infoHash);
      const place = await network.add(`${road}-peers`);
      const args = ['peers', content.torrent, '--scrape', '--timeout', '5s', ...ALONE];
      const peers = startRarest(place, args);
      t.match(await peers.waitForEnd(ENDED_MS), { code: 0 }, 'ends with success');
      const counts = eventsNamed(peers.lines, 'tracker');
      const expected = [{ url: urls[road], seeds: 1 }];
      t.match(
        counts.filter(event => event.peers === undefined),
        expected,
        'the tracker counts one seed',
      );
      const found = eventsNamed(peers.lines, 'found').map(({ host }) => host);
      t.ok(found.includes(seedPlace.address), 'and names it');
      t.same(
        await tracker.counts(infoHash),
        { seeds: 1, leechers: 0, completed: 1 },
        'and counts us no more',
      );
      await seed.stop();
    });
  });
}
