// What is wrong with the words of a command line, with what was probably meant.

import type { TorrentError } from '../torrent/errors.js';
import type { CommandSpec } from './command.js';
import { COMMANDS } from './commands.js';
import { usageError } from './failure.js';
import { nearest } from './nearest.js';
import { shownSource } from './source-text.js';
import { isTrap, type Words } from './words.js';

/** The one complaint yargs has here is a flag without its value. */
export function missingValue(message: string, { flags }: Words): TorrentError {
  const name = /^Not enough arguments following: (.+)$/.exec(message)?.[1];
  if (name === undefined) return usageError('command line', message);
  const flag = flags.find(({ short }) => short === name)?.name ?? name;
  return usageError(`--${flag}`, 'needs a value', `a value that begins with - is written --${flag}=-x`);
}

export function unknownCommand(name: string | undefined): TorrentError {
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
export function refuseUnknownFlags(spec: CommandSpec, { flags, rest, parsed }: Words): void {
  const known = new Map(flags.map(flag => [flag.name, flag.kind]));
  const longs = flags.flatMap(({ name, kind }) => (kind === 'switch' ? [name, `no-${name}`] : [name]));
  for (const word of rest) {
    if (word === '--') break;
    if (isTrap(word)) throw usageError(word, 'unknown flag');
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
    const negated = rest.includes(`--no-${key}`);
    if (known.has(key) && !(negated && known.get(key) !== 'switch')) continue;
    const name = negated ? `no-${key}` : key;
    const meant = name.length > 1 ? nearest(name, longs) : undefined;
    const owners = known.has(key)
      ? []
      : COMMANDS.filter(command => command.flags.some(flag => flag.name === key));
    const what = `${name.length > 1 ? '--' : '-'}${name}`;
    const hints = [
      ...(owners.length > 0 ? [`it is a flag of ${owners.map(owner => owner.name).join(', ')}`] : []),
      ...(meant ? [`did you mean --${meant}?`] : []),
    ];
    throw usageError(what, 'unknown flag', hints.join('; ') || `rarest ${spec.name} --help lists all flags`);
  }
}
