// opentracker in a namespace: one tracker over HTTP and UDP for the info hashes it is given, and questions to it.

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import bencode from 'bencode';
import type { Namespace } from './namespaces.js';
import { eventually } from './program.js';

const READY_MS = 30_000;
const SEEN_MS = 60_000;
const POLL_MS = 100;
const PORT = 6969;

export type Road = 'HTTP' | 'UDP';

/** What a tracker there will be announced by, before it runs: .torrent files are made first, their info hashes admitted. */
export function announceUrls(namespace: Namespace): Readonly<Record<Road, string>> {
  const host = `${namespace.address}:${PORT}`;
  return { HTTP: `http://${host}/announce`, UDP: `udp://${host}/announce` };
}

export interface Counts {
  readonly seeds: number;
  readonly leechers: number;
  /** How often a peer has said that it completed. */
  readonly completed: number;
}

interface ScrapeAnswer {
  readonly files?: Readonly<Record<string, { complete: number; incomplete: number; downloaded: number }>>;
}

export class Opentracker {
  readonly #namespace: Namespace;

  private constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  /** Ready when it answers. Debian builds it with a whitelist; in its own root, it reads the list as nobody. */
  static async start(namespace: Namespace, infoHashes: readonly string[]): Promise<Opentracker> {
    const root = join(namespace.directory, 'root');
    await mkdir(root);
    await writeFile(join(root, 'whitelist'), infoHashes.map(hash => `${hash}\n`).join(''));
    await chmod(root, 0o755);
    await chmod(join(root, 'whitelist'), 0o644);
    const ports = ['-i', namespace.address, '-p', `${PORT}`, '-P', `${PORT}`];
    const program = namespace.start('opentracker', [
      'opentracker',
      ...ports,
      ...['-u', 'nobody', '-d', root, '-w', '/whitelist'],
    ]);
    const tracker = new Opentracker(namespace);
    const answers = async (): Promise<true | undefined> => {
      if (program.hasEnded) throw new Error('opentracker ended before it answered');
      return tracker.counts(infoHashes[0] ?? '').then(
        () => true as const,
        () => undefined,
      );
    };
    await eventually('opentracker answers', READY_MS, answers, POLL_MS);
    return tracker;
  }

  /** How many peers it knows, by a scrape over HTTP. */
  async counts(infoHash: string): Promise<Counts> {
    const escaped = infoHash.replace(/../g, '%$&');
    const url = `http://${this.#namespace.address}:${PORT}/scrape?info_hash=${escaped}`;
    const answer = bencode.decode(
      await this.#namespace.output(['curl', '--silent', '--fail', url]),
    ) as ScrapeAnswer;
    const [file] = Object.values(answer.files ?? {});
    return { seeds: file?.complete ?? 0, leechers: file?.incomplete ?? 0, completed: file?.downloaded ?? 0 };
  }

  /** Until a scrape gives counts that are accepted; these. */
  until(infoHash: string, what: string, accept: (counts: Counts) => boolean): Promise<Counts> {
    const probe = async (): Promise<Counts | undefined> => {
      const counts = await this.counts(infoHash);
      return accept(counts) ? counts : undefined;
    };
    return eventually(`opentracker: ${what}`, SEEN_MS, probe, POLL_MS);
  }

  /** Until a seed has announced itself: only then is it worth asking. */
  async seeded(infoHash: string): Promise<void> {
    await this.until(infoHash, `a seed of ${infoHash}`, ({ seeds }) => seeds > 0);
  }
}
