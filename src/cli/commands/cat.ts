// `rarest cat`: the bytes of a torrent's files on stdout, in order, verified, while they come.

import type { TorrentEvent } from '../../engine/events.js';
import type { ByteRange, Select, Selectable, StreamPlan, TorrentSource } from '../../engine/options.js';
import { version } from '../../engine/version.js';
import type { Metainfo, TorrentFile } from '../../torrent/metainfo-types.js';
import type { Invocation, Plan } from '../command.js';
import { usageError } from '../failure.js';
import { BYTE_RANGE, PATH, type Span } from '../kinds.js';
import { allFiles, namedFiles, onlyFile } from '../named-files.js';
import {
  type EngineChoices,
  engineOptions,
  type OutputOptions,
  outputOptions,
  type TorrentChoices,
  torrentOptions,
} from '../options.js';
import type { Session } from '../session.js';
import { listSources } from '../source-list.js';
import { shownSource } from '../source-text.js';
import { readSource, subjectOf } from '../sources.js';
import type { TarFile, Write } from '../tar.js';

export interface CatOptions {
  readonly source: string;
  /** Names of files; none: the only one, or with `tar` all. */
  readonly files: readonly string[];
  readonly tar: boolean;
  /** Bytes of the one file. */
  readonly range: Span | undefined;
  /** Keep the data in the output directory. */
  readonly keep: boolean;
  readonly torrent: TorrentChoices;
  readonly engine: EngineChoices;
  readonly output: OutputOptions;
}

interface Terminal {
  readonly stdout: { readonly isTTY?: boolean };
}

/** Makes of what is written an archive of these files. */
type Archive = (files: readonly TarFile[], write: Write) => Omit<StreamPlan, 'ranges' | 'files'>;

export function plan(invocation: Invocation, io: Terminal): Plan {
  const options = catOptions(invocation);
  if (options.tar && io.stdout.isTTY) {
    throw usageError(
      '--tar',
      'stdout is a terminal, an archive is binary',
      'rarest cat SOURCE --tar | tar x',
    );
  }
  return {
    session: {
      output: options.output,
      several: false,
      endsWithReader: true,
      items: () => [],
      payload: true,
    },
    run: session => cat(options, session),
  };
}

export function catOptions(invocation: Invocation): CatOptions {
  const { values, operands } = invocation;
  const [source = '', ...files] = operands;
  const tar = values.on('tar', false);
  const range = values.value('range', BYTE_RANGE);
  if (range && tar) throw usageError('--range --tar', 'one excludes the other', 'a range is of one file');
  if (range && files.length > 1)
    throw usageError('--range', `it is of one file, not of ${files.length}`, 'name one file');
  return {
    source,
    files,
    tar,
    range,
    keep: values.value('output', PATH) !== undefined,
    torrent: torrentOptions(values, 'fetch', undefined),
    engine: engineOptions(values),
    output: outputOptions(invocation),
  };
}

async function cat(options: CatOptions, session: Session): Promise<void> {
  const { reporter } = session;
  reporter.event({ event: 'start', output: options.keep ? options.torrent.output : '-', version: version() });
  const { value: item } = await listSources([options.source], session.stdin, options.output.nul).next();
  if (item === undefined) return;
  let subject = subjectOf(item, undefined);
  try {
    const source: TorrentSource = await readSource(item, session);
    subject = subjectOf(item, source);
    reporter.begun(subject);
    const archive = options.tar ? await tarArchive() : undefined;
    const open = (metainfo: Metainfo) =>
      streamPlan(metainfo, options, payloadWriter(session, metainfo), archive);
    // what can be known of the files is known before anybody is asked for them
    if (source.kind === 'torrent') open(source.metainfo);
    const engine = await session.engine(options.engine, event => reporter.event(event));
    const onEvent = (event: TorrentEvent) => reporter.event(event, subject);
    // so that no other file is made where the data is kept
    const select: Select = metainfo => ({ files: meantFiles(metainfo, options), warnings: [] });
    const choices = { ...options.torrent, select, stream: { keep: options.keep, open }, onEvent };
    await engine.add(source, choices, () => {}).finished;
  } catch (error) {
    session.fail(error, subject);
  } finally {
    reporter.ended(subject);
  }
}

async function tarArchive(): Promise<Archive> {
  const { TarWriter } = await import('../tar.js');
  return (files, write) => new TarWriter(files, write);
}

/** What of this torrent was asked for, in order. @throws TorrentError USAGE, SELECT_EMPTY */
export function streamPlan(
  metainfo: Metainfo,
  options: Pick<CatOptions, 'files' | 'range' | 'tar'>,
  write: Write,
  archive: Archive | undefined,
): StreamPlan {
  const { range } = options;
  const files = meantFiles(metainfo, options).flatMap(index => metainfo.files[index] ?? []);
  const ranges = files.map(file => within(file, range));
  if (!archive) return { ranges, files: files.length, write, end: async () => true };
  const tarred = archive(
    files.map(({ path, length }) => ({ path: path.join('/'), length })),
    write,
  );
  return {
    ranges,
    files: files.length,
    write: bytes => tarred.write(bytes),
    end: () => tarred.end(),
  };
}

/** Indices of the files that were asked for, in order. @throws TorrentError USAGE, SELECT_EMPTY */
function meantFiles(metainfo: Selectable, { files, tar }: Pick<CatOptions, 'files' | 'tar'>): number[] {
  if (files.length > 0) return namedFiles(metainfo, files);
  return tar ? allFiles(metainfo) : [onlyFile(metainfo)];
}

/** The range cut off at the end of the file, as HTTP and curl have it; one that begins there is an error. */
function within({ path, offset, length }: TorrentFile, range: Span | undefined): ByteRange {
  if (!range) return { offset, length };
  const { from, to } = range;
  if (from > 0 && from >= length)
    throw usageError(`--range ${from}-${to ?? ''}`, `${shownSource(path.join('/'))} has ${length} bytes`);
  return { offset: offset + from, length: Math.min(to === undefined ? length : to + 1, length) - from };
}

/** To stdout. What is binary does not go to a terminal, which could be put out of order by it: curl tells it in the same way. */
function payloadWriter(session: Session, { name }: Metainfo): Write {
  let isUnseen = session.io.stdout.isTTY === true;
  return bytes => {
    if (isUnseen && bytes.includes(0)) {
      const hint = `rarest cat … > FILE; to have it all the same: rarest cat … | cat`;
      throw usageError(shownSource(name), 'stdout is a terminal, and this is binary', hint);
    }
    isUnseen = false;
    return session.writePayload(bytes);
  };
}
