// docs/events.schema.json is what the types of the events give, and tests are held to it.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { eventOf, LineWatch } from './support/event-line.js';
import { BARE_NODE } from './support/program.js';
import { ROOT } from './support/root.js';

t.test('the committed file is what the types give', async t => {
  const script = join(ROOT, 'scripts/events-schema.js');
  const { stdout } = await promisify(execFile)('env', [...BARE_NODE, script], { cwd: ROOT });
  t.equal(readFileSync(join(ROOT, 'docs/events.schema.json'), 'utf8'), stdout, 'npm run docs:events');
});

const PIECE = { v: 1, t: 0, event: 'piece', source: 'a', infoHash: 'a'.repeat(40), index: 3 };
const FILES = { index: 0, path: 'a', length: 1, selected: true };
const METADATA = {
  ...{ v: 1, t: 0, event: 'metadata', name: 'a', pieces: 1, pieceLength: 16_384, length: 1, private: false },
  ...{ trackers: [['http://a/']], webSeeds: [], files: [FILES], from: 'peers' },
};

t.test('a line of a test that is not as described is a failure', async t => {
  t.same(eventOf(JSON.stringify(PIECE)), PIECE);
  t.same(eventOf(JSON.stringify(METADATA)), METADATA);
  const wrong: Record<string, object> = {
    'must have required property': { ...PIECE, index: undefined },
    'must NOT have additional properties': { ...PIECE, begin: 0 },
    '/files/0 must NOT have additional properties': { ...METADATA, files: [{ ...FILES, pad: true }] },
    'must be integer': { ...PIECE, index: 0.5 },
    '/infoHash must match pattern': { ...PIECE, infoHash: 'A'.repeat(40) },
    '/from must be equal to one of the allowed values': { ...METADATA, from: 'nowhere' },
    'no event that docs/events.schema.json knows': { ...PIECE, event: 'block' },
    '/v must be equal to constant': { ...PIECE, v: 2 },
  };
  for (const [why, line] of Object.entries(wrong)) {
    t.throws(() => eventOf(JSON.stringify(line)), { message: new RegExp(why) });
  }
});

t.test('a stream is watched line by line', async t => {
  const complaints: string[] = [];
  const watch = new LineWatch(why => complaints.push(why));
  const text = `${JSON.stringify(PIECE)}\nrarest: words (USAGE)\n${JSON.stringify({ ...PIECE, t: -1 })}\n{"v":`;
  for (const char of text) watch.write(char);
  t.equal(complaints.length, 1);
  t.match(complaints[0], '/t must be >= 0');
});
