// A swarm that loses its only seed as soon as it can live without it.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { contentOf } from '../support/content.js';
import { EngineRun, folder, sameFiles } from '../support/engine-run.js';

const CONTENT = contentOf(3_000_001);
const FOR_EVER = { ratio: undefined, timeMs: undefined };

t.test('five leechers complete although the seed leaves when they hold every piece together', async t => {
  const directory = folder(t, { seed: { out: {} } });
  writeFileSync(join(directory, 'seed', 'out', CONTENT.metainfo.name), CONTENT.data);
  const seed = await EngineRun.start(t, join(directory, 'seed'), { maxUploadBps: 3_000_000 });
  seed.add(CONTENT, 'torrent', { seed: FOR_EVER });
  await seed.until('seeding');
  const leechers: EngineRun[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    const run = await EngineRun.start(t, join(directory, name));
    const peers = [seed, ...leechers].map(({ port }) => ({ host: '127.0.0.1', port }));
    run.add(CONTENT, 'magnet', { peers, seed: FOR_EVER });
    leechers.push(run);
  }
  const held = new Set<number>();
  const together = leechers.map(run =>
    run.until('piece', () => {
      for (const { index } of run.named('piece')) held.add(index);
      return held.size === CONTENT.geometry.pieceCount;
    }),
  );
  await Promise.race(together);
  await seed.engine.close();
  t.notOk(
    leechers.every(run => run.named('done').length > 0),
    'not all were complete by then',
  );
  await Promise.all(leechers.map(run => run.until('done')));
  for (const run of leechers) sameFiles(t, run.output, CONTENT);
});
