import t from 'tap';
import { AskedBlocks } from '../../src/swarm/asked-blocks.js';

t.test('remembers what was asked, across pages', async t => {
  const asked = new AskedBlocks(100_000);
  for (const block of [0, 7, 32_767, 32_768, 99_999]) asked.add(block);
  for (const block of [0, 7, 32_767, 32_768, 99_999]) t.ok(asked.has(block), `${block}`);
  for (const block of [1, 8, 32_766, 32_769, 99_998]) t.notOk(asked.has(block), `${block}`);
});

t.test('beyond its budget it gives the benefit of the doubt', async t => {
  const page = 32_768;
  const asked = new AskedBlocks(70 * page);
  for (let number = 0; number < 64; number++) asked.add(number * page);
  t.notOk(asked.has(65 * page), 'within the budget it is exact');
  asked.add(64 * page);
  t.ok(asked.has(65 * page));
  t.notOk(asked.has(1), 'pages that exist stay exact');
});
