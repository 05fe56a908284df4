// The commands, in the order of the help. What each one does is loaded when it is run.

import type { CommandSpec, Operand } from './command.js';
import {
  BIND,
  CAT_FLAGS,
  CREATE_FLAGS,
  DOWNLOAD_FLAGS,
  INFO_FLAGS,
  PEERS_FLAGS,
  SEED_FLAGS,
  SOURCE_KINDS,
  TORRENT_KINDS,
  VERIFY_FLAGS,
} from './flags.js';

const SOURCE: Operand = { what: 'source', kinds: SOURCE_KINDS, completes: 'torrents' };
const TORRENT: Operand = { what: 'torrent', kinds: TORRENT_KINDS, completes: 'torrents' };

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'download',
    aliases: ['get'],
    about: 'fetch, verify, exit at 100 %',
    usage: '<source…>',
    operand: SOURCE,
    flags: DOWNLOAD_FLAGS,
    examples: [
      {
        does: 'fetch into a folder; the same line goes on after Ctrl-C, a crash, a reboot',
        line: "rarest download -o ~/Downloads 'magnet:?xt=urn:btih:…'",
      },
      {
        does: 'sources from a list, paths into a pipeline',
        line: "rarest download --jobs 4 - < magnets.txt | xargs -d '\\n' ls -l",
      },
      {
        does: 'give back twice as much, slowly',
        line: 'rarest download --seed-ratio 2 --max-upload 500K big.torrent',
      },
    ],
    load: () => import('./commands/download.js'),
  },
  {
    name: 'seed',
    aliases: [],
    about: 'seed data that is already here; print its magnet link',
    usage: '<path or .torrent…>',
    operand: {
      what: 'path or .torrent',
      kinds: 'a file, a folder, a .torrent, a magnet link, - for stdin',
      completes: 'files',
    },
    flags: SEED_FLAGS,
    examples: [
      { does: 'share a folder: prints its magnet link', line: 'rarest seed holiday-photos' },
      {
        does: 'seed what a .torrent describes, from where it lies',
        line: 'rarest seed -o ~/Downloads big.torrent',
      },
    ],
    load: () => import('./commands/seed.js'),
  },
  {
    name: 'cat',
    aliases: [],
    about: 'write files of a torrent to stdout, in order, while they come',
    usage: '<source> [file…]',
    operand: SOURCE,
    flags: CAT_FLAGS,
    examples: [
      { does: 'play a file while it downloads', line: "rarest cat 'magnet:?xt=…' film.mkv | mpv -" },
      { does: 'unpack a whole torrent', line: 'rarest cat --tar big.torrent | tar x' },
    ],
    payload: true,
    load: () => import('./commands/cat.js'),
  },
  {
    name: 'create',
    aliases: [],
    about: 'make a .torrent of files and folders',
    usage: '<path…>',
    operand: {
      what: 'path',
      kinds: 'a file, a folder, or - for a list of them on stdin',
      completes: 'files',
    },
    flags: CREATE_FLAGS,
    examples: [
      {
        does: 'a torrent with a tracker',
        line: 'rarest create photos --tracker udp://tracker.example:6969/announce',
      },
      {
        does: 'of a list of paths, to stdout',
        line: "find photos -name '*.jpg' | rarest create - -o - > photos.torrent",
      },
    ],
    payload: 'out',
    load: () => import('./commands/create.js'),
  },
  {
    name: 'info',
    aliases: ['show'],
    about: 'show what a torrent or magnet link holds',
    usage: '<source…>',
    operand: SOURCE,
    flags: INFO_FLAGS,
    examples: [
      { does: 'what is in it', line: 'rarest info big.torrent' },
      { does: 'its films', line: "rarest info -s '**/*.mkv' big.torrent" },
      { does: 'the same for a program', line: "rarest info --json 'magnet:?xt=urn:btih:…' | jq .files" },
    ],
    load: () => import('./commands/info.js'),
  },
  {
    name: 'verify',
    aliases: [],
    about: 'check data on disk; list bad pieces: piece TAB file',
    usage: '<torrent> [path]',
    operand: TORRENT,
    flags: VERIFY_FLAGS,
    examples: [
      { does: 'check data on disk', line: 'rarest verify big.torrent ~/Downloads' },
      { does: 'and fetch just what is bad', line: 'rarest verify --repair big.torrent ~/Downloads' },
    ],
    load: () => import('./commands/verify.js'),
  },
  {
    name: 'magnet',
    aliases: [],
    about: 'print the magnet link of a .torrent',
    usage: '<torrent…>',
    operand: TORRENT,
    flags: [BIND],
    examples: [{ does: 'a link to hand on', line: 'rarest magnet big.torrent' }],
    load: () => import('./commands/magnet.js'),
  },
  {
    name: 'peers',
    aliases: [],
    about: 'list who is in a swarm: host:port TAB heard-from',
    usage: '<source>',
    operand: SOURCE,
    flags: PEERS_FLAGS,
    examples: [{ does: 'who is in this swarm', line: "rarest peers --timeout 15s 'magnet:?xt=urn:btih:…'" }],
    load: () => import('./commands/peers.js'),
  },
  {
    name: 'completion',
    aliases: [],
    about: 'print a script that completes commands and flags in a shell',
    usage: '[bash|zsh]',
    operand: {
      what: 'shell',
      kinds: 'bash or zsh; that of SHELL without',
      completes: ['bash', 'zsh'],
      optional: true,
    },
    flags: [],
    examples: [
      { does: 'in ~/.bashrc', line: 'source <(rarest completion bash)' },
      { does: 'in ~/.zshrc', line: 'source <(rarest completion zsh)' },
    ],
    payload: true,
    load: () => import('./commands/completion.js'),
  },
];
