// What --help prints: the tables of commands and flags in 79 columns. Loaded only when it is asked for.

import type { CommandSpec, Example } from './command.js';
import { COMMANDS } from './commands.js';
import { COMMON_FLAGS, type Flag, GROUPS, SOURCE_KINDS } from './flags.js';

/** Columns, the last one of a terminal left free. */
const WIDTH = 79;
/** Where the words begin at most: what is longer than that stands on a line of its own. */
const WORDS_AT = 33;

/** Commands whose first example is shown in the help of the whole program. */
const EXAMPLES = 4;

const SETTINGS =
  'Every option can be set in the environment (--max-upload: RAREST_MAX_UPLOAD) and in a file (max-upload = "1M").';

/** The help of the whole program, or of one command. */
export function helpText(spec: CommandSpec | undefined): string {
  return spec === undefined ? programHelp() : commandHelp(spec);
}

function programHelp(): string {
  const commands = COMMANDS.map(({ name, aliases, about }): Row => [[name, ...aliases].join(', '), about]);
  const common = COMMON_FLAGS.map(flagRow);
  return paragraphs([
    'Usage: rarest <command> [options] <source…>',
    section('Commands', commands, columnOf(commands)),
    section('Options of every command', common, columnOf(common)),
    examples(COMMANDS.slice(0, EXAMPLES).map(({ examples: [first] }) => first)),
    folded(`A source is ${SOURCE_KINDS}.`),
    folded(`${SETTINGS} rarest help <command> shows those of a command.`),
  ]);
}

function commandHelp(spec: CommandSpec): string {
  const { what, kinds } = spec.operand;
  const flags = [...spec.flags, ...COMMON_FLAGS];
  const groups = GROUPS.map(group => ({
    group,
    rows: flags.filter(flag => flag.group === group).map(flagRow),
  }));
  const at = columnOf(flags.map(flagRow));
  return paragraphs([
    `Usage: ${usageLine(spec)}`,
    folded(`${capitalized(spec.about)}.`),
    folded(`<${what}>: ${kinds}`),
    ...groups.filter(({ rows }) => rows.length > 0).map(({ group, rows }) => section(group, rows, at)),
    examples(spec.examples),
    folded(SETTINGS),
  ]);
}

/** `rarest download [options] <source…>`. */
export function usageLine(spec: CommandSpec): string {
  return `rarest ${spec.name} [options] ${spec.usage}`;
}

/** `-o, --output DIR`, `--no-lsd`. */
export function flagUsage({ name, short, value, negative }: Flag): string {
  const long = `--${negative ? 'no-' : ''}${name}${value === undefined ? '' : ` ${value}`}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

/** What is done without the flag, and whether it may be given again. */
export function flagRemark({ kind, byDefault }: Flag): string {
  if (kind === 'list') return ' (repeatable)';
  return byDefault === undefined ? '' : ` (default: ${byDefault})`;
}

type Row = readonly [term: string, words: string];

function flagRow(flag: Flag): Row {
  // long names stand below each other
  const indent = flag.short === undefined ? '    ' : '';
  return [indent + flagUsage(flag), flag.about + flagRemark(flag)];
}

/** A comment and what to type, as it may be copied. */
function examples(list: readonly Example[]): string {
  return ['Examples:', ...list.flatMap(({ does, line }) => [`  # ${does}`, `  ${line}`])].join('\n');
}

/** Where the second column begins. */
function columnOf(rows: readonly Row[]): number {
  return Math.min(WORDS_AT, Math.max(...rows.map(([term]) => term.length)) + 4);
}

/** A heading and two columns, the second one from `at` on. */
function section(title: string, rows: readonly Row[], at: number): string {
  return [`${title}:`, ...rows.map(row => twoColumns(row, at))].join('\n');
}

function twoColumns([term, words]: Row, at: number): string {
  const indent = ' '.repeat(at);
  const text = folded(words, WIDTH - at).replaceAll('\n', `\n${indent}`);
  const first = `  ${term}`;
  return first.length + 2 > at ? `${first}\n${indent}${text}` : `${first.padEnd(at)}${text}`;
}

/** Lines of at most so many characters, broken between words. */
export function folded(text: string, width = WIDTH): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}

function paragraphs(texts: readonly string[]): string {
  return `${texts.join('\n\n')}\n`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
