// The process that kill.test.ts kills: opens the sample in the directory it is given, stores all pieces but one and
// tells of each on stdout.

import { FilePool } from '../../src/storage/file-pool.js';
import { openTorrent } from '../../src/storage/open.js';
import { PieceBuffers } from '../../src/storage/piece-buffer.js';
import { killSample, storePiece } from './support.js';

const directory = process.argv[2] as string;
const torrent = killSample();
const { storage } = await openTorrent({
  metainfo: torrent.metainfo,
  output: `${directory}/out`,
  stateDirectory: `${directory}/state`,
  bootId: 'boot',
  access: new FilePool(),
  buffers: new PieceBuffers(),
  writes: true,
  force: false,
  trust: false,
  recheck: false,
  onPiece: piece => {
    process.stdout.write(`${piece}\n`);
    store();
  },
  onError: error => {
    throw error;
  },
});
const left = torrent.pieces.slice(1);
const store = () => {
  const piece = left.shift();
  if (piece !== undefined) storePiece(storage, torrent, piece);
};
for (let n = 0; n < 8; n++) store();
setInterval(() => undefined, 1000);
