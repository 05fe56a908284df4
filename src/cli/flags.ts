// The flags as data, read by the parser, the help, the manual page and the completion. A flag has one meaning in every
// command that has it, and can be given on the command line, in the environment and in the configuration file.

import { LIMITS } from '../torrent/limits.js';

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** `switch`: on or off, also as --no-NAME; `value`: the last one given counts; `list`: all that were given. */
  readonly kind: 'switch' | 'value' | 'list';
  readonly group: string;
  /** What its value is called: `DIR` and `FILE` are completed as such. A switch has none. */
  readonly value?: string;
  /** What it does, in a few words. */
  readonly about: string;
  /** What the manual says besides, in whole sentences. */
  readonly details?: string;
  /** The value that does what is done without the flag; a test compares. */
  readonly byDefault?: string;
  /** On unless turned off: the help shows --no-NAME. */
  readonly negative?: true;
}

type More = Partial<Pick<Flag, 'short' | 'details' | 'byDefault'>>;

/** What a source may be, for help and hints. */
export const SOURCE_KINDS = 'a magnet link, a .torrent, its URL, an info hash, or - for stdin';
export const TORRENT_KINDS = 'a .torrent, its URL, or - for stdin';

const DATA = 'Data';
const TORRENT = 'Torrent';
const END = 'When to end';
const DONE = 'When done';
const NETWORK = 'Network';
const OUTPUT = 'Output';

/** The groups in the order of the help. */
export const GROUPS = [DATA, TORRENT, END, DONE, NETWORK, OUTPUT] as const;

/** A switch that is off by default, or that says with its own words what it is by default. */
function on(group: string, name: string, about: string, more: More = {}): Flag {
  return { kind: 'switch', group, name, about, ...more };
}

/** A switch that is on by default: `about` is what --no-NAME does. */
function off(group: string, name: string, about: string, more: More = {}): Flag {
  return { kind: 'switch', group, name, about, negative: true, ...more };
}

/** A flag with a value; `usage` is `NAME VALUE`. */
function value(group: string, usage: string, about: string, more: More = {}): Flag {
  const [name = '', value = ''] = usage.split(' ');
  return { kind: 'value', group, name, value, about, ...more };
}

/** A flag that can be given several times; `usage` is `NAME VALUE`. */
function list(group: string, usage: string, about: string, more: More = {}): Flag {
  return { ...value(group, usage, about, more), kind: 'list' };
}

/** Questions rather than settings: RAREST_VERSION may well be somebody's variable for something else. */
export const QUESTIONS = ['help', 'version'];
/** What a configuration file cannot set. */
export const NEVER_FROM_FILE = [...QUESTIONS, 'config'];

/** Flags that every command has. */
export const COMMON_FLAGS: readonly Flag[] = [
  on(OUTPUT, 'json', 'events on stdout, one JSON object a line'),
  on(OUTPUT, 'null', 'NUL instead of newline behind each item', { short: '0' }),
  on(OUTPUT, 'quiet', 'nothing but errors on stderr', { short: 'q' }),
  on(OUTPUT, 'verbose', 'tell more; in JSON also each peer and piece', { short: 'v' }),
  off(OUTPUT, 'color', 'no colours'),
  value(OUTPUT, 'config FILE', 'settings, instead of ~/.config/rarest/config.toml', {
    details:
      'TOML; see CONFIGURATION below. By default $XDG_CONFIG_HOME/rarest/config.toml, on Windows %APPDATA%\\rarest\\config.toml.',
  }),
  on(OUTPUT, 'help', 'show this help', { short: 'h' }),
  on(OUTPUT, 'version', 'show the version'),
];

/** For all that use the network. */
export const BIND = value(NETWORK, 'bind ADDR|IFACE', 'use this address or interface alone', {
  details: 'All sockets use it; the run ends with exit code 10 when it goes.',
});

/** Who is asked for peers, and how we are reached. */
export const DISCOVERY_FLAGS: readonly Flag[] = [
  list(NETWORK, 'tracker URL', 'one more tracker; commas: one tier'),
  off(NETWORK, 'trackers', 'ask no tracker, whoever names it'),
  list(NETWORK, 'peer HOST:PORT', 'dial this peer at once'),
  value(NETWORK, 'port N', 'listen here, TCP and UDP; 0: any free one', {
    details: 'By default the first free one of 6881 to 6889, else any.',
  }),
  BIND,
  off(NETWORK, 'dht', 'keep out of the mainline DHT'),
  list(NETWORK, 'dht-bootstrap HOST:PORT', 'instead of the built-in DHT routers'),
  off(NETWORK, 'lsd', 'look for no peers in the local network'),
  off(NETWORK, 'pex', 'exchange no peers with peers'),
];

const MAX_DOWNLOAD = value(NETWORK, 'max-download RATE', 'over all torrents: 500K, 1.5MiB', {
  details: 'Bytes per second; K is 1000, KiB is 1024. 0 is no limit, as without.',
});
const MAX_UPLOAD = value(NETWORK, 'max-upload RATE', 'over all torrents: 500K, 1.5MiB', {
  details: 'Bytes per second; K is 1000, KiB is 1024. 0 is no limit, as without.',
});
const MAX_PEERS = value(NETWORK, 'max-peers N', 'connections of one torrent', {
  byDefault: `${LIMITS.peersPerTorrent}`,
});
const MAX_CONNECTIONS = value(NETWORK, 'max-connections N', 'connections over all torrents', {
  byDefault: `${LIMITS.connections}`,
});
const WEB_SEED = list(NETWORK, 'web-seed URL', 'where HTTP has the data too (BEP 19)');

/** For who transfers data. */
export const TRANSFER_FLAGS: readonly Flag[] = [
  WEB_SEED,
  MAX_DOWNLOAD,
  MAX_UPLOAD,
  MAX_PEERS,
  MAX_CONNECTIONS,
];

/** For who only gives. */
export const UPLOAD_FLAGS: readonly Flag[] = [WEB_SEED, MAX_UPLOAD, MAX_PEERS, MAX_CONNECTIONS];

export const METADATA_TIMEOUT = value(END, 'metadata-timeout DUR', 'wait so long for metadata', {
  byDefault: '5m',
});

/** When to give up. */
export const TIMEOUT_FLAGS: readonly Flag[] = [
  value(END, 'timeout DUR', 'give up after so long'),
  value(END, 'stall-timeout DUR', 'give up after so long without a new byte'),
];

export const SEED_GOAL_FLAGS: readonly Flag[] = [
  value(END, 'seed-ratio R', 'seed until uploaded / selected is R, like 1.5'),
  value(END, 'seed-time DUR', 'seed so long, like 90s, 15m, 2h, 1d'),
];

/** What to believe of the data on disk. */
export const BELIEF_FLAGS: readonly Flag[] = [
  on(DATA, 'recheck', 'hash all that is on disk'),
  on(DATA, 'trust', 'believe what is on disk without hashing it'),
];

const SELECT = list(DATA, 'select PATTERN', 'files: 0-4,8, a glob, /regex/, >10M, !not', { short: 's' });

const FORCE = on(DATA, 'force', 'overwrite files in the way');

export const DOWNLOAD_FLAGS: readonly Flag[] = [
  value(DATA, 'output DIR', 'where the data goes', { short: 'o', byDefault: '.' }),
  SELECT,
  on(DATA, 'dry-run', 'print what would be fetched, and exit', { short: 'n' }),
  on(DATA, 'sequential', 'in order instead of rarest first'),
  value(DATA, 'save-torrent FILE', 'keep the metadata of a magnet link here'),
  ...BELIEF_FLAGS,
  FORCE,
  value(DATA, 'jobs N', 'sources fetched at the same time', { byDefault: '5' }),
  on(END, 'seed', 'go on seeding after 100 %'),
  ...SEED_GOAL_FLAGS,
  ...TIMEOUT_FLAGS,
  METADATA_TIMEOUT,
  value(DONE, 'exec CMD', 'for the shell when a torrent is done, or was already', {
    details:
      'It gets the `done` event as JSON on its stdin and RAREST_HOOK_* in its environment; nothing from a torrent is put into the command line.',
  }),
  value(DONE, 'exec-file CMD', 'for the shell, for each finished file', {
    details: 'As --exec, with the `file` event.',
  }),
  ...DISCOVERY_FLAGS,
  ...TRANSFER_FLAGS,
];

export const CAT_FLAGS: readonly Flag[] = [
  value(DATA, 'output DIR', 'where the data is kept; without it nothing stays on disk', { short: 'o' }),
  value(DATA, 'range A-B', 'bytes of the one file, counted from 0; A- to its end', {
    details: 'Both ends are included, as in HTTP and curl.',
  }),
  on(DATA, 'tar', 'an archive of the files named, or of all'),
  value(DATA, 'save-torrent FILE', 'keep the metadata of a magnet link here'),
  ...BELIEF_FLAGS,
  FORCE,
  ...TIMEOUT_FLAGS,
  METADATA_TIMEOUT,
  ...DISCOVERY_FLAGS,
  ...TRANSFER_FLAGS,
];

export const SEED_FLAGS: readonly Flag[] = [
  value(DATA, 'output DIR', 'where the data of a .torrent lies', { short: 'o', byDefault: '.' }),
  on(DATA, 'partial', 'seed what is there of incomplete data'),
  ...BELIEF_FLAGS,
  on(DATA, 'super-seed', 'give each piece once, until it spreads (BEP 16)'),
  ...SEED_GOAL_FLAGS,
  METADATA_TIMEOUT,
  ...DISCOVERY_FLAGS,
  ...UPLOAD_FLAGS,
];

export const CREATE_FLAGS: readonly Flag[] = [
  value(DATA, 'out FILE', 'the .torrent to write, - for stdout; NAME.torrent without', { short: 'o' }),
  on(DATA, 'force', 'overwrite a file in the way'),
  value(TORRENT, 'name NAME', 'instead of that of the path'),
  value(TORRENT, 'piece-length BYTES', 'a power of two like 256KiB; by size without'),
  on(TORRENT, 'private', 'peers come from the trackers alone (BEP 27)'),
  on(TORRENT, 'pad-files', 'let each file begin with a piece (BEP 47)'),
  value(TORRENT, 'source TEXT', 'gives it an info hash of its own'),
  value(TORRENT, 'comment TEXT', 'for people'),
  list(TORRENT, 'tracker URL', 'a tracker; commas: one tier'),
  list(TORRENT, 'web-seed URL', 'where HTTP has the data (BEP 19)'),
  list(TORRENT, 'node HOST:PORT', 'a DHT node (BEP 5)'),
];

export const VERIFY_FLAGS: readonly Flag[] = [
  SELECT,
  on(DATA, 'repair', 'fetch just the bad pieces'),
  FORCE,
  ...TIMEOUT_FLAGS,
  ...DISCOVERY_FLAGS,
  ...TRANSFER_FLAGS,
];

export const INFO_FLAGS: readonly Flag[] = [SELECT, METADATA_TIMEOUT, ...DISCOVERY_FLAGS];

export const PEERS_FLAGS: readonly Flag[] = [
  value(END, 'timeout DUR', 'listen so long, like 15m; 0: no limit', { byDefault: '30s' }),
  on(NETWORK, 'scrape', 'ask trackers for the numbers of seeds and leechers'),
  ...DISCOVERY_FLAGS,
];

/** The environment variable of a flag: `RAREST_MAX_UPLOAD`. */
export function variableOf(flagName: string): string {
  return `RAREST_${flagName.toUpperCase().replaceAll('-', '_')}`;
}
