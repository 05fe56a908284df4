// `rarest peers`: who is in a swarm, until the time is up.

import type { ProcessEvent, TorrentEvent } from '../../engine/events.js';
import type { Invocation, Plan } from '../command.js';
import { usageError } from '../failure.js';
import { humanLine, trackerLine, type Words } from '../human-lines.js';
import {
  type DiscoveryOptions,
  discoveryOptions,
  type EngineChoices,
  engineOptions,
  type OutputOptions,
  outputOptions,
  timeout,
} from '../options.js';
import { foundAddresses } from '../results.js';
import type { Session } from '../session.js';
import { listSources } from '../source-list.js';
import { readSource, subjectOf } from '../sources.js';

export interface PeersOptions {
  readonly source: string;
  /** Undefined: until stopped. */
  readonly timeoutMs: number | undefined;
  readonly scrape: boolean;
  readonly discovery: DiscoveryOptions;
  readonly engine: EngineChoices;
  readonly output: OutputOptions;
}

const TIMEOUT_MS = 30_000;

export function plan(invocation: Invocation): Plan {
  const options = peersOptions(invocation);
  const { output, scrape } = options;
  const words = scrape ? scrapeWords : humanLine;
  return {
    session: { output, several: false, endsWithReader: true, items: foundAddresses, words },
    run: session => peers(options, session),
  };
}

export function peersOptions(invocation: Invocation): PeersOptions {
  const { values, operands } = invocation;
  const [source, extra] = operands;
  if (source === undefined || extra !== undefined) {
    throw usageError('peers', `one source at a time, not ${operands.length}`);
  }
  return {
    source,
    timeoutMs: timeout(values, 'timeout', TIMEOUT_MS),
    scrape: values.on('scrape', false),
    discovery: discoveryOptions(values),
    engine: engineOptions(values),
    output: outputOptions(invocation),
  };
}

/** What trackers count was asked for, so it is told. */
const scrapeWords: Words = (event, name, verbose) =>
  event.event === 'tracker' ? trackerLine(event, name) : humanLine(event, name, verbose);

/** Finding nobody is an answer too. */
async function peers(options: PeersOptions, session: Session): Promise<void> {
  const { io, reporter } = session;
  const { value: item } = await listSources([options.source], session.stdin, options.output.nul).next();
  if (item === undefined) return;
  let subject = subjectOf(item, undefined);
  try {
    const source = await readSource(item, session);
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
      ...options.discovery,
      scrape: options.scrape,
      onEvent: (event: TorrentEvent) => reporter.event(event, subject),
    };
    await engine.findPeers(source, find, end.signal).finally(inTime);
    if (!found && !session.stopped.aborted) reporter.note('no peers found');
  } catch (error) {
    session.fail(error, subject);
  }
}
