// The connections of one torrent: gives them numbers, carries messages between links and the phase the torrent is in
// (metadata wanted, or a swarm), carries out a swarm's orders, and serves the metadata (BEP 9).

import type { PieceStorage } from '../storage/piece-storage.js';
import type { Decision } from '../swarm/choker.js';
import { EarlyMessages } from '../swarm/early-messages.js';
import type { MetadataFetch } from '../swarm/metadata-fetch.js';
import type { Address, PeerNumber, PeerSource } from '../swarm/port.js';
import type { Recruiter } from '../swarm/recruiter.js';
import type { Swarm } from '../swarm/swarm.js';
import type { BlockList } from '../torrent/block-list.js';
import type { CloseReason, TorrentError } from '../torrent/errors.js';
import type { Piece } from '../torrent/geometry.js';
import { formatHostPort } from '../torrent/host-port.js';
import type { InfoHash } from '../torrent/ids.js';
import { hostText } from '../torrent/ip.js';
import type { HostPort, Metainfo } from '../torrent/metainfo-types.js';
import type { Handshake } from '../wire/handshake.js';
import type { ExtensionHandshake, Message, PeerExchangeMessage } from '../wire/message.js';
import type { TorrentEvent } from './events.js';
import { Exchange } from './exchange.js';
import { extensionHandshake, factsOf } from './greeting.js';
import { shareMetadata } from './metadata-share.js';
import type { Dialling, Network } from './network.js';
import type { PeerLink } from './peer-link.js';
import { addressOf, PeerReport } from './peer-report.js';
import { UploadLines } from './upload-lines.js';

export interface TorrentPeersOptions {
  readonly infoHash: InfoHash;
  readonly network: Network;
  readonly recruiter: Recruiter;
  /** Take part in peer exchange (BEP 11), as long as the torrent is not known to be private. */
  readonly pex: boolean;
  /** Peers name others, who are known to the recruiter already. */
  readonly onExchanged?: (addresses: readonly Address[]) => void;
  readonly onEvent: (event: TorrentEvent) => void;
  /** A peer says that it runs a DHT node. */
  readonly onDhtNode: (node: HostPort) => void;
  /** Our own data could not be read. */
  readonly onError: (error: TorrentError) => void;
  /** Something happened after which a tick may find more to do. */
  readonly onInput: () => void;
}

export class TorrentPeers implements Dialling {
  readonly infoHash: InfoHash;
  /** Bytes of metadata that peers gave, right or wrong. */
  metadataBytes = 0;
  /** Nobody is let in any more. */
  isClosed = false;
  readonly #options: TorrentPeersOptions;
  readonly #links = new Map<PeerNumber, PeerLink>();
  #uploads: UploadLines | undefined;
  #exchange: Exchange | undefined;
  /** What peers say while the data is being opened, where no fetch of the metadata keeps it. */
  readonly #early = new Map<PeerNumber, EarlyMessages>();
  readonly #report: PeerReport;
  readonly #freeNumbers: PeerNumber[] = [];
  #nextNumber = 0;
  #fetch: MetadataFetch | undefined;
  #swarm: Swarm | undefined;
  #metainfo: Metainfo | undefined;

  constructor(options: TorrentPeersOptions) {
    this.infoHash = options.infoHash;
    this.#options = options;
    this.#report = new PeerReport(options.onEvent);
    if (options.pex)
      this.#exchange = new Exchange(
        (addresses, now) => this.#exchanged(addresses, now),
        (peer, message) => this.send(peer, message),
      );
  }

  /** Whether peers may know that we run a DHT node (BEP 5); not those of a private torrent (BEP 27). */
  get sharesDht(): boolean {
    return this.#options.network.dht && !this.#metainfo?.private;
  }

  get pieceCount(): number | undefined {
    return this.#swarm?.geometry.pieceCount;
  }

  /** Phase one: messages go to the fetch of the metadata, which keeps what a swarm must hear later. */
  fetchMetadata(fetch: MetadataFetch): void {
    this.#fetch = fetch;
    this.#introduceAll(fetch, number => this.#saidEarly(number));
  }

  /** The metadata is here, to be shared with others from now on. */
  learn(metainfo: Metainfo): void {
    this.#metainfo = metainfo;
  }

  /** Phase two: tells the swarm of everybody who is here, and of what they said so far. */
  enterSwarm(swarm: Swarm, storage: PieceStorage): void {
    const fetch = this.#fetch;
    this.#fetch = undefined;
    this.#swarm = swarm;
    const { network, onError } = this.#options;
    this.#uploads = new UploadLines({
      network,
      source: storage,
      runs: network.uploadRuns,
      sent: (peer, bytes, ok) => swarm.blockSent(peer, bytes, ok, network.now()),
      failed: onError,
    });
    for (const link of this.#links.values()) {
      link.setPieceCount(swarm.geometry.pieceCount);
      if (link.handshake?.extended) link.send(this.#extensionHandshake(link));
    }
    this.#introduceAll(swarm, number => fetch?.replay(number) ?? this.#saidEarly(number));
  }

  /** From now on these alone name peers (BEP 27): parts from all others. */
  keepOnly(sources: readonly PeerSource[]): void {
    this.#exchange = undefined;
    for (const number of this.#options.recruiter.keepOnly(sources)) this.#drop(number, 'not-allowed');
  }

  /** Hangs up on everybody, for good. */
  closeAll(): void {
    for (const number of [...this.#links.keys()]) this.close(number, 'shutdown');
    this.#options.network.forget(this);
    this.#uploads?.close();
    this.isClosed = true;
  }

  // --- what links tell ------------------------------------------------------------------------------------------

  linkOpened(link: PeerLink, handshake: Handshake): CloseReason | undefined {
    const now = this.#options.network.now();
    const number = this.#freeNumbers.pop() ?? this.#nextNumber++;
    const facts = factsOf(link, handshake, false);
    const verdict = this.#options.recruiter.admit(number, facts, now);
    if (verdict.refuse) {
      this.#freeNumbers.push(number);
      return verdict.refuse;
    }
    if (verdict.replaces !== undefined) this.#drop(verdict.replaces, 'duplicate');
    link.number = number;
    this.#links.set(number, link);
    this.#exchange?.opened(link);
    this.#report.opened(link);
    if (handshake.extended) link.send(this.#extensionHandshake(link));
    if (handshake.dht && this.sharesDht) link.sendPort(this.#options.network.port);
    if (this.#swarm) this.#swarm.peerConnected(number, facts, now);
    else {
      if (handshake.fast) link.send({ type: 'haveNone' });
      if (this.#fetch) this.#fetch.peerConnected(number, facts, now);
      else this.#early.set(number, new EarlyMessages());
      this.#options.onInput();
    }
    return undefined;
  }

  linkMessage(link: PeerLink, message: Message): void {
    const now = this.#options.network.now();
    if (message.type === 'extensionHandshake') this.#introduced(link, message, now);
    if (message.type === 'metadataData') this.metadataBytes += message.data.length;
    if (message.type === 'peerExchange') this.#heard(link, message, now);
    else if (message.type === 'metadataRequest')
      shareMetadata(link, this.#metainfo?.infoBytes, message.piece);
    else if (this.#swarm) this.#swarm.message(link.number, message, now);
    else if (this.#fetch) {
      this.#fetch.message(link.number, message, now);
      this.#options.onInput();
    } else {
      const fault = this.#early.get(link.number)?.note(message);
      if (fault) this.close(link.number, fault);
    }
  }

  linkPort(link: PeerLink, port: number): void {
    if (!this.#metainfo?.private) this.#options.onDhtNode({ host: link.socket.address.host, port });
  }

  linkDrained(link: PeerLink): void {
    this.#uploads?.drained(link.number);
  }

  linkClosed(link: PeerLink, reason: CloseReason): void {
    const now = this.#options.network.now();
    const { number } = link;
    if (number < 0) {
      // Who was turned away after the handshake is booked already; other dials led nowhere.
      if (link.handshake) this.#report.failed(addressOf(link), reason);
      else if (!link.socket.incoming) this.dialFailed(link.socket.address, reason);
      return;
    }
    this.#forget(number, reason);
    this.#swarm?.peerClosed(number, now);
    this.#fetch?.peerClosed(number, now);
  }

  dialFailed(address: HostPort, why: string): void {
    this.#options.recruiter.dialFailed(address, this.#options.network.now());
    this.#report.failed(formatHostPort(address), why);
  }

  /** Tells peers of each other where it is time to; returns when it wants to be called next. */
  tick(now: number): number {
    return this.#exchange?.tick(now) ?? Number.POSITIVE_INFINITY;
  }

  // --- what the swarm orders --------------------------------------------------------------------------------------

  send(peer: PeerNumber, message: Message): void {
    const link = this.#links.get(peer);
    if (!link) return;
    if (message.type === 'extensionHandshake') link.send({ ...this.#extensionHandshake(link), ...message });
    else link.send(message);
  }

  choke(decision: Decision): void {
    const link = this.#links.get(decision.peer);
    if (!link) return;
    link.send({ type: decision.choke ? 'choke' : 'unchoke' });
    this.#report.choked(link, decision);
  }

  request(peer: PeerNumber, blocks: BlockList): void {
    this.#links.get(peer)?.request(blocks);
  }

  close(peer: PeerNumber, reason: CloseReason): void {
    const link = this.#links.get(peer);
    this.#forget(peer, reason);
    link?.close();
  }

  readBlock(peer: PeerNumber, piece: Piece, begin: number, length: number): void {
    const link = this.#links.get(peer);
    if (link) this.#uploads?.push(link, piece, begin, length);
  }

  /** Tells a phase that begins who is here. @param said what a peer said before */
  #introduceAll(phase: MetadataFetch | Swarm, said: (peer: PeerNumber) => readonly Message[]): void {
    const now = this.#options.network.now();
    for (const [number, link] of [...this.#links]) {
      if (link.handshake) phase.peerConnected(number, factsOf(link, link.handshake, true), now);
      for (const message of said(number)) phase.message(number, message, now);
    }
    this.#early.clear();
  }

  #saidEarly(peer: PeerNumber): readonly Message[] {
    return this.#early.get(peer)?.messages() ?? [];
  }

  /** Closes a connection that the phase does not close itself. */
  #drop(number: PeerNumber, reason: CloseReason): void {
    const now = this.#options.network.now();
    this.close(number, reason);
    this.#swarm?.peerClosed(number, now);
    this.#fetch?.peerClosed(number, now);
  }

  #forget(number: PeerNumber, reason: CloseReason): void {
    const link = this.#links.get(number);
    if (!link) return;
    this.#links.delete(number);
    this.#early.delete(number);
    this.#exchange?.closed(number);
    this.#uploads?.forget(number);
    this.#freeNumbers.push(number);
    const banned = this.#options.recruiter.closed(number, reason, this.#options.network.now());
    this.#report.closed(addressOf(link), banned, reason, this.#swarm?.peers.get(number));
  }

  #exchanged(addresses: readonly Address[], now: number): void {
    this.#options.recruiter.addressesFound(addresses, 'pex', now);
    this.#options.onExchanged?.(addresses);
  }

  #heard(link: PeerLink, message: PeerExchangeMessage, now: number): void {
    const fault = this.#exchange?.heard(link, message, now);
    if (fault) this.#drop(link.number, fault);
    this.#options.onInput();
  }

  #extensionHandshake(link: PeerLink): ExtensionHandshake {
    return extensionHandshake(link, {
      port: this.#options.network.port,
      metadataSize: this.#metainfo?.infoBytes.length,
      uploadOnly: this.#swarm?.uploadOnly ?? false,
      pex: this.#exchange !== undefined,
    });
  }

  #introduced(link: PeerLink, said: ExtensionHandshake, now: number): void {
    const { recruiter, network } = this.#options;
    const { listenPort, yourIp } = said;
    this.#exchange?.introduced(link, said, now);
    if (listenPort !== undefined) recruiter.listensAt(link.number, listenPort, now);
    const host = yourIp && hostText(yourIp);
    if (host && network.port > 0) recruiter.seenAs(link.number, { host, port: network.port });
  }
}
