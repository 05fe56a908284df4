// Turns the names of bootstrap nodes into IPv4 addresses. Each is asked for by itself, so that one that does not resolve
// delays no other. Knows nothing of the DHT.

import { lookup, type Resolver } from 'node:dns/promises';
import { isIPv4 } from 'node:net';

/** Names asked for at a time; a torrent may list any number, and those beyond are left out. */
const NAMES_AT_A_TIME = 32;

export class NodeNames {
  readonly #resolver: Resolver;
  /** The system's own look-ups, one after the other: each blocks a thread that file access needs too. */
  #system: Promise<unknown> = Promise.resolve();
  #asked = 0;

  constructor(resolver: Resolver) {
    this.#resolver = resolver;
  }

  /**
   * An IPv4 address of the host, undefined where there is none. Asks DNS directly, which needs no thread and can be given
   * up; names that only the hosts file knows come second.
   */
  async resolve(host: string): Promise<string | undefined> {
    if (isIPv4(host)) return host;
    if (host.includes(':') || this.#asked >= NAMES_AT_A_TIME) return undefined;
    this.#asked++;
    try {
      return await this.#ask(host);
    } finally {
      this.#asked--;
    }
  }

  /** Gives up what is under way. */
  close(): void {
    this.#resolver.cancel();
  }

  async #ask(host: string): Promise<string | undefined> {
    try {
      return (await this.#resolver.resolve4(host))[0];
    } catch (error) {
      // Where DNS does not answer, the system would not either, and holds the process up while it tries.
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      return code === 'ETIMEOUT' || code === 'ECANCELLED' ? undefined : this.#askSystem(host);
    }
  }

  #askSystem(host: string): Promise<string | undefined> {
    const answer = this.#system
      .then(() => lookup(host, 4))
      .then(
        found => found.address,
        () => undefined,
      );
    this.#system = answer;
    return answer;
  }
}
