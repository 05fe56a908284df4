// The built program, stopped or killed in the middle: the same command goes on from there.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { contentOf } from '../support/content.js';
import { filesBelow, folder, sameFiles } from '../support/engine-run.js';
import { FakePeer } from '../support/fake-peer.js';
import { built, type End, Program } from '../support/program.js';
import { ALONE, atTerminal, FakeTracker, RAREST, Terminal } from '../support/runs.js';

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

t.test('exit 130 SIGINT: state is saved, resumable, a death by signal', built, async t => {
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

/** A download that never ends, at work, by a torrent of this tracker. */
async function waiting(t: Test, tracker: FakeTracker, more: readonly string[] = []) {
  const silent = await FakePeer.listen(t, CONTENT, {
    answer: (_wire, message, honest) => message.type === 'request' || honest(),
  });
  const place = folder(t);
  const argv = [...command(silent), '--tracker', tracker.url, ...more];
  const program = new Program(t, place, argv);
  await program.until('tracker');
  await program.until('metadata');
  return program;
}

function pending() {
  let resolve = () => {};
  const promise = new Promise<void>(done => {
    resolve = done;
  });
  return { promise, resolve };
}

for (const [name, signal] of [
  ['exit 130 SIGINT: trackers are told, then it dies of the signal', 'SIGINT'],
  ['exit 143 SIGTERM: trackers are told, then it dies of the signal', 'SIGTERM'],
] as const) {
  t.test(name, built, async t => {
    const tracker = await FakeTracker.start(t);
    const program = await waiting(t, tracker);
    t.same(await program.kill(signal), { exit: null, signal });
    t.same(tracker.events, ['started', 'stopped']);
    t.same(program.named('error'), []);
  });
}

t.test('exit 130 SIGINT: a second one leaves at once', built, async t => {
  const told = pending();
  const tracker = await FakeTracker.start(t, [], event => {
    if (event === 'stopped') told.resolve();
    return event !== 'stopped';
  });
  const program = await waiting(t, tracker);
  const ended = program.kill('SIGINT');
  await told.promise;
  // the tracker does not answer, for which the first signal waits
  void program.kill('SIGINT');
  t.same(await ended, { exit: null, signal: 'SIGINT' });
});

t.test('signal SIGUSR2: one status line, and the work goes on', built, async t => {
  const tracker = await FakeTracker.start(t);
  const program = await waiting(t, tracker);
  await program.until('progress');
  for (const lines of [1, 2]) {
    void program.kill('SIGUSR2');
    await program.untilPrinted(() => program.stderr.split('\n').length > lines);
  }
  t.match(program.stderr, /^(content: 0\.0% of 1\.\d MB, 0\/40 pieces, .*\n){2}$/);
  t.same(await program.kill('SIGTERM'), { exit: null, signal: 'SIGTERM' });
});

t.test('exit 130 SIGINT: Ctrl-C at a terminal ends a loop of the shell too', atTerminal, async t => {
  const directory = folder(t);
  const link = CONTENT.magnet.replaceAll('&', '\\&').replaceAll('?', '\\?');
  const loop = `for i in 1 2 3; do echo run $i; ${RAREST} download ${link} ${ALONE.join(' ')}; done; echo after`;
  const terminal = new Terminal(t, directory, loop);
  await terminal.shows(/waiting for metadata/);
  terminal.type('\x03');
  await terminal.ended;
  t.match(terminal.text, 'run 1');
  t.notMatch(terminal.text, /run 2|after/);
});
