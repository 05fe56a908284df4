// What a command is: data for the parser and the help, and what it does, which is loaded when it is run.

import type { FlagValues } from './flag-values.js';
import type { Flag } from './flags.js';
import type { Io } from './io.js';
import type { Session, SessionOptions } from './session.js';

/** A line to type, and what it does. */
export interface Example {
  readonly does: string;
  readonly line: string;
}

/** What is named behind a command. */
export interface Operand {
  /** `source`. */
  readonly what: string;
  /** What that may be, for the help and for who names none. */
  readonly kinds: string;
  /** What a shell offers for it: files called *.torrent (and what is not known yet), any file, or these words. */
  readonly completes: 'torrents' | 'files' | readonly string[];
  readonly optional?: true;
}

export interface CommandSpec {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly about: string;
  /** Behind the command's name. */
  readonly usage: string;
  readonly operand: Operand;
  readonly flags: readonly Flag[];
  /** The first one stands in the help of the whole program too. */
  readonly examples: readonly [Example, ...Example[]];
  /** stdout carries bytes or a document, so that events go to stderr: always, or where this flag has the value `-`. */
  readonly payload?: true | string;
  load(): Promise<CommandModule>;
}

/** A command line in its parts; what the values mean is not known yet. */
export interface Invocation {
  readonly values: FlagValues;
  /** At least one, unless the command can do without. */
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
