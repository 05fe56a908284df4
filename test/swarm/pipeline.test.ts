import t from 'tap';
import { Pipeline } from '../../src/swarm/pipeline.js';
import { BLOCK_LENGTH, LIMITS } from '../../src/torrent/limits.js';

/** As for a peer that has not said its reqq. */
const newPipeline = () =>
  new Pipeline({ start: LIMITS.pipelineStart, least: LIMITS.pipelineMin, most: LIMITS.assumedReqq });

/** Feeds blocks at a steady rate for some seconds from `now` on; returns the time after. */
function feed(pipeline: Pipeline, blocksPerSecond: number, seconds: number, now: number): number {
  if (now === 0) pipeline.restart(now);
  for (let i = 1; i <= blocksPerSecond * seconds; i++) {
    pipeline.received(BLOCK_LENGTH, now + Math.floor((i * 1000) / blocksPerSecond));
  }
  return now + seconds * 1000;
}

t.test('slow start adds one for each block, up to what the peer accepts', async t => {
  const pipeline = newPipeline();
  t.equal(pipeline.target, LIMITS.pipelineStart);
  pipeline.setReqq(10);
  feed(pipeline, 100, 1, 0);
  t.equal(pipeline.target, 10);
});

t.test('then three seconds of the rate', async t => {
  const pipeline = newPipeline();
  feed(pipeline, 20, 5, 0);
  t.equal(pipeline.target, 60);
  t.equal(pipeline.rateBps, 20 * BLOCK_LENGTH);
});

t.test('a falling rate is followed, not below the minimum', async t => {
  const pipeline = newPipeline();
  const now = feed(pipeline, 20, 4, 0);
  pipeline.received(BLOCK_LENGTH, now + 60_000);
  pipeline.received(BLOCK_LENGTH, now + 120_000);
  t.ok(pipeline.target < 20, `${pipeline.target}`);
  for (let i = 3; i < 12; i++) pipeline.received(BLOCK_LENGTH, now + i * 60_000);
  t.equal(pipeline.target, LIMITS.pipelineMin);
});

t.test('room opens when a fifth has drained', async t => {
  const pipeline = newPipeline();
  feed(pipeline, 20, 5, 0);
  t.equal(pipeline.room(60), 0);
  t.equal(pipeline.room(49), 0);
  t.equal(pipeline.room(48), 12);
  t.equal(pipeline.room(0), 60);
});

t.test('a snubbed peer has one request, and starts anew with its next block', async t => {
  const pipeline = newPipeline();
  feed(pipeline, 20, 5, 0);
  pipeline.snub();
  t.same([pipeline.snubbed, pipeline.target, pipeline.room(0), pipeline.room(1)], [true, 1, 1, 0]);
  pipeline.restart(50_000);
  t.equal(pipeline.target, 1, 'an unchoke alone does not end it');
  pipeline.received(BLOCK_LENGTH, 60_000);
  t.notOk(pipeline.snubbed);
  t.ok(pipeline.target >= LIMITS.pipelineStart);
});

t.test('reqq: absent 250, capped, never 0', async t => {
  const pipeline = newPipeline();
  feed(pipeline, 1000, 4, 0);
  t.equal(pipeline.target, LIMITS.assumedReqq);
  pipeline.setReqq(1_000_000);
  feed(pipeline, 1000, 4, 4000);
  t.equal(pipeline.target, LIMITS.pipelineMax);
  pipeline.setReqq(0);
  t.equal(pipeline.target, 1);
});
