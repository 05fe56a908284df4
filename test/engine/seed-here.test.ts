// Seeding what is here: all of it, a part, under odd names, without writing anything.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { contentOf } from '../support/content.js';
import { EngineRun, folder } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';

const CONTENT = contentOf({ 'a.bin': 100_001, 'sub/b c.bin': 40_000 });

t.test('seeding what is here', async t => {
  const directory = folder(t);
  const out = join(directory, 'out');
  const write = (bytes: Uint8Array) => {
    for (const { path, offset, length } of CONTENT.metainfo.files) {
      mkdirSync(join(out, ...path, '..'), { recursive: true });
      writeFileSync(join(out, ...path), bytes.subarray(offset, offset + length));
    }
  };
  const goal = { ratio: undefined, timeMs: undefined };

  t.test('nothing', async t => {
    const run = await EngineRun.start(t, directory);
    const added = run.add(CONTENT, 'torrent', { data: 'complete', seed: goal });
    await t.rejects(added.finished, { code: 'VERIFY_FAILED', message: /none of its pieces is there/ });
    t.notOk(existsSync(out), 'and nothing is made');
    await run.engine.close();
  });

  t.test('a part', async t => {
    const damaged = Uint8Array.from(CONTENT.data);
    damaged[0] = ~(damaged[0] ?? 0);
    write(damaged);
    const run = await EngineRun.start(t, directory);
    const refused = run.add(CONTENT, 'torrent', { data: 'complete', seed: goal });
    await t.rejects(refused.finished, { code: 'VERIFY_FAILED', message: /1 of 5 pieces/, hint: /--partial/ });
    const added = run.add(CONTENT, 'torrent', { data: 'partial', seed: goal });
    await run.until('seeding');
    const wire = await FakePeer.dial(t, run.port, CONTENT, { have: [0] });
    const said = await wire.until('extensionHandshake');
    t.equal(said.uploadOnly, true, 'BEP 21');
    await wire.until('bitfield');
    wire.send({ type: 'interested' });
    await wire.until('unchoke');
    wire.send({ type: 'request', index: 1, begin: 0, length: 16_384 });
    const { block } = await wire.until('piece');
    t.ok(block.data && CONTENT.data.subarray(32_768, 49_152).equals(block.data));
    t.notOk(
      wire.received.some(({ type }) => type === 'interested'),
      'we want nothing',
    );
    await added.stop();
    t.ok(readFileSync(join(out, 'content', 'a.bin')).equals(damaged.subarray(0, 100_001)), 'left as it was');
    await run.engine.close();
  });

  t.test('under names that a download would have changed', async t => {
    const names = contentOf({ README: 40_000, readme: 40_001, 'dot.': 3 }, { name: 'names' });
    t.ok(names.metainfo.warnings.length > 0);
    for (const [index, name] of ['README', 'readme', 'dot.'].entries()) {
      const { offset = 0, length = 0 } = names.metainfo.files[index] ?? {};
      mkdirSync(join(out, 'names'), { recursive: true });
      writeFileSync(join(out, 'names', name), names.data.subarray(offset, offset + length));
    }
    const run = await EngineRun.start(t, directory);
    run.add(names, 'torrent', { data: 'complete', seed: goal });
    await run.until('seeding');
    t.same(
      run.named('file').map(({ path }) => path),
      ['README', 'readme', 'dot.'].map(name => join(out, 'names', name)),
    );
    await run.engine.close();
  });

  t.test('for a while, and then it says what came of it', async t => {
    write(CONTENT.data);
    const run = await EngineRun.start(t, directory);
    const once = { ratio: 0, timeMs: undefined };
    await run.add(CONTENT, 'torrent', { data: 'complete', seed: once }).finished;
    t.match(run.named('done'), [{ downloaded: 0, uploaded: 0, ratio: 0 }]);
  });

  t.test('one piece at a time', async t => {
    write(CONTENT.data);
    const run = await EngineRun.start(t, directory);
    run.add(CONTENT, 'torrent', { data: 'complete', seed: goal, superSeed: true });
    await run.until('seeding');
    const wire = await FakePeer.dial(t, run.port, CONTENT, { have: [] });
    const said = await wire.until('extensionHandshake');
    t.equal(said.uploadOnly, undefined, 'a super-seed does not look like a seed');
    await wire.until('haveNone');
    await wire.until('have');
    await run.engine.close();
    t.equal(wire.received.filter(({ type }) => type === 'have').length, 1);
  });

  t.test('all, in a folder that cannot be written to', async t => {
    write(CONTENT.data);
    chmodSync(join(out, 'content'), 0o555);
    const run = await EngineRun.start(t, directory);
    run.add(CONTENT, 'torrent', { data: 'complete', seed: goal });
    t.match(await run.until('seeding'), { magnet: CONTENT.magnet });
    t.same(run.named('done'), [], 'nothing was fetched');
    const wire = await FakePeer.dial(t, run.port, CONTENT, { have: [] });
    await wire.until('haveAll');
    await run.engine.close();
    chmodSync(join(out, 'content'), 0o755);
  });
});
