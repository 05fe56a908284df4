// `--select`: which files of a torrent are meant. A pattern is an index or ranges of them, a glob, a regular expression or a
// size. Patterns unite; then those with a leading `!` are taken away; where all have one, they are taken away from all.

import type { Chosen, Select, Selectable, SelectableFile, TorrentSource } from '../engine/options.js';
import { TorrentError } from '../torrent/errors.js';
import type { Kind } from './flag-values.js';
import { shortened } from './printable.js';
import { parseBytes } from './quantities.js';

/** First and last, both included. */
type IndexRange = readonly [first: number, last: number];

type Meant =
  | { readonly kind: 'indices'; readonly ranges: readonly IndexRange[] }
  | { readonly kind: 'glob'; readonly glob: string }
  | { readonly kind: 'regex'; readonly regex: RegExp }
  | { readonly kind: 'size'; readonly fits: (length: number) => boolean };

export interface SelectPattern {
  /** As the user wrote it. */
  readonly text: string;
  /** It takes files away. */
  readonly isNegated: boolean;
  readonly meant: Meant;
}

/** Whether a file is meant; `path` is that below the torrent's root, with slashes. */
type Matcher = (path: string, length: number, index: number) => boolean;
/** What is known once the number of files is. */
type MatcherOf = (fileCount: number) => Matcher;

/** Characters of patterns in a message. */
const SHOWN_LENGTH = 120;
const COMPARE: Readonly<Record<string, (length: number, bytes: number) => boolean>> = {
  '>': (length, bytes) => length > bytes,
  '>=': (length, bytes) => length >= bytes,
  '<': (length, bytes) => length < bytes,
  '<=': (length, bytes) => length <= bytes,
};

export const SELECT_PATTERN: Kind<SelectPattern> = {
  parse(text) {
    const isNegated = text.startsWith('!');
    const meant = parseMeant(isNegated ? text.slice(1) : text);
    return meant && { text, isNegated, meant };
  },
  what: 'an index, a range, a glob, a /regex/ or a size (0-4,8 or **/*.mkv or /s01e0[1-3]/i or >10M)',
  good: "'**/*.mkv'",
};

function parseMeant(text: string): Meant | undefined {
  if (text === '') return undefined;
  if (/^\d[\d,-]*$/.test(text)) {
    const ranges = text.split(',').map(parseRange);
    return ranges.every(range => range !== undefined) ? { kind: 'indices', ranges } : undefined;
  }
  if (text.startsWith('/')) {
    const regex = parseRegex(text);
    return regex && { kind: 'regex', regex };
  }
  if (/^[<>]/.test(text)) {
    const [, operator = '', size = ''] = /^([<>]=?) *(.*)$/s.exec(text) ?? [];
    const bytes = parseBytes(size);
    const compare = COMPARE[operator];
    return bytes === undefined || !compare
      ? undefined
      : { kind: 'size', fits: length => compare(length, bytes) };
  }
  return { kind: 'glob', glob: text };
}

function parseRange(text: string): IndexRange | undefined {
  const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  if (first === undefined || Number(first) > Number(last)) return undefined;
  return [Number(first), Number(last)];
}

function parseRegex(text: string): RegExp | undefined {
  const [, source, flags] = /^\/(.+)\/([imsuv]*)$/s.exec(text) ?? [];
  if (source === undefined) return undefined;
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}

/** What these patterns select, for any torrent; undefined where there are none. Loads what globs take, where there is one. */
export async function selector(patterns: readonly SelectPattern[]): Promise<Select | undefined> {
  if (patterns.length === 0) return undefined;
  const compiled = await Promise.all(
    patterns.map(async pattern => ({ ...pattern, matcherOf: await compile(pattern.meant) })),
  );
  const shown = shortened(patterns.map(({ text }) => text).join(' '), SHOWN_LENGTH);
  return ({ name, files }) => {
    const matchers = compiled.map(pattern => ({ ...pattern, matches: pattern.matcherOf(files.length) }));
    const takers = matchers.filter(({ isNegated }) => !isNegated);
    const removers = matchers.filter(({ isNegated }) => isNegated);
    const isMeant = (file: SelectableFile, index: number) => {
      // a torrent of one file has no folder
      const path = file.path.slice(file.path.length > 1 ? 1 : 0).join('/');
      const matches = (pattern: { matches: Matcher }) => pattern.matches(path, file.length, index);
      return (takers.length === 0 || takers.some(matches)) && !removers.some(matches);
    };
    const warnings = patterns.flatMap(pattern => missing(pattern, files.length));
    return demandSome(name, chosenOf(files, isMeant, warnings), `no file matches --select ${shown}`);
  };
}

/** What the source itself says that is wanted of it: the `so` of a magnet link (BEP 53). */
export function ownSelection(source: TorrentSource): Select | undefined {
  const ranges = source.kind === 'magnet' ? source.magnet.selectOnly : undefined;
  return ranges && linkSelector(ranges);
}

/** What the `so` of a magnet link selects. */
export function linkSelector(ranges: readonly IndexRange[]): Select {
  return ({ name, files }) => {
    const includes = includedIn(ranges, files.length);
    const chosen = chosenOf(files, (_, index) => includes(index), []);
    return demandSome(name, chosen, 'the link selects (so=) none of its files');
  };
}

async function compile(meant: Meant): Promise<MatcherOf> {
  switch (meant.kind) {
    case 'indices':
      return fileCount => {
        const includes = includedIn(meant.ranges, fileCount);
        return (_path, _length, index) => includes(index);
      };
    case 'regex':
      return () => path => meant.regex.test(path);
    case 'size':
      return () => (_path, length) => meant.fits(length);
    case 'glob': {
      const { default: picomatch } = await import('picomatch');
      const matches = picomatch(meant.glob, { dot: true, nonegate: true, windows: false });
      return () => path => matches(path);
    }
  }
}

function chosenOf(
  files: Selectable['files'],
  isMeant: (file: SelectableFile, index: number) => boolean,
  warnings: readonly string[],
): Chosen {
  const indices = [...files.keys()];
  return {
    files: indices.filter(index => {
      const file = files[index];
      return file !== undefined && !file.pad && isMeant(file, index);
    }),
    warnings,
  };
}

function demandSome(name: string, chosen: Chosen, why: string): Chosen {
  if (chosen.files.length > 0) return chosen;
  throw new TorrentError('SELECT_EMPTY', `selecting files of ${name}: ${chosen.warnings[0] ?? why}`, {
    // more than is wanted by a link, a variable or the configuration file
    hint: "rarest info -s '**' lists all files; '**/*.mkv' matches in all folders, '*.mkv' in the first one",
  });
}

/** What is to be said of indices that the torrent does not have. */
function missing({ text, meant }: SelectPattern, fileCount: number): string[] {
  if (meant.kind !== 'indices' || meant.ranges.every(([, last]) => last < fileCount)) return [];
  const files = fileCount === 1 ? 'its only file is 0' : `its files are 0 to ${fileCount - 1}`;
  return [`--select ${shortened(text, SHOWN_LENGTH)}: the torrent has not that many files, ${files}`];
}

/** Whether an index is in one of the ranges; of any number of ranges at the cost of each one and each file. */
function includedIn(ranges: readonly IndexRange[], fileCount: number): (index: number) => boolean {
  // how many ranges begin at an index, less those that ended before it
  const changes = new Int32Array(fileCount + 1);
  for (const [first, last] of ranges) {
    if (first >= fileCount) continue;
    changes[first] = (changes[first] as number) + 1;
    const behind = Math.min(last + 1, fileCount);
    changes[behind] = (changes[behind] as number) - 1;
  }
  for (let index = 1; index <= fileCount; index++)
    changes[index] = (changes[index] as number) + (changes[index - 1] as number);
  return index => (changes[index] as number) > 0;
}
