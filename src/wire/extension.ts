// The payloads of extended messages (BEP 10): the extension handshake, ut_metadata (BEP 9), ut_pex (BEP 11), lt_donthave (BEP 54).
// Knows which ids each side chose; not what a message means to the swarm.

import bencode from 'bencode';
import { endOfValue, findValues, type Span, stringBody } from '../torrent/bencode-scanner.js';
import { BLOCK_LENGTH, LIMITS } from '../torrent/limits.js';
import { printable } from '../torrent/text.js';
import type { ExtensionHandshake, ExtensionMessage, MetadataMessage, WireMessage } from './message.js';
import { parsePeerExchange, peerExchangeFields } from './peer-exchange.js';
import { readUint32, writeUint32 } from './uint32.js';

/** The ids under which we receive extensions; the same on every connection. */
export const LOCAL_IDS = { utPex: 1, utMetadata: 2, dontHave: 3 } as const;

const HANDSHAKE_ID = 0;
const HANDSHAKE_FIELDS = ['m', 'metadata_size', 'p', 'reqq', 'upload_only', 'v', 'yourip'] as const;
const EXTENSION_NAMES = ['lt_donthave', 'ut_metadata', 'ut_pex'] as const;
const METADATA_FIELDS = ['msg_type', 'piece', 'total_size'] as const;

/** First bytes of bencoded values. */
const DICT = 0x64;
const INTEGER = 0x69;

/** msg_type of BEP 9. */
const METADATA_REQUEST = 0;
const METADATA_DATA = 1;
const METADATA_REJECT = 2;
const METADATA_PARTS = Math.ceil(LIMITS.metadataBytes / BLOCK_LENGTH);

/** The outcome of reading an extended message: undefined is one to ignore, a string is why to close the connection. */
export type ExtensionResult = ExtensionMessage | 'bad-extension' | undefined;

/** One connection's extension protocol: remembers the ids that the peer announced. */
export class ExtensionCodec {
  #utMetadata = 0;
  #utPex = 0;
  #dontHave = 0;

  /** Reads an `extended` message of the peer. A handshake may come again and then states changes only (BEP 10). */
  decode(id: number, payload: Uint8Array): ExtensionResult {
    const message = parseExtended(id, payload);
    if (typeof message === 'object' && message.type === 'extensionHandshake') {
      this.#utMetadata = message.utMetadata ?? this.#utMetadata;
      this.#utPex = message.utPex ?? this.#utPex;
      this.#dontHave = message.dontHave ?? this.#dontHave;
    }
    return message;
  }

  /**
   * The message as the peer wants it, or undefined when it did not announce the extension or took it back. A handshake
   * announces LOCAL_IDS but where it has ids of its own: 0 takes an extension back. Peer exchange alone is left to the
   * caller, who names LOCAL_IDS.utPex where it is wanted: private torrents have none (BEP 27).
   */
  encode(message: ExtensionMessage): Extract<WireMessage, { type: 'extended' }> | undefined {
    switch (message.type) {
      case 'extensionHandshake':
        return extended(HANDSHAKE_ID, encodeExtensionHandshake(withLocalIds(message)));
      case 'dontHave':
        return this.#dontHave === 0 ? undefined : extended(this.#dontHave, encodeIndex(message.index));
      case 'peerExchange':
        return this.#utPex === 0
          ? undefined
          : extended(this.#utPex, bencode.encode(peerExchangeFields(message)));
      default:
        return this.#utMetadata === 0 ? undefined : extended(this.#utMetadata, encodeMetadata(message));
    }
  }
}

/** Reads the payload of an `extended` message that was sent under one of LOCAL_IDS, or 0. Byte fields are copies but for metadata. */
export function parseExtended(id: number, payload: Uint8Array): ExtensionResult {
  switch (id) {
    case HANDSHAKE_ID:
      return parseHandshake(payload) ?? 'bad-extension';
    case LOCAL_IDS.utMetadata:
      return parseMetadata(payload);
    case LOCAL_IDS.utPex:
      return endOfDict(payload) === undefined ? 'bad-extension' : parsePeerExchange(payload);
    case LOCAL_IDS.dontHave:
      return payload.length === 4 ? { type: 'dontHave', index: readUint32(payload, 0) } : 'bad-extension';
    default:
      return undefined;
  }
}

/** The payload of an extension handshake that says just what `handshake` says. */
export function encodeExtensionHandshake(handshake: ExtensionHandshake): Uint8Array {
  return bencode.encode({
    m: { lt_donthave: handshake.dontHave, ut_metadata: handshake.utMetadata, ut_pex: handshake.utPex },
    metadata_size: handshake.metadataSize,
    p: handshake.listenPort,
    reqq: handshake.reqq,
    // The encoder takes a boolean for a broken number and says so on the console.
    upload_only: handshake.uploadOnly === undefined ? undefined : Number(handshake.uploadOnly),
    v: handshake.client,
    yourip: handshake.yourIp,
  });
}

function withLocalIds(handshake: ExtensionHandshake): ExtensionHandshake {
  const { utMetadata = LOCAL_IDS.utMetadata, dontHave = LOCAL_IDS.dontHave } = handshake;
  return { ...handshake, utMetadata, dontHave };
}

function parseHandshake(payload: Uint8Array): ExtensionHandshake | undefined {
  if (endOfDict(payload) === undefined) return undefined;
  const fields = findValues(payload, 0, HANDSHAKE_FIELDS);
  const ids = findValues(payload, fields.get('m')?.start ?? payload.length, EXTENSION_NAMES);
  const id = (name: (typeof EXTENSION_NAMES)[number]) => integer(payload, ids.get(name), 0, 255);
  const number = (name: (typeof HANDSHAKE_FIELDS)[number], least: number, most: number) =>
    integer(payload, fields.get(name), least, most);
  const reqq = number('reqq', 1, Number.MAX_SAFE_INTEGER);
  const uploadOnly = number('upload_only', 0, Number.MAX_SAFE_INTEGER);
  return {
    type: 'extensionHandshake',
    utMetadata: id('ut_metadata'),
    utPex: id('ut_pex'),
    dontHave: id('lt_donthave'),
    metadataSize: number('metadata_size', 1, LIMITS.metadataBytes),
    // More than we ever ask for at a time tells us nothing.
    reqq: reqq === undefined ? undefined : Math.min(reqq, LIMITS.pipelineMax),
    uploadOnly: uploadOnly === undefined ? undefined : uploadOnly !== 0,
    yourIp: address(payload, fields.get('yourip')),
    client: clientName(payload, fields.get('v')),
    listenPort: number('p', 1, 65535),
  };
}

function parseMetadata(payload: Uint8Array): ExtensionResult {
  const end = endOfDict(payload);
  if (end === undefined) return 'bad-extension';
  const fields = findValues(payload, 0, METADATA_FIELDS);
  const messageType = integer(payload, fields.get('msg_type'), 0, Number.MAX_SAFE_INTEGER);
  if (messageType === undefined) return 'bad-extension';
  // "an unrecognized message ID MUST be ignored" (BEP 9)
  if (messageType > METADATA_REJECT) return undefined;
  const piece = integer(payload, fields.get('piece'), 0, METADATA_PARTS - 1);
  if (piece === undefined) return 'bad-extension';
  if (messageType === METADATA_REQUEST) return { type: 'metadataRequest', piece };
  if (messageType === METADATA_REJECT) return { type: 'metadataReject', piece };
  const totalSize = integer(payload, fields.get('total_size'), 1, LIMITS.metadataBytes);
  if (totalSize === undefined) return 'bad-extension';
  const data = payload.subarray(end);
  const wanted = Math.min(BLOCK_LENGTH, totalSize - piece * BLOCK_LENGTH);
  if (wanted <= 0 || data.length !== wanted) return 'bad-extension';
  return { type: 'metadataData', piece, totalSize, data };
}

function encodeMetadata(message: MetadataMessage): Uint8Array {
  const { piece } = message;
  if (message.type === 'metadataRequest') return bencode.encode({ msg_type: METADATA_REQUEST, piece });
  if (message.type === 'metadataReject') return bencode.encode({ msg_type: METADATA_REJECT, piece });
  const head = bencode.encode({ msg_type: METADATA_DATA, piece, total_size: message.totalSize });
  const payload = new Uint8Array(head.length + message.data.length);
  payload.set(head);
  payload.set(message.data, head.length);
  return payload;
}

function encodeIndex(index: number): Uint8Array {
  const payload = new Uint8Array(4);
  writeUint32(payload, 0, index);
  return payload;
}

function extended(id: number, payload: Uint8Array): Extract<WireMessage, { type: 'extended' }> {
  return { type: 'extended', id, payload };
}

/** Where the dictionary at the start of the payload ends; undefined when there is none, it is malformed or too long. */
function endOfDict(payload: Uint8Array): number | undefined {
  if (payload[0] !== DICT) return undefined;
  return endOfValue(payload.subarray(0, LIMITS.extensionDictBytes), 0);
}

/** A scanned integer, or undefined when the value is absent, of another type or out of range. */
function integer(
  payload: Uint8Array,
  span: Span | undefined,
  least: number,
  most: number,
): number | undefined {
  if (span === undefined || payload[span.start] !== INTEGER) return undefined;
  const value: number = bencode.decode(payload.subarray(span.start, span.end));
  return value >= least && value <= most ? value : undefined;
}

function address(payload: Uint8Array, span: Span | undefined): Uint8Array | undefined {
  const bytes = span && stringBody(payload, span.start);
  // Not `slice`: that of a Buffer is a view.
  return bytes?.length === 4 || bytes?.length === 16 ? Uint8Array.from(bytes) : undefined;
}

/** Client name cut and fit to print, or undefined when nothing is left of it. */
function clientName(payload: Uint8Array, span: Span | undefined): string | undefined {
  const bytes = span && stringBody(payload, span.start);
  if (bytes === undefined) return undefined;
  // `stream` drops a character that the cut has halved.
  const text = new TextDecoder().decode(bytes.subarray(0, LIMITS.clientNameBytes), { stream: true });
  return printable(text) || undefined;
}
