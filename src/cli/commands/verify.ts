// `rarest verify`: data on disk against the hashes of its torrent; `--repair` fetches what does not match.

import { basename, join } from 'node:path';
import type { TorrentEvent } from '../../engine/events.js';
import type { Select } from '../../engine/options.js';
import type { Verified } from '../../engine/verify.js';
import { version } from '../../engine/version.js';
import { TorrentError } from '../../torrent/errors.js';
import { parseTorrent } from '../../torrent/metainfo.js';
import type { Metainfo } from '../../torrent/metainfo-types.js';
import type { Invocation, Plan } from '../command.js';
import { usageError } from '../failure.js';
import { hashingProgress } from '../hashing.js';
import { humanLine, type Words } from '../human-lines.js';
import {
  type EngineChoices,
  engineOptions,
  type OutputOptions,
  outputOptions,
  type TorrentChoices,
  torrentOptions,
} from '../options.js';
import { counted, formatBytes } from '../quantities.js';
import type { Subject } from '../reported.js';
import { badPieces } from '../results.js';
import { SELECT_PATTERN, type SelectPattern, selector } from '../select.js';
import type { Session } from '../session.js';
import { listSources } from '../source-list.js';
import { ofSource, readTorrentBytes, subjectOf } from '../sources.js';

export interface VerifyOptions {
  readonly torrent: string;
  /** Where its data lies: the root itself or the folder that holds it. */
  readonly path: string;
  readonly repair: boolean;
  readonly select: readonly SelectPattern[];
  /** How to repair. */
  readonly choices: TorrentChoices;
  readonly engine: EngineChoices;
  readonly output: OutputOptions;
}

export function plan(invocation: Invocation): Plan {
  const options = verifyOptions(invocation);
  const { output, repair } = options;
  return {
    session: { output, several: false, endsWithReader: !repair, items: badPieces, words },
    run: session => verify(options, session),
  };
}

export function verifyOptions(invocation: Invocation): VerifyOptions {
  const { values, operands } = invocation;
  const [torrent = '', path = '.', extra] = operands;
  if (extra !== undefined) {
    throw usageError('verify', `one torrent and one path, not ${operands.length} words`);
  }
  return {
    torrent,
    path,
    repair: values.on('repair', false),
    select: values.list('select', SELECT_PATTERN),
    choices: torrentOptions(values, 'fetch', undefined),
    engine: engineOptions(values),
    output: outputOptions(invocation),
  };
}

/** `verify a.torrent b.torrent` means two torrents; but then, a torrent may well be of a .torrent. */
function refuseTorrentAsPath(path: string, { name }: Metainfo): void {
  if (!/\.torrent$/i.test(path) || basename(path) === name) return;
  throw usageError('verify', 'one torrent at a time', 'rarest verify TORRENT [PATH]: where its data lies');
}

const words: Words = (event, name, verbose) =>
  event.event === 'done' && event.downloaded === 0
    ? `${name}: all of ${formatBytes(event.length)} verified`
    : humanLine(event, name, verbose);

async function verify(options: VerifyOptions, session: Session): Promise<void> {
  const { io, reporter } = session;
  const { value: item } = await listSources([options.torrent], session.stdin, options.output.nul).next();
  if (item === undefined) return;
  let subject = subjectOf(item, undefined);
  try {
    const bytes = await readTorrentBytes(item, session);
    const metainfo = ofSource(item.source, () => parseTorrent(bytes));
    refuseTorrentAsPath(options.path, metainfo);
    subject = subjectOf(item, { kind: 'torrent', metainfo });
    reporter.event({ event: 'start', output: options.path, version: version() });
    const startedAt = io.now();
    const select = await selector(options.select);
    reporter.begun(subject, true);
    const verified = await check(metainfo, select, subject, options, session);
    if (verified.bad === 0) reporter.event(done(metainfo, verified, io.now() - startedAt), subject);
    else if (options.repair) await repair(metainfo, select, verified, subject, options, session);
    else throw mismatch(metainfo, verified);
  } catch (error) {
    session.fail(error, subject);
  } finally {
    reporter.ended(subject);
  }
}

/** With --repair what was found is kept, so that it need not be hashed again. */
async function check(
  metainfo: Metainfo,
  select: Select | undefined,
  subject: Subject,
  options: VerifyOptions,
  session: Session,
): Promise<Verified> {
  const { io, reporter, stopped } = session;
  const stateDirectory = options.repair ? (await io.loadEngine()).defaultStateDirectory() : undefined;
  const { verifyData } = await import('../../engine/verify.js');
  const verified = await verifyData({
    metainfo,
    select,
    path: options.path,
    stateDirectory,
    onBad: (piece, files) => reporter.event({ event: 'bad', piece, files }, subject),
    onProgress: hashingProgress(session, subject),
    signal: stopped,
  });
  for (const message of verified.warnings) reporter.event({ event: 'warning', message }, subject);
  return verified;
}

async function repair(
  metainfo: Metainfo,
  select: Select | undefined,
  { output, bad, badBytes }: Verified,
  subject: Subject,
  options: VerifyOptions,
  session: Session,
): Promise<void> {
  const { reporter } = session;
  reporter.note(`fetching ${counted(bad, 'piece')}, ${formatBytes(badBytes)}`, subject);
  const engine = await session.engine(options.engine, event => reporter.event(event));
  const onEvent = (event: TorrentEvent) => reporter.event(event, subject);
  const choices = { ...options.choices, output, select, onEvent };
  await engine.add({ kind: 'torrent', metainfo }, choices, () => {}).finished;
}

function done({ name }: Metainfo, { output, files, length }: Verified, ms: number): TorrentEvent {
  return {
    event: 'done',
    path: join(output, name),
    files,
    length,
    seconds: ms / 1000,
    downloaded: 0,
    uploaded: 0,
    ratio: 0,
    wasted: 0,
  };
}

function mismatch({ name }: Metainfo, { bad, pieces }: Verified): TorrentError {
  const why = `${bad} of ${counted(pieces, 'piece')} ${bad === 1 ? 'does' : 'do'} not match`;
  return new TorrentError('VERIFY_FAILED', `verifying ${name}: ${why}`, {
    hint: '--repair fetches just these',
  });
}
