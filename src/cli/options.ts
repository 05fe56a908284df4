// What a command was asked to do, as checked values, made from its flags. The defaults of cli.md are here.

import type { EngineOptions, SeedGoal, TorrentOptions } from '../engine/options.js';
import { parseHostPort } from '../torrent/host-port.js';
import { LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import { usageError } from './failure.js';
import type { FlagValues, Kind } from './flag-values.js';
import { parseCount, parseDuration, parseRate, parseRatio } from './quantities.js';

/** How to talk to the user. */
export interface OutputOptions {
  readonly json: boolean;
  /** Items on stdout, and sources of a list on stdin, end with NUL instead of newline. */
  readonly nul: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
}

export interface DownloadOptions {
  readonly sources: readonly string[];
  /** Sources being fetched at the same time. */
  readonly jobs: number;
  readonly torrent: Omit<TorrentOptions, 'onEvent'>;
  readonly engine: Omit<EngineOptions, 'stateDirectory' | 'onEvent'>;
  readonly output: OutputOptions;
}

export interface PeersOptions {
  readonly source: string;
  /** Undefined: until stopped. */
  readonly timeoutMs: number | undefined;
  readonly peers: readonly HostPort[];
  readonly engine: Omit<EngineOptions, 'stateDirectory' | 'onEvent'>;
  readonly output: OutputOptions;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_JOBS = 5;
const METADATA_TIMEOUT_MS = 5 * 60_000;
const PEERS_TIMEOUT_MS = 30_000;

const DURATION: Kind<number> = {
  parse: parseDuration,
  what: 'a duration in s, m, h or d',
  good: '15m',
};
const RATE: Kind<number> = { parse: parseRate, what: 'a rate in bytes per second', good: '500K' };
const RATIO: Kind<number> = { parse: parseRatio, what: 'a ratio of at least 0', good: '1.5' };
const PATH: Kind<string> = { parse: text => text || undefined, what: 'a path', good: 'downloads' };
const HOST_PORT: Kind<HostPort> = {
  parse: parseHostPort,
  what: 'HOST:PORT with a port from 1 to 65535',
  good: '192.0.2.7:6881',
};

function count(min: number, max: number, good: number): Kind<number> {
  return {
    parse: text => parseCount(text, min, max),
    what: `a whole number from ${min} to ${max}`,
    good: `${good}`,
  };
}

/** Options of `download`. Throws USAGE, naming the flag and showing a good value. */
export function downloadOptions(
  values: FlagValues,
  sources: readonly string[],
  env: Environment,
): DownloadOptions {
  const recheck = values.on('recheck', false);
  const trust = values.on('trust', false);
  if (recheck && trust) throw usageError('--recheck --trust', 'one excludes the other');
  const saveTorrent = values.value('save-torrent', { ...PATH, good: 'name.torrent' });
  if (saveTorrent !== undefined && sources.length > 1) {
    throw usageError(
      '--save-torrent',
      `one file for ${sources.length} sources`,
      'give it one source at a time',
    );
  }
  refuseStdinTwice(sources);
  return {
    sources,
    jobs: values.value('jobs', count(1, LIMITS.connections, DEFAULT_JOBS)) ?? DEFAULT_JOBS,
    torrent: {
      output: values.value('output', PATH) ?? '.',
      peers: values.list('peer', HOST_PORT),
      data: 'fetch',
      trackers: [],
      useTrackers: true,
      webSeeds: [],
      superSeed: false,
      maxPeers: values.value('max-peers', count(1, 65_535, 100)) ?? LIMITS.peersPerTorrent,
      metadataTimeoutMs: timeout(values, 'metadata-timeout', METADATA_TIMEOUT_MS),
      timeoutMs: timeout(values, 'timeout', undefined),
      stallTimeoutMs: timeout(values, 'stall-timeout', undefined),
      seed: seedGoal(values),
      recheck,
      trust,
      force: values.on('force', false),
      saveTorrent,
      sequential: values.on('sequential', false),
    },
    engine: engineOptions(values),
    output: outputOptions(values, env),
  };
}

/** Options of `peers`. Throws USAGE, naming the flag and showing a good value. */
export function peersOptions(values: FlagValues, sources: readonly string[], env: Environment): PeersOptions {
  const [source, extra] = sources;
  if (source === undefined || extra !== undefined) {
    throw usageError('peers', `one source at a time, not ${sources.length}`);
  }
  return {
    source,
    timeoutMs: timeout(values, 'timeout', PEERS_TIMEOUT_MS),
    peers: values.list('peer', HOST_PORT),
    engine: engineOptions(values),
    output: outputOptions(values, env),
  };
}

function engineOptions(values: FlagValues): DownloadOptions['engine'] {
  return {
    port: values.value('port', count(0, 65_535, 6881)),
    dht: values.on('dht', true),
    dhtBootstrap: values.list('dht-bootstrap', { ...HOST_PORT, good: 'router.example.org:6881' }),
    lsd: true,
    pex: true,
    maxDownloadBps: limit(values, 'max-download'),
    maxUploadBps: limit(values, 'max-upload'),
    maxConnections: values.value('max-connections', count(1, 65_535, 500)) ?? LIMITS.connections,
  };
}

function outputOptions(values: FlagValues, env: Environment): OutputOptions {
  return {
    json: values.on('json', false),
    nul: values.on('null', false),
    quiet: values.on('quiet', false),
    verbose: values.on('verbose', false),
    // no-color.org: any value but the empty one
    color: values.on('color', !env.NO_COLOR),
  };
}

/** 0 turns a time limit off, as in curl. */
function timeout(values: FlagValues, name: string, byDefault: number | undefined): number | undefined {
  const timeoutMs = values.value(name, DURATION) ?? byDefault;
  return timeoutMs === 0 ? undefined : timeoutMs;
}

/** 0 is no limit, as in curl and aria2. */
function limit(values: FlagValues, name: string): number | undefined {
  return values.value(name, RATE) || undefined;
}

function seedGoal(values: FlagValues): SeedGoal | undefined {
  const ratio = values.value('seed-ratio', RATIO);
  const timeMs = values.value('seed-time', DURATION);
  const seeding = values.on('seed', ratio !== undefined || timeMs !== undefined);
  return seeding ? { ratio, timeMs } : undefined;
}

function refuseStdinTwice(sources: readonly string[]): void {
  if (sources.filter(source => source === '-').length > 1) {
    throw usageError('-', 'stdin can be read only once');
  }
}
