// What a disk thread runs: jobs as they come, many in one message where they are small.

import { parentPort } from 'node:worker_threads';
import { DiskDesk, type DiskJob } from './disk-job.js';

const desk = new DiskDesk();

parentPort?.on('message', (jobs: readonly DiskJob[]) => {
  parentPort?.postMessage(jobs.map(job => desk.run(job)));
});
