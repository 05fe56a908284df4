// The configuration file: where it is, and what it sets for a command. Its keys and values are checked in settings.ts; that,
// the file system and the reader of TOML are loaded only where there is a file.

import { isAbsolute, posix, win32 } from 'node:path';
import type { TomlTableWithoutBigInt } from 'smol-toml';
import { LIMITS } from '../torrent/limits.js';
import type { CommandSpec } from './command.js';
import { systemReason, usageError } from './failure.js';
import type { Given } from './flag-values.js';
import type { Settings } from './settings.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `$XDG_CONFIG_HOME/rarest/config.toml` or `~/.config/rarest/config.toml`, on macOS too, since people edit it by hand and
 * look for it where other command-line programs have theirs; on Windows `%APPDATA%\rarest\config.toml`. A relative
 * XDG_CONFIG_HOME is ignored, as its specification asks. Undefined where the environment tells no home.
 */
export function defaultConfigPath(
  env: Environment,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  if (platform === 'win32') return env.APPDATA && win32.join(env.APPDATA, 'rarest', 'config.toml');
  const custom = env.XDG_CONFIG_HOME;
  if (custom && isAbsolute(custom)) return posix.join(custom, 'rarest', 'config.toml');
  return env.HOME && posix.join(env.HOME, '.config', 'rarest', 'config.toml');
}

/**
 * What the file asked for by --config, or else the default one where it exists, sets for a command; without `spec` for any.
 * Rejects with USAGE where the file cannot be read or is no TOML, and as Settings does.
 */
export async function readSettings(
  asked: Given | undefined,
  env: Environment,
  spec: CommandSpec | undefined,
): Promise<Settings | undefined> {
  const path = asked?.text ?? defaultConfigPath(env);
  if (path === undefined) return undefined;
  const text = await readText(path, asked);
  if (text === undefined) return undefined;
  const content = await parse(text, path);
  const { Settings } = await import('./settings.js');
  return new Settings(path, content, spec, env.HOME || env.USERPROFILE);
}

/** Undefined where the default file does not exist. */
async function readText(path: string, asked: Given | undefined): Promise<string | undefined> {
  const { existsSync, createReadStream } = await import('node:fs');
  if (asked === undefined && !existsSync(path)) return undefined;
  const { boundedBytes } = await import('./bounded.js');
  const tooLarge = () => usageError(path, `larger than ${LIMITS.configFileBytes / 1024} KiB`);
  let bytes: Uint8Array;
  try {
    bytes = await boundedBytes(createReadStream(path), LIMITS.configFileBytes, tooLarge);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const hint = asked === undefined ? '--config /dev/null goes without it' : undefined;
    throw usageError(asked?.shown ?? `reading ${path}`, systemReason(error), hint);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw usageError(path, 'not a text in UTF-8');
  }
}

async function parse(text: string, path: string): Promise<TomlTableWithoutBigInt> {
  const toml = await import('smol-toml');
  try {
    return toml.parse(text, { integersAsBigInt: false });
  } catch (error) {
    if (!(error instanceof toml.TomlError)) throw error;
    const why = error.message.split('\n', 1)[0]?.replace(/^Invalid TOML document: /, '');
    const hint = 'a line reads like max-upload = "1M" or lsd = false';
    throw usageError(`${path}: line ${error.line}, column ${error.column}`, why ?? error.message, hint);
  }
}
