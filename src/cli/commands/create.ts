// `rarest create`: a .torrent of files and folders.

import { basename, resolve } from 'node:path';
import type { CreateOptions as EngineCreateOptions } from '../../engine/create.js';
import { TorrentError } from '../../torrent/errors.js';
import { toHex } from '../../torrent/ids.js';
import { LIMITS } from '../../torrent/limits.js';
import type { Invocation, Plan } from '../command.js';
import { systemReason, usageError } from '../failure.js';
import { hashingProgress } from '../hashing.js';
import { humanLine, type Words } from '../human-lines.js';
import type { InputStream } from '../io.js';
import { HOST_PORT, PATH, PIECE_LENGTH, TEXT } from '../kinds.js';
import {
  type OutputOptions,
  outputOptions,
  severalOperands,
  trackerOptions,
  webSeedOptions,
} from '../options.js';
import { textRecords } from '../records.js';
import type { Subject } from '../reported.js';
import { createdPaths } from '../results.js';
import type { Session } from '../session.js';

export interface CreateOptions {
  /** `-`: more of them on stdin. */
  readonly paths: readonly string[];
  /** The .torrent to write; `-` for stdout. Undefined: named as the torrent is, in the current directory. */
  readonly out: string | undefined;
  readonly force: boolean;
  readonly torrent: Omit<EngineCreateOptions, 'paths' | 'exclude' | 'onProgress' | 'signal'>;
  readonly output: OutputOptions;
}

const STDIO = '-';

export function plan(invocation: Invocation, io: { readonly stdout: { readonly isTTY?: boolean } }): Plan {
  const options = createOptions(invocation);
  const toStdout = options.out === STDIO;
  if (toStdout && io.stdout.isTTY) {
    throw usageError('--out -', 'stdout is a terminal, a .torrent is binary', 'rarest create PATH -o - | …');
  }
  return {
    session: {
      output: options.output,
      several: false,
      endsWithReader: toStdout,
      items: toStdout ? () => [] : createdPaths,
      words,
      payload: toStdout,
    },
    run: session => create(options, session),
  };
}

export function createOptions(invocation: Invocation): CreateOptions {
  const { values } = invocation;
  return {
    paths: severalOperands(invocation),
    out: values.value('out', { ...PATH, good: 'name.torrent' }),
    force: values.on('force', false),
    torrent: {
      pieceLength: values.value('piece-length', PIECE_LENGTH),
      name: values.value('name', { ...TEXT, what: 'a name' }),
      private: values.on('private', false),
      source: values.value('source', TEXT),
      comment: values.value('comment', TEXT),
      trackers: trackerOptions(values),
      webSeeds: webSeedOptions(values),
      nodes: values.list('node', { ...HOST_PORT, good: 'router.example.org:6881' }),
      padFiles: values.on('pad-files', false),
    },
    output: outputOptions(invocation),
  };
}

const words: Words = (event, name, verbose) =>
  event.event === 'created' ? `${name}: info hash ${event.infoHash}` : humanLine(event, name, verbose);

async function create(options: CreateOptions, session: Session): Promise<void> {
  const { reporter } = session;
  const paths = await allPaths(options, session.stdin);
  const expected = expectedOut(options, paths);
  // a file that a shell has opened for us may lie among what is to be shared
  const exclude = options.out === STDIO ? await session.io.stdoutPath() : expected && resolve(expected);
  const { createTorrent, refuseExisting, writeTorrent } = await import('../../engine/create.js');
  if (expected !== undefined) await refuseExisting(expected, options.force, '-o');
  const [first = ''] = paths;
  const { name: label = basename(resolve(first)) } = options.torrent;
  let subject: Subject = { source: first, infoHash: undefined, label };
  reporter.begun(subject, true);
  try {
    const { bytes, metainfo, warnings } = await createTorrent({
      ...options.torrent,
      paths,
      exclude,
      onProgress: hashingProgress(session, subject),
      signal: session.stopped,
    });
    for (const message of warnings) reporter.event({ event: 'warning', message }, subject);
    const { infoHash, infoHashV2, name } = metainfo;
    reporter.ended(subject);
    subject = { ...subject, label: name };
    reporter.begun(subject, true);
    const out = options.out ?? `${name}.torrent`;
    if (out === STDIO) {
      if (!(await session.writePayload(bytes))) return;
    } else await writeTorrent(out, bytes, options.force, '-o');
    const hashV2 = infoHashV2 && { infoHashV2: toHex(infoHashV2) };
    reporter.event({ event: 'created', path: out, infoHash: toHex(infoHash), ...hashV2 }, subject);
  } finally {
    reporter.ended(subject);
  }
}

/** The file that will be written, as far as can be told before the paths are looked at; it is no part of the torrent. */
function expectedOut(
  { out, torrent: { name } }: CreateOptions,
  paths: readonly string[],
): string | undefined {
  if (out !== undefined) return out === STDIO ? undefined : out;
  if (name !== undefined) return `${name}.torrent`;
  return paths.length === 1 && paths[0] !== undefined ? `${basename(resolve(paths[0]))}.torrent` : undefined;
}

/** Those named, then those of stdin. An empty line is no path; all else may be part of one. */
async function allPaths(options: CreateOptions, stdin: () => InputStream): Promise<string[]> {
  const paths = options.paths.filter(path => path !== STDIO);
  if (paths.length === options.paths.length) return paths;
  try {
    const notText = badList('this is no list of paths');
    for await (const path of textRecords(stdin(), options.output.nul, LIMITS.pathBytes, notText)) {
      if (path === undefined) throw badList(`a path longer than ${LIMITS.pathBytes} bytes`);
      if (path !== '') paths.push(path);
      if (paths.length > LIMITS.files) throw badList(`more than ${LIMITS.files} paths`);
    }
  } catch (error) {
    if (error instanceof TorrentError) throw error;
    throw new TorrentError('NOT_FOUND', `reading stdin: ${systemReason(error)}`, { cause: error });
  }
  if (paths.length === 0) throw badList('no path in it');
  return paths;
}

function badList(why: string): TorrentError {
  return new TorrentError('BAD_SOURCE', `reading stdin: ${why}`);
}
