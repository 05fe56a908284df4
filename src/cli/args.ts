// The command line, the environment and the configuration file as one: which command, its flags, its operands. Knows nothing of
// what commands do.

import type { CommandSpec, Invocation } from './command.js';
import { readSettings } from './config-file.js';
import { usageError } from './failure.js';
import { FlagValues } from './flag-values.js';
import { missingValue, refuseUnknownFlags, unknownCommand } from './refusals.js';
import type { Settings } from './settings.js';
import { readWords } from './words.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export type CommandLine =
  /** Of a command, or of the whole program. */
  | { readonly kind: 'help'; readonly spec: CommandSpec | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly spec: CommandSpec; readonly invocation: Invocation };

/**
 * What the configuration file says of the command in `argv`, the arguments behind the program's name. Undefined where there
 * is none, or only the help or the version is asked for. Rejects with USAGE.
 */
export async function loadSettings(argv: readonly string[], env: Environment): Promise<Settings | undefined> {
  const { spec, flags, parsed } = readWords(argv);
  const values = new FlagValues(flags, parsed, env);
  if (values.on('help', false) || values.on('version', false)) return undefined;
  const asked = values.given('config');
  return readSettings(asked, env, spec);
}

/** Reads the arguments behind the program's name. Throws USAGE. */
export function parseCommandLine(
  argv: readonly string[],
  env: Environment,
  settings?: Settings,
): CommandLine {
  const words = readWords(argv);
  const { name, spec, flags, parsed, operands, complaint } = words;
  const values = new FlagValues(flags, parsed, env, settings);
  if (values.on('help', false)) return { kind: 'help', spec };
  if (values.on('version', false)) return { kind: 'version' };
  if (complaint !== undefined) throw missingValue(complaint, words);
  if (spec === undefined) throw unknownCommand(name);
  refuseUnknownFlags(spec, words);
  const { what, kinds, optional } = spec.operand;
  if (operands.length === 0 && !optional)
    throw usageError(spec.name, `no ${what} given`, `rarest ${spec.name} takes ${kinds}`);
  if (operands.includes(''))
    throw usageError(spec.name, `a ${what} is empty`, 'is the variable set that was to hold it?');
  return { kind: 'command', spec, invocation: { values, operands, env } };
}

/**
 * Where events were asked for, of a command line that may not even make sense: its usage error is an event too. Undefined: not
 * asked for.
 */
export function eventsWanted(
  argv: readonly string[],
  env: Environment,
  settings?: Settings,
): 'stdout' | 'stderr' | undefined {
  const { spec, flags, parsed } = readWords(argv);
  const values = new FlagValues(flags, parsed, env, settings);
  try {
    if (!values.on('json', false)) return undefined;
    const { payload } = spec ?? {};
    const carried = typeof payload === 'string' ? values.given(payload)?.text === '-' : payload;
    return carried ? 'stderr' : 'stdout';
  } catch {
    // a variable or the file may say neither yes nor no
    return undefined;
  }
}
