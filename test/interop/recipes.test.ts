// The recipes of docs/scripting.md that take jq or make, with the real ones.

import t from 'tap';
import { sameFiles } from '../support/engine-run.js';
import { isForeign, RecipePlace, recipes, SHOW, SHOW_PATHS, startSeed } from '../support/recipes.js';

const OK = { exit: 0, signal: null };
const LENGTH = `${SHOW.data.length}`;

/** What each is to bring about. */
const TRIED: Record<string, (place: RecipePlace) => Promise<void>> = {
  async 'Follow the progress as numbers'(place) {
    const run = await place.ends(OK, { magnet: SHOW.magnet });
    const rows = run.stdout
      .trimEnd()
      .split('\n')
      .map(line => line.split('\t'));
    for (const row of rows) place.t.match(row, [/^\d+$/, LENGTH, /^\d+$/, /^\d+$/]);
    place.t.equal(rows.at(-1)?.[0], LENGTH, 'the last one tells of the end');
    sameFiles(place.t, place.path('library'), SHOW);
  },

  async 'Report what came and what failed'(place) {
    place.write('magnets.txt', `absent.torrent\n${SHOW.magnet}\n`);
    await place.ends({ exit: 4, signal: null });
    const report = place.text('report.tsv').trimEnd().split('\n').sort();
    place.t.same(report, [
      `done\t${SHOW.magnet}\tlibrary/show`,
      'error\tabsent.torrent\treading absent.torrent: no such file or directory',
    ]);
  },

  async 'Let make download'(place) {
    place.write('show.torrent', SHOW.torrentFile);
    await place.ends(OK);
    place.t.same(place.text('show.list').trimEnd().split('\n').sort(), SHOW_PATHS);
    sameFiles(place.t, place.path('library'), SHOW);
    place.program('rarest', 'exit 99');
    const again = await place.ends(OK);
    place.t.match(again.stdout, /up to date/);
  },
};

const all = recipes();

t.test('each recipe is tried, and none but those of the page', async t => {
  const foreign = [...all].filter(([, recipe]) => isForeign(recipe)).map(([title]) => title);
  t.same(Object.keys(TRIED).sort(), foreign.sort());
});

t.test('recipes', async t => {
  const peer = await startSeed(t);
  for (const [title, attempt] of Object.entries(TRIED)) {
    const recipe = all.get(title);
    if (recipe === undefined) throw new Error(`${title}: no such recipe`);
    await t.test(title, t => attempt(new RecipePlace(t, recipe, peer)));
  }
});
