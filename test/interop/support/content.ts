// Data to share: the same bytes on every machine, .torrent files of it, and the comparison of two trees.

import { execFile } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { inRepository } from './repository.js';

const execute = promisify(execFile);
const STEP_BYTES = 1 << 20;

/** The system's Python, whose libtorrent the distribution packages; another one may come first in PATH. */
export const PYTHON = '/usr/bin/python3';
export const LIBTORRENT_SCRIPT = inRepository('test/interop/support/libtorrent-client.py');

export interface ContentFile {
  /** Below the content's parent folder, so that it starts with the torrent's name. */
  readonly path: string;
  readonly length: number;
}

export interface Content {
  readonly name: string;
  /** The folder that holds the file or folder `name`. */
  readonly parent: string;
  readonly torrent: string;
  readonly infoHash: string;
  /** Info hash and nothing else: whoever has it must find peers and metadata by other means. */
  readonly magnet: string;
  readonly files: readonly ContentFile[];
  readonly length: number;
  readonly pieces: number;
  readonly pieceLength: number;
  /** Announce URLs that its .torrent names. */
  readonly trackers?: readonly string[];
}

export interface ContentPlan {
  readonly name: string;
  readonly pieceLength: number;
  readonly files: readonly ContentFile[];
  readonly trackers?: readonly string[];
}

/** One file of `length` bytes. */
export function singleFile(name: string, length: number, pieceLength: number): ContentPlan {
  return { name, pieceLength, files: [{ path: name, length }] };
}

/**
 * A folder of awkward files: empty, one byte, one block, a block and a byte, deep, with names of several scripts, and as
 * a whole one byte longer than a number of pieces.
 */
export function oddFolder(name: string, pieceLength: number): ContentPlan {
  const lengths: readonly (readonly [string, number])[] = [
    ['a-empty.bin', 0],
    ['b-one.bin', 1],
    ['block.bin', 16384],
    ['block-and-one.bin', 16385],
    ['nested/deeper/deepest/three-blocks-less-one.bin', 49151],
    ['nested/empty-too.bin', 0],
    ['naïve café/Привет мир 🎉.bin'.normalize('NFC'), 100_003],
    ['with  two spaces/日本語 と spaces.bin', 7],
    ['large.bin', 3_000_000],
  ];
  const sum = lengths.reduce((total, [, length]) => total + length, 0);
  const rest = Math.ceil(sum / pieceLength) * pieceLength + 1 - sum;
  return {
    name,
    pieceLength,
    files: [...lengths, ['rest.bin', rest] as const].map(([path, length]) => ({
      path: `${name}/${path}`,
      length,
    })),
  };
}

/** Writes the data below `parent` and its .torrent next to it. The bytes depend on the paths and on nothing else. */
export async function makeContent(plan: ContentPlan, parent: string): Promise<Content> {
  for (const file of plan.files) await writeBytes(join(parent, file.path), file);
  const torrent = join(parent, `${plan.name}.torrent`);
  const order = {
    path: join(parent, plan.name),
    out: torrent,
    pieceLength: plan.pieceLength,
    trackers: plan.trackers,
  };
  const { stdout } = await execute(PYTHON, [LIBTORRENT_SCRIPT, 'create', JSON.stringify(order)]);
  const created = JSON.parse(stdout) as { infoHash: string; pieces: number; length: number };
  return {
    ...plan,
    ...created,
    parent,
    torrent,
    magnet: `magnet:?xt=urn:btih:${created.infoHash}`,
  };
}

/** A key stream as data: incompressible, quick to make, the same everywhere. */
async function writeBytes(path: string, file: ContentFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const key = createHash('sha256').update(file.path).digest().subarray(0, 16);
  const stream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(STEP_BYTES);
  const handle = await open(path, 'w');
  for (let left = file.length; left > 0; left -= STEP_BYTES) {
    await handle.write(stream.update(zeros.subarray(0, Math.min(left, STEP_BYTES))));
  }
  await handle.close();
}

/** SHA-256 of each file of a torrent below `parent`, by path, for comparison with what another client wrote. */
export async function hashesOf(content: Content, parent = content.parent): Promise<Record<string, string>> {
  const paths =
    content.files.length === 1 && content.files[0]?.path === content.name
      ? [join(parent, content.name)]
      : await filesBelow(join(parent, content.name));
  const hashes: Record<string, string> = {};
  for (const path of paths.sort()) hashes[relative(parent, path)] = await hashOf(path);
  return hashes;
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: STEP_BYTES })) hash.update(chunk);
  return hash.digest('hex');
}
