import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import t from 'tap';
import { FilePool } from '../../src/storage/file-pool.js';
import { openTorrent } from '../../src/storage/open.js';
import { PieceBuffers } from '../../src/storage/piece-buffer.js';
import { killSample, pieceData } from './support.js';

t.test("killed for real, no piece that was told of is lost, and its lock is nobody's", async t => {
  const directory = t.testdir({});
  const torrent = killSample();
  const child = spawn(
    process.execPath,
    [...process.execArgv, join(import.meta.dirname, `kill-child${extname(import.meta.filename)}`), directory],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let told = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    if (told.split('\n').length > 50) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  t.equal(signal, 'SIGKILL');
  const pieces = told.split('\n').slice(0, -1).map(Number);
  const pool = new FilePool();
  const hashed: number[] = [];
  const opened = await openTorrent({
    metainfo: torrent.metainfo,
    output: join(directory, 'out'),
    stateDirectory: join(directory, 'state'),
    bootId: 'boot',
    access: pool,
    buffers: new PieceBuffers(),
    writes: true,
    force: false,
    trust: false,
    recheck: false,
    onVerified: piece => hashed.push(piece),
    onPiece: () => undefined,
    onError: error => t.fail('no error expected', error),
  });
  const { have } = opened.storage;
  t.equal(opened.how, 'resume');
  t.same(hashed, []);
  t.ok(pieces.length >= 50, `${pieces.length} pieces were told of`);
  t.ok(have.count < have.size, 'it did not end by itself');
  t.same(
    pieces.filter(piece => !torrent.pieces.some(known => known === piece && have.has(known))),
    [],
  );
  const file = readFileSync(join(directory, 'out', 'name', 'f'));
  const wrong = [...have].filter(piece => {
    const offset = torrent.geometry.offsetOf(piece);
    const expected = pieceData(torrent, piece);
    return !file.subarray(offset, offset + expected.length).equals(expected);
  });
  t.same(wrong, [], 'and all that is believed is there');
  await opened.close();
  await pool.closeAll();
});
