// The commands and their flags as data: names, kinds and words for the help. Nothing is parsed here.

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

export interface CommandSpec {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly about: string;
  /** Behind the command's name. */
  readonly usage: string;
  readonly flags: readonly Flag[];
}

/** What a source may be, for help and hints. */
export const SOURCE_KINDS = 'a magnet link, a .torrent, its URL, an info hash, or - for stdin';

const DATA = 'Data:';
const END = 'When to end:';
const NETWORK = 'Network:';
const OUTPUT = 'Output:';

/** Flags that every command has. */
export const COMMON_FLAGS: readonly Flag[] = [
  { name: 'json', kind: 'switch', group: OUTPUT, about: 'events on stdout, one JSON object a line' },
  {
    name: 'null',
    short: '0',
    kind: 'switch',
    group: OUTPUT,
    about: 'NUL instead of newline behind each item',
  },
  { name: 'quiet', short: 'q', kind: 'switch', group: OUTPUT, about: 'nothing but errors on stderr' },
  {
    name: 'verbose',
    short: 'v',
    kind: 'switch',
    group: OUTPUT,
    about: 'tell more; in JSON also each peer and piece',
  },
  { name: 'color', kind: 'switch', group: OUTPUT, about: 'no colours', negative: true },
  { name: 'help', short: 'h', kind: 'switch', group: OUTPUT, about: 'show this help' },
  { name: 'version', kind: 'switch', group: OUTPUT, about: 'show the version' },
];

const NETWORK_FLAGS: readonly Flag[] = [
  { name: 'peer', kind: 'list', group: NETWORK, about: 'HOST:PORT to dial at once; repeatable' },
  { name: 'port', kind: 'value', group: NETWORK, about: 'N to listen on, TCP and UDP; 0 is any (6881-6889)' },
  { name: 'dht', kind: 'switch', group: NETWORK, about: 'mainline DHT; on, --no-dht turns it off' },
  {
    name: 'dht-bootstrap',
    kind: 'list',
    group: NETWORK,
    about: 'HOST:PORT instead of the built-in DHT routers; repeatable',
  },
];

const DOWNLOAD: CommandSpec = {
  name: 'download',
  aliases: ['get'],
  about: 'fetch, verify, exit at 100 %',
  usage: '<source…>',
  flags: [
    { name: 'output', short: 'o', kind: 'value', group: DATA, about: 'DIR where the data goes (.)' },
    { name: 'sequential', kind: 'switch', group: DATA, about: 'in order instead of rarest first' },
    { name: 'save-torrent', kind: 'value', group: DATA, about: 'FILE to keep the metadata of a magnet in' },
    { name: 'recheck', kind: 'switch', group: DATA, about: 'hash all that is on disk' },
    { name: 'trust', kind: 'switch', group: DATA, about: 'believe what is on disk without hashing it' },
    { name: 'force', kind: 'switch', group: DATA, about: 'overwrite files in the way' },
    { name: 'jobs', kind: 'value', group: DATA, about: 'N sources fetched at the same time (5)' },
    { name: 'seed', kind: 'switch', group: END, about: 'go on seeding after 100 %' },
    { name: 'seed-ratio', kind: 'value', group: END, about: 'R: seed until uploaded / size is R, like 1.5' },
    { name: 'seed-time', kind: 'value', group: END, about: 'DUR to seed, like 90s, 15m, 2h, 1d' },
    { name: 'timeout', kind: 'value', group: END, about: 'DUR after which to give up (off)' },
    { name: 'stall-timeout', kind: 'value', group: END, about: 'DUR without a new byte: give up (off)' },
    {
      name: 'metadata-timeout',
      kind: 'value',
      group: END,
      about: 'DUR to wait for the metadata of a magnet (5m)',
    },
    ...NETWORK_FLAGS,
    {
      name: 'max-download',
      kind: 'value',
      group: NETWORK,
      about: 'RATE over all torrents: 500K, 2M, 1.5MiB',
    },
    { name: 'max-upload', kind: 'value', group: NETWORK, about: 'RATE over all torrents' },
    { name: 'max-peers', kind: 'value', group: NETWORK, about: 'N connections of one torrent (100)' },
    { name: 'max-connections', kind: 'value', group: NETWORK, about: 'N connections over all (500)' },
  ],
};

const PEERS: CommandSpec = {
  name: 'peers',
  aliases: [],
  about: 'list who is in a swarm: host:port TAB heard-from',
  usage: '<source>',
  flags: [
    { name: 'timeout', kind: 'value', group: END, about: 'DUR to listen for, like 90s, 15m (30s)' },
    ...NETWORK_FLAGS,
  ],
};

export const COMMANDS: readonly CommandSpec[] = [DOWNLOAD, PEERS];

/** The environment variable of a flag: `RAREST_MAX_UPLOAD`. */
export function variableOf(flagName: string): string {
  return `RAREST_${flagName.toUpperCase().replaceAll('-', '_')}`;
}
