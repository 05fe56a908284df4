// The words of a command line, read by the parser of yargs with its traps closed. Whether they make sense is told elsewhere.

import yargsParser from 'yargs-parser';
import type { CommandSpec } from './command.js';
import { COMMANDS } from './commands.js';
import { COMMON_FLAGS, type Flag } from './flags.js';

/** A command line in its parts, however wrong. */
export interface Words {
  /** What stands where the command is to be named. */
  readonly name: string | undefined;
  /** The command, where the name is that of one. */
  readonly spec: CommandSpec | undefined;
  /** Those of the command, or those that every command has. */
  readonly flags: readonly Flag[];
  /** All words but the command. */
  readonly rest: readonly string[];
  /** Values by the names of flags, known or not. */
  readonly parsed: Readonly<Record<string, unknown>>;
  readonly operands: readonly string[];
  /** What yargs complains of. */
  readonly complaint: string | undefined;
}

/** Reads the arguments behind the program's name. Never throws. */
export function readWords(argv: readonly string[]): Words {
  const first = splitAtCommand(argv);
  const { name, rest } = first.name === 'help' ? splitAtCommand([...first.rest, '--help']) : first;
  const spec = COMMANDS.find(command => command.name === name || command.aliases.includes(name ?? ''));
  const flags = [...(spec?.flags ?? []), ...COMMON_FLAGS];
  const { argv: parsed, error } = parseWords(separated(rest, flags), flags);
  return { name, spec, flags, rest, parsed, operands: parsed._.map(String), complaint: error?.message };
}

/** Whether yargs would find the name in its own tables and fall over it: `--constructor`. */
export function isTrap(word: string): boolean {
  const long = /^--(?:no-)?([^=]+)/.exec(word)?.[1];
  return long !== undefined && long in Object.prototype;
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

/** What yargs makes of the words: values by the names of flags, operands under `_`; its complaint where it has one. */
function parseWords(words: readonly string[], flags: readonly Flag[]) {
  const namesOf = (kinds: readonly Flag['kind'][]) =>
    flags.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
  const valued = namesOf(['value', 'list']);
  return yargsParser.detailed([...words], {
    alias: Object.fromEntries(
      flags.flatMap(({ name, short }) => (short === undefined ? [] : [[name, short]])),
    ),
    boolean: namesOf(['switch']),
    string: valued,
    array: namesOf(['list']),
    // without narg a list would eat the source behind it
    narg: Object.fromEntries(valued.map(name => [name, 1])),
    configuration: {
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'strip-aliased': true,
    },
  });
}

/** The words for yargs, without what it stumbles over: it takes `-odir` for four switches, so the value gets its flag's long name. */
function separated(argv: readonly string[], flags: readonly Flag[]): string[] {
  const shorts = flags.filter(flag => flag.kind !== 'switch' && flag.short);
  const words: string[] = [];
  for (const [at, word] of argv.entries()) {
    if (word === '--') return [...words, ...argv.slice(at)];
    if (isTrap(word)) continue;
    const flag = shorts.find(({ short }) => word.startsWith(`-${short}`) && !/^-.(=|$)/.test(word));
    words.push(flag === undefined ? word : `--${flag.name}=${word.slice(2)}`);
  }
  return words;
}
