import t, { type Test } from 'tap';
import { ResultStream } from '../../src/cli/results.js';
import { Kept } from './fake-io.js';

/** stdout, and each text that was written to it in one go. */
function streamOf(t: Test) {
  const writes: string[] = [];
  class Counted extends Kept {
    override _write(chunk: Buffer, encoding: string, done: (error?: Error) => void): void {
      writes.push(chunk.toString());
      super._write(chunk, encoding, done);
    }
  }
  const stream = new Counted();
  const gone: string[] = [];
  const results = new ResultStream(
    stream,
    () => gone.push('gone'),
    error => t.fail('no other failure', error),
  );
  return { results, stream, writes, gone };
}

const turn = () => new Promise<void>(resolve => setImmediate(resolve));

t.test('what is gathered in one turn leaves in one piece at its end', async t => {
  const { results, writes } = streamOf(t);
  for (const text of ['a\n', '', 'b\n']) results.gather(text);
  t.same(writes, []);
  await turn();
  t.same(writes, ['a\nb\n']);
  results.gather('c\n');
  await Promise.resolve();
  results.gather('d\n');
  await turn();
  t.same(writes, ['a\nb\n', 'c\nd\n']);
  results.gather('');
  await turn();
  t.equal(writes.length, 2, 'nothing is not written');
});

t.test('nothing overtakes it, and who waits for the end gets it all', async t => {
  const { results, writes } = streamOf(t);
  results.gather('a\n');
  results.write('b\n');
  results.gather('c\n');
  t.ok(await results.writeAll(Buffer.from('d\n')));
  t.same(writes, ['a\n', 'b\n', 'c\n', 'd\n']);
  results.gather('e\n');
  await results.flushed();
  t.equal(writes.at(-1), 'e\n');
  results.gather('f\n');
  results.flush();
  t.equal(writes.at(-1), 'f\n');
  await turn();
  t.equal(writes.length, 6, 'once');
});

t.test('when the reader has gone it is dropped', async t => {
  const { results, stream, writes, gone } = streamOf(t);
  results.gather('a\n');
  stream.fail('EPIPE');
  await turn();
  results.gather('b\n');
  await results.flushed();
  t.same(writes, []);
  t.same(gone, ['gone']);
});
