// A place on disk for one test of opening: state directory, output directory, and how to open and to kill.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { FilePool } from '../../src/storage/file-pool.js';
import { type OpenOptions, type OpenTorrent, openTorrent } from '../../src/storage/open.js';
import { PieceBuffers } from '../../src/storage/piece-buffer.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { type Sample, sample, storePiece } from './support.js';

// Pieces of 32 KiB: a is 0 to 2, b 2 to 5, empty none.
export const TORRENT = sample([
  { path: 'a', length: 80_000 },
  { path: 'sub/b', length: 100_000 },
  { path: 'sub/empty', length: 0 },
]);

/** A place for one test: state, output directory (not made yet), and how to open it. */
export function place(t: Test, torrent: Sample = TORRENT) {
  const directory = t.testdir({});
  const state = join(directory, 'state');
  const output = join(directory, 'some', 'out');
  const pool = new FilePool();
  t.teardown(() => pool.closeAll());
  const hashed: Piece[] = [];
  const killed: OpenTorrent[] = [];
  // Their handles would be closed with a process.
  t.teardown(() => Promise.all(killed.map(opened => opened.close().catch(() => {}))));
  const open = (options: Partial<OpenOptions> = {}): Promise<OpenTorrent> => {
    hashed.length = 0;
    return openTorrent({
      metainfo: torrent.metainfo,
      output,
      stateDirectory: state,
      bootId: 'boot-1',
      access: pool,
      buffers: new PieceBuffers(),
      writes: true,
      force: false,
      trust: false,
      recheck: false,
      onVerified: piece => hashed.push(piece),
      onPiece: () => undefined,
      onError: error => t.fail('no error expected', error),
      ...options,
    });
  };
  const path = (file: number) => join(output, ...(torrent.metainfo.files[file]?.path ?? []));
  /** As if the process died: its lock is gone with it, its state is as it was. */
  const kill = async (opened: OpenTorrent) => {
    killed.push(opened);
    await opened.storage.flush();
    rmSync(join(state, 'locks'), { recursive: true });
  };
  return { directory, state, output, open, hashed, path, kill };
}

export async function store(opened: OpenTorrent, torrent: Sample, ...pieces: number[]): Promise<void> {
  for (const piece of pieces) storePiece(opened.storage, torrent, piece as Piece);
  await opened.storage.flush();
}

export function drawn({ storage, how }: OpenTorrent): string {
  const pieces = [...storage.geometry.pieces()].map(piece => (storage.have.has(piece) ? '#' : '.'));
  return `${how} ${pieces.join('')}`;
}

/** Everything below a directory. */
export function tree(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory, { recursive: true }).map(String).sort() : [];
}
