// Other programs that write and read .torrent files: mktorrent, transmission-create and what four readers find in one.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import parseTorrent from 'parse-torrent';
import { type ContentFile, PYTHON } from './content.js';
import { inRepository } from './repository.js';

const execute = promisify(execFile);
const ANSWER_MS = 30_000;
const FACTS_SCRIPT = inRepository('test/interop/support/torrent-facts.py');
/** These two write no torrent, or no private one, without a tracker; nobody is there. */
const TRACKER = 'http://127.0.0.1/announce';

/** What is in a .torrent. No reader tells all of it. Files are those that are not padding. */
export interface Facts {
  readonly infoHash: string;
  readonly name: string;
  readonly pieceLength: number;
  readonly pieces: number;
  readonly files: readonly ContentFile[];
  /** Each file begins with a piece of its own. */
  readonly aligned: boolean;
  /** Announce URLs, each tier sorted: some readers shuffle them. */
  readonly tiers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  readonly nodes: readonly string[];
  readonly private: boolean;
  readonly source: string;
  readonly comment: string;
}

export interface MakeOptions {
  readonly pieceLength: number;
  readonly private?: boolean;
  readonly source?: string;
}

async function output(argv: readonly string[], cwd?: string): Promise<string> {
  const [program = '', ...args] = argv;
  const env = { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8' };
  const { stdout } = await execute(program, args, { timeout: ANSWER_MS, env, ...(cwd && { cwd }) });
  return stdout;
}

/** mktorrent's torrent of a file or folder, written to `out`; pieces from 32 KiB. Returns its info hash. */
export async function mktorrent(path: string, out: string, options: MakeOptions): Promise<string> {
  const flags = ['-d', '-a', TRACKER, '-l', `${Math.log2(options.pieceLength)}`, '-o', out];
  if (options.private) flags.push('-p');
  if (options.source !== undefined) flags.push('-s', options.source);
  await output(['mktorrent', ...flags, path]);
  return (await readByLibtorrent(out)).infoHash;
}

/** transmission-create's private torrent of a file: without the flag it writes `private: 0`. Returns its info hash. */
export async function transmissionCreate(path: string, out: string, pieceLength: number): Promise<string> {
  const flags = ['-p', '-t', TRACKER, '-s', `${pieceLength / 1024}`];
  await output(['transmission-create', ...flags, '-o', out, path]);
  return (await readByLibtorrent(out)).infoHash;
}

export async function readByLibtorrent(torrent: string): Promise<Facts> {
  return JSON.parse(await output([PYTHON, FACTS_SCRIPT, torrent])) as Facts;
}

/** parse-torrent, which WebTorrent reads torrents with. It has no tiers, so all URLs are one. */
export async function readByWebtorrent(torrent: string): Promise<Partial<Facts>> {
  const parsed = await parseTorrent(await readFile(torrent));
  if (!('files' in parsed) || parsed.files === undefined) throw new Error(`${torrent}: no files`);
  return {
    infoHash: parsed.infoHash,
    name: `${parsed.name}`,
    pieceLength: parsed.pieceLength ?? 0,
    pieces: parsed.pieces?.length ?? 0,
    files: withoutPadding(parsed.files.map(({ path, length }) => ({ path, length }))),
    tiers: [[...(parsed.announce ?? [])].sort()],
    webSeeds: parsed.urlList ?? [],
    private: parsed.private ?? false,
    comment: parsed.comment ?? '',
  };
}

/** `aria2c --show-files`. */
export async function readByAria2(torrent: string): Promise<Partial<Facts>> {
  const text = await output(['aria2c', '--no-conf', '--show-files', torrent]);
  const [head = '', table = ''] = text.split('\nidx|path/length\n');
  const files = [...table.matchAll(/^ *\d+\|(?:\.\/)?(.*)\n +\|.*?([\d,]+)\)?$/gm)];
  return {
    infoHash: field(head, /^Info Hash: (.*)$/m),
    name: field(head, /^Name: (.*)$/m),
    pieceLength: bytes(field(head, /^Piece Length: (.*)$/m)),
    pieces: Number(field(head, /^The Number of Pieces: (.*)$/m)),
    files: withoutPadding(
      files.map(([, path = '', length = '']) => ({ path, length: Number(length.replaceAll(',', '')) })),
    ),
    tiers: [indented(head, 'Announce:').sort()],
    webSeeds: indented(head, 'URL List:'),
    comment: /^Comment: (.*)$/m.exec(head)?.[1] ?? '',
  };
}

/** transmission-show; it rounds lengths and makes names safe, so files are left out. */
export async function readByTransmission(torrent: string): Promise<Partial<Facts>> {
  const text = await output(['transmission-show', torrent]);
  return {
    infoHash: field(text, /^ {2}Hash: (.*)$/m),
    name: field(text, /^ {2}Name: (.*)$/m),
    pieceLength: bytes(field(text, /^ {2}Piece Size: (.*)$/m)),
    pieces: Number(field(text, /^ {2}Piece Count: (.*)$/m)),
    tiers: [...text.matchAll(/^ {2}Tier #\d+\n((?: {2}\S+\n)+)/gm)].map(([, urls = '']) =>
      urls.trim().split(/\s+/).sort(),
    ),
    webSeeds: field(`${text}\n\n`, /^WEBSEEDS\n\n((?: {2}\S+\n)*)/m, '')
      .split(/\s+/)
      .filter(Boolean),
    private: field(text, /^ {2}Privacy: (.*)$/m).startsWith('Private'),
    comment: field(text, /^ {2}Comment: (.*)$/m, ''),
  };
}

function field(text: string, pattern: RegExp, otherwise?: string): string {
  const value = pattern.exec(text)?.[1] ?? otherwise;
  if (value === undefined) throw new Error(`${pattern} is not in:\n${text}`);
  return value;
}

/** The words of the lines below `title` that are indented by one space. */
function indented(text: string, title: string): string[] {
  const list = new RegExp(`^${title}\\n((?: .+\\n)+)`, 'm').exec(text)?.[1] ?? '';
  return list.split(/\s+/).filter(Boolean);
}

/** `64KiB`, `1.00 MiB`. */
function bytes(text: string): number {
  const [, value, unit = ''] = /^([\d.]+) ?([KMG]?)i?B$/.exec(text) ?? [];
  const factor = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit] ?? 1;
  return Number(value) * factor;
}

function withoutPadding(files: readonly ContentFile[]): ContentFile[] {
  return files.filter(({ path }) => !dirname(path).endsWith('/.pad'));
}
