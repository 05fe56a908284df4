// One connection as the engine sees it: a socket, the handshakes, the decoder and the extension ids of this peer. Turns
// bytes into messages for its owner and orders into bytes; decides nothing about the swarm.

import type { PeerSocket, PeerSocketHandlers, SharedMemory } from '../net/peer-socket.js';
import type { BlockList } from '../torrent/block-list.js';
import type { CloseReason } from '../torrent/errors.js';
import { equalBytes, type InfoHash, type PeerId } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';
import { Decoder } from '../wire/decoder.js';
import { encode, encodeRequests, pieceHeader } from '../wire/encode.js';
import { ExtensionCodec } from '../wire/extension.js';
import { encodeHandshake, type Handshake, HandshakeDecoder } from '../wire/handshake.js';
import type { Message, WireMessage } from '../wire/message.js';

/** What a link tells the torrent it belongs to. */
export interface LinkOwner {
  readonly infoHash: InfoHash;
  /** Pieces of the torrent, once they are known. */
  readonly pieceCount: number | undefined;
  /** Whether we say that we run a DHT node (BEP 5's reserved bit). */
  readonly sharesDht: boolean;
  /** The handshake of BEP 3 is done; returns a reason to hang up instead. */
  linkOpened(link: PeerLink, handshake: Handshake): CloseReason | undefined;
  linkMessage(link: PeerLink, message: Message): void;
  /** The peer runs a DHT node at this UDP port (BEP 5). */
  linkPort(link: PeerLink, port: number): void;
  linkDrained(link: PeerLink): void;
  /** The connection is over; not called after `close`. */
  linkClosed(link: PeerLink, reason: CloseReason): void;
}

/** What all links of a process share. */
export interface LinkContext {
  readonly peerId: PeerId;
  now(): number;
  /** Bytes came in. */
  received(link: PeerLink, bytes: number): void;
  /** The link is of no more use to anybody. */
  released(link: PeerLink): void;
  /** The torrent an incoming peer asks for, if we have it. */
  ownerOf(infoHash: InfoHash): LinkOwner | undefined;
}

export class PeerLink {
  readonly socket: PeerSocket;
  readonly handlers: PeerSocketHandlers = {
    onData: chunk => this.#onData(chunk),
    onDrain: () => this.owner?.linkDrained(this),
    onClose: reason => this.#end(reason),
  };
  /** The number this peer has in its torrent; -1 until the handshake is done. */
  number = -1;
  owner: LinkOwner | undefined;
  /** What the peer said of itself; there once the owner is told of the link. */
  handshake: Handshake | undefined;
  /** Parts of the metadata that the peer was given (BEP 9). */
  metadataServed = 0;
  readonly extensions = new ExtensionCodec();
  readonly #context: LinkContext;
  #greeting: HandshakeDecoder | undefined = new HandshakeDecoder();
  #decoder: Decoder | undefined;
  #open = true;
  #answered = false;
  #hasToldPort = false;
  readonly #sinceMs: number;
  #receivedAtMs: number;
  #sentAtMs: number;

  /** @param owner the torrent we dialled for; undefined for an incoming connection, which names its torrent itself */
  constructor(socket: PeerSocket, context: LinkContext, owner: LinkOwner | undefined) {
    this.socket = socket;
    this.owner = owner;
    this.#context = context;
    this.#sinceMs = context.now();
    this.#receivedAtMs = this.#sinceMs;
    this.#sentAtMs = this.#sinceMs;
    if (owner) this.#sendHandshake(owner);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** The metadata arrived: the length of a bitfield is known from now on. */
  setPieceCount(pieceCount: number): void {
    if (this.#decoder) this.#decoder.pieceCount = pieceCount;
  }

  /** Sends a message; one that the peer has no extension for is left out. */
  send(message: Message): void {
    const wire = toWire(message, this.extensions);
    if (wire) this.#write(encode(wire));
  }

  /** Tells our DHT port (BEP 5). */
  sendPort(port: number): void {
    this.#write(encode({ type: 'port', port }));
  }

  request(blocks: BlockList): void {
    this.#write(encodeRequests(blocks));
  }

  sendBlock(index: number, begin: number, block: Uint8Array): void {
    if (!this.#open) return;
    this.#sentAtMs = this.#context.now();
    this.socket.writeBlock(pieceHeader(index, begin, block.length), block);
  }

  /** Sends blocks with their headers, as they lie in memory that is to be left alone until it has been released. */
  sendShared(frames: Uint8Array, memory: SharedMemory): void {
    if (!this.#open) return;
    this.#sentAtMs = this.#context.now();
    this.socket.writeShared(frames, memory);
  }

  /** Hangs up; the owner is not told. */
  close(): void {
    this.#open = false;
    this.#decoder?.stop();
    this.socket.destroy();
    this.#context.released(this);
  }

  /** Keeps the connection alive, or ends it when the peer is silent for too long. */
  watch(now: number): void {
    if (this.number < 0) {
      if (now - this.#sinceMs >= LIMITS.handshakeTimeoutMs) this.#end('handshake-timeout');
    } else if (now - this.#receivedAtMs >= LIMITS.idleTimeoutMs) this.#end('idle-timeout');
    else if (this.socket.bufferedBytes > LIMITS.unreadBytes) this.#end('message-flood');
    else if (now - this.#sentAtMs >= LIMITS.keepAliveMs) this.#write(encode({ type: 'keepAlive' }));
  }

  #write(bytes: Uint8Array): void {
    if (!this.#open) return;
    this.#sentAtMs = this.#context.now();
    this.socket.write(bytes);
  }

  #end(reason: CloseReason): void {
    if (!this.#open) return;
    this.close();
    this.owner?.linkClosed(this, reason);
  }

  #sendHandshake(owner: LinkOwner): void {
    this.#answered = true;
    const { peerId } = this.#context;
    const { infoHash, sharesDht } = owner;
    this.#write(encodeHandshake({ infoHash, peerId, fast: true, extended: true, dht: sharesDht }));
  }

  #onData(chunk: Uint8Array): void {
    this.#receivedAtMs = this.#context.now();
    this.#context.received(this, chunk.length);
    const rest = this.#greeting ? this.#onHandshake(this.#greeting, chunk) : chunk;
    if (!rest || rest.length === 0 || !this.#decoder) return;
    const fault = this.#decoder.push(rest, message => this.#onMessage(message));
    if (fault) this.#end(fault);
  }

  /** Returns what the chunk holds beyond the handshake, once that is done. */
  #onHandshake(decoder: HandshakeDecoder, chunk: Uint8Array): Uint8Array | undefined {
    const progress = decoder.push(chunk);
    if (progress.state === 'wait') return undefined;
    if (progress.state === 'fatal') {
      this.#end(progress.reason);
      return undefined;
    }
    const infoHash = progress.state === 'infoHash' ? progress.infoHash : progress.handshake.infoHash;
    this.owner ??= this.#context.ownerOf(infoHash);
    if (!this.owner || !equalBytes(this.owner.infoHash, infoHash)) {
      this.#end('wrong-info-hash');
      return undefined;
    }
    if (!this.#answered) this.#sendHandshake(this.owner);
    return progress.state === 'done'
      ? this.#opened(this.owner, progress.handshake, progress.rest)
      : undefined;
  }

  #opened(owner: LinkOwner, handshake: Handshake, rest: Uint8Array): Uint8Array | undefined {
    this.#greeting = undefined;
    this.handshake = handshake;
    this.#decoder = new Decoder({ fast: handshake.fast, pieceCount: owner.pieceCount });
    const refusal = owner.linkOpened(this, handshake);
    if (!refusal) return rest;
    // Not before our handshake has left, which tells the peer whom it has met: itself, or somebody it knows already.
    this.#decoder.stop();
    setImmediate(() => this.#end(refusal));
    return undefined;
  }

  #onMessage(message: WireMessage): void {
    switch (message.type) {
      case 'keepAlive':
      case 'unknown':
        return;
      case 'port':
        if (this.#hasToldPort) return;
        this.#hasToldPort = true;
        this.owner?.linkPort(this, message.port);
        return;
      case 'extended': {
        const decoded = this.extensions.decode(message.id, message.payload);
        if (decoded === 'bad-extension') this.#end(decoded);
        else if (decoded) this.owner?.linkMessage(this, decoded);
        return;
      }
      default:
        this.owner?.linkMessage(this, message);
    }
  }
}

function toWire(message: Message, extensions: ExtensionCodec) {
  switch (message.type) {
    case 'extensionHandshake':
    case 'metadataRequest':
    case 'metadataData':
    case 'metadataReject':
    case 'peerExchange':
    case 'dontHave':
      return extensions.encode(message);
    case 'piece':
      // Blocks go out through sendBlock, header and bytes apart.
      return undefined;
    default:
      return message;
  }
}
