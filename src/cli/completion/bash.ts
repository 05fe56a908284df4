// The completion script for bash, made of the tables of commands and flags. It needs neither node nor the package
// bash-completion, and only what bash 3.2 has, which is that of macOS.

import type { CommandSpec } from '../command.js';
import { COMMANDS } from '../commands.js';
import { COMMON_FLAGS, type Flag, QUESTIONS } from '../flags.js';

export function bashScript(): string {
  const names = COMMANDS.flatMap(wordsOf);
  const everyFlag = [...COMMANDS.flatMap(({ flags }) => flags), ...COMMON_FLAGS];
  const valued = new Set(everyFlag.filter(({ kind }) => kind !== 'switch').flatMap(namesOf));
  return `# bash completion for rarest; try it with: source <(rarest completion bash)

_rarest() {
  # bash breaks words at : and =, so those between which no space stands are one; what stands before the last break it keeps
  local i word words=() kept= line=$COMP_LINE
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $i -gt 0 && -n $line && $line != [[:space:]]* ]]; then
      kept=\${words[\${#words[@]} - 1]}
      words[\${#words[@]} - 1]=$kept$word
      [[ $word == [:=]* ]] && kept+=$word
    else
      words+=("$word")
      kept=
    fi
    line=\${line#"\${line%%[![:space:]]*}"}
    line=\${line#"$word"}
  done

  local last=$((\${#words[@]} - 1)) command= operands=0 ended= flag=
  for ((i = 1; i < last; i++)); do
    word=\${words[i]}
    if [[ -n $flag ]]; then flag=
    elif [[ -z $ended && $word == -- ]]; then ended=yes
    elif [[ -z $ended && $word == -* ]]; then
      case $word in
        ${[...valued].join('|')}) flag=$word ;;
      esac
    elif [[ -z $command ]]; then command=$word
    else operands=$((operands + 1))
    fi
  done

  local flags='' negatives='' offer='' choices=''
  case $command in
    '')
      flags='${longsOf(COMMON_FLAGS)}'
      offer=words choices='${names.join(' ')} help' ;;
    help) offer=words choices='${names.join(' ')}' ;;
${COMMANDS.map(commandCase).join('\n')}
  esac
  [[ $offer == words && $command != '' && $operands -gt 0 ]] && offer=

  local cur=\${words[last]} prefix=
  if [[ -z $flag && -z $ended && $cur == --*=* ]]; then
    flag=\${cur%%=*} prefix=\${cur%%=*}= cur=\${cur#*=}
  fi
  if [[ -n $flag ]]; then
    offer=
    case $command:$flag in
${valueCases()}
    esac
  elif [[ -z $ended && $cur == --no-* ]]; then offer=words choices=$negatives
  elif [[ -z $ended && $cur == -?* ]]; then offer=words choices=$flags
  fi

  # what is quoted stands for itself
  case $cur in
    [\\'\\"]*) cur=\${cur:1} ;;
    *) cur=\${cur//\\\\/} ;;
  esac
  kept=\${kept//\\\\/}
  COMPREPLY=()
  while IFS= read -r word; do
    word=$prefix$word
    COMPREPLY+=("\${word#"$kept"}")
  done < <(_rarest_offer)
  [[ $offer == words ]] || compopt -o filenames 2>/dev/null
  return 0
}

_rarest_offer() {
  case $offer in
    words) compgen -W "$choices" -- "$cur" ;;
    directories) compgen -d -- "$cur" ;;
    files) compgen -f -- "$cur" ;;
    torrents)
      compgen -f -X '!*.[tT][oO][rR][rR][eE][nN][tT]' -- "$cur"
      compgen -d -- "$cur" ;;
  esac
}

complete -F _rarest rarest
`;
}

function commandCase(spec: CommandSpec): string {
  const flags = [...spec.flags, ...COMMON_FLAGS];
  const { completes } = spec.operand;
  const offer = typeof completes === 'string' ? completes : `words choices='${completes.join(' ')}'`;
  return `    ${wordsOf(spec).join('|')})
      flags='${longsOf(flags)}'
      negatives='${negativesOf(flags)}'
      offer=${offer} ;;`;
}

function wordsOf({ name, aliases }: CommandSpec): string[] {
  return [name, ...aliases];
}

/** As they are offered. */
function longsOf(flags: readonly Flag[]): string {
  return flags.flatMap(flag => (flag.negative ? [`--no-${flag.name}`] : namesOf(flag))).join(' ');
}

/** What is offered to whom began to type --no-. */
function negativesOf(flags: readonly Flag[]): string {
  return flags
    .filter(({ kind, name }) => kind === 'switch' && !QUESTIONS.includes(name))
    .map(({ name }) => `--no-${name}`)
    .join(' ');
}

function namesOf({ name, short }: Flag): string[] {
  return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
}

/** What is offered for the values of flags; the same short flag may mean a folder for one command and a file for another. */
function valueCases(): string {
  const patterns = (value: string) => [
    ...COMMANDS.flatMap(spec =>
      wordsOf(spec).flatMap(word => ofValue(spec.flags, value).map(name => `${word}:${name}`)),
    ),
    ...ofValue(COMMON_FLAGS, value).map(name => `*:${name}`),
  ];
  return `      ${patterns('DIR').join('|')}) offer=directories ;;
      ${patterns('FILE').join('|')}) offer=files ;;`;
}

function ofValue(flags: readonly Flag[], value: string): string[] {
  return flags.filter(flag => flag.value === value).flatMap(namesOf);
}
