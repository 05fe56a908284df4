// What --help prints: the tables of commands and flags, laid out by yargs in 79 columns. Loaded only when it is asked for,
// since the layout takes as long to load as all else.

import yargs, { type Argv } from 'yargs';
import type { CommandSpec, Example } from './command.js';
import { COMMANDS } from './commands.js';
import { COMMON_FLAGS, type Flag, SOURCE_KINDS } from './flags.js';

declare module 'yargs' {
  interface Argv {
    /** Since yargs 17.7; absent from its types. */
    usageConfiguration(configuration: { readonly 'hide-types': boolean }): this;
  }
}

/** Columns, the last one of a terminal left free. */
const WIDTH = 79;
/** Commands whose first example is shown in the help of the whole program. */
const EXAMPLES = 4;

const SETTINGS =
  'Every option can be set in the environment (--max-upload: RAREST_MAX_UPLOAD) and in a file (max-upload = "1M").';

/** The help of the whole program, or of one command. */
export async function helpText(spec: CommandSpec | undefined): Promise<string> {
  const layout = yargs([])
    .scriptName('rarest')
    .detectLocale(false)
    .wrap(WIDTH)
    .help(false)
    .version(false)
    .usageConfiguration({ 'hide-types': true });
  if (spec === undefined) describeProgram(layout);
  else describeCommand(layout, spec);
  return `${await layout.getHelp()}\n`;
}

function describeProgram(layout: Argv): void {
  layout.usage('Usage: rarest <command> [options] <source…>');
  for (const { name, aliases, about } of COMMANDS) layout.command([name, ...aliases], about);
  for (const flag of COMMON_FLAGS) addFlag(layout, { ...flag, group: 'Options of every command' });
  layout.epilogue(
    [
      examples(COMMANDS.slice(0, EXAMPLES).map(({ examples: [first] }) => first)),
      `A source is ${SOURCE_KINDS}.`,
      `${SETTINGS} rarest help <command> shows those of a command.`,
    ].join('\n\n'),
  );
}

function describeCommand(layout: Argv, spec: CommandSpec): void {
  const { what, kinds } = spec.operand;
  layout.usage(`Usage: ${usageLine(spec)}\n\n${capitalized(spec.about)}.\n\n<${what}>: ${kinds}`);
  for (const flag of [...spec.flags, ...COMMON_FLAGS]) addFlag(layout, flag);
  layout.epilogue(`${examples(spec.examples)}\n\n${SETTINGS}`);
}

/** The name is written with its value, as it is typed. */
function addFlag(layout: Argv, flag: Flag): void {
  const { name, short, value, negative, group, about } = flag;
  const written = `${negative ? 'no-' : ''}${name}${value === undefined ? '' : ` ${value}`}`;
  const alias = short === undefined ? {} : { alias: short };
  layout.option(written, {
    ...alias,
    type: 'boolean',
    group: `${group}:`,
    describe: about + flagRemark(flag),
  });
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

/** A comment and what to type, as it may be copied. */
function examples(list: readonly Example[]): string {
  return ['Examples:', ...list.flatMap(({ does, line }) => [`  # ${does}`, `  ${line}`])].join('\n');
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
