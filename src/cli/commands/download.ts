// `rarest download`: every source to the end, so many at a time.

import type { TorrentEvent } from '../../engine/events.js';
import type { Select, TorrentSource } from '../../engine/options.js';
import { version } from '../../engine/version.js';
import { LIMITS } from '../../torrent/limits.js';
import { printable } from '../../torrent/text.js';
import type { Invocation, Plan } from '../command.js';
import { usageError } from '../failure.js';
import { type HookCommands, Hooks } from '../hooks.js';
import { humanLine, type Words } from '../human-lines.js';
import { selectedLines } from '../info-text.js';
import { runJobs } from '../jobs.js';
import { COMMAND, count } from '../kinds.js';
import {
  areSeveral,
  type EngineChoices,
  engineOptions,
  type OutputOptions,
  outputOptions,
  seedGoal,
  severalOperands,
  type TorrentChoices,
  torrentOptions,
} from '../options.js';
import type { Subject } from '../reported.js';
import { filePaths, type Items, jsonResults } from '../results.js';
import { ownSelection, SELECT_PATTERN, type SelectPattern, selector } from '../select.js';
import type { Session } from '../session.js';
import { listSources } from '../source-list.js';
import { readSource, subjectOf } from '../sources.js';

export interface DownloadOptions {
  readonly sources: readonly string[];
  /** Sources being fetched at the same time. */
  readonly jobs: number;
  readonly select: readonly SelectPattern[];
  /** Tell what would be fetched, and no more. */
  readonly dryRun: boolean;
  readonly hooks: HookCommands;
  readonly torrent: TorrentChoices;
  readonly engine: EngineChoices;
  readonly output: OutputOptions;
}

const DEFAULT_JOBS = 5;

export function plan(invocation: Invocation): Plan {
  const options = downloadOptions(invocation);
  const { output, dryRun, torrent } = options;
  const several = areSeveral(options.sources);
  const wording = dryRun
    ? { endsWithReader: true, items: plannedFiles(output), words: plannedWords(torrent.output) }
    : { endsWithReader: false, items: filePaths };
  return {
    session: { output, several, ...wording },
    run: session => download(options, session),
  };
}

export function downloadOptions(invocation: Invocation): DownloadOptions {
  const { values } = invocation;
  const sources = severalOperands(invocation);
  const goal = seedGoal(values);
  const seeds = values.on('seed', goal.ratio !== undefined || goal.timeMs !== undefined);
  const torrent = torrentOptions(values, 'fetch', seeds ? goal : undefined);
  if (torrent.saveTorrent !== undefined && sources.length > 1) {
    const why = `one file for ${sources.length} sources`;
    throw usageError('--save-torrent', why, 'give it one source at a time');
  }
  return {
    sources,
    jobs: values.value('jobs', count(1, LIMITS.connections, DEFAULT_JOBS)) ?? DEFAULT_JOBS,
    select: values.list('select', SELECT_PATTERN),
    dryRun: values.on('dry-run', false),
    hooks: { done: values.value('exec', COMMAND), file: values.value('exec-file', COMMAND) },
    torrent,
    engine: engineOptions(values),
    output: outputOptions(invocation),
  };
}

async function download(options: DownloadOptions, session: Session): Promise<void> {
  const { io } = session;
  const hooks = new Hooks(options.hooks, session, jsonResults(options.output, io.now(), io.now));
  session.reporter.event({ event: 'start', output: options.torrent.output, version: version() });
  const select = await selector(options.select);
  const items = listSources(options.sources, session.stdin, options.output.nul);
  await runJobs(items, options.jobs, async (item, leave) => {
    const source = await readSource(item, session).catch((error: unknown) => {
      session.fail(error, subjectOf(item, undefined));
    });
    if (source === undefined) return;
    const task = { subject: subjectOf(item, source), source, select: select ?? ownSelection(source) };
    await (options.dryRun
      ? planOne(task, options, session)
      : downloadOne(task, leave, options, session, hooks));
  });
  await hooks.ended();
}

interface Task {
  readonly subject: Subject;
  readonly source: TorrentSource;
  readonly select: Select | undefined;
}

/** `complete` is called when the torrent holds no place among the jobs any more, though it may go on seeding. */
async function downloadOne(
  { subject, source, select }: Task,
  complete: () => void,
  options: DownloadOptions,
  session: Session,
  hooks: Hooks,
): Promise<void> {
  const { reporter } = session;
  const engine = await session.engine(options.engine, event => reporter.event(event));
  reporter.begun(subject);
  try {
    const tellHooks = hooks.listener(subject);
    const onEvent = (event: TorrentEvent) => {
      reporter.event(event, subject);
      tellHooks(event);
    };
    await engine.add(source, { ...options.torrent, select, onEvent }, complete).finished;
  } catch (error) {
    session.fail(error, subject);
  } finally {
    reporter.ended(subject);
  }
}

/** Of a --dry-run: the metadata says it all. Of a torrent that is known nobody is asked. */
async function planOne(task: Task, options: DownloadOptions, session: Session): Promise<void> {
  const { reporter } = session;
  const { subject, source, select } = task;
  const onEvent = (event: TorrentEvent) => reporter.event(event, subject);
  reporter.begun(subject);
  try {
    if (source.kind === 'torrent') {
      const { tellMetadata } = await import('../../engine/select.js');
      tellMetadata(source.metainfo, options.torrent, select, onEvent);
    } else {
      const engine = await session.engine(options.engine, event => reporter.event(event));
      const choices = { ...options.torrent, data: 'none', saveTorrent: undefined } as const;
      await engine.add(source, { ...choices, select, onEvent }, () => {}).finished;
    }
  } catch (error) {
    session.fail(error, subject);
  } finally {
    reporter.ended(subject);
  }
}

/** The files that would be fetched. */
function plannedFiles({ nul }: OutputOptions): Items {
  return event => (event.event === 'metadata' ? selectedLines(event, nul) : []);
}

function plannedWords(output: string): Words {
  return (event, name, verbose) => {
    const line = humanLine(event, name, verbose);
    return event.event === 'metadata' && line !== undefined ? `${line}, to ${printable(output)}` : line;
  };
}
