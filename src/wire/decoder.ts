// Bytes after the handshake to messages. Checks shape (id, length, place of the bitfield), never meaning: whether a
// piece exists or a block was asked for is the swarm's business. Bytes from a peer are held only once their announced
// length was found to be allowed.

import type { CloseReason } from '../torrent/errors.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import type { WireMessage } from './message.js';
import { ID, PIECE_HEADER_LENGTH } from './message-id.js';
import { readUint32 } from './uint32.js';

/** Length prefix and id: all that is waited for before a message is judged. */
const HEADER_LENGTH = 5;
/** Holds every message of fixed length, so that a connection without downloads needs no more. */
const SMALL_LENGTH = 17;
/** A piece message with a block of the usual size. */
const PIECE_LENGTH = PIECE_HEADER_LENGTH + BLOCK_LENGTH;
/** Bytes of a piece message after the length prefix that are not the block. */
const PIECE_OVERHEAD = PIECE_HEADER_LENGTH - 4;

const KEEP_ALIVE: WireMessage = Object.freeze({ type: 'keepAlive' });
const CHOKE: WireMessage = Object.freeze({ type: 'choke' });
const UNCHOKE: WireMessage = Object.freeze({ type: 'unchoke' });
const INTERESTED: WireMessage = Object.freeze({ type: 'interested' });
const NOT_INTERESTED: WireMessage = Object.freeze({ type: 'notInterested' });
const HAVE_ALL: WireMessage = Object.freeze({ type: 'haveAll' });
const HAVE_NONE: WireMessage = Object.freeze({ type: 'haveNone' });

export interface DecoderOptions {
  /** Both sides set the bit of BEP 6. */
  readonly fast: boolean;
  /** Pieces of the torrent; undefined until the metadata is known. */
  readonly pieceCount?: number | undefined;
}

/** Turns what one peer sends into messages, however it was cut into chunks. */
export class Decoder {
  /** Pieces of the torrent, which fix the length of a bitfield (BEP 3). May be set once the metadata is known. */
  pieceCount: number | undefined;
  readonly #fast: boolean;
  /** Where a message that straddles chunks is collected, its length prefix and id included. */
  #assembly = new Uint8Array(SMALL_LENGTH);
  /** Bytes of the straddling message that have arrived; 0 when there is none. */
  #arrived = 0;
  /** Bytes it has in all; 0 until its header is complete. */
  #total = 0;
  /** The body of the straddling message is counted, not kept. */
  #skipping = false;
  #dead = false;
  #fault: CloseReason | undefined;

  constructor(options: DecoderOptions) {
    this.#fast = options.fast;
    this.pieceCount = options.pieceCount;
  }

  /** Bytes set aside for messages that straddle chunks. */
  get assemblyBytes(): number {
    return this.#assembly.length;
  }

  /**
   * Hands every message that is now complete to `sink`, in order. Views inside a message (block, bits, payload) are
   * valid until `sink` returns.
   * @returns undefined to wait for more, or why the connection must be closed; from then on all input is ignored
   */
  push(chunk: Uint8Array, sink: (message: WireMessage) => void): CloseReason | undefined {
    if (this.#dead) return undefined;
    let at = 0;
    while (at < chunk.length && !this.#dead) {
      at = this.#arrived === 0 ? this.#decodeInPlace(chunk, at, sink) : this.#collect(chunk, at, sink);
    }
    return this.#fault;
  }

  /** Ends decoding, also from within `sink` in the middle of a chunk. */
  stop(): void {
    this.#dead = true;
  }

  /** Decodes the message that begins at `at`, or starts to collect it. Returns where to go on. */
  #decodeInPlace(chunk: Uint8Array, at: number, sink: (message: WireMessage) => void): number {
    const available = chunk.length - at;
    if (available < 4) return this.#collect(chunk, at, sink);
    const length = readUint32(chunk, at);
    if (length === 0) {
      sink(KEEP_ALIVE);
      return at + 4;
    }
    if (available < 4 + length) return this.#collect(chunk, at, sink);
    if (this.#accepts(chunk[at + 4]!, length)) sink(parse(chunk, at, at + 4 + length));
    return at + 4 + length;
  }

  /** Adds to the straddling message what the chunk has of it; decodes it once it is complete. Returns where to go on. */
  #collect(chunk: Uint8Array, start: number, sink: (message: WireMessage) => void): number {
    let at = start;
    if (this.#total === 0) {
      at = this.#take(chunk, at, 4);
      if (this.#arrived < 4) return at;
      const length = readUint32(this.#assembly, 0);
      if (length === 0) {
        this.#arrived = 0;
        sink(KEEP_ALIVE);
        return at;
      }
      at = this.#take(chunk, at, HEADER_LENGTH);
      if (this.#arrived < HEADER_LENGTH) return at;
      if (!this.#accepts(this.#assembly[4]!, length)) return at;
      this.#makeRoom(4 + length);
    }
    at = this.#take(chunk, at, this.#total);
    if (this.#arrived === this.#total) this.#deliver(sink);
    return at;
  }

  /** Moves bytes of the chunk to the assembly until `target` have arrived. Returns where to go on. */
  #take(chunk: Uint8Array, at: number, target: number): number {
    const end = Math.min(chunk.length, at + target - this.#arrived);
    if (!this.#skipping) this.#assembly.set(chunk.subarray(at, end), this.#arrived);
    this.#arrived += end - at;
    return end;
  }

  /** Prepares for the body of a message of `total` bytes that was found to be allowed. */
  #makeRoom(total: number): void {
    this.#total = total;
    this.#skipping = !isKnown(this.#assembly[4]!);
    if (this.#skipping || total <= this.#assembly.length) return;
    const larger = new Uint8Array(Math.max(total, PIECE_LENGTH));
    larger.set(this.#assembly.subarray(0, HEADER_LENGTH));
    this.#assembly = larger;
  }

  #deliver(sink: (message: WireMessage) => void): void {
    const message = parse(this.#assembly, 0, this.#total);
    // The message holds a view of an unusually large buffer for as long as it lives; the decoder does not.
    if (this.#assembly.length > PIECE_LENGTH) this.#assembly = new Uint8Array(SMALL_LENGTH);
    this.#arrived = 0;
    this.#total = 0;
    this.#skipping = false;
    sink(message);
  }

  /** Whether a message of this id and length may come now; if not, the decoder is dead and the fault noted. */
  #accepts(id: number, length: number): boolean {
    this.#fault = this.#faultOf(id, length);
    if (this.#fault !== undefined) this.#dead = true;
    return !this.#dead;
  }

  #faultOf(id: number, length: number): CloseReason | undefined {
    // A bitfield may come at any time: aria2 sends one in place of several HAVEs, and HAVE ALL when it has completed.
    if (id >= ID.suggest && id <= ID.allowedFast && !this.#fast) return 'fast-not-enabled';
    return lengthFault(id, length, this.pieceCount);
  }
}

function isKnown(id: number): boolean {
  return id <= ID.port || (id >= ID.suggest && id <= ID.allowedFast) || id === ID.extended;
}

/** What is wrong with the length of a message, `length` being the value of its prefix: id and body. */
function lengthFault(id: number, length: number, pieceCount: number | undefined): CloseReason | undefined {
  switch (id) {
    case ID.choke:
    case ID.unchoke:
    case ID.interested:
    case ID.notInterested:
    case ID.haveAll:
    case ID.haveNone:
      return exactly(1, length);
    case ID.have:
    case ID.suggest:
    case ID.allowedFast:
      return exactly(5, length);
    case ID.request:
    case ID.cancel:
    case ID.reject:
      return exactly(13, length);
    case ID.port:
      return exactly(3, length);
    case ID.bitfield:
      if (pieceCount !== undefined) return exactly(1 + Math.ceil(pieceCount / 8), length);
      return between(1, 1 + Math.ceil(LIMITS.pieces / 8), length);
    case ID.piece:
      return between(PIECE_OVERHEAD + 1, PIECE_OVERHEAD + LIMITS.requestBytes, length);
    case ID.extended:
      return between(2, 2 + LIMITS.extendedBytes, length);
    default:
      return between(1, 1 + LIMITS.extendedBytes, length);
  }
}

function exactly(wanted: number, length: number): CloseReason | undefined {
  return length === wanted ? undefined : 'bad-message-length';
}

function between(least: number, most: number, length: number): CloseReason | undefined {
  if (length < least) return 'bad-message-length';
  return length > most ? 'message-too-long' : undefined;
}

/** The message whose length prefix is at `at` and which ends before `end`; its length was checked. */
function parse(bytes: Uint8Array, at: number, end: number): WireMessage {
  const id = bytes[at + 4]!;
  const body = at + HEADER_LENGTH;
  switch (id) {
    case ID.piece: {
      const data = bytes.subarray(body + 8, end);
      const block = { length: data.length, data };
      return { type: 'piece', index: readUint32(bytes, body), begin: readUint32(bytes, body + 4), block };
    }
    case ID.have:
      return { type: 'have', index: readUint32(bytes, body) };
    case ID.request:
      return blockMessage('request', bytes, body);
    case ID.cancel:
      return blockMessage('cancel', bytes, body);
    case ID.reject:
      return blockMessage('reject', bytes, body);
    case ID.choke:
      return CHOKE;
    case ID.unchoke:
      return UNCHOKE;
    case ID.interested:
      return INTERESTED;
    case ID.notInterested:
      return NOT_INTERESTED;
    case ID.haveAll:
      return HAVE_ALL;
    case ID.haveNone:
      return HAVE_NONE;
    case ID.suggest:
      return { type: 'suggest', index: readUint32(bytes, body) };
    case ID.allowedFast:
      return { type: 'allowedFast', index: readUint32(bytes, body) };
    case ID.bitfield:
      return { type: 'bitfield', bits: bytes.subarray(body, end) };
    case ID.port:
      return { type: 'port', port: (bytes[body]! << 8) | bytes[body + 1]! };
    case ID.extended:
      return { type: 'extended', id: bytes[body]!, payload: bytes.subarray(body + 1, end) };
    default:
      return { type: 'unknown', id };
  }
}

function blockMessage(type: 'request' | 'cancel' | 'reject', bytes: Uint8Array, body: number): WireMessage {
  return {
    type,
    index: readUint32(bytes, body),
    begin: readUint32(bytes, body + 4),
    length: readUint32(bytes, body + 8),
  };
}
