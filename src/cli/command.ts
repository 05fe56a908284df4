// What a command is: data for the parser and the help, and what it does, which is loaded when it is run.

import type { FlagValues } from './flag-values.js';
import type { Flag } from './flags.js';
import type { Io } from './io.js';
import type { Session, SessionOptions } from './session.js';

export interface CommandSpec {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly about: string;
  /** Behind the command's name. */
  readonly usage: string;
  /** What has to be named, `source`, and what that may be; for the help and for who names none. */
  readonly operand: { readonly what: string; readonly kinds: string };
  readonly flags: readonly Flag[];
  /** stdout carries bytes, so that events go to stderr. */
  readonly payload?: true;
  /** The flag whose value `-` sends the result to stdout, so that events go to stderr. */
  readonly payloadFlag?: string;
  load(): Promise<CommandModule>;
}

/** A command line in its parts; what the values mean is not known yet. */
export interface Invocation {
  readonly values: FlagValues;
  /** At least one. */
  readonly operands: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface CommandModule {
  /** Checks what was asked for. Throws USAGE, naming the flag and showing a good value. */
  plan(invocation: Invocation, io: Io): Plan;
}

/** A command ready to run. */
export interface Plan {
  readonly session: SessionOptions;
  /** Fulfilled when all has ended; failures of single sources are reported to `session`. Rejects where nothing can work. */
  run(session: Session): Promise<void>;
}
