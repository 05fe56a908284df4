// The command line read by yargs, with its traps closed, into a checked Command. Knows nothing of what commands do.

import yargs, { type Argv } from 'yargs';
import type { TorrentError } from '../torrent/errors.js';
import { usageError } from './failure.js';
import { FlagValues } from './flag-values.js';
import { COMMANDS, COMMON_FLAGS, type CommandSpec, type Flag, SOURCE_KINDS } from './flags.js';
import { nearest } from './nearest.js';
import { type DownloadOptions, downloadOptions, type PeersOptions, peersOptions } from './options.js';
import { shortened } from './printable.js';

declare module 'yargs' {
  interface Argv {
    /** Since yargs 17.7; absent from its types. */
    usageConfiguration(configuration: { readonly 'hide-types': boolean }): this;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

export type Command =
  | { readonly verb: 'help'; readonly text: string }
  | { readonly verb: 'version' }
  | { readonly verb: 'download'; readonly options: DownloadOptions }
  | { readonly verb: 'peers'; readonly options: PeersOptions };

/** Reads the arguments behind the program's name. Throws a TorrentError of code USAGE. */
export async function parseCommandLine(argv: readonly string[], env: Environment): Promise<Command> {
  const parser = parserOf(separated(argv));
  const parsed: Record<string, unknown> = await parser.parseAsync();
  const words = Array.isArray(parsed._) ? parsed._.map(String) : [];
  const [name, ...operands] = words;
  const spec = COMMANDS.find(command => command.name === name || command.aliases.includes(name ?? ''));
  const flags = [...(spec?.flags ?? []), ...COMMON_FLAGS];
  const values = new FlagValues(flags, parsed, env);
  if (values.on('help', false)) return { verb: 'help', text: `${await parser.getHelp()}\n` };
  if (values.on('version', false)) return { verb: 'version' };
  if (spec === undefined) throw unknownCommand(name);
  refuseUnknownFlags(spec, flags, argv, parsed);
  if (operands.length === 0) {
    throw usageError(spec.name, 'no source given', `rarest ${spec.name} takes ${SOURCE_KINDS}`);
  }
  return spec.name === 'peers'
    ? { verb: 'peers', options: peersOptions(values, operands, env) }
    : { verb: 'download', options: downloadOptions(values, operands, env) };
}

/** Whether events were asked for, of a command line that may not even parse: its usage error is an event too. */
export function wantsJson(argv: readonly string[], env: Environment): boolean {
  const end = argv.indexOf('--');
  const flags = end < 0 ? argv : argv.slice(0, end);
  const last = flags.filter(word => word === '--json' || word === '--no-json').at(-1);
  return last === undefined ? ['1', 'true', 'yes', 'on'].includes(env.RAREST_JSON ?? '') : last === '--json';
}

const EPILOGUE = `A source is ${SOURCE_KINDS}.
Each option is also an environment variable: --max-upload is RAREST_MAX_UPLOAD.`;

function parserOf(argv: readonly string[]) {
  const parser = yargs([...argv])
    .scriptName('rarest')
    .usage('rarest <command> [options] <source…>')
    .epilogue(EPILOGUE)
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'strip-aliased': true,
    })
    .detectLocale(false)
    .wrap(80)
    .help(false)
    .version(false)
    .exitProcess(false)
    .usageConfiguration({ 'hide-types': true })
    .fail(yargsFailed);
  addFlags(parser, COMMON_FLAGS);
  for (const spec of COMMANDS) {
    parser.command(
      [spec.name, ...spec.aliases],
      spec.about,
      command => {
        command.usage(`rarest ${spec.name} [options] ${spec.usage}`).epilogue(EPILOGUE);
        addFlags(command, spec.flags);
      },
      () => {},
    );
  }
  return parser;
}

function addFlags(parser: Argv, flags: readonly Flag[]): Argv {
  for (const flag of flags) {
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
  return parser;
}

/** The words for yargs, without what it stumbles over: it takes `-odir` for four switches, so the value gets its flag's long name. */
function separated(argv: readonly string[]): string[] {
  const shorts = COMMANDS.flatMap(spec => spec.flags).filter(flag => flag.kind !== 'switch' && flag.short);
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
function yargsFailed(message: string, error: Error | undefined): never {
  if (error !== undefined && error.name !== 'YError') throw error;
  const why = error?.message ?? message;
  const name = /^Not enough arguments following: (.+)$/.exec(why)?.[1];
  if (name === undefined) throw usageError('command line', why);
  const flag = COMMANDS.flatMap(spec => spec.flags).find(({ short }) => short === name)?.name ?? name;
  throw usageError(`--${flag}`, 'needs a value', `a value that begins with - is written --${flag}=-x`);
}

function unknownCommand(name: string | undefined): TorrentError {
  const names = COMMANDS.flatMap(spec => [spec.name, ...spec.aliases]);
  if (name === undefined) return usageError('command', 'none given', 'rarest --help lists them');
  if (/^magnet:|^https?:|[.]torrent$|^[0-9a-f]{40}$/i.test(name)) {
    return usageError(shortened(name, 60), 'the command comes first', 'rarest download <source>');
  }
  const meant = nearest(name, names);
  return usageError(name, 'unknown command', meant ? `did you mean ${meant}?` : 'rarest --help lists them');
}

/** Instead of yargs' strict mode: it would not say which flag was probably meant. */
function refuseUnknownFlags(
  spec: CommandSpec,
  flags: readonly Flag[],
  argv: readonly string[],
  parsed: Readonly<Record<string, unknown>>,
): void {
  const known = new Map(flags.map(flag => [flag.name, flag.kind]));
  const longs = flags.flatMap(({ name, kind }) => (kind === 'switch' ? [name, `no-${name}`] : [name]));
  for (const word of separated(argv)) {
    if (word === '--') break;
    const name = /^--(?:no-)?([^=]+)=/.exec(word)?.[1];
    if (name !== undefined && known.get(name) === 'switch')
      throw usageError(word, 'this flag takes no value');
  }
  for (const key of Object.keys(parsed)) {
    if (key === '_' || key === '$0') continue;
    const negated = argv.includes(`--no-${key}`);
    if (known.has(key) && !(negated && known.get(key) !== 'switch')) continue;
    const name = negated ? `no-${key}` : key;
    const meant = name.length > 1 ? nearest(name, longs) : undefined;
    const hint = meant ? `did you mean --${meant}?` : `rarest ${spec.name} --help lists all flags`;
    throw usageError(`${name.length > 1 ? '--' : '-'}${name}`, 'unknown flag', hint);
  }
}
