// The values of flags: from the command line, else from the environment, else from the configuration file, read with the words
// of a usage error at hand.

import { usageError } from './failure.js';
import { type Flag, QUESTIONS, variableOf } from './flags.js';
import { shortened } from './printable.js';
import type { Settings } from './settings.js';

/** A value as the user wrote it, and where. */
export interface Given {
  /** `--max-upload 10Q`, `RAREST_MAX_UPLOAD=10Q` or `config.toml: max-upload = "10Q"`. */
  readonly shown: string;
  /** The same with a good value in place of this one. */
  readonly example: (good: string) => string;
  /** Undefined: a list, a date or the like, where the file should have a text or a number. */
  readonly text: string | undefined;
}

/** How to read a value: `parse` gives undefined for a bad one, `what` says what was expected, `good` shows one. */
export interface Kind<T> {
  readonly parse: (text: string) => T | undefined;
  readonly what: string;
  readonly good: string;
}

/** Characters of a value in a message. */
const SHOWN_LENGTH = 120;
const TRUE = ['1', 'true', 'yes', 'on'];
const FALSE = ['0', 'false', 'no', 'off'];
/** Flags of one command line. A flag on the command line hides its variable, which hides what a file says; one that the command lacks was never given. */
export class FlagValues {
  readonly #parsed: Readonly<Record<string, unknown>>;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #settings: Settings | undefined;
  readonly #flags: Map<string, Flag>;

  constructor(
    flags: readonly Flag[],
    parsed: Readonly<Record<string, unknown>>,
    env: Readonly<Record<string, string | undefined>>,
    settings?: Settings,
  ) {
    this.#flags = new Map(flags.map(flag => [flag.name, flag]));
    this.#parsed = parsed;
    this.#env = env;
    this.#settings = settings;
  }

  /** A switch, `byDefault` where nobody set it. */
  on(name: string, byDefault: boolean): boolean {
    if (!this.#flags.has(name)) return byDefault;
    const value = this.#parsed[name];
    const last: unknown = Array.isArray(value) ? value.at(-1) : value;
    if (typeof last === 'boolean') return last;
    if (QUESTIONS.includes(name)) return byDefault;
    if (this.#variableOn(`no-${name}`) === true) return false;
    return this.#variableOn(name) ?? this.#settings?.on(name) ?? byDefault;
  }

  /** The last value given, or undefined. */
  value<T>(name: string, kind: Kind<T>): T | undefined {
    const given = this.given(name);
    return given === undefined ? undefined : read(given, kind);
  }

  /** All values given; a variable may hold several. */
  list<T>(name: string, kind: Kind<T>): T[] {
    return this.#given(name).map(given => read(given, kind));
  }

  /** The last one given, as it was written. */
  given(name: string): Given | undefined {
    return this.#given(name).at(-1);
  }

  #given(name: string): readonly Given[] {
    const flag = this.#flags.get(name);
    if (flag === undefined) return [];
    const value = this.#parsed[name];
    const texts = (Array.isArray(value) ? value : [value]).filter(text => typeof text === 'string');
    if (texts.length > 0) {
      const example = (good: string) => `--${name} ${good}`;
      return texts.map(text => ({
        shown: `--${name} ${text === '' ? "''" : shownText(text)}`,
        example,
        text,
      }));
    }
    const variable = variableOf(name);
    const setting = this.#env[variable];
    if (setting === undefined || setting === '') return this.#settings?.values(flag) ?? [];
    const example = (good: string) => `${variable}=${good}`;
    const items = flag.kind === 'list' ? listed(setting) : [setting];
    return items.map(text => ({ shown: `${variable}=${shownText(text)}`, example, text }));
  }

  #variableOn(name: string): boolean | undefined {
    const variable = variableOf(name);
    const setting = this.#env[variable]?.toLowerCase();
    if (setting === undefined || setting === '') return undefined;
    if (TRUE.includes(setting)) return true;
    if (FALSE.includes(setting)) return false;
    throw usageError(`${variable}=${shownText(setting)}`, 'neither on nor off', `for example: ${variable}=1`);
  }
}

/** The values of a list in a variable: its lines where there is a newline, else its words. */
function listed(setting: string): string[] {
  const values = setting.split(setting.includes('\n') ? '\n' : /\s/);
  return values.map(value => value.trim()).filter(Boolean);
}

/** What a message has room for. */
function shownText(text: string): string {
  return shortened(text, SHOWN_LENGTH);
}

function read<T>(given: Given, kind: Kind<T>): T {
  const value = given.text === undefined ? undefined : kind.parse(given.text);
  if (value === undefined) {
    throw usageError(given.shown, `not ${kind.what}`, `for example: ${given.example(kind.good)}`);
  }
  return value;
}
