// The completion script for zsh, made of the tables of commands and flags, with their words. It can be sourced, or put into
// $fpath as _rarest.

import type { CommandSpec } from '../command.js';
import { COMMANDS } from '../commands.js';
import { COMMON_FLAGS, type Flag } from '../flags.js';

export function zshScript(): string {
  return `#compdef rarest
# zsh completion for rarest; try it with: source <(rarest completion zsh)

_rarest() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C -s -S : \\
${indented(COMMON_FLAGS.flatMap(flagSpecs), '    ')}
    '1: :->command' '*:: :->operands' && return
  case $state in
    command) _rarest_commands ;;
    operands)
      curcontext=\${curcontext%:*:*}:rarest-$words[1]:
      case $words[1] in
        help) _arguments '1: :_rarest_commands' ;;
${COMMANDS.map(commandCase).join('\n')}
      esac ;;
  esac
}

_rarest_commands() {
  local -a commands=(
${COMMANDS.flatMap(({ name, aliases, about }) => [name, ...aliases].map(word => `    ${quoted(`${word}:${about}`)}`)).join('\n')}
    'help:show the help of a command'
  )
  _describe -t commands command commands
}

if [[ $funcstack[1] == _rarest ]]; then
  _rarest "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _rarest rarest
fi
`;
}

function commandCase(spec: CommandSpec): string {
  const { what, completes } = spec.operand;
  const offered =
    completes === 'torrents'
      ? '_files -g "(#i)*.torrent(-.)"'
      : completes === 'files'
        ? '_files'
        : `(${completes.join(' ')})`;
  const operand = quoted(`*:${escaped(what)}:${offered}`);
  return `        ${[spec.name, ...spec.aliases].join('|')})
          _arguments -s -S : \\
${indented([...[...spec.flags, ...COMMON_FLAGS].flatMap(flagSpecs), operand], '            ', '')} ;;`;
}

/** A flag as _arguments wants it: what excludes it, its names, its words, its value; then its other side, which is not offered. */
function flagSpecs(flag: Flag): string[] {
  const { name, short, kind, negative, value, about } = flag;
  const long = `--${negative ? 'no-' : ''}${name}`;
  const names = short === undefined ? [long] : [`-${short}`, long];
  const words = `[${escaped(about).replaceAll('[', '\\[').replaceAll(']', '\\]')}]`;
  if (kind === 'switch') {
    const other = `--${negative ? '' : 'no-'}${name}`;
    return [
      ...names.map(each => quoted(`(${names.join(' ')} ${other})${each}${words}`)),
      quoted(`!${other}`),
    ];
  }
  const offered = value === 'DIR' ? '_path_files -/' : value === 'FILE' ? '_files' : ' ';
  const before = kind === 'list' ? '*' : `(${names.join(' ')})`;
  return names.map(each =>
    quoted(`${before}${each}${each === long ? '=' : '+'}${words}:${escaped(value ?? '')}:${offered}`),
  );
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Words of a command line, one a line; `end` behind the last one. */
function indented(words: readonly string[], indent: string, end = ' \\'): string {
  return words.map((word, at) => `${indent}${word}${at < words.length - 1 ? ' \\' : end}`).join('\n');
}
