// The flags as data: names, kinds and words for the help. A flag has one meaning in every command that has it.

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** `switch`: on or off, also as --no-NAME; `value`: the last one given counts; `list`: all that were given. */
  readonly kind: 'switch' | 'value' | 'list';
  readonly group: string;
  readonly about: string;
  /** On unless turned off: the help shows --no-NAME. */
  readonly negative?: true;
}

/** What a source may be, for help and hints. */
export const SOURCE_KINDS = 'a magnet link, a .torrent, its URL, an info hash, or - for stdin';
export const TORRENT_KINDS = 'a .torrent, its URL, or - for stdin';

const DATA = 'Data:';
const DONE = 'When done:';
const END = 'When to end:';
const NETWORK = 'Network:';
const OUTPUT = 'Output:';
const TORRENT = 'Torrent:';

/** The parts of a flag in the order in which a table is read. */
function flag(
  kind: Flag['kind'],
  group: string,
  name: string,
  about: string,
  more: { readonly short?: string; readonly negative?: true } = {},
): Flag {
  return { name, kind, group, about, ...more };
}

/** Flags that every command has. */
export const COMMON_FLAGS: readonly Flag[] = [
  flag('switch', OUTPUT, 'json', 'events on stdout, one JSON object a line'),
  flag('switch', OUTPUT, 'null', 'NUL instead of newline behind each item', { short: '0' }),
  flag('switch', OUTPUT, 'quiet', 'nothing but errors on stderr', { short: 'q' }),
  flag('switch', OUTPUT, 'verbose', 'tell more; in JSON also each peer and piece', { short: 'v' }),
  flag('switch', OUTPUT, 'color', 'no colours', { negative: true }),
  flag('switch', OUTPUT, 'help', 'show this help', { short: 'h' }),
  flag('switch', OUTPUT, 'version', 'show the version'),
];

/** For all that use the network. */
export const BIND = flag(
  'value',
  NETWORK,
  'bind',
  'ADDR or IFACE that all sockets use; exit 10 when it goes',
);

/** Who is asked for peers, and how we are reached. */
export const DISCOVERY_FLAGS: readonly Flag[] = [
  flag('list', NETWORK, 'tracker', 'URL of one more tracker; repeatable; commas: one tier'),
  flag('switch', NETWORK, 'trackers', 'ask no tracker, whoever names it', { negative: true }),
  flag('list', NETWORK, 'peer', 'HOST:PORT to dial at once; repeatable'),
  flag('value', NETWORK, 'port', 'N to listen on, TCP and UDP; 0 is any (6881-6889)'),
  BIND,
  flag('switch', NETWORK, 'dht', 'mainline DHT; on, --no-dht turns it off'),
  flag('list', NETWORK, 'dht-bootstrap', 'HOST:PORT instead of the built-in DHT routers; repeatable'),
  flag('switch', NETWORK, 'lsd', 'look for no peers in the local network', { negative: true }),
  flag('switch', NETWORK, 'pex', 'exchange no peers with peers', { negative: true }),
];

const MAX_DOWNLOAD = flag('value', NETWORK, 'max-download', 'RATE over all: 500K, 1.5MiB; 0: no limit');
const MAX_UPLOAD = flag('value', NETWORK, 'max-upload', 'RATE over all: 500K, 1.5MiB; 0: no limit');
const MAX_PEERS = flag('value', NETWORK, 'max-peers', 'N connections of one torrent (100)');
const MAX_CONNECTIONS = flag('value', NETWORK, 'max-connections', 'N connections over all (500)');
const WEB_SEED = flag('list', NETWORK, 'web-seed', 'URL where HTTP has the data too (BEP 19); repeatable');

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

export const METADATA_TIMEOUT = flag(
  'value',
  END,
  'metadata-timeout',
  'DUR to wait for metadata (5m); 0: no limit',
);

/** When to give up. */
export const TIMEOUT_FLAGS: readonly Flag[] = [
  flag('value', END, 'timeout', 'DUR after which to give up (off)'),
  flag('value', END, 'stall-timeout', 'DUR without a new byte: give up (off)'),
];

export const SEED_GOAL_FLAGS: readonly Flag[] = [
  flag('value', END, 'seed-ratio', 'R: seed until uploaded / size is R, like 1.5'),
  flag('value', END, 'seed-time', 'DUR to seed, like 90s, 15m, 2h, 1d'),
];

/** What to believe of the data on disk. */
export const BELIEF_FLAGS: readonly Flag[] = [
  flag('switch', DATA, 'recheck', 'hash all that is on disk'),
  flag('switch', DATA, 'trust', 'believe what is on disk without hashing it'),
];

const FORCE = flag('switch', DATA, 'force', 'overwrite files in the way');

export const DOWNLOAD_FLAGS: readonly Flag[] = [
  flag('value', DATA, 'output', 'DIR where the data goes (.)', { short: 'o' }),
  flag('switch', DATA, 'sequential', 'in order instead of rarest first'),
  flag('value', DATA, 'save-torrent', 'FILE to keep the metadata of a magnet in'),
  ...BELIEF_FLAGS,
  FORCE,
  flag('value', DATA, 'jobs', 'N sources fetched at the same time (5)'),
  flag('switch', END, 'seed', 'go on seeding after 100 %'),
  ...SEED_GOAL_FLAGS,
  ...TIMEOUT_FLAGS,
  METADATA_TIMEOUT,
  flag('value', DONE, 'exec', 'CMD for the shell when a torrent is done, or was already'),
  flag('value', DONE, 'exec-file', 'CMD for each file; both get JSON on stdin, RAREST_HOOK_*'),
  ...DISCOVERY_FLAGS,
  ...TRANSFER_FLAGS,
];

export const CAT_FLAGS: readonly Flag[] = [
  flag('value', DATA, 'output', 'DIR to keep the data in (kept nowhere)', { short: 'o' }),
  flag('value', DATA, 'range', 'A-B of the one file, bytes from 0; A- to its end'),
  flag('switch', DATA, 'tar', 'an archive of the files named, or of all'),
  flag('value', DATA, 'save-torrent', 'FILE to keep the metadata of a magnet in'),
  ...BELIEF_FLAGS,
  FORCE,
  ...TIMEOUT_FLAGS,
  METADATA_TIMEOUT,
  ...DISCOVERY_FLAGS,
  ...TRANSFER_FLAGS,
];

export const SEED_FLAGS: readonly Flag[] = [
  flag('value', DATA, 'output', 'DIR where the data of a .torrent lies (.)', { short: 'o' }),
  flag('switch', DATA, 'partial', 'seed what is there of incomplete data'),
  ...BELIEF_FLAGS,
  flag('switch', DATA, 'super-seed', 'give each piece once, until it spreads (BEP 16)'),
  ...SEED_GOAL_FLAGS,
  METADATA_TIMEOUT,
  ...DISCOVERY_FLAGS,
  ...UPLOAD_FLAGS,
];

export const CREATE_FLAGS: readonly Flag[] = [
  flag('value', DATA, 'out', 'FILE to write, - for stdout (NAME.torrent)', { short: 'o' }),
  flag('switch', DATA, 'force', 'overwrite a file in the way'),
  flag('value', TORRENT, 'name', 'NAME of the torrent (that of the path)'),
  flag('value', TORRENT, 'piece-length', 'BYTES, a power of two like 256KiB (by size)'),
  flag('switch', TORRENT, 'private', 'peers come from the trackers alone (BEP 27)'),
  flag('switch', TORRENT, 'pad-files', 'let each file begin with a piece (BEP 47)'),
  flag('value', TORRENT, 'source', 'TEXT that gives it an info hash of its own'),
  flag('value', TORRENT, 'comment', 'TEXT for people'),
  flag('list', TORRENT, 'tracker', 'URL of a tracker; repeatable; commas: one tier'),
  flag('list', TORRENT, 'web-seed', 'URL where HTTP has the data (BEP 19); repeatable'),
  flag('list', TORRENT, 'node', 'HOST:PORT of a DHT node (BEP 5); repeatable'),
];

export const VERIFY_FLAGS: readonly Flag[] = [
  flag('switch', DATA, 'repair', 'fetch just the bad pieces'),
  FORCE,
  ...TIMEOUT_FLAGS,
  ...DISCOVERY_FLAGS,
  ...TRANSFER_FLAGS,
];

export const INFO_FLAGS: readonly Flag[] = [METADATA_TIMEOUT, ...DISCOVERY_FLAGS];

export const PEERS_FLAGS: readonly Flag[] = [
  flag('value', END, 'timeout', 'DUR to listen for, like 15m (30s); 0: no limit'),
  flag('switch', NETWORK, 'scrape', 'ask trackers for the numbers of seeds and leechers'),
  ...DISCOVERY_FLAGS,
];

/** The environment variable of a flag: `RAREST_MAX_UPLOAD`. */
export function variableOf(flagName: string): string {
  return `RAREST_${flagName.toUpperCase().replaceAll('-', '_')}`;
}
