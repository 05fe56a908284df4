// The manual page, in the man macros of roff, made of the same tables as the help. `npm run docs` writes it.

import type { CommandSpec, Example } from '../src/cli/command.js';
import { COMMANDS } from '../src/cli/commands.js';
import { COMMON_FLAGS, type Flag, GROUPS, QUESTIONS, SOURCE_KINDS, variableOf } from '../src/cli/flags.js';
import { EXIT_CODES } from '../src/torrent/errors.js';

const EXIT_MEANINGS: Record<keyof typeof EXIT_CODES, string> = {
  OK: 'everything asked for is here and verified',
  INTERNAL: 'a bug of ours',
  USAGE: 'a flag, an argument or the configuration file is wrong',
  BAD_SOURCE: 'the magnet link, torrent or metadata is malformed',
  NOT_FOUND: 'a source cannot be read',
  NO_METADATA: 'no peer gave the metadata in time',
  STALLED: '--timeout or --stall-timeout ran out; what was downloaded is kept',
  DISK_IO: 'writing or reading data failed',
  DISK_FULL: 'no space left; what was verified is kept',
  VERIFY_FAILED: 'data on disk does not match',
  NETWORK: 'cannot listen as asked',
  HOOK_FAILED: '--exec or --exec-file ended non-zero',
  LOCKED: 'another running rarest works on the same data',
  SELECT_EMPTY: 'the selection matches nothing',
  EXISTS: 'a file in the way is not ours',
  UNSUPPORTED: 'the torrent can be read, but this cannot be done with it yet',
};

const DESCRIPTION = [
  'rarest is a BitTorrent client for the terminal and for shell pipelines: results go to stdout, everything else to stderr, and each way to fail has an exit code of its own. It needs no daemon and no configuration.',
  `A source is ${SOURCE_KINDS}. Stdin holds either the bytes of one .torrent or a list of sources, one a line.`,
  'With --json stdout carries events, one JSON object a line; where stdout carries data or a document they go to stderr.',
  'Only verified pieces are written, and a file in the way that holds no piece of the torrent is never overwritten without --force. After an interruption the same command goes on where it was. SIGUSR2 prints one line on how things stand.',
  'DUR is a time such as 90, 90s, 15m, 2h or 1d. RATE and BYTES are numbers such as 500K, 2M or 1.5MiB, where K is 1000 and KiB is 1024.',
];

const CONFIGURATION = [
  'The file is TOML. Its keys are the long names of flags without the dashes, at the top for all commands that have the flag, or in a table named after a command for that command alone, which wins over the top. Switches are true or false, lists are arrays; lsd = false is no-lsd = true. A path may begin with ~. A key that is no flag is an error; help, version and config cannot be set.',
  'The command line wins over the environment, that over the file, that over the default. --config /dev/null goes without a file.',
];

const CONFIGURATION_EXAMPLE = `max-upload = "1M"
tracker = ["udp://tracker.example:6969/announce"]
lsd = false

[download]
output = "~/Downloads"
seed-ratio = 2`;

const ENVIRONMENT: readonly Entry[] = [
  [
    'RAREST_NAME',
    'Each flag: RAREST_MAX_UPLOAD=1M, RAREST_NO_LSD=1. White space parts the values of a list; once there is a newline, newlines alone do.',
  ],
  ['NO_COLOR', 'Set to anything: no colours.'],
  ['SHELL', 'The shell that completion is for.'],
  ['XDG_CONFIG_HOME, XDG_STATE_HOME', 'Where the files below are.'],
];

const FILES: readonly Entry[] = [
  [
    '~/.config/rarest/config.toml',
    'Configuration; below $XDG_CONFIG_HOME where that is set. %APPDATA%\\rarest\\config.toml on Windows.',
  ],
  [
    '~/.local/state/rarest',
    'Resume state, kept metadata, remembered DHT nodes; below $XDG_STATE_HOME where that is set. ~/Library/Application Support/rarest on macOS, %LOCALAPPDATA%\\rarest on Windows.',
  ],
];

/** Characters in a line of the source. */
const LINE = 76;

/** A term and what is said of it. */
type Entry = readonly [term: string, words: string];

export function manPage(version: string): string {
  const flags = GROUPS.map(group => ({ group, entries: flagsOf(group).map(flagEntry) }));
  return `${[
    '.\\" Made by npm run docs of the tables in src/cli; not to be edited.',
    `.TH RAREST 1 "" "rarest ${version}" "User Commands"`,
    // no hyphens in names that are to be copied, and so a ragged edge
    '.nh',
    '.ad l',
    ...section('NAME', [text('rarest - a BitTorrent client for the terminal and for shell pipelines')]),
    ...section('SYNOPSIS', COMMANDS.map(synopsis)),
    ...section('DESCRIPTION', paragraphs(DESCRIPTION)),
    ...section('COMMANDS', COMMANDS.map(commandEntry)),
    '.SH OPTIONS',
    ...flags.flatMap(({ group, entries }) => [`.SS ${group}`, ...entries]),
    ...section('CONFIGURATION', [...paragraphs(CONFIGURATION), literal(CONFIGURATION_EXAMPLE)]),
    ...section('ENVIRONMENT', ENVIRONMENT.map(entry)),
    ...section('FILES', FILES.map(entry)),
    ...section('EXIT STATUS', exitCodes().map(entry)),
    ...section(
      'EXAMPLES',
      COMMANDS.flatMap(({ examples }) => examples.map(example)),
    ),
    ...section('SEE ALSO', [text('curl(1), jq(1), mktorrent(1)')]),
  ].join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return [`.SH ${title}`, ...lines];
}

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((each, at) => (at === 0 ? [text(each)] : ['.PP', text(each)]));
}

function synopsis({ name, usage }: CommandSpec, at: number): string {
  return `${at === 0 ? '' : '.br\n'}${bold(`rarest ${name}`)} [${italic('options')}] ${text(usage)}`;
}

function commandEntry({ name, aliases, about, operand }: CommandSpec): string {
  const names = [name, ...aliases].map(bold).join(', ');
  return tagged(names, `${capitalized(about)}. Takes ${operand.kinds}.`);
}

/** The flags of a group with whose they are; one that means something else for another command comes twice. */
function flagsOf(group: string): { flag: Flag; owners: string[] }[] {
  const found: { flag: Flag; owners: string[] }[] = [];
  const all = [
    ...COMMANDS.flatMap(({ name, flags }) => flags.map(flag => ({ flag, owner: [name] }))),
    ...COMMON_FLAGS.map(flag => ({ flag, owner: [] })),
  ];
  for (const { flag, owner } of all.filter(({ flag }) => flag.group === group)) {
    const same = found.find(({ flag: { name, about } }) => name === flag.name && about === flag.about);
    if (same === undefined) found.push({ flag, owners: [...owner] });
    else same.owners.push(...owner);
  }
  return found;
}

function flagEntry({ flag, owners }: { flag: Flag; owners: readonly string[] }): string {
  const { name, short, kind, negative, value, about, byDefault, details } = flag;
  const names = [...(short === undefined ? [] : [`-${short}`]), `--${negative ? 'no-' : ''}${name}`];
  const unit = value === undefined ? '' : ` ${italic(value)}`;
  const sentences = [
    `${capitalized(about)}.`,
    kind === 'list' ? 'Can be given several times.' : '',
    byDefault === undefined
      ? ''
      : `The default is ${byDefault === '.' ? 'the current directory' : byDefault}.`,
    details ?? '',
    owners.length === 0 ? '' : `For ${owners.join(', ')}.`,
    QUESTIONS.includes(name) ? '' : `(${variableOf(`${negative ? 'no-' : ''}${name}`)})`,
  ];
  return tagged(`${names.map(bold).join(', ')}${unit}`, sentences.filter(Boolean).join(' '));
}

function exitCodes(): Entry[] {
  const codes = Object.entries(EXIT_MEANINGS).map(([name, meaning]): [number, string] => [
    EXIT_CODES[name as keyof typeof EXIT_CODES],
    `${name}: ${meaning}.`,
  ]);
  const numbered = codes.sort(([a], [b]) => a - b).map(([code, words]): Entry => [`${code}`, words]);
  const signals = 'SIGINT, SIGTERM: the state is saved, and the process dies of the signal.';
  return [...numbered, ['130, 143', signals]];
}

function example({ does, line }: Example, at: number): string {
  return `${at === 0 ? '' : '.PP\n'}${text(`${capitalized(does)}:`)}\n${literal(line)}`;
}

function entry([term, words]: Entry): string {
  return tagged(bold(term), words);
}

function tagged(term: string, words: string): string {
  return `.TP\n${term}\n${text(words)}`;
}

/** Lines as they are. */
function literal(lines: string): string {
  return `.PP\n.in +4n\n.nf\n${escaped(lines)}\n.fi\n.in`;
}

function bold(words: string): string {
  return `\\fB${escaped(words)}\\fR`;
}

function italic(words: string): string {
  return `\\fI${escaped(words)}\\fR`;
}

/** Lines of text of which none begins like a macro. */
function text(words: string): string {
  return folded(words, LINE).replace(/^.*$/gm, line => escaped(line).replace(/^\./, '\\&.'));
}

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  '~': '\\(ti',
  '^': '\\(ha',
  "'": '\\(aq',
  '`': '\\(ga',
  '…': '\\&...',
};

/** What roff would take for something else, or shows as something that cannot be copied. */
function escaped(words: string): string {
  return words.replace(/[\\~^'`…-]/g, char => SPECIAL[char] ?? char);
}

function capitalized(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Lines of at most so many characters, broken between words. */
function folded(text: string, width: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}
