// The web seeds of one torrent (BEP 19), as peers of its swarm with numbers of their own. Here a server becomes a peer;
// what it is asked for and how it answers is the business of swarm/ and webseed/.

import type { PeerFacts, PeerNumber } from '../swarm/port.js';
import type { Swarm } from '../swarm/swarm.js';
import type { BlockList } from '../torrent/block-list.js';
import type { CloseReason } from '../torrent/errors.js';
import { type PeerId, peerId } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import { shownUrl } from '../torrent/source-urls.js';
import { WebSeed } from '../webseed/web-seed.js';
import type { Message } from '../wire/message.js';
import type { EngineContext } from './engine-context.js';
import type { TorrentEvent } from './events.js';
import { limitedFetch } from './limited-fetch.js';
import { PeerReport } from './peer-report.js';

/** Above every number of a connection. */
const FIRST_NUMBER = 2 ** 20;
const NO_PEER_ID = peerId(new Uint8Array(20)) as PeerId;
const factsOf = (url: string): PeerFacts => ({
  address: { host: url, port: 0 },
  incoming: false,
  peerId: NO_PEER_ID,
  fast: false,
  extended: false,
  greeted: false,
  webSeed: true,
});

export interface WebSeedsOptions {
  readonly context: EngineContext;
  readonly onEvent: (event: TorrentEvent) => void;
}

interface Server {
  /** Its URL as it may be printed. */
  readonly shown: string;
  readonly seed: WebSeed;
  /** Puts another one in its place. */
  readonly replace: () => void;
}

export class WebSeeds {
  readonly #options: WebSeedsOptions;
  readonly #servers = new Map<PeerNumber, Server>();
  /** URLs not in use yet. */
  readonly #spare: string[] = [];
  #nextNumber = FIRST_NUMBER;
  readonly #report: PeerReport;
  #swarm: Swarm | undefined;

  constructor(options: WebSeedsOptions) {
    this.#options = options;
    this.#report = new PeerReport(options.onEvent);
  }

  /** Whether this is the number of a web seed. */
  owns(peer: PeerNumber): boolean {
    return peer >= FIRST_NUMBER;
  }

  /** Servers of this torrent join its swarm, others take the places of those that fail. */
  enterSwarm(swarm: Swarm, metainfo: Metainfo): void {
    this.#swarm = swarm;
    this.#spare.push(...new Set(metainfo.webSeeds));
    for (let place = 0; place < LIMITS.webSeedsAtATime; place++) this.#addNext(swarm, metainfo);
  }

  #addNext(swarm: Swarm, metainfo: Metainfo): void {
    const url = this.#spare.shift();
    if (url === undefined) return;
    const { context, onEvent } = this.#options;
    const number = this.#nextNumber++;
    const shown = shownUrl(url);
    const seed = new WebSeed({
      url,
      metainfo,
      fetch: limitedFetch(context),
      now: () => context.now(),
      wakeAt: timeMs => context.wakeAt(timeMs),
      random: context.random,
      onMessage: message => swarm.message(number, message, context.now()),
      onGone: reason => {
        onEvent({ event: 'warning', message: `web seed ${shown}: ${reason}; it is used no more` });
        this.close(number, 'remote-closed');
        swarm.peerClosed(number, context.now());
      },
      onWarning: text => onEvent({ event: 'warning', message: `web seed ${shown}: ${text}` }),
    });
    const replace = () => this.#addNext(swarm, metainfo);
    this.#servers.set(number, { shown, seed, replace });
    this.#report.found(shown);
    swarm.peerConnected(number, factsOf(shown), context.now());
    seed.start();
  }

  send(peer: PeerNumber, message: Message): void {
    // Of all that peers are told, one thing matters to a server.
    if (message.type !== 'cancel') return;
    this.#servers.get(peer)?.seed.cancel(message.index, message.begin, message.length);
  }

  request(peer: PeerNumber, blocks: BlockList): void {
    this.#servers.get(peer)?.seed.request(blocks);
  }

  /** Ends what is under way with this server; the swarm has forgotten it. */
  close(peer: PeerNumber, reason: CloseReason): void {
    const server = this.#servers.get(peer);
    if (!server) return;
    const { shown, seed, replace } = server;
    this.#servers.delete(peer);
    seed.close();
    const isBanned = reason === 'hash-failed';
    const message = `web seed ${shown}: it gives wrong data and is used no more`;
    if (isBanned) this.#options.onEvent({ event: 'warning', message });
    this.#report.closed(shown, isBanned, reason, this.#swarm?.peers.get(peer));
    // Not now: the swarm is in the middle of parting from this one.
    if (isBanned || reason === 'remote-closed') queueMicrotask(replace);
  }

  /** Does what is due; returns when it wants to be called next. */
  tick(now: number): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { seed } of [...this.#servers.values()]) nextMs = Math.min(nextMs, seed.tick(now));
    return nextMs;
  }

  stop(): void {
    this.#spare.length = 0;
    for (const number of [...this.#servers.keys()]) this.close(number, 'shutdown');
  }
}
