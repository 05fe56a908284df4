import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findCached, saveMetadata } from '../../src/storage/metadata-cache.js';
import { saveState } from '../../src/storage/state-file.js';
import { sample } from './support.js';

const one = sample([{ path: 'a', length: 1 }], 32 * 1024, 1).metainfo;
const two = sample([{ path: 'a', length: 1 }], 32 * 1024, 2).metainfo;

t.test('metadata is found again by its info hash', async t => {
  const directory = t.testdir({});
  t.equal(await findCached(directory, one.infoHash), undefined);
  await saveMetadata(directory, one);
  const cached = await findCached(directory, one.infoHash);
  t.same(Buffer.from(cached?.infoBytes ?? []), Buffer.from(one.infoBytes));
  t.same(cached?.trackers, one.trackers);
  t.same(cached?.webSeeds, one.webSeeds);
  t.equal(await findCached(directory, two.infoHash), undefined);
});

t.test('metadata of another torrent, or no metadata at all, is not believed', async t => {
  const directory = t.testdir({});
  await saveMetadata(directory, one);
  await saveMetadata(directory, two);
  const folder = join(directory, 'metadata');
  const [a, b] = readdirSync(folder).map(name => join(folder, name)) as [string, string];
  renameSync(a, b);
  t.equal(await findCached(directory, one.infoHash), undefined);
  t.equal(await findCached(directory, two.infoHash), undefined, 'the hash does not match');
  const info = Buffer.from(one.infoBytes).toString('base64');
  const fine = { version: 1, trackers: [['x']], webSeeds: ['y'], info };
  const path = join(folder, `${Buffer.from(one.infoHash).toString('hex')}.json`);
  await saveState(path, fine);
  t.ok(await findCached(directory, one.infoHash));
  const hostile = [
    null,
    7,
    'text',
    [],
    {},
    { ...fine, version: 2 },
    { ...fine, info: 7 },
    { ...fine, info: '' },
    { ...fine, webSeeds: [1] },
    { ...fine, webSeeds: { length: 1 } },
    { ...fine, trackers: ['x'] },
    { ...fine, trackers: [[1]] },
    { ...fine, trackers: undefined },
  ];
  for (const value of hostile) {
    await saveState(path, value);
    t.equal(await findCached(directory, one.infoHash), undefined, JSON.stringify(value));
  }
});
