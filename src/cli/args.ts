// The command line read by yargs, with its traps closed: which command, its flags, its operands. Knows nothing of what
// commands do.

import yargs, { type Argv } from 'yargs';
import type { TorrentError } from '../torrent/errors.js';
import type { CommandSpec, Invocation } from './command.js';
import { COMMANDS } from './commands.js';
import { usageError } from './failure.js';
import { FlagValues } from './flag-values.js';
import { COMMON_FLAGS, type Flag, SOURCE_KINDS, variableOf } from './flags.js';
import { nearest } from './nearest.js';
import { shownSource } from './source-text.js';

declare module 'yargs' {
  interface Argv {
    /** Since yargs 17.7; absent from its types. */
    usageConfiguration(configuration: { readonly 'hide-types': boolean }): this;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

export type CommandLine =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly spec: CommandSpec; readonly invocation: Invocation };

const ENVIRONMENT = 'Each option is also an environment variable: --max-upload is RAREST_MAX_UPLOAD.';

/** Reads the arguments behind the program's name. Throws a TorrentError of code USAGE. */
export async function parseCommandLine(argv: readonly string[], env: Environment): Promise<CommandLine> {
  const first = splitAtCommand(argv);
  const { name, rest } = first.name === 'help' ? splitAtCommand([...first.rest, '--help']) : first;
  const spec = COMMANDS.find(command => command.name === name || command.aliases.includes(name ?? ''));
  const flags = [...(spec?.flags ?? []), ...COMMON_FLAGS];
  const words = separated(rest, flags);
  const parser = parserOf(words, spec, flags);
  const parsed: Record<string, unknown> = await parser.parseAsync();
  const values = new FlagValues(flags, parsed, env);
  if (values.on('help', false)) return { kind: 'help', text: `${await parser.getHelp()}\n` };
  if (values.on('version', false)) return { kind: 'version' };
  if (spec === undefined) throw unknownCommand(name);
  refuseUnknownFlags(spec, flags, words, parsed);
  const operands = Array.isArray(parsed._) ? parsed._.map(String) : [];
  if (operands.length === 0) {
    const { what, kinds } = spec.operand;
    throw usageError(spec.name, `no ${what} given`, `rarest ${spec.name} takes ${kinds}`);
  }
  if (operands.includes('')) {
    throw usageError(
      spec.name,
      `a ${spec.operand.what} is empty`,
      'is the variable set that was to hold it?',
    );
  }
  return { kind: 'command', spec, invocation: { values, operands, env } };
}

/**
 * Where events were asked for, of a command line that may not even parse: its usage error is an event too. Undefined: not
 * asked for.
 */
export function eventsWanted(argv: readonly string[], env: Environment): 'stdout' | 'stderr' | undefined {
  const { name, rest } = splitAtCommand(argv);
  const end = rest.indexOf('--');
  const words = end < 0 ? rest : rest.slice(0, end);
  const last = words.filter(word => word === '--json' || word === '--no-json').at(-1);
  const wanted =
    last === undefined ? ['1', 'true', 'yes', 'on'].includes(env.RAREST_JSON ?? '') : last === '--json';
  if (!wanted) return undefined;
  const spec = COMMANDS.find(command => command.name === name);
  if (spec?.payload) return 'stderr';
  return spec?.payloadFlag !== undefined && isDash(spec, spec.payloadFlag, words, env) ? 'stderr' : 'stdout';
}

/** Whether the flag has the value `-`, as far as that can be told without parsing. */
function isDash(spec: CommandSpec, flagName: string, words: readonly string[], env: Environment): boolean {
  const short = `-${spec.flags.find(({ name }) => name === flagName)?.short}`;
  const close = [`--${flagName}=-`, `${short}=-`, `${short}-`];
  const apart = [`--${flagName}`, short];
  return (
    words.some((word, at) => close.includes(word) || (apart.includes(word) && words[at + 1] === '-')) ||
    env[variableOf(flagName)] === '-'
  );
}

/** The first word that is no flag and no value of one names the command; flags may stand before it. */
function splitAtCommand(argv: readonly string[]): { name: string | undefined; rest: readonly string[] } {
  const valued = COMMANDS.flatMap(spec => spec.flags).filter(flag => flag.kind !== 'switch');
  const takesNext = new Set(valued.flatMap(({ name, short = name }) => [`--${name}`, `-${short}`]));
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--') break;
    if (takesNext.has(word)) at++;
    else if (!word.startsWith('-')) return { name: word, rest: argv.toSpliced(at, 1) };
  }
  return { name: undefined, rest: argv };
}

/** A parser of the words behind the command, or of a command line without one. */
function parserOf(words: readonly string[], spec: CommandSpec | undefined, flags: readonly Flag[]) {
  const parser = yargs([...words])
    .scriptName('rarest')
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'strip-aliased': true,
    })
    .detectLocale(false)
    .wrap(79)
    .help(false)
    .version(false)
    .exitProcess(false)
    .usageConfiguration({ 'hide-types': true })
    .fail((message: string, error: Error | undefined) => yargsFailed(message, error, flags));
  if (spec === undefined) {
    parser.usage('rarest <command> [options] <source…>');
    parser.epilogue(`A source is ${SOURCE_KINDS}.\n${ENVIRONMENT}`);
    for (const { name, aliases, about } of COMMANDS) parser.command([name, ...aliases], about);
  } else {
    const { what, kinds } = spec.operand;
    parser.usage(`rarest ${spec.name} [options] ${spec.usage}\n\n${capitalized(spec.about)}.`);
    parser.epilogue(`<${what}>: ${kinds}\n${ENVIRONMENT}`);
  }
  for (const flag of flags) addFlag(parser, flag);
  return parser;
}

function addFlag(parser: Argv, flag: Flag): void {
  const shown = { describe: flag.about, group: flag.group };
  const alias = flag.short === undefined ? {} : { alias: flag.short };
  if (flag.kind !== 'switch') {
    // without nargs a list would eat the source behind it
    parser.option(flag.name, { ...shown, ...alias, type: 'string', array: flag.kind === 'list', nargs: 1 });
  } else if (flag.negative) {
    // --no-NAME sets NAME; the second option is there for the help alone
    parser.option(flag.name, { type: 'boolean', hidden: true });
    parser.option(`no-${flag.name}`, { ...shown, type: 'boolean' });
  } else {
    parser.option(flag.name, { ...shown, ...alias, type: 'boolean' });
  }
}

/** The words for yargs, without what it stumbles over: it takes `-odir` for four switches, so the value gets its flag's long name. */
function separated(argv: readonly string[], flags: readonly Flag[]): string[] {
  const shorts = flags.filter(flag => flag.kind !== 'switch' && flag.short);
  const words: string[] = [];
  for (const [at, word] of argv.entries()) {
    if (word === '--') return [...words, ...argv.slice(at)];
    // yargs finds these names in its own tables and falls over them
    const long = /^--(?:no-)?([^=]+)/.exec(word)?.[1];
    if (long !== undefined && long in Object.prototype) throw usageError(word, 'unknown flag');
    const flag = shorts.find(({ short }) => word.startsWith(`-${short}`) && !/^-.(=|$)/.test(word));
    words.push(flag === undefined ? word : `--${flag.name}=${word.slice(2)}`);
  }
  return words;
}

/** The one complaint yargs has here is a flag without its value. */
function yargsFailed(message: string, error: Error | undefined, flags: readonly Flag[]): never {
  if (error !== undefined && error.name !== 'YError') throw error;
  const why = error?.message ?? message;
  const name = /^Not enough arguments following: (.+)$/.exec(why)?.[1];
  if (name === undefined) throw usageError('command line', why);
  const flag = flags.find(({ short }) => short === name)?.name ?? name;
  throw usageError(`--${flag}`, 'needs a value', `a value that begins with - is written --${flag}=-x`);
}

function unknownCommand(name: string | undefined): TorrentError {
  const names = COMMANDS.flatMap(spec => [spec.name, ...spec.aliases]);
  if (name === undefined) return usageError('command', 'none given', 'rarest --help lists them');
  if (/^magnet:|^https?:|[.]torrent$|^[0-9a-f]{40}$/i.test(name)) {
    return usageError(shownSource(name), 'the command comes first', 'rarest download <source>');
  }
  const meant = nearest(name, names);
  return usageError(
    shownSource(name),
    'unknown command',
    meant ? `did you mean ${meant}?` : 'rarest --help lists them',
  );
}

/** Instead of yargs' strict mode: it would not say which flag was probably meant. */
function refuseUnknownFlags(
  spec: CommandSpec,
  flags: readonly Flag[],
  words: readonly string[],
  parsed: Readonly<Record<string, unknown>>,
): void {
  const known = new Map(flags.map(flag => [flag.name, flag.kind]));
  const longs = flags.flatMap(({ name, kind }) => (kind === 'switch' ? [name, `no-${name}`] : [name]));
  for (const word of words) {
    if (word === '--') break;
    const plural = /^--([^=]+)s(?:=|$)/.exec(word)?.[1];
    // --no-trackers is a switch, so yargs takes `--trackers URL` for that switch and a source
    if (plural !== undefined && (known.get(plural) ?? 'switch') !== 'switch')
      throw usageError(`--${plural}s`, 'unknown flag', `did you mean --${plural}?`);
    const [, name = '', text = ''] = /^--(?:no-)?([^=]+)=(.*)$/s.exec(word) ?? [];
    if (known.get(name) !== 'switch') continue;
    const off = word.startsWith('--no-') !== /^(no|off|false|0)$/i.test(text);
    throw usageError(shownSource(word), 'this flag takes no value', `write --${off ? 'no-' : ''}${name}`);
  }
  for (const key of Object.keys(parsed)) {
    if (key === '_' || key === '$0') continue;
    const negated = words.includes(`--no-${key}`);
    if (known.has(key) && !(negated && known.get(key) !== 'switch')) continue;
    const name = negated ? `no-${key}` : key;
    const meant = name.length > 1 ? nearest(name, longs) : undefined;
    const owners = known.has(key)
      ? []
      : COMMANDS.filter(command => command.flags.some(flag => flag.name === key));
    const hint = meant ? `did you mean --${meant}?` : `rarest ${spec.name} --help lists all flags`;
    throw usageError(
      `${name.length > 1 ? '--' : '-'}${name}`,
      'unknown flag',
      owners.length > 0 ? `it is a flag of ${owners.map(owner => owner.name).join(', ')}` : hint,
    );
  }
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
