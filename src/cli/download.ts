// `rarest download`: every source to the end, so many at a time.

import type { TorrentEvent } from '../engine/events.js';
import { version } from '../engine/version.js';
import { runJobs } from './jobs.js';
import type { DownloadOptions } from './options.js';
import type { Session } from './session.js';
import { listSources, type SourceItem } from './source-list.js';
import { readSource, subjectOf } from './sources.js';

/** Fulfilled when every source has ended; failures of single sources are reported to `session`. Rejects where no source can work. */
export async function download(options: DownloadOptions, session: Session): Promise<void> {
  session.reporter.event({ event: 'start', output: options.torrent.output, version: version() });
  const items = listSources(options.sources, session.stdin, options.output.nul);
  await runJobs(items, options.jobs, (item, leave) => downloadOne(item, leave, options, session));
}

/** `complete` is called when the torrent holds no place among the jobs any more, though it may go on seeding. */
async function downloadOne(
  item: SourceItem,
  complete: () => void,
  options: DownloadOptions,
  session: Session,
): Promise<void> {
  const { reporter } = session;
  const source = await readSource(item, session.stopped).catch((error: unknown) => {
    session.fail(error, subjectOf(item, undefined));
  });
  if (source === undefined) return;
  const engine = await session.engine(options.engine, event => reporter.event(event));
  const subject = subjectOf(item, source);
  reporter.begun(subject);
  try {
    const onEvent = (event: TorrentEvent) => reporter.event(event, subject);
    await engine.add(source, { ...options.torrent, onEvent }, complete).finished;
  } catch (error) {
    session.fail(error, subject);
  } finally {
    reporter.ended(subject);
  }
}
