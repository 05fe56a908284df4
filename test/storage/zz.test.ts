import t from 'tap';
import { Worker } from 'node:worker_threads';
t.test('w', async t => {
  t.comment(process.execArgv.join(' '), process.env.NODE_OPTIONS ?? '');
  const a = performance.now();
  const url = new URL('../../src/storage/zz-worker.js', import.meta.url);
  const w = new Worker(url);
  const m = await new Promise((res, rej) => { w.on('message', res); w.on('error', rej); w.postMessage(1); });
  t.same(m, [1, 5]);
  t.comment(`${performance.now() - a}`);
  await w.terminate();
});
