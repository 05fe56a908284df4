// SIGKILL right after a piece was reported, then the same command again: what was reported is never fetched twice.

import { join } from 'node:path';
import t from 'tap';
import { seeded } from '../../support/random.js';
import { makeContent, singleFile } from '../support/content.js';
import { startLibtorrentSeed } from '../support/libtorrent.js';
import { Network } from '../support/namespaces.js';
import { downloadArgs, eventsOf, expectData, type RarestEvent, startRarest } from '../support/rarest.js';
import { report } from '../support/report.js';

const RUNS = 5;
const SEED = 20;
const RUN_MS = 120_000;
/** Slow enough that a kill meets a download at work. */
const UPLOAD_BPS = 20_000_000;

const network = await Network.create(t);
const content = await makeContent(
  singleFile('single.bin', 45_000_000, 262_144),
  join(network.directory, 'shared'),
);
const seed = await startLibtorrentSeed(await network.add('seed'), {
  torrents: [{ torrent: content.torrent, directory: content.parent, uploadLimit: UPLOAD_BPS }],
});
const random = seeded(SEED);
/** Of a killed process the last line may have been cut short. */
const isWhole = (line: string): boolean => line.endsWith('}');
const isPiece = (line: string): boolean => isWhole(line) && JSON.parse(line).event === 'piece';
const rows: string[][] = [];

function piecesOf(events: readonly RarestEvent[]): number[] {
  return events.filter(({ event }) => event === 'piece').map(({ index }) => Number(index));
}

for (let run = 1; run <= RUNS; run++) {
  const killAfter = 1 + Math.floor(random() * (content.pieces - 10));
  await t.test(`killed after piece event ${killAfter} of ${content.pieces}`, async t => {
    const namespace = await network.add(`run-${run}`);
    const more = ['--json', '-v', '--no-dht', '--peer', seed.peer];
    const args = downloadArgs(namespace, content.magnet, more);
    let seen = 0;
    const killed = startRarest(namespace, args, {
      onLine: line => {
        if (isPiece(line) && ++seen === killAfter) killed.kill('SIGKILL');
      },
    });
    t.match(await killed.waitForEnd(RUN_MS), { signal: 'SIGKILL' }, 'is killed at work');
    const before = piecesOf(eventsOf(killed.lines.filter(isWhole)));
    t.ok(before.length >= killAfter && before.length < content.pieces, 'in the middle of the download');

    const second = startRarest(namespace, args);
    t.match(await second.waitForEnd(RUN_MS), { code: 0, signal: null }, 'the second run ends with success');
    const events = eventsOf(second.lines);
    const after = piecesOf(events);
    const again = after.filter(index => before.includes(index));
    t.same(again, [], 'no piece that was reported is fetched again');
    const kept = Number(events.find(({ event }) => event === 'resumed')?.piecesHave);
    t.ok(kept >= before.length, 'all that was reported is found on disk');
    t.equal(new Set(after).size, after.length, 'each piece is reported once');
    await expectData(t, namespace, content);
    rows.push([`${killAfter}`, `${before.length}`, `${kept}`, `${after.length}`, `${again.length}`]);
  });
}

t.test('figures', async t => {
  report(t, 'proof', {
    title: 'SIGKILL after a reported piece',
    setup: `45 MB in ${content.pieces} pieces from one libtorrent seed; killed after the Nth piece event, then the same command again.`,
    columns: ['N', 'reported before the kill', 'found by the second run', 'fetched by it', 'fetched twice'],
    rows,
  });
  t.equal(rows.length, RUNS, 'all runs came to their end');
});
