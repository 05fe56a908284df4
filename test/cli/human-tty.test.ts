import t from 'tap';
import { barText, openTty } from '../../src/cli/human-tty.js';
import { TorrentView } from '../../src/cli/torrent-view.js';
import { Kept } from './fake-io.js';
import { METADATA, progress } from './recorded.js';
import { screenOf } from './screen.js';

function terminal(): Kept {
  const stream = new Kept();
  stream.isTTY = true;
  return stream;
}

function downloading(name: string): TorrentView {
  const view = new TorrentView(name);
  view.update({ ...METADATA, name } as typeof METADATA);
  view.update(progress({}));
  return view;
}

t.test('a bar', async t => {
  const view = new TorrentView('magnet');
  t.equal(barText(view, 80), 'waiting for metadata 0 peers magnet');
  view.update(progress({ downloaded: 0, length: 0 }));
  t.equal(barText(view, 80), 'waiting for metadata 12 peers magnet');
  const started = new TorrentView('magnet');
  started.update(METADATA);
  t.equal(barText(started, 80), 'starting Sin [2Jtel');
  view.update(METADATA);
  view.update({ event: 'piece', index: 1 });
  view.update(progress({}));
  t.equal(barText(view, 100), '42.3% [========------------] 1/4 5.1 MB/s 12 peers 2m10s Sin [2Jtel');
  t.equal(barText(view, 60).length, 59, 'the name is cut, the last column free');
  view.update(progress({ downloaded: 60_000, etaSeconds: null }));
  t.equal(barText(view, 100), ' 100% [====================] 1/4 5.1 MB/s 12 peers - Sin [2Jtel');
  view.update({ event: 'seeding', magnet: 'magnet:' });
  t.equal(barText(view, 100), 'seeding 120 kB/s 12 peers Sin [2Jtel');
  const hashing = new TorrentView('data', true);
  t.equal(barText(hashing, 100), 'hashing data');
  hashing.update(progress({}));
  t.equal(barText(hashing, 100), '42.3% [========------------] hashing 5.1 MB/s 2m10s data');
});

t.test('lines stay above the bars', async t => {
  const stderr = terminal();
  const human = await openTty(stderr, false);
  const [a, b] = [downloading('a'), downloading('b')];
  human.print('before');
  human.progress(a);
  human.progress(b);
  human.print(
    'a line longer than what the bars leave on the line they stood on, so that nothing of it can be seen',
  );
  human.print('short');
  const bar = (name: string) => `42.3% [========------------] 0/4 5.1 MB/s 12 peers 2m10s ${name}`;
  t.same(screenOf(stderr.text), [
    'before',
    'a line longer than what the bars leave on the line they stood on, so that nothing of it can be seen',
    'short',
    bar('a'),
    bar('b'),
  ]);
  human.above(() => stderr.write('a path\n'));
  human.ended(a);
  human.print('a is done');
  t.same(screenOf(stderr.text).slice(-3), ['a path', 'a is done', bar('b')]);
  human.ended(b);
  human.print('b is done');
  t.same(screenOf(stderr.text).slice(-3), ['a path', 'a is done', 'b is done'], 'no bar is left');
  human.close();
});

t.test('the terminal is given back', async t => {
  const stderr = terminal();
  const human = await openTty(stderr, false);
  human.progress(downloading('a'));
  human.print('seen');
  human.close();
  human.close();
  human.print('rarest: gone (INTERNAL)');
  t.same(screenOf(stderr.text), ['seen', 'rarest: gone (INTERNAL)']);
  t.ok(stderr.text.lastIndexOf('\x1b[?25h') > stderr.text.lastIndexOf('\x1b[?25l'), 'the cursor is shown');
  t.ok(stderr.text.lastIndexOf('\x1b[?7h') > stderr.text.lastIndexOf('\x1b[?7l'), 'lines wrap');
});

t.test('a bar that comes after the last one went', async t => {
  const stderr = terminal();
  const human = await openTty(stderr, false);
  const [a, b] = [downloading('a'), downloading('b')];
  human.progress(a);
  human.ended(a);
  human.progress(b);
  human.print('line');
  t.same(screenOf(stderr.text).length, 2);
  human.ended(a);
  human.close();
});

t.test('no more bars than lines', async t => {
  const stderr = terminal();
  stderr.rows = 5;
  const human = await openTty(stderr, false);
  const views = ['a', 'b', 'c', 'd', 'e'].map(downloading);
  for (const view of views) human.progress(view);
  human.print('line');
  t.equal(screenOf(stderr.text).length, 1 + 3);
  human.ended(views[0]!);
  human.progress(views[4]!);
  human.print('line');
  t.match(screenOf(stderr.text).at(-1), / e$/, 'the next one takes the free line');
  human.close();
});

t.test('a terminal of unknown size', async t => {
  const stderr = terminal();
  stderr.rows = 0;
  stderr.columns = 0;
  const human = await openTty(stderr, false);
  human.progress(downloading('a'));
  human.print('line');
  t.match(screenOf(stderr.text), ['line', / a$/]);
  human.close();
});

t.test('colour marks errors and warnings, if wanted', async t => {
  const shown = async (color: boolean, line: string) => {
    const stderr = terminal();
    (await openTty(stderr, color)).print(line);
    return stderr.text;
  };
  t.equal(await shown(true, 'rarest: x: y (USAGE)'), '\x1b[31mrarest:\x1b[0m x: y (USAGE)\n');
  t.equal(await shown(true, 'rarest: warning: z'), '\x1b[33mrarest: warning:\x1b[0m z\n');
  t.equal(await shown(true, 'rarest: no peers found'), 'rarest: no peers found\n');
  t.equal(await shown(false, 'rarest: x: y (USAGE)'), 'rarest: x: y (USAGE)\n');
});
