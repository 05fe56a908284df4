// What several commands can be asked, as checked values, made from their flags. The defaults of the flags are here; a flag
// that a command lacks has its default.

import type { EngineOptions, SeedGoal, TorrentOptions } from '../engine/options.js';
import { LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import { trackerTiers, webSeedUrls } from '../torrent/source-urls.js';
import type { Invocation } from './command.js';
import { usageError } from './failure.js';
import type { FlagValues } from './flag-values.js';
import { BIND, count, DURATION, HOST_PORT, PATH, RATE, RATIO, TRACKER_TIER, WEB_SEED } from './kinds.js';

/** How to talk to the user. */
export interface OutputOptions {
  readonly json: boolean;
  /** Items on stdout, and sources of a list on stdin, end with NUL instead of newline. */
  readonly nul: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
}

/** All of the engine's options that a user can set. */
export type EngineChoices = Omit<EngineOptions, 'bound' | 'stateDirectory' | 'onEvent'>;
/** All options of a torrent that a user can set. */
export type TorrentChoices = Omit<TorrentOptions, 'onEvent' | 'select'>;

/** Whom to ask for peers. */
export interface DiscoveryOptions {
  readonly peers: readonly HostPort[];
  readonly trackers: readonly (readonly string[])[];
  readonly useTrackers: boolean;
}

const METADATA_TIMEOUT_MS = 5 * 60_000;

export function outputOptions({ values, env }: Invocation): OutputOptions {
  return {
    json: values.on('json', false),
    nul: values.on('null', false),
    quiet: values.on('quiet', false),
    verbose: values.on('verbose', false),
    // no-color.org: any value but the empty one
    color: values.on('color', !env.NO_COLOR),
  };
}

export function engineOptions(values: FlagValues): EngineChoices {
  return {
    port: values.value('port', count(0, 65_535, 6881)),
    dht: values.on('dht', true),
    dhtBootstrap: values.list('dht-bootstrap', { ...HOST_PORT, good: 'router.example.org:6881' }),
    lsd: values.on('lsd', true),
    pex: values.on('pex', true),
    maxDownloadBps: limit(values, 'max-download'),
    maxUploadBps: limit(values, 'max-upload'),
    maxConnections: values.value('max-connections', count(1, 65_535, 500)) ?? LIMITS.connections,
  };
}

/** The address or interface that is to be used; whether it is here is not known yet. */
export function bindOption(values: FlagValues): string | undefined {
  return values.value('bind', BIND);
}

export function discoveryOptions(values: FlagValues): DiscoveryOptions {
  return {
    peers: values.list('peer', HOST_PORT),
    trackers: trackerOptions(values),
    useTrackers: values.on('trackers', true),
  };
}

/** The tiers of --tracker, each URL once. */
export function trackerOptions(values: FlagValues): string[][] {
  return trackerTiers(values.list('tracker', TRACKER_TIER));
}

export function webSeedOptions(values: FlagValues): string[] {
  return webSeedUrls(values.list('web-seed', WEB_SEED));
}

/** What to do with a torrent: `data`, and `seed` once it is here. */
export function torrentOptions(
  values: FlagValues,
  data: TorrentOptions['data'],
  seed: SeedGoal | undefined,
): TorrentChoices {
  const recheck = values.on('recheck', false);
  const trust = values.on('trust', false);
  if (recheck && trust) throw usageError('--recheck --trust', 'one excludes the other');
  return {
    ...discoveryOptions(values),
    output: values.value('output', PATH) ?? '.',
    data,
    stream: undefined,
    webSeeds: webSeedOptions(values),
    superSeed: values.on('super-seed', false),
    maxPeers: values.value('max-peers', count(1, 65_535, 100)) ?? LIMITS.peersPerTorrent,
    metadataTimeoutMs: timeout(values, 'metadata-timeout', METADATA_TIMEOUT_MS),
    timeoutMs: timeout(values, 'timeout', undefined),
    stallTimeoutMs: timeout(values, 'stall-timeout', undefined),
    seed,
    recheck,
    trust,
    force: values.on('force', false),
    saveTorrent: values.value('save-torrent', { ...PATH, good: 'name.torrent' }),
    sequential: values.on('sequential', false),
  };
}

/** When seeding ends; with neither flag never. */
export function seedGoal(values: FlagValues): SeedGoal {
  return { ratio: values.value('seed-ratio', RATIO), timeMs: values.value('seed-time', DURATION) };
}

/** 0 turns a time limit off, as in curl. */
export function timeout(values: FlagValues, name: string, byDefault: number | undefined): number | undefined {
  const timeoutMs = values.value(name, DURATION) ?? byDefault;
  return timeoutMs === 0 ? undefined : timeoutMs;
}

/** 0 is no limit, as in curl and aria2. */
function limit(values: FlagValues, name: string): number | undefined {
  return values.value(name, RATE) || undefined;
}

/** The operands of a command that takes several. */
export function severalOperands({ operands }: Invocation): readonly string[] {
  if (operands.filter(operand => operand === '-').length > 1) {
    throw usageError('-', 'stdin can be read only once');
  }
  return operands;
}

/** Whether failures must say which operand they are about. */
export function areSeveral(operands: readonly string[]): boolean {
  return operands.length > 1 || operands.includes('-');
}
