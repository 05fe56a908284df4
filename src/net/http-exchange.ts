// One GET from its first request to the end of its body: redirects, deadlines, decompression, giving up. Which pool of
// connections it uses is its owner's business.

import { setMaxListeners } from 'node:events';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createUnzip } from 'node:zlib';
import { type Binding, boundAddress, type Family, familyOf, unreachable } from '../torrent/binding.js';
import { EVERYWHERE, MACHINE, type Scope } from '../torrent/ip.js';
import { HttpError, httpError } from './http-error.js';
import { firstHop, type HttpHop, nextHop, redirectTarget } from './http-hop.js';
import { checkedLookup, type NearRule, nearnessOf, scopeOfHost } from './http-scope.js';

export interface HttpOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** ms without progress: to connect, until the headers are there, and between two parts of the body while it is read. */
  readonly timeoutMs: number;
  /** ms in all, redirects and body included; undefined: no bound. */
  readonly totalMs?: number;
  readonly maxRedirects: number;
  /** Redirects to such a location are not followed: the answer is that of the redirect, whose body is not to be read. */
  readonly endsAt?: (location: string) => boolean;
  /** What may be asked at addresses of this machine and its network; undefined: everything. */
  readonly nearRule?: NearRule;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; what comes several times is joined with commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** After redirects, without user and password. */
  readonly url: string;
  /**
   * To be read once, decompressed piece by piece: nothing is read ahead beyond the buffers of streams. Throws HttpError.
   * Leaving the loop early ends the connection.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends an exchange whose body is not wanted (further); afterwards does nothing. */
  destroy(): void;
}

/** How to begin a GET: on a pooled connection to nothing nearer than `nearest`, or on a `fresh` one. */
export type SendOptions = RequestOptions & { readonly fresh: boolean; readonly nearest: Scope };
export type SendRequest = (url: URL, options: SendOptions) => ClientRequest;

/** What a connection is made from; empty: the system chooses. */
interface From {
  readonly localAddress?: string;
  readonly family?: Family;
}

export class HttpExchange {
  readonly #options: HttpOptions;
  readonly #binding: Binding | undefined;
  readonly #send: SendRequest;
  readonly #onOver: () => void;
  #request: ClientRequest | undefined;
  /** Fails the wait for an answer: a destroyed request that has no socket yet would say nothing. */
  #rejectAnswer: ((failure: HttpError) => void) | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #totalTimer: NodeJS.Timeout | undefined;
  /** Why we gave up, which is what the caller is to hear instead of what the socket says then. */
  #failure: HttpError | undefined;
  #isOver = false;
  /** How far the address reaches that a redirect came from: it leads to nothing nearer. */
  #redirectedFrom: Scope = MACHINE;
  /** How far the address reaches that is connected to; where the system does not tell it, the strictest is assumed. */
  #connectedTo: Scope = EVERYWHERE;
  readonly #aborted = () => this.giveUp(new HttpError('aborted', 'given up'));

  /** @param onOver called once, when no handle is left */
  constructor(options: HttpOptions, binding: Binding | undefined, send: SendRequest, onOver: () => void) {
    this.#options = options;
    this.#binding = binding;
    this.#send = send;
    this.#onOver = onOver;
  }

  async run(url: string): Promise<HttpResponse> {
    const { signal, totalMs, maxRedirects, endsAt, headers = {} } = this.#options;
    if (signal) {
      // Many exchanges may share a signal, which Node would take for a leak.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', this.#aborted, { once: true });
    }
    if (totalMs !== undefined)
      this.#totalTimer = setTimeout(() => this.#late('not complete within', totalMs), totalMs);
    if (signal?.aborted) this.#aborted();
    try {
      let hop = firstHop(url, lowerCased(headers));
      for (let redirects = 0; ; redirects++) {
        const message = await this.#answer(hop);
        const location = redirectTarget(message.statusCode ?? 0, message.headers.location);
        if (location === undefined || endsAt?.(location)) return this.#responseOf(hop, message);
        // Not read: nothing bounds the body of a redirect.
        message.destroy();
        if (redirects >= maxRedirects)
          throw new HttpError('too-many-redirects', `more than ${maxRedirects} redirects`);
        hop = nextHop(hop, location);
        this.#redirectedFrom = this.#connectedTo;
      }
    } catch (error) {
      const failure = this.#failure ?? httpError(error);
      this.giveUp(failure);
      throw failure;
    }
  }

  /** Ends the exchange in any state; what waits for it fails with `failure`. */
  giveUp(failure: HttpError): void {
    if (this.#isOver) return;
    this.#failure = failure;
    this.#over();
    this.#rejectAnswer?.(failure);
    // Not with the failure: a request whose answer just ended has let go of its socket, whose error nobody would hear.
    this.#request?.destroy();
  }

  /** The headers of the answer to one request. A name may have addresses that only one of the bound ones can reach. */
  async #answer(hop: HttpHop): Promise<IncomingMessage> {
    const binding = this.#binding;
    if (!binding) return this.#ask(hop, false, {});
    let failure: unknown;
    for (const family of familiesOf(hop.url)) {
      const localAddress = boundAddress(binding, family);
      if (localAddress === undefined) {
        failure ??= new HttpError('network', unreachable(family));
        continue;
      }
      try {
        return await this.#ask(hop, false, { localAddress, family });
      } catch (error) {
        if (!isUnconnected(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** Connections that the server closed while they were idle get a second try. */
  #ask(hop: HttpHop, fresh: boolean, from: From): Promise<IncomingMessage> {
    if (this.#failure) throw this.#failure;
    const { nearRule } = this.#options;
    const nearness = nearnessOf(hop.url, this.#redirectedFrom, nearRule);
    return new Promise((resolve, reject) => {
      this.#rejectAnswer = reject;
      const request = this.#send(hop.url, {
        headers: hop.headers,
        fresh,
        nearest: nearness.nearest,
        lookup: checkedLookup(nearness),
        ...from,
      });
      this.#request = request;
      request.on('socket', socket => this.#watchConnecting(socket));
      request.on('response', message => {
        clearTimeout(this.#idleTimer);
        // Whoever reads the body hears of errors; one that comes before must not be uncaught.
        message.on('error', () => {});
        resolve(message);
      });
      request.on('error', error => {
        if (!fresh && request.reusedSocket && this.#failure === undefined)
          resolve(this.#ask(hop, true, from));
        else reject(error);
      });
      request.on('close', () => reject(new HttpError('network', 'the server closed the connection')));
      request.end();
    });
  }

  /** A request that waits for its turn among others to the host has no socket yet, and time does not run. */
  #watchConnecting(socket: Socket): void {
    this.#expectProgress();
    const connected = () => {
      this.#connectedTo = scopeOfHost(socket.remoteAddress);
      this.#expectProgress();
    };
    if (socket.connecting) socket.once('connect', connected);
    else connected();
  }

  #responseOf(hop: HttpHop, message: IncomingMessage): HttpResponse {
    return {
      status: message.statusCode ?? 0,
      headers: Object.fromEntries(
        Object.entries(message.headers).map(([name, value]) => [name, String(value)]),
      ),
      url: hop.url.href,
      body: this.#body(message),
      destroy: () => this.giveUp(new HttpError('aborted', 'given up')),
    };
  }

  async *#body(message: IncomingMessage): AsyncGenerator<Uint8Array, void, void> {
    try {
      if (this.#failure) throw this.#failure;
      const chunks: AsyncIterator<Uint8Array> = decoded(message)[Symbol.asyncIterator]();
      for (;;) {
        this.#expectProgress();
        const next = await chunks.next();
        // No deadline while the reader takes its time.
        clearTimeout(this.#idleTimer);
        // A request that is destroyed lets go of what it has buffered as if that were the end.
        if (this.#failure) throw this.#failure;
        if (next.done) return;
        yield next.value;
      }
    } catch (error) {
      throw this.#failure ?? httpError(error);
    } finally {
      // Read to the end, the connection goes back to its pool.
      if (message.readableEnded) this.#over();
      else this.giveUp(new HttpError('aborted', 'given up'));
    }
  }

  #expectProgress(): void {
    clearTimeout(this.#idleTimer);
    if (this.#isOver) return;
    const { timeoutMs } = this.#options;
    this.#idleTimer = setTimeout(() => this.#late('no answer for', timeoutMs), timeoutMs);
  }

  #late(what: string, ms: number): void {
    this.giveUp(new HttpError('timeout', `${what} ${ms / 1000} s`));
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#totalTimer);
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    this.#onOver();
  }
}

/** Those that the host of a URL may have. */
function familiesOf({ hostname }: URL): readonly Family[] {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) ? [familyOf(host)] : [4, 6];
}

/** Whether nothing was asked: the name has no such address, or nobody was reached there. */
function isUnconnected(error: unknown): boolean {
  const syscall = error instanceof Error && 'syscall' in error ? String(error.syscall) : '';
  return /^(getaddrinfo|bind|connect)/.test(syscall);
}

/** The body without its content encoding. The deflate of RFC 9110 has zlib's frame, which createUnzip tells from gzip. */
function decoded(message: IncomingMessage): Readable {
  const encoding = (message.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return message;
  if (!/^(?:x-)?gzip$|^deflate$|^br$/.test(encoding))
    throw new HttpError('network', `its answer is encoded as ${encoding.slice(0, 40)}`);
  const decoder = encoding === 'br' ? createBrotliDecompress() : createUnzip();
  // Errors of either end the other and reach the reader.
  pipeline(message, decoder, () => {});
  return decoder;
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
