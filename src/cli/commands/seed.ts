// `rarest seed`: data that is already here, hashed into a torrent first where it has none.

import { dirname, resolve } from 'node:path';
import type { TorrentEvent } from '../../engine/events.js';
import type { TorrentSource } from '../../engine/options.js';
import { version } from '../../engine/version.js';
import type { Invocation, Plan } from '../command.js';
import { hashingProgress } from '../hashing.js';
import { humanLine, type Words } from '../human-lines.js';
import { runJobs } from '../jobs.js';
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
import { magnetLinks } from '../results.js';
import { readSeedSource } from '../seed-source.js';
import type { Session } from '../session.js';
import { listSources, type SourceItem } from '../source-list.js';
import { shownSource } from '../source-text.js';
import { subjectOf } from '../sources.js';

export interface SeedOptions {
  readonly sources: readonly string[];
  readonly torrent: TorrentChoices;
  readonly engine: EngineChoices;
  readonly output: OutputOptions;
}

/** Sources read at a time: files that are open, downloads of .torrents. */
const READS = 8;

/** A torrent and how to seed it. */
interface Seed {
  readonly source: TorrentSource;
  readonly choices: TorrentChoices;
}

export function plan(invocation: Invocation): Plan {
  const options = seedOptions(invocation);
  const several = areSeveral(options.sources);
  return {
    session: { output: options.output, several, endsWithReader: false, items: magnetLinks, words },
    run: session => seed(options, session),
  };
}

export function seedOptions(invocation: Invocation): SeedOptions {
  const { values } = invocation;
  const data = values.on('partial', false) ? 'partial' : 'complete';
  return {
    sources: severalOperands(invocation),
    torrent: torrentOptions(values, data, seedGoal(values)),
    engine: engineOptions(values),
    output: outputOptions(invocation),
  };
}

/** The link goes to stdout, and that nothing had to be fetched goes without saying. */
const words: Words = (event, name, verbose) => {
  if (event.event === 'seeding') return `${name}: seeding`;
  if (event.event === 'done' && event.uploaded === 0) return undefined;
  return humanLine(event, name, verbose);
};

/** All sources seed at once, and so many are read at a time; but data is hashed by one at a time, as disks like it best. */
async function seed(options: SeedOptions, session: Session): Promise<void> {
  session.reporter.event({ event: 'start', output: options.torrent.output, version: version() });
  const items = listSources(options.sources, session.stdin, options.output.nul);
  const inTurn = oneByOne();
  await runJobs(items, READS, (item, wasRead) => seedOne(item, wasRead, inTurn, options, session));
}

async function seedOne(
  item: SourceItem,
  wasRead: () => void,
  inTurn: InTurn,
  options: SeedOptions,
  session: Session,
): Promise<void> {
  const { reporter } = session;
  let subject = subjectOf(item, undefined);
  const read = await readSeedSource(item, session).catch((error: unknown) => {
    session.fail(error, subject);
  });
  if (read === undefined) return;
  wasRead();
  // a port that cannot be had is better known before everything was hashed
  const engine = await session.engine(options.engine, event => reporter.event(event));
  try {
    const { source, choices } =
      read.kind === 'data'
        ? await inTurn(() => hashed(item, read.path, options.torrent, session))
        : { source: read, choices: options.torrent };
    subject = subjectOf(item, source);
    reporter.begun(subject);
    const onEvent = (event: TorrentEvent) => reporter.event(event, subject);
    await engine.add(source, { ...choices, select: undefined, onEvent }, () => {}).finished;
  } catch (error) {
    session.fail(error, subject);
  } finally {
    reporter.ended(subject);
  }
}

/** Makes a torrent of data, which names the trackers and web seeds that were asked for. */
async function hashed(
  item: SourceItem,
  path: string,
  { trackers, webSeeds, ...choices }: TorrentChoices,
  session: Session,
): Promise<Seed> {
  const { reporter, stopped } = session;
  stopped.throwIfAborted();
  const subject = subjectOf(item, undefined);
  reporter.begun(subject, true);
  if (path !== item.source) reporter.note(`a symbolic link, seeding ${shownSource(path)}`, subject);
  if (choices.output !== '.' && resolve(choices.output) !== dirname(resolve(path))) {
    const message = '-o says where the data of a .torrent lies; this is seeded from where it is';
    reporter.event({ event: 'warning', message }, subject);
  }
  try {
    const { createTorrent } = await import('../../engine/create.js');
    const { metainfo, parent, warnings } = await createTorrent({
      paths: [path],
      pieceLength: undefined,
      name: undefined,
      private: false,
      source: undefined,
      comment: undefined,
      trackers,
      webSeeds,
      nodes: [],
      padFiles: false,
      exclude: undefined,
      onProgress: hashingProgress(session, subject),
      signal: stopped,
    });
    for (const message of warnings) reporter.event({ event: 'warning', message }, subject);
    return {
      source: { kind: 'torrent', metainfo },
      choices: {
        ...choices,
        trackers: [],
        webSeeds: [],
        output: parent,
        data: 'complete',
        trust: 'hashed',
        recheck: false,
      },
    };
  } finally {
    reporter.ended(subject);
  }
}

type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs what it is given one after the other, whether or not it fails. */
function oneByOne(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return work => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
}
