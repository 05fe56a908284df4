// `rarest download`: every source to the end, so many at a time.

import type { TorrentEvent } from '../../engine/events.js';
import { version } from '../../engine/version.js';
import { LIMITS } from '../../torrent/limits.js';
import type { Invocation, Plan } from '../command.js';
import { usageError } from '../failure.js';
import { type HookCommands, Hooks } from '../hooks.js';
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
import { filePaths, jsonResults } from '../results.js';
import type { Session } from '../session.js';
import { listSources, type SourceItem } from '../source-list.js';
import { readSource, subjectOf } from '../sources.js';

export interface DownloadOptions {
  readonly sources: readonly string[];
  /** Sources being fetched at the same time. */
  readonly jobs: number;
  readonly hooks: HookCommands;
  readonly torrent: TorrentChoices;
  readonly engine: EngineChoices;
  readonly output: OutputOptions;
}

const DEFAULT_JOBS = 5;

export function plan(invocation: Invocation): Plan {
  const options = downloadOptions(invocation);
  const several = areSeveral(options.sources);
  return {
    session: { output: options.output, several, endsWithReader: false, items: filePaths },
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
  const items = listSources(options.sources, session.stdin, options.output.nul);
  await runJobs(items, options.jobs, (item, leave) => downloadOne(item, leave, options, session, hooks));
  await hooks.ended();
}

/** `complete` is called when the torrent holds no place among the jobs any more, though it may go on seeding. */
async function downloadOne(
  item: SourceItem,
  complete: () => void,
  options: DownloadOptions,
  session: Session,
  hooks: Hooks,
): Promise<void> {
  const { reporter } = session;
  const source = await readSource(item, session).catch((error: unknown) => {
    session.fail(error, subjectOf(item, undefined));
  });
  if (source === undefined) return;
  const engine = await session.engine(options.engine, event => reporter.event(event));
  const subject = subjectOf(item, source);
  reporter.begun(subject);
  try {
    const tellHooks = hooks.listener(subject);
    const onEvent = (event: TorrentEvent) => {
      reporter.event(event, subject);
      tellHooks(event);
    };
    await engine.add(source, { ...options.torrent, onEvent }, complete).finished;
  } catch (error) {
    session.fail(error, subject);
  } finally {
    reporter.ended(subject);
  }
}
