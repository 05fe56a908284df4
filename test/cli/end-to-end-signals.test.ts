// The built program, stopped or killed in the middle: the same command goes on from there.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { contentOf } from '../support/content.js';
import { filesBelow, folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { built, type End, Program } from '../support/program.js';

/** Forty pieces of two blocks. */
const CONTENT = contentOf(40 * 32_768);
const PIECES = CONTENT.geometry.pieceCount;

function command(peer: FakePeer): string[] {
  const address = `127.0.0.1:${peer.address.port}`;
  return [
    'download',
    CONTENT.magnet,
    '-o',
    'out',
    '--json',
    '-v',
    '--no-dht',
    '--no-lsd',
    '--port',
    '0',
    '--peer',
    address,
  ];
}

/**
 * Downloads from a peer that stops giving after `pieces`, ends the program with `signal` once it has told of so many, and
 * runs it again with a peer that gives all.
 */
async function interrupted(t: Test, pieces: number, signal: NodeJS.Signals): Promise<End> {
  const directory = folder(t);
  let left = 2 * pieces + 1;
  const stingy = await FakePeer.listen(t, CONTENT, {
    answer: (_wire, message, honest) => {
      if (message.type !== 'request' || left-- > 0) honest();
    },
  });
  const first = new Program(t, directory, command(stingy));
  await first.until('piece', pieces);
  const end = await first.kill(signal);
  const told = first.named('piece').map(({ index }) => index);
  t.ok(told.length >= pieces && told.length < PIECES);
  t.same(first.named('done'), []);

  const generous = await FakePeer.listen(t, CONTENT);
  const second = new Program(t, directory, command(generous));
  t.same(await second.ended, { exit: 0, signal: null });
  sameFiles(t, join(directory, 'out'), CONTENT);
  t.match(second.named('metadata'), [{ from: 'cache' }]);
  const [resumed] = second.named('resumed');
  t.match(resumed, { how: 'resume' });
  t.ok(Number(resumed?.piecesHave) >= told.length, 'whatever was told is there');
  const fetched = new Set(generous.served.map(block => Number.parseInt(block, 10)));
  t.same(
    told.filter(index => fetched.has(Number(index))),
    [],
    'no piece that was told of is fetched again',
  );
  t.equal(second.named('piece').length, PIECES - Number(resumed?.piecesHave));
  t.same(
    filesBelow(join(directory, 'state')).filter(path => /locks|\.tmp$|\.journal$/.test(path)),
    [],
    'nothing half-done is left',
  );
  return end;
}

t.test('SIGINT', built, async t => {
  t.same(await interrupted(t, 7, 'SIGINT'), { exit: null, signal: 'SIGINT' }, 'a death by signal');
});

for (const pieces of [1, 23]) {
  t.test(`SIGKILL after ${pieces} pieces`, built, async t => {
    t.same(await interrupted(t, pieces, 'SIGKILL'), { exit: null, signal: 'SIGKILL' });
  });
}

t.test('SIGINT while there is no metadata yet', built, async t => {
  const directory = folder(t);
  const silent = await FakePeer.listen(t, CONTENT, { answer: () => {} });
  const program = new Program(t, directory, command(silent));
  await program.until('peer');
  t.same(await program.kill('SIGINT'), { exit: null, signal: 'SIGINT' });
  t.same(filesBelow(directory), [], 'nothing is left');
});
