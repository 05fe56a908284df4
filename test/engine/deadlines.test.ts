import t from 'tap';
import { Deadlines } from '../../src/engine/deadlines.js';
import { SignalLine } from '../../src/engine/signal-line.js';

const NONE = {
  timeoutMs: undefined,
  stallTimeoutMs: undefined,
  metadataTimeoutMs: undefined,
  stream: undefined,
};

function codeAt(deadlines: Deadlines, now: number, wantsMetadata = false): string | undefined {
  return deadlines.expired(now, wantsMetadata, () => 'counts')?.code;
}

t.test('without limits nothing runs out', async t => {
  t.equal(codeAt(new Deadlines(NONE, 0), 1e15, true), undefined);
});

t.test('metadata', async t => {
  const deadlines = new Deadlines({ ...NONE, metadataTimeoutMs: 1000 }, 5);
  t.equal(codeAt(deadlines, 1004, true), undefined);
  t.equal(codeAt(deadlines, 1005, true), 'NO_METADATA');
  t.equal(codeAt(deadlines, 1005, false), undefined, 'it is here');
  const error = deadlines.expired(1005, true, () => 'counts');
  t.equal(error?.message, 'fetching metadata: no peer gave it within 1 s: counts');
});

t.test('all together', async t => {
  const deadlines = new Deadlines({ ...NONE, timeoutMs: 1000 }, 5);
  deadlines.received(1, 1000);
  t.equal(codeAt(deadlines, 1004), undefined);
  t.equal(codeAt(deadlines, 1005), 'STALLED');
  t.equal(codeAt(deadlines, 1005, true), 'STALLED');
});

t.test('nothing new', async t => {
  const deadlines = new Deadlines({ ...NONE, stallTimeoutMs: 1000 }, 0);
  deadlines.received(7, 500);
  t.equal(codeAt(deadlines, 1499), undefined);
  t.equal(codeAt(deadlines, 1500), 'STALLED');
  deadlines.received(7, 1400);
  deadlines.received(6, 1400);
  t.equal(
    codeAt(deadlines, 1500),
    'STALLED',
    'the same bytes, or fewer because some were wrong, are not new',
  );
  deadlines.received(8, 1400);
  t.equal(codeAt(deadlines, 2399), undefined);
  deadlines.restart(3000);
  t.equal(codeAt(deadlines, 3999), undefined);
});

t.test('who waits is woken', async t => {
  const line = new SignalLine();
  t.notOk(line.isAwaited);
  const waiting = line.wait();
  t.ok(line.isAwaited);
  line.wake();
  t.notOk(line.isAwaited);
  await waiting;
  line.wake();
  const next = line.wait();
  t.ok(line.isAwaited, 'a wake that nobody waited for is over');
  line.wake(new Error('now'));
  await t.rejects(next, { message: 'now' });
});

t.test('an error waits for who waits', async t => {
  const line = new SignalLine();
  line.wake(new Error('first'));
  line.wake(new Error('second'));
  await t.rejects(line.wait(), { message: 'first' });
});
