// What a configuration file sets for one command: its keys checked, its values as the flags take them. Where the file is
// and how it is read is not known here.

import type { TomlTableWithoutBigInt, TomlValueWithoutBigInt } from 'smol-toml';
import type { TorrentError } from '../torrent/errors.js';
import type { CommandSpec } from './command.js';
import { COMMANDS } from './commands.js';
import { usageError } from './failure.js';
import type { Given } from './flag-values.js';
import { COMMON_FLAGS, type Flag, NEVER_FROM_FILE } from './flags.js';
import { nearest } from './nearest.js';
import { shortened } from './printable.js';

/** A key of the file: `table` is that of a command, undefined at the top. */
interface Entry {
  readonly table: string | undefined;
  readonly key: string;
  readonly value: TomlValueWithoutBigInt;
}

/** Characters of a value in a message. */
const SHOWN_LENGTH = 120;

/** The settings of a file, as far as they are about one command; of its own table, else of the top. */
export class Settings {
  readonly #path: string;
  readonly #home: string | undefined;
  /** The table of the command, then the top. */
  readonly #levels: readonly (readonly Entry[])[];

  /**
   * @param path of the file, for messages
   * @param spec without it what stands at the top counts
   * @param home what `~` at the start of a path means
   * Throws USAGE for a key that is no flag, or none of the command in whose table it stands.
   */
  constructor(
    path: string,
    content: TomlTableWithoutBigInt,
    spec: CommandSpec | undefined,
    home: string | undefined,
  ) {
    this.#path = path;
    this.#home = home;
    const top: Entry[] = [];
    let own: Entry[] = [];
    for (const [key, value] of Object.entries(content)) {
      const command = isTable(value) ? COMMANDS.find(({ name }) => name === key) : undefined;
      if (command === undefined || !isTable(value)) {
        this.#checkKey({ table: undefined, key, value });
        top.push({ table: undefined, key, value });
        continue;
      }
      const entries = Object.entries(value).map(([name, value]) => ({ table: key, key: name, value }));
      for (const entry of entries) this.#checkKey(entry, command);
      if (command === spec) own = entries;
    }
    this.#levels = [own, top];
  }

  /** Whether the file turns a switch on or off; undefined: neither. */
  on(name: string): boolean | undefined {
    for (const level of this.#levels) {
      const no = this.#boolean(level, `no-${name}`);
      if (no === true) return false;
      const yes = this.#boolean(level, name);
      if (yes !== undefined || no !== undefined) return yes ?? true;
    }
    return undefined;
  }

  /** The values of any other flag, as it reads them; undefined where the file has none. */
  values({ name, kind, value: unit }: Flag): readonly Given[] | undefined {
    const entry = this.#levels.flat().find(({ key }) => key === name);
    if (entry === undefined) return undefined;
    const { value } = entry;
    const items = kind === 'list' && Array.isArray(value) ? value : [value];
    const isPath = unit === 'DIR' || unit === 'FILE';
    return items.map(item => {
      const text = typeof item === 'string' || typeof item === 'number' ? `${item}` : undefined;
      return {
        shown: this.#shown(entry, item),
        example: good => `${entry.key} = ${asToml(good)}`,
        text: isPath && text !== undefined ? this.#expanded(text) : text,
      };
    });
  }

  #boolean(level: readonly Entry[], key: string): boolean | undefined {
    const entry = level.find(entry => entry.key === key);
    if (entry === undefined) return undefined;
    if (typeof entry.value === 'boolean') return entry.value;
    throw this.#refused(entry, 'neither true nor false', `for example: ${key} = true`);
  }

  /** No shell has seen the file, so `~` is left to us. */
  #expanded(path: string): string {
    return this.#home === undefined ? path : path.replace(/^~(?=$|[/\\])/, () => this.#home ?? '~');
  }

  /** @param command in whose table it stands */
  #checkKey(entry: Entry, command?: CommandSpec): void {
    const { key, value } = entry;
    const names = (flag: Flag) => flag.name === key || (flag.kind === 'switch' && `no-${flag.name}` === key);
    const owners = COMMANDS.filter(({ flags }) => flags.some(names));
    const common = COMMON_FLAGS.find(names);
    if (common !== undefined && NEVER_FROM_FILE.includes(common.name))
      throw this.#refused(entry, 'this is for the command line alone');
    if (common !== undefined || (command === undefined ? owners.length > 0 : owners.includes(command)))
      return;
    if (command === undefined && isTable(value)) {
      const alias = COMMANDS.find(({ aliases }) => aliases.includes(key))?.name;
      const meant = alias ?? nearest(key, namesOf(COMMANDS));
      throw this.#refused(entry, 'no command has this name', meant && `did you mean [${meant}]?`);
    }
    if (owners.length > 0)
      throw this.#refused(entry, 'unknown flag', `it is a flag of ${namesOf(owners).join(', ')}`);
    const flags = [
      ...(command === undefined ? COMMANDS : [command]).flatMap(({ flags }) => flags),
      ...COMMON_FLAGS,
    ];
    const meant = nearest(key, namesOf(flags));
    throw this.#refused(entry, 'unknown flag', meant && `did you mean ${meant}?`);
  }

  #refused(entry: Entry, why: string, hint?: string): TorrentError {
    return usageError(this.#shown(entry, entry.value), why, hint);
  }

  #shown({ table, key }: Entry, value: TomlValueWithoutBigInt): string {
    if (isTable(value)) return `${this.#path}: [${table === undefined ? '' : `${table}.`}${key}]`;
    const text = shortened(JSON.stringify(value), SHOWN_LENGTH);
    return `${this.#path}: ${table === undefined ? '' : `[${table}] `}${key} = ${text}`;
  }
}

function isTable(value: TomlValueWithoutBigInt): value is TomlTableWithoutBigInt {
  return Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null;
}

/** A good value of a flag as TOML writes it: numbers bare; what is quoted for a shell stays so. */
function asToml(good: string): string {
  return /^\d+(\.\d+)?$|^'.*'$/.test(good) ? good : JSON.stringify(good);
}

function namesOf(list: readonly { readonly name: string }[]): string[] {
  return list.map(({ name }) => name);
}
