// Messages to bytes. Every call returns bytes of its own, so that whoever sends them may encrypt them in place.

import type { BlockList } from '../torrent/block-list.js';
import type { WireMessage } from './message.js';
import { ID, PIECE_HEADER_LENGTH } from './message-id.js';
import { writeUint32 } from './uint32.js';

/** What `encode` takes: a piece goes out as `pieceHeader` and the block's own bytes, an unknown message never. */
export type EncodableMessage = Exclude<WireMessage, { type: 'piece' | 'unknown' }>;

/** Bytes of a request, cancel or reject on the wire. */
const BLOCK_MESSAGE_LENGTH = 17;

/** One message, length prefix included (BEP 3, "peer messages"; BEP 5, 6, 10). */
export function encode(message: EncodableMessage): Uint8Array {
  switch (message.type) {
    case 'keepAlive':
      return new Uint8Array(4);
    case 'choke':
    case 'unchoke':
    case 'interested':
    case 'notInterested':
    case 'haveAll':
    case 'haveNone':
      return frame(ID[message.type], 0);
    case 'have':
    case 'suggest':
    case 'allowedFast': {
      const bytes = frame(ID[message.type], 4);
      writeUint32(bytes, 5, message.index);
      return bytes;
    }
    case 'request':
    case 'cancel':
    case 'reject': {
      const bytes = new Uint8Array(BLOCK_MESSAGE_LENGTH);
      writeBlockMessage(bytes, 0, ID[message.type], message.index, message.begin, message.length);
      return bytes;
    }
    case 'bitfield': {
      const bytes = frame(ID.bitfield, message.bits.length);
      bytes.set(message.bits, 5);
      return bytes;
    }
    case 'port': {
      const bytes = frame(ID.port, 2);
      bytes[5] = message.port >>> 8;
      bytes[6] = message.port;
      return bytes;
    }
    case 'extended': {
      const bytes = frame(ID.extended, 1 + message.payload.length);
      bytes[5] = message.id;
      bytes.set(message.payload, 6);
      return bytes;
    }
  }
}

/** A request for each block of the list, 17 bytes each, to be written in one go. */
export function encodeRequests(blocks: BlockList): Uint8Array {
  const bytes = new Uint8Array(blocks.count * BLOCK_MESSAGE_LENGTH);
  for (let i = 0; i < blocks.count; i++) {
    const at = i * BLOCK_MESSAGE_LENGTH;
    writeBlockMessage(bytes, at, ID.request, blocks.pieces[i]!, blocks.begins[i]!, blocks.lengths[i]!);
  }
  return bytes;
}

/** The 13 bytes that go before the `length` bytes of a block; the block is written right after, uncopied. */
export function pieceHeader(index: number, begin: number, length: number): Uint8Array {
  const bytes = new Uint8Array(PIECE_HEADER_LENGTH);
  writePieceHeader(bytes, 0, index, begin, length);
  return bytes;
}

/** The same 13 bytes, written to where the block follows. */
export function writePieceHeader(
  bytes: Uint8Array,
  at: number,
  index: number,
  begin: number,
  length: number,
): void {
  writeUint32(bytes, at, PIECE_HEADER_LENGTH - 4 + length);
  bytes[at + 4] = ID.piece;
  writeUint32(bytes, at + 5, index);
  writeUint32(bytes, at + 9, begin);
}

function writeBlockMessage(
  bytes: Uint8Array,
  at: number,
  id: number,
  index: number,
  begin: number,
  length: number,
): void {
  writeUint32(bytes, at, BLOCK_MESSAGE_LENGTH - 4);
  bytes[at + 4] = id;
  writeUint32(bytes, at + 5, index);
  writeUint32(bytes, at + 9, begin);
  writeUint32(bytes, at + 13, length);
}

/** Length prefix and id, with room for the body. */
function frame(id: number, bodyLength: number): Uint8Array {
  const bytes = new Uint8Array(5 + bodyLength);
  writeUint32(bytes, 0, 1 + bodyLength);
  bytes[4] = id;
  return bytes;
}
