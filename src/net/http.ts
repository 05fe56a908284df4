// HTTP GET for trackers and web seeds: on node's own client, since fetch takes no local address and refuses
// user:password in a URL. Owns its sockets and timers; knows nothing of what is fetched.

import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Binding } from '../torrent/binding.js';
import { EVERYWHERE, MACHINE, PRIVATE } from '../torrent/ip.js';
import { LIMITS } from '../torrent/limits.js';
import { HttpError } from './http-error.js';
import { HttpExchange, type HttpOptions, type HttpResponse, type SendRequest } from './http-exchange.js';

export { HttpError, type HttpErrorKind } from './http-error.js';
export type { HttpOptions, HttpResponse } from './http-exchange.js';
export type { NearRule } from './http-scope.js';

export interface HttpClientOptions {
  /** What connections are made from; undefined: the system chooses. */
  readonly binding?: Binding | undefined;
  /** Sent where the caller gives no `user-agent`. */
  readonly userAgent?: string;
}

interface Pool {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

export class HttpClient {
  readonly #options: HttpClientOptions;
  /**
   * By the nearest that may be connected to, so that a connection found in a pool was made under the same restriction
   * as one that would be made now.
   */
  readonly #pools: readonly Pool[];
  readonly #exchanges = new Set<HttpExchange>();
  #closed = false;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    const pool = { keepAlive: true, maxSockets: LIMITS.httpSocketsPerHost, timeout: LIMITS.httpIdleMs };
    this.#pools = [MACHINE, PRIVATE, EVERYWHERE].map(() => ({
      http: new HttpAgent(pool),
      https: new HttpsAgent(pool),
    }));
  }

  /**
   * Asks for a URL and follows redirects; fulfilled, whatever the status, when the headers are there. The body must then be
   * read to its end or `destroy()`ed. Rejects with HttpError. No redirect leads from the internet into a private network
   * or to this machine, nor from a private network to this machine, whatever names are looked up to in the meantime.
   */
  async get(url: string, options: HttpOptions): Promise<HttpResponse> {
    if (this.#closed) throw new HttpError('aborted', 'the client is closed');
    const { binding, userAgent } = this.#options;
    const exchange = new HttpExchange(
      {
        ...options,
        headers: {
          'accept-encoding': 'identity',
          ...(userAgent !== undefined && { 'user-agent': userAgent }),
          ...options.headers,
        },
      },
      binding,
      this.#send,
      () => this.#exchanges.delete(exchange),
    );
    this.#exchanges.add(exchange);
    return exchange.run(url);
  }

  /** Gives up all exchanges with 'aborted' and ends all connections. */
  close(): void {
    this.#closed = true;
    for (const exchange of [...this.#exchanges]) exchange.giveUp(new HttpError('aborted', 'given up'));
    for (const { http, https } of this.#pools) {
      http.destroy();
      https.destroy();
    }
  }

  readonly #send: SendRequest = (url, { fresh, nearest, ...options }) => {
    const { http, https } = this.#pools[nearest] as Pool;
    return url.protocol === 'https:'
      ? httpsRequest(url, { ...options, agent: fresh ? false : https })
      : httpRequest(url, { ...options, agent: fresh ? false : http });
  };
}

/** All of a body. Rejects with HttpError: 'too-large' when it has more than `maxBytes`, and as `body` does. */
export async function readBody(response: HttpResponse, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new HttpError('too-large', `the answer is larger than ${maxBytes} bytes`);
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) {
    response.destroy();
    throw tooLarge();
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
