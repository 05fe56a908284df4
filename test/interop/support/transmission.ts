// transmission-daemon in a namespace: without DHT or PEX, so that trackers alone help it to find anybody.

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Client, COMPLETE_MS, READY_MS, versionIn } from './client.js';
import type { Content } from './content.js';
import type { Namespace } from './namespaces.js';
import { eventually, type Program } from './program.js';

const execute = promisify(execFile);
const POLL_MS = 200;
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

/** The daemon, to be asked by transmission-remote. */
class Daemon {
  readonly program: Program;
  readonly #namespace: Namespace;

  private constructor(namespace: Namespace, configuration: string) {
    const argv = ['transmission-daemon', '--foreground', '--config-dir', configuration];
    this.#namespace = namespace;
    this.program = namespace.start('transmission', argv);
  }

  /** Ready when it answers. */
  static async start(namespace: Namespace, downloads: string): Promise<Daemon> {
    const configuration = join(namespace.directory, 'transmission');
    await mkdir(configuration, { recursive: true });
    await writeFile(join(configuration, 'settings.json'), JSON.stringify(settings(downloads)));
    const daemon = new Daemon(namespace, configuration);
    const answers = (): Promise<true | undefined> =>
      daemon.remote('--session-info').then(
        () => true,
        () => undefined,
      );
    await eventually('transmission answers', READY_MS, answers, POLL_MS);
    return daemon;
  }

  async remote(...args: string[]): Promise<string> {
    const argv = ['transmission-remote', `127.0.0.1:${RPC_PORT}`, ...args];
    return (await this.#namespace.output(argv)).toString();
  }

  /** Until it has all of `count` torrents. */
  async complete(count: number, timeoutMs: number): Promise<void> {
    const complete = async (): Promise<true | undefined> => {
      const details = await this.remote('--torrent', 'all', '--info');
      const ready = details.match(/^ {2}State: (Idle|Seeding|Finished)$/gm)?.length ?? 0;
      const whole = details.match(/^ {2}Percent Done: 100%$/gm)?.length ?? 0;
      return ready === count && whole === count ? true : undefined;
    };
    await eventually('transmission is complete', timeoutMs, complete, POLL_MS);
  }
}

/** Seeds all contents, which lie below one parent folder; ready once transmission has verified each. */
export async function startTransmissionSeed(
  namespace: Namespace,
  contents: readonly Content[],
  parent: string,
): Promise<Transmission> {
  const daemon = await Daemon.start(namespace, parent);
  for (const content of contents) await daemon.remote('--add', content.torrent);
  await daemon.remote('--torrent', 'all', '--verify');
  await daemon.complete(contents.length, READY_MS);
  return { program: daemon.program, peer: `${namespace.address}:${PEER_PORT}` };
}

/**
 * transmission-cli: fetches and seeds one torrent, without a daemon to be asked. `onComplete` is a shell command that is run
 * once it is complete.
 */
export async function startTransmissionCli(
  namespace: Namespace,
  torrent: string,
  downloads: string,
  onComplete: string,
): Promise<Program> {
  const configuration = join(namespace.directory, 'transmission');
  const script = join(configuration, 'complete.sh');
  await mkdir(configuration, { recursive: true });
  await writeFile(join(configuration, 'settings.json'), JSON.stringify(settings(downloads)));
  await writeFile(script, `#!/bin/sh\n${onComplete}\n`, { mode: 0o755 });
  await mkdir(downloads, { recursive: true });
  const argv = ['--config-dir', configuration, '--download-dir', downloads, '--finish', script, torrent];
  return namespace.start('transmission', ['transmission-cli', ...argv]);
}

export const transmission: Client = {
  name: 'transmission',
  version: () => versionIn(execute('transmission-daemon', ['--version'])),
  seed: async (namespace, { content, directory }) =>
    (await startTransmissionSeed(namespace, [content], directory)).program,
  async leech(namespace, { content, directory }) {
    const daemon = await Daemon.start(namespace, directory);
    await daemon.remote('--add', content.torrent);
    await daemon.complete(1, COMPLETE_MS);
    return daemon.program;
  },
};
