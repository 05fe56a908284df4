// Something to share: the same bytes on every machine, and a fingerprint of what came of them elsewhere.

import { createCipheriv, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

/** Name of the folder, and so of the torrent. */
export const CONTENT_NAME = 'rarest demo';

/** Files by path, with their share of the bytes in hundredths. */
const FILES: readonly (readonly [path: string, share: number])[] = [
  ['large.bin', 40],
  ['middle.bin', 25],
  ['sub-folder/small.bin', 20],
  ['sub-folder/smaller.bin', 14],
  ['種 🌱.bin', 1],
];

/** Writes the folder below `parent`. */
export async function writeContent(parent: string, lengthBytes: number): Promise<void> {
  for (const [path, share] of FILES) {
    const place = join(parent, CONTENT_NAME, path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, pseudoRandom(path, Math.floor((lengthBytes * share) / 100)));
  }
}

/** SHA-256 of each file below `folder`, by path with slashes, sorted. */
export async function fingerprints(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter(entry => !entry.isDirectory());
  const lines = files.map(async ({ parentPath, name }) => {
    const place = join(parentPath, name);
    const hash = createHash('sha256');
    for await (const bytes of createReadStream(place)) hash.update(bytes);
    return `${hash.digest('hex')} ${relative(folder, place).split(sep).join('/')}`;
  });
  return (await Promise.all(lines)).sort();
}

/** Bytes that depend on `seed` alone: a key stream, which is quick to make and cannot be compressed. */
function pseudoRandom(seed: string, lengthBytes: number): Uint8Array {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(lengthBytes));
}
