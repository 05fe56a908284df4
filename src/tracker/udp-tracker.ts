// UDP trackers (BEP 15): one client for all torrents, with its sockets, connection ids and transactions. What the packets
// look like is udp-packet.ts's business; when to announce is the announcer's.

import { randomInt } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { type Binding, boundAddress, type Family, unreachable } from '../torrent/binding.js';
import type { InfoHash } from '../torrent/ids.js';
import { addressBytes, hostText, isDialable } from '../torrent/ip.js';
import { LIMITS } from '../torrent/limits.js';
import type { AnnounceReply, SwarmCounts } from './announce-reply.js';
import type { AnnounceRequest } from './announce-url.js';
import { TrackerError } from './tracker-error.js';
import { decodeReply, encodeAnnounce, encodeConnect, encodeScrape, type UdpReply } from './udp-packet.js';

export interface UdpTrackersOptions {
  /** What packets are sent from; undefined: the system chooses. */
  readonly binding?: Binding | undefined;
  /** ms until the first request is sent again; undefined: what BEP 15 says. */
  readonly retransmitMs?: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** How long one announce or scrape may take. */
export interface UdpBounds {
  /** ms for all of it: name, connection, answer. */
  readonly totalMs: number;
  readonly signal?: AbortSignal;
}

/** An address of a tracker. `length` is 4 or 16 bytes. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly length: 4 | 16;
}

/** Makes the packet once there is a connection id. */
type MakePacket = (connectionId: bigint, transactionId: number) => Uint8Array;
type Answer<Action> = Extract<UdpReply, { action: Action }>;
/** No answer came in time, or nothing could be sent. */
type Silence = 'silent' | 'unsent';

interface Waiting {
  readonly place: Place;
  readonly action: UdpReply['action'];
  readonly end: (reply: UdpReply | Silence) => void;
}

export class UdpTrackers {
  readonly #options: UdpTrackersOptions;
  readonly #sockets = new Map<4 | 16, Socket>();
  /** By transaction id. */
  readonly #waiting = new Map<number, Waiting>();
  /** By host and port, the oldest first. */
  readonly #connections = new Map<string, { readonly id: bigint; readonly until: number }>();
  readonly #exchanges = new Set<AbortController>();
  #closed = false;

  constructor(options: UdpTrackersOptions) {
    this.#options = options;
  }

  /** Announces to `udp://host:port/path`. Rejects with TrackerError. */
  async announce(url: string, request: AnnounceRequest, bounds: UdpBounds): Promise<AnnounceReply> {
    const path = /^[^:]*:\/\/[^/?#]*([^#]*)/.exec(url)?.[1] ?? '';
    const make: MakePacket = (connectionId, transactionId) =>
      encodeAnnounce(connectionId, transactionId, request, path);
    return (await this.#exchange(url, 'announce', make, bounds)).reply;
  }

  /** Asks how many peers there are. Rejects with TrackerError. */
  async scrape(url: string, infoHash: InfoHash, bounds: UdpBounds): Promise<SwarmCounts> {
    const make: MakePacket = (connectionId, transactionId) =>
      encodeScrape(connectionId, transactionId, infoHash);
    return (await this.#exchange(url, 'scrape', make, bounds)).counts;
  }

  /** Gives up all that is under way and closes the sockets. */
  close(): void {
    this.#closed = true;
    for (const exchange of this.#exchanges) exchange.abort(new TrackerError('given up'));
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  async #exchange<Action extends 'announce' | 'scrape'>(
    url: string,
    action: Action,
    make: MakePacket,
    { totalMs, signal }: UdpBounds,
  ): Promise<Answer<Action>> {
    if (this.#closed || signal?.aborted) throw new TrackerError('given up');
    const over = new AbortController();
    const giveUp = () => over.abort(new TrackerError('given up'));
    const late = () => over.abort(new TrackerError(`no answer for ${totalMs / 1000} s`));
    const timer = setTimeout(late, totalMs);
    signal?.addEventListener('abort', giveUp, { once: true });
    this.#exchanges.add(over);
    try {
      const places = this.#reachable(await placesOf(url, over.signal));
      return await this.#converse(places, action, make, over.signal);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      this.#exchanges.delete(over);
    }
  }

  /** Those of a family that we have a socket for. Throws TrackerError where there is none. */
  #reachable(places: readonly Place[]): readonly Place[] {
    const { binding } = this.#options;
    if (!binding) return places;
    const reachable = places.filter(place => boundAddress(binding, familyOf(place)) !== undefined);
    if (reachable.length === 0) throw new TrackerError(unreachable(familyOf(places[0] as Place)));
    return reachable;
  }

  /** Asks until somebody answers: each address in turn, waiting longer each time. */
  async #converse<Action extends 'announce' | 'scrape'>(
    places: readonly Place[],
    action: Action,
    make: MakePacket,
    over: AbortSignal,
  ): Promise<Answer<Action>> {
    const { retransmitMs = LIMITS.udpRetransmitMs } = this.#options;
    let silences = 0;
    let unsent = 0;
    for (let turn = 0; unsent < places.length; turn++) {
      const place = places[turn % places.length] as Place;
      const waitMs = retransmitMs * 2 ** Math.min(silences, 8);
      const answer = await this.#askConnected(place, action, make, waitMs, over);
      if (answer === 'unsent') unsent++;
      else if (answer === 'silent') silences++;
      else return answer;
    }
    throw new TrackerError('it cannot be reached');
  }

  async #askConnected<Action extends 'announce' | 'scrape'>(
    place: Place,
    action: Action,
    make: MakePacket,
    waitMs: number,
    over: AbortSignal,
  ): Promise<Answer<Action> | Silence> {
    const key = `${place.host} ${place.port}`;
    const kept = this.#connections.get(key);
    const isKept = kept !== undefined && kept.until > this.#options.now();
    let id = kept?.id ?? 0n;
    if (!isKept) {
      const connected = await this.#ask(place, 'connect', (_, tid) => encodeConnect(tid), 0n, waitMs, over);
      if (connected === 'silent' || connected === 'unsent') return connected;
      id = expected(connected, 'connect').connectionId;
      this.#keepConnection(key, id);
    }
    const answer = await this.#ask(place, action, make, id, waitMs, over);
    const refused = answer !== 'unsent' && (answer === 'silent' || answer.action === 'error');
    // A tracker that was started anew does not know the ids it gave before.
    if (isKept && refused) this.#connections.delete(key);
    if (answer === 'silent' || answer === 'unsent') return answer;
    if (isKept && refused) return this.#askConnected(place, action, make, waitMs, over);
    return expected(answer, action);
  }

  #keepConnection(key: string, id: bigint): void {
    this.#connections.delete(key);
    this.#connections.set(key, { id, until: this.#options.now() + LIMITS.udpConnectionMs });
    for (const oldest of this.#connections.keys()) {
      if (this.#connections.size <= LIMITS.udpConnections) break;
      this.#connections.delete(oldest);
    }
  }

  /** One packet and its answer. Rejects when it is all over. */
  #ask(
    place: Place,
    action: UdpReply['action'],
    make: MakePacket,
    connectionId: bigint,
    waitMs: number,
    over: AbortSignal,
  ): Promise<UdpReply | Silence> {
    return new Promise((resolve, reject) => {
      if (over.aborted) return reject(over.reason);
      let transactionId = randomInt(2 ** 32);
      while (this.#waiting.has(transactionId)) transactionId = randomInt(2 ** 32);
      const forget = () => {
        clearTimeout(timer);
        over.removeEventListener('abort', aborted);
        this.#waiting.delete(transactionId);
      };
      const aborted = () => {
        forget();
        reject(over.reason);
      };
      const end = (reply: UdpReply | Silence) => {
        forget();
        resolve(reply);
      };
      const timer = setTimeout(() => end('silent'), waitMs);
      over.addEventListener('abort', aborted, { once: true });
      this.#waiting.set(transactionId, { place, action, end });
      this.#send(place, make(connectionId, transactionId), () => end('unsent'));
    });
  }

  #send({ host, port, length }: Place, packet: Uint8Array, onFailed: () => void): void {
    this.#socket(length).send(packet, port, host, error => {
      if (error) onFailed();
    });
  }

  #socket(length: 4 | 16): Socket {
    const open = this.#sockets.get(length);
    if (open) return open;
    const socket = createSocket({ type: length === 4 ? 'udp4' : 'udp6', ipv6Only: length === 16 });
    this.#sockets.set(length, socket);
    socket.on('message', (packet, from) => this.#heard(packet, from, length));
    // It could not be bound: nothing was sent, and the next request has a new one.
    socket.on('error', () => {
      if (this.#sockets.get(length) !== socket) return;
      this.#sockets.delete(length);
      socket.close();
      for (const { place, end } of [...this.#waiting.values()]) if (place.length === length) end('unsent');
    });
    const { binding } = this.#options;
    const address = binding && boundAddress(binding, familyOf({ length }));
    socket.bind({ port: 0, exclusive: true, ...(address !== undefined && { address }) });
    return socket;
  }

  /** Only the tracker that was asked may answer, and only what it was asked for. */
  #heard(packet: Uint8Array, from: RemoteInfo, length: 4 | 16): void {
    const reply = decodeReply(packet, length);
    const waiting = reply && this.#waiting.get(reply.transactionId);
    if (!waiting || from.port !== waiting.place.port || canonical(from.address) !== waiting.place.host)
      return;
    if ([waiting.action, 'error', 'malformed'].includes(reply.action)) waiting.end(reply);
  }
}

function familyOf({ length }: Pick<Place, 'length'>): Family {
  return length === 4 ? 4 : 6;
}

/** The answer if it is one to this. Throws TrackerError. */
function expected<Action extends UdpReply['action']>(reply: UdpReply, action: Action): Answer<Action> {
  if (reply.action === 'error') throw new TrackerError(`refused: ${reply.message}`);
  if (!isAnswer(reply, action)) throw new TrackerError('its answer is too short');
  return reply;
}

function isAnswer<Action extends UdpReply['action']>(
  reply: UdpReply,
  action: Action,
): reply is Answer<Action> {
  return reply.action === action;
}

/** Where the host of a URL is, as its resolver orders it. Rejects with TrackerError. */
async function placesOf(url: string, over: AbortSignal): Promise<Place[]> {
  // Read as http:, a URL has its host in the one form that DNS knows (IDNA), and IPv4 addresses as four numbers.
  const asHttp = url.replace(/^udp:/i, 'http:');
  if (!URL.canParse(asHttp)) throw new TrackerError('not a valid URL');
  const parsed = new URL(asHttp);
  const port = Number(parsed.port || '80');
  if (port === 0) throw new TrackerError('nobody listens on port 0');
  const name = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  const hosts = addressBytes(name) ? [name] : await lookedUp(name, over);
  const places = hosts.flatMap(host => {
    const bytes = addressBytes(host);
    const text = bytes && hostText(bytes);
    if (bytes === undefined || text === undefined || !isDialable(bytes)) return [];
    return [{ host: text, port, length: bytes.length === 4 ? (4 as const) : (16 as const) }];
  });
  if (places.length === 0) throw new TrackerError('its address cannot be used');
  return places.slice(0, LIMITS.udpTrackerAddresses);
}

function lookedUp(name: string, over: AbortSignal): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(over.reason);
    if (over.aborted) return aborted();
    over.addEventListener('abort', aborted, { once: true });
    lookup(name, { all: true })
      .then(
        found => resolve(found.map(({ address }) => address)),
        () => reject(new TrackerError('the host was not found')),
      )
      .finally(() => over.removeEventListener('abort', aborted));
  });
}

function canonical(address: string): string | undefined {
  const bytes = addressBytes(address);
  return bytes && hostText(bytes);
}
