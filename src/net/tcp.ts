// How TCP connections come about: a listener for those made to us, dial for those we make. Knows nothing of torrents
// and of how many connections are enough; hands over PeerSockets.

import { connect, createServer, type Server, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { type Binding, boundAddress, familyOf, unreachable } from '../torrent/binding.js';
import { TorrentError } from '../torrent/errors.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import { isDialable, normalizeHost } from './address.js';
import { PeerSocket, type PeerSocketHandlers, receiveBuffer } from './peer-socket.js';

/** The ports tried in turn where the user names none; BEP 3 gives them. */
const USUAL_PORTS = [6881, 6882, 6883, 6884, 6885, 6886, 6887, 6888, 6889];
/** Free ports tried where the kernel chooses for TCP and something else must get the same number. */
const ANY_PORT_TRIES = 10;

/** Above so many bytes not yet taken by the kernel, `onDrain` follows. */
const HIGH_WATER_BYTES = BLOCK_LENGTH;

export interface ListenOptions {
  /** As --port has it: taken or an error; 0 any free one; undefined 6881 to 6889 in turn, then any free one. */
  readonly port: number | undefined;
  /** Addresses to listen on, all with the same port; undefined: all there are, IPv6 and IPv4. */
  readonly hosts?: readonly string[];
  /** Binds what must have the same port number (UDP); where it rejects, the port counts as taken. */
  readonly alsoBind?: (port: number) => Promise<void>;
  /** A connection came in. Returns its owner, or undefined to hang up (too many). */
  onAccept(socket: PeerSocket): PeerSocketHandlers | undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function listenOn(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      server.removeListener('error', reject);
      const bound = server.address();
      resolve(bound !== null && typeof bound === 'object' ? bound.port : port);
    });
  });
}

export class Listener {
  /** The port we can be reached at. */
  readonly port: number;
  /** The addresses we listen on: '::' (with IPv4), '0.0.0.0', or those that were asked for. */
  readonly hosts: readonly string[];
  readonly #servers: readonly Server[];
  readonly #accepted: Set<Socket>;

  private constructor(
    servers: readonly Server[],
    accepted: Set<Socket>,
    port: number,
    hosts: readonly string[],
  ) {
    this.#servers = servers;
    this.#accepted = accepted;
    this.port = port;
    this.hosts = hosts;
  }

  /** Listens as asked; rejects with a TorrentError NETWORK where that cannot be. */
  static async open(options: ListenOptions): Promise<Listener> {
    const asked = options.port;
    const candidates =
      asked === undefined
        ? [...USUAL_PORTS, ...Array<number>(ANY_PORT_TRIES).fill(0)]
        : Array<number>(asked === 0 ? ANY_PORT_TRIES : 1).fill(asked);
    let failure: unknown;
    for (const candidate of candidates) {
      try {
        return await Listener.#openOn(candidate, options);
      } catch (error) {
        failure = error;
      }
    }
    throw failure instanceof TorrentError ? failure : listenError(asked, failure);
  }

  static async #openOn(port: number, options: ListenOptions): Promise<Listener> {
    const accepted = new Set<Socket>();
    const servers: Server[] = [];
    const hosts: string[] = [];
    let bound = port;
    try {
      for (const asked of options.hosts ?? [undefined]) {
        const server = createServer({ noDelay: true, highWaterMark: HIGH_WATER_BYTES }, socket =>
          accept(socket, accepted, options),
        );
        servers.push(server);
        const [had, host] = await bind(server, bound, asked);
        // The kernel may be out of descriptors for a while; those who dialled us then try again.
        server.on('error', () => {});
        bound = had;
        hosts.push(host);
      }
      await options.alsoBind?.(bound);
    } catch (error) {
      await closeAll(servers, accepted);
      throw error;
    }
    return new Listener(servers, accepted, bound, hosts);
  }

  /** Listens no more and hangs up on all that came in; fulfilled when no handle is left. Safe to call twice. */
  close(): Promise<void> {
    return closeAll(this.#servers, this.#accepted);
  }
}

async function closeAll(servers: readonly Server[], accepted: ReadonlySet<Socket>): Promise<void> {
  const closed = servers.map(server => new Promise(resolve => server.close(resolve)));
  for (const socket of accepted) socket.destroy();
  await Promise.all(closed);
}

/** All addresses means IPv6 with IPv4 in it; machines without IPv6 say one of three things. */
async function bind(server: Server, port: number, host: string | undefined): Promise<[number, string]> {
  if (host !== undefined) return [await listenOn(server, port, host), host];
  try {
    return [await listenOn(server, port, '::'), '::'];
  } catch (error) {
    if (!['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'].includes(codeOf(error))) throw error;
    return [await listenOn(server, port, '0.0.0.0'), '0.0.0.0'];
  }
}

function accept(socket: Socket, accepted: Set<Socket>, options: ListenOptions): void {
  const host = normalizeHost(socket.remoteAddress ?? '');
  if (host === undefined || socket.remotePort === undefined) {
    socket.on('error', () => {});
    socket.destroy();
    return;
  }
  accepted.add(socket);
  socket.once('close', () => accepted.delete(socket));
  const peer = new PeerSocket(socket, { host, port: socket.remotePort }, true);
  const handlers = options.onAccept(peer);
  if (handlers === undefined) peer.destroy();
  else peer.attach(handlers);
}

function listenError(asked: number | undefined, cause: unknown): TorrentError {
  const code = codeOf(cause);
  const why = {
    EADDRINUSE: 'address in use',
    EACCES: 'permission denied',
    EADDRNOTAVAIL: 'no such address here',
  }[code];
  const what = asked === undefined || asked === 0 ? 'listening on any port' : `listening on port ${asked}`;
  const hint = 'name a free port with --port, or --port 0 for any';
  return new TorrentError('NETWORK', `${what}: ${why ?? (code || String(cause))}`, { hint, cause });
}

export interface DialOptions {
  readonly timeoutMs: number;
  /** What to dial from; undefined: the system chooses. */
  readonly binding?: Binding | undefined;
  /** Bytes to read at a time, less where a download limit is to be kept smoothly; LIMITS.receiveBytes. */
  readonly receiveBytes?: number;
}

/** How a dial ends; exactly one of the two is called, never before `dial` has returned. */
export interface DialHandlers {
  /** Connected. Returns the owner of the connection, or undefined to hang up. */
  onConnected(socket: PeerSocket): PeerSocketHandlers | undefined;
  /** Not connected; `why` is a few words, such as 'connection refused'. */
  onFailed(why: string): void;
}

const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  EADDRNOTAVAIL: 'address not available',
  EMFILE: 'too many open files',
};

function failSoon(why: string, handlers: DialHandlers): () => void {
  const failing = setImmediate(() => handlers.onFailed(why));
  return () => clearImmediate(failing);
}

/** Dials an IP address (names are resolved before). Returns what gives the dial up in silence. */
export function dial(address: HostPort, options: DialOptions, handlers: DialHandlers): () => void {
  const host = normalizeHost(address.host);
  const { binding } = options;
  const localAddress = binding && host && boundAddress(binding, familyOf(host));
  if (host === undefined || !isDialable(host, address.port))
    return failSoon('not an address to dial', handlers);
  if (binding && localAddress === undefined) return failSoon(unreachable(familyOf(host)), handlers);
  const target: TcpSocketConnectOpts & { writableHighWaterMark: number } = {
    host,
    port: address.port,
    noDelay: true,
    writableHighWaterMark: HIGH_WATER_BYTES,
    onread: {
      buffer: receiveBuffer(options.receiveBytes ?? LIMITS.receiveBytes),
      callback: (length, buffer) => peer.received(buffer.subarray(0, length)),
    },
  };
  if (localAddress !== undefined) target.localAddress = localAddress;
  const socket = connect(target);
  const peer = new PeerSocket(socket, { host, port: address.port }, false);
  let over = false;
  const finish = (then: () => void): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    then();
  };
  const fail = (why: string): void =>
    finish(() => {
      peer.destroy();
      handlers.onFailed(why);
    });
  const timer = setTimeout(fail, options.timeoutMs, 'timed out');
  socket.once('error', (error: NodeJS.ErrnoException) =>
    fail(FAILURES[error.code ?? ''] ?? error.code ?? error.message),
  );
  socket.once('connect', () =>
    finish(() => {
      const owner = handlers.onConnected(peer);
      if (owner === undefined) peer.destroy();
      else peer.attach(owner);
    }),
  );
  return () => finish(() => peer.destroy());
}
