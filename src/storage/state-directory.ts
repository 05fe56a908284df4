// Where the user's state lives: resume records, kept metadata, locks. Follows each system's custom (XDG base
// directories on Unix); creates nothing.

import { homedir } from 'node:os';
import { isAbsolute, posix, win32 } from 'node:path';

/**
 * Absolute path of the state directory: `$XDG_STATE_HOME/rarest` or `~/.local/state/rarest`, on macOS
 * `~/Library/Application Support/rarest`, on Windows `%LOCALAPPDATA%\rarest`. A relative XDG_STATE_HOME is ignored, as
 * its specification asks.
 */
export function stateDirectory(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  if (platform === 'win32') {
    return win32.join(env.LOCALAPPDATA || win32.join(home, 'AppData', 'Local'), 'rarest');
  }
  const custom = env.XDG_STATE_HOME;
  if (custom && isAbsolute(custom)) return posix.join(custom, 'rarest');
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support', 'rarest');
  return posix.join(home, '.local', 'state', 'rarest');
}
