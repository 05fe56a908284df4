// transmission-daemon in a namespace: a seed that finds nobody by itself; others must be given its address.

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Content } from './content.js';
import type { Namespace } from './namespaces.js';
import { eventually, type Program } from './program.js';

const execute = promisify(execFile);
const READY_MS = 60_000;
const POLL_MS = 200;
const ANSWER_MS = 10_000;
const RPC_PORT = 9091;
const PEER_PORT = 51413;

export interface Transmission {
  readonly program: Program;
  /** host:port it listens on. */
  readonly peer: string;
}

function settings(downloads: string): Record<string, unknown> {
  return {
    'dht-enabled': false,
    'lpd-enabled': false,
    'pex-enabled': false,
    // A uTP peer that is killed leaves no trace of its end: its address would be refused for a minute.
    'utp-enabled': false,
    'port-forwarding-enabled': false,
    'peer-port': PEER_PORT,
    'rpc-bind-address': '127.0.0.1',
    'rpc-port': RPC_PORT,
    'rpc-whitelist': '127.0.0.1',
    'rpc-authentication-required': false,
    'download-dir': downloads,
    'incomplete-dir-enabled': false,
    'ratio-limit-enabled': false,
    'idle-seeding-limit-enabled': false,
    'speed-limit-up-enabled': false,
    'start-added-torrents': true,
  };
}

/** Seeds all contents, which lie below one parent folder; ready once transmission has verified each. */
export async function startTransmissionSeed(
  namespace: Namespace,
  contents: readonly Content[],
  parent: string,
): Promise<Transmission> {
  const configuration = join(namespace.directory, 'transmission');
  await mkdir(configuration, { recursive: true });
  await writeFile(join(configuration, 'settings.json'), JSON.stringify(settings(parent)));
  const program = namespace.start('transmission', [
    'transmission-daemon',
    '--foreground',
    '--config-dir',
    configuration,
  ]);
  const remote = async (...args: string[]): Promise<string> => {
    const argv = ['netns', 'exec', namespace.name, 'transmission-remote', `127.0.0.1:${RPC_PORT}`, ...args];
    const { stdout } = await execute('ip', argv, { timeout: ANSWER_MS });
    return stdout;
  };
  const answers = (): Promise<true | undefined> =>
    remote('--session-info').then(
      () => true,
      () => undefined,
    );
  await eventually('transmission answers', READY_MS, answers, POLL_MS);
  for (const content of contents) await remote('--add', content.torrent);
  await remote('--torrent', 'all', '--verify');
  const complete = async (): Promise<true | undefined> => {
    const details = await remote('--torrent', 'all', '--info');
    const ready = details.match(/^ {2}State: (Idle|Seeding|Finished)$/gm)?.length ?? 0;
    const whole = details.match(/^ {2}Percent Done: 100%$/gm)?.length ?? 0;
    return ready === contents.length && whole === contents.length ? true : undefined;
  };
  await eventually('transmission seeds', READY_MS, complete, POLL_MS);
  return { program, peer: `${namespace.address}:${PEER_PORT}` };
}
