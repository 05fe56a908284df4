// What a disk thread runs: jobs as they come, many in one message where they are small.

import { parentPort } from 'node:worker_threads';
import { DiskDesk } from './disk-job.js';
import type { DiskOrder, DiskReport } from './disk-threads.js';
import { packAnswers, unpackStores } from './store-batch.js';

const desk = new DiskDesk();

function done(order: DiskOrder): DiskReport {
  if (order.kind !== 'stores') return desk.run(order);
  return packAnswers(Array.from(unpackStores(order), job => desk.run(job)));
}

parentPort?.on('message', (orders: readonly DiskOrder[]) => {
  const reports = orders.map(done);
  const moved = reports.flatMap(report => (report.kind === 'read' ? [report.bytes.buffer] : []));
  parentPort?.postMessage(reports, moved);
});
