import { parentPort } from 'node:worker_threads';
const x: number = 5;
parentPort?.on('message', (m: unknown) => { parentPort?.postMessage([m, x]); });
