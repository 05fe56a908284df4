// The commands, in the order of the help. What each one does is loaded when it is run.

import type { CommandSpec } from './command.js';
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

const SOURCE = { what: 'source', kinds: SOURCE_KINDS };
const TORRENT = { what: 'torrent', kinds: TORRENT_KINDS };

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'download',
    aliases: ['get'],
    about: 'fetch, verify, exit at 100 %',
    usage: '<source…>',
    operand: SOURCE,
    flags: DOWNLOAD_FLAGS,
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
    },
    flags: SEED_FLAGS,
    load: () => import('./commands/seed.js'),
  },
  {
    name: 'cat',
    aliases: [],
    about: 'write files of a torrent to stdout, in order, while they come',
    usage: '<source> [file…]',
    operand: SOURCE,
    flags: CAT_FLAGS,
    payload: true,
    load: () => import('./commands/cat.js'),
  },
  {
    name: 'create',
    aliases: [],
    about: 'make a .torrent of files and folders',
    usage: '<path…>',
    operand: { what: 'path', kinds: 'a file, a folder, or - for a list of them on stdin' },
    flags: CREATE_FLAGS,
    payloadFlag: 'out',
    load: () => import('./commands/create.js'),
  },
  {
    name: 'info',
    aliases: ['show'],
    about: 'show what a torrent or magnet link holds',
    usage: '<source…>',
    operand: SOURCE,
    flags: INFO_FLAGS,
    load: () => import('./commands/info.js'),
  },
  {
    name: 'verify',
    aliases: [],
    about: 'check data on disk; list bad pieces: piece TAB file',
    usage: '<torrent> [path]',
    operand: TORRENT,
    flags: VERIFY_FLAGS,
    load: () => import('./commands/verify.js'),
  },
  {
    name: 'magnet',
    aliases: [],
    about: 'print the magnet link of a .torrent',
    usage: '<torrent…>',
    operand: TORRENT,
    flags: [BIND],
    load: () => import('./commands/magnet.js'),
  },
  {
    name: 'peers',
    aliases: [],
    about: 'list who is in a swarm: host:port TAB heard-from',
    usage: '<source>',
    operand: SOURCE,
    flags: PEERS_FLAGS,
    load: () => import('./commands/peers.js'),
  },
];
