// `rarest peers`: who is in a swarm, until the time is up.

import type { ProcessEvent, TorrentEvent } from '../engine/events.js';
import type { PeersOptions } from './options.js';
import type { Session } from './session.js';
import { listSources } from './source-list.js';
import { readSource, subjectOf } from './sources.js';

/** Fulfilled when the time is up; finding nobody is an answer too. */
export async function peers(options: PeersOptions, session: Session): Promise<void> {
  const { io, reporter } = session;
  const { value: item } = await listSources([options.source], session.stdin, options.output.nul).next();
  if (item === undefined) return;
  let subject = subjectOf(item, undefined);
  try {
    const source = await readSource(item, session.stopped);
    subject = subjectOf(item, source);
    let found = false;
    const end = new AbortController();
    session.stopped.addEventListener('abort', () => end.abort(), { once: true });
    const engine = await session.engine(options.engine, (event: ProcessEvent) => {
      if (event.event !== 'found') return reporter.event(event);
      found = true;
      reporter.event(event, subject);
    });
    const inTime =
      options.timeoutMs === undefined ? () => {} : io.after(options.timeoutMs, () => end.abort());
    const find = {
      peers: options.peers,
      trackers: [],
      useTrackers: true,
      scrape: false,
      onEvent: (event: TorrentEvent) => reporter.event(event, subject),
    };
    await engine.findPeers(source, find, end.signal).finally(inTime);
    if (!found && !session.stopped.aborted) reporter.note('no peers found');
  } catch (error) {
    session.fail(error, subject);
  }
}
