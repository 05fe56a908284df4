import t from 'tap';
import { bootId, isRunning, processStart } from '../../src/storage/boot.js';

t.test('this boot and this process stay the same', async t => {
  t.match(await bootId(), /^[-0-9a-z]{10,}$/);
  t.equal(await bootId(), await bootId());
  const start = await processStart(process.pid);
  if (process.platform === 'linux') t.match(start, /^[0-9]+$/);
  t.equal(await processStart(process.pid), start);
  t.equal(await processStart(2 ** 30), undefined);
});

t.test('who runs', async t => {
  t.ok(isRunning(process.pid));
  t.ok(isRunning(process.ppid));
  t.notOk(isRunning(2 ** 30));
});
