// Makes dist/program, what is published and run, of the compiled modules: a hundred files take longer to find and load than a
// few, most of all where a disk is slow. Commands stay apart, and so does what few of them need. The tests import dist/src.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const OUT = 'dist/program';
/** Loaded from their own packages, where they are needed. */
const APART = ['parse-torrent', 'yargs', 'cli-progress'];

rmSync(OUT, { recursive: true, force: true });
const { metafile } = await build({
  // the worker is started by its name, beside the program
  entryPoints: ['dist/bin/rarest.js', 'dist/src/storage/disk-worker.js'],
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  outdir: OUT,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: APART,
  // packages of the older kind ask for their parts by require
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});

/** The packages whose code is in the program, with their licenses. */
const packages = new Set(
  Object.keys(metafile.inputs).flatMap(path => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
);
const notices = [...packages].sort().map(folder => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8');
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
});
writeFileSync(join(OUT, 'NOTICES'), notices.join(`\n${'-'.repeat(80)}\n\n`));
