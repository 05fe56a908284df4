// `rarest info`: what a torrent or a magnet link holds. Metadata that a link lacks comes from peers; no data is fetched.

import { join } from 'node:path';
import type { MetadataEvent, TorrentEvent } from '../../engine/events.js';
import type { Chosen, Select, TorrentSource } from '../../engine/options.js';
import { toHex } from '../../torrent/ids.js';
import { summarize, type TorrentSummary } from '../../torrent/torrent-summary.js';
import type { Invocation, Plan } from '../command.js';
import { humanLine, type Words } from '../human-lines.js';
import { infoLines, infoTable } from '../info-text.js';
import { runJobs } from '../jobs.js';
import {
  areSeveral,
  type EngineChoices,
  engineOptions,
  type OutputOptions,
  outputOptions,
  severalOperands,
  type TorrentChoices,
  torrentOptions,
} from '../options.js';
import type { Items } from '../results.js';
import { ownSelection, SELECT_PATTERN, type SelectPattern, selector } from '../select.js';
import type { Session } from '../session.js';
import { listSources, type SourceItem } from '../source-list.js';
import { ofSource, readRaw, subjectOf, subjectOfSummary, torrentSource } from '../sources.js';

export interface InfoOptions {
  readonly sources: readonly string[];
  /** Of the files these alone. */
  readonly select: readonly SelectPattern[];
  readonly choices: TorrentChoices;
  readonly engine: EngineChoices;
  readonly output: OutputOptions;
}

export function plan(invocation: Invocation, io: { readonly stdout: { readonly isTTY?: boolean } }): Plan {
  const options = infoOptions(invocation);
  const { sources, output } = options;
  const table = io.stdout.isTTY === true && !output.nul;
  const items: Items = (event, subject) => {
    if (event.event !== 'metadata') return [];
    return table ? [infoTable(event, subject)] : infoLines(event, subject, output.nul);
  };
  return {
    session: { output, several: areSeveral(sources), endsWithReader: true, items, words },
    run: session => info(options, session),
  };
}

export function infoOptions(invocation: Invocation): InfoOptions {
  const { values } = invocation;
  return {
    sources: severalOperands(invocation),
    select: values.list('select', SELECT_PATTERN),
    choices: torrentOptions(values, 'none', undefined),
    engine: engineOptions(values),
    output: outputOptions(invocation),
  };
}

/** What the usual words say of metadata is on stdout. */
const words: Words = (event, name, verbose) =>
  event.event === 'metadata' ? undefined : humanLine(event, name, verbose);

async function info(options: InfoOptions, session: Session): Promise<void> {
  const select = await selector(options.select);
  const items = listSources(options.sources, session.stdin, options.output.nul);
  // in the order of the sources
  await runJobs(items, 1, item => describe(item, select, options, session));
}

async function describe(
  item: SourceItem,
  select: Select | undefined,
  options: InfoOptions,
  session: Session,
): Promise<void> {
  const { reporter } = session;
  let subject = subjectOf(item, undefined);
  try {
    const raw = await readRaw(item, session);
    if (raw.kind === 'magnet')
      return await describeLink(item, torrentSource(raw, item.source), select, options, session);
    const summary = ofSource(item.source, () => summarize(raw.bytes));
    subject = subjectOfSummary(item, summary);
    const chosen = select?.(summary);
    reporter.event(metadataOf(summary, chosen), subject);
    for (const message of [...summary.warnings, ...(chosen?.warnings ?? [])])
      reporter.event({ event: 'warning', message }, subject);
  } catch (error) {
    session.fail(error, subject);
  }
}

async function describeLink(
  item: SourceItem,
  source: TorrentSource,
  select: Select | undefined,
  { choices, engine: engineChoices, output }: InfoOptions,
  session: Session,
): Promise<void> {
  const { reporter } = session;
  const subject = subjectOf(item, source);
  // one event is what was asked for; how it was come by is for people
  const wanted = (event: { readonly event: string }) =>
    !output.json || event.event === 'metadata' || event.event === 'warning';
  const engine = await session.engine(engineChoices, event => wanted(event) && reporter.event(event));
  const onEvent = (event: TorrentEvent) => wanted(event) && reporter.event(event, subject);
  reporter.begun(subject);
  try {
    const wish = { ...choices, select: select ?? ownSelection(source), onEvent };
    await engine.add(source, wish, () => {}).finished;
  } catch (error) {
    session.fail(error, subject);
  } finally {
    reporter.ended(subject);
  }
}

/** @param chosen undefined: all files */
function metadataOf(summary: TorrentSummary, chosen: Chosen | undefined): MetadataEvent {
  const indices = chosen && new Set(chosen.files);
  const { name, pieces, pieceLength, length, trackers, webSeeds, nodes } = summary;
  const { comment, createdBy, creationDate, source } = summary;
  return {
    event: 'metadata',
    name,
    pieces,
    pieceLength,
    length,
    private: summary.private,
    ...(summary.infoHashV2 && { infoHashV2: toHex(summary.infoHashV2) }),
    trackers,
    webSeeds,
    files: summary.files.flatMap(({ path, length, pad }, index) =>
      pad ? [] : [{ index, path: join(...path), length, selected: indices?.has(index) ?? true }],
    ),
    from: 'torrent',
    ...(nodes.length > 0 && { nodes }),
    ...(comment !== undefined && { comment }),
    ...(createdBy !== undefined && { createdBy }),
    ...(creationDate !== undefined && { creationDate }),
    ...(source !== undefined && { infoSource: source }),
  };
}
