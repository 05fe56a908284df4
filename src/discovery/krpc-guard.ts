// Which datagrams of the DHT may come in, and what of our answers may go out. The DHT package believes what it decodes:
// one datagram of wrong types ends the process or loops for ever, and its answers know no bound. So a datagram passes
// only if every field the package reads has the type and length that BEP 5 gives it. Pure; knows no socket.

import { endOfValue, findValues, listItems, type Span, stringBody } from '../torrent/bencode-scanner.js';
import { HASH_LENGTH } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';

/** What a well-formed KRPC message is (BEP 5, "KRPC Protocol"). */
export type KrpcKind = 'query' | 'response' | 'error';

/** Nesting of a KRPC message: `values` in `r` is the third level; fields that nobody reads may bring more. */
const DEPTH_LIMIT = 10;
/** Compact peer info: IPv4 address and port; compact node info: node id, and the same (BEP 5, "Contact Encoding"). */
const PEER_LENGTH = 6;
const NODE_LENGTH = HASH_LENGTH + PEER_LENGTH;
/** Nodes in an answer (BEP 5: K). */
const NODES_ANSWERED = 8;
/** "A short binary string" that we send back; known clients use 4 to 20 bytes. */
const TOKEN_LIMIT = 128;
/** Transaction ids of others, which we send back: known clients use 1 to 8 bytes. */
const TRANSACTION_LIMIT = 32;
/** Transaction ids of ours, as the package makes them. */
const TRANSACTION_LENGTH = 2;

/** The fields the package reads, and the key that its decoder takes for the prototype of the dictionary. */
const MESSAGE = ['t', 'y', 'q', 'a', 'r', 'e', '__proto__'] as const;
const ARGUMENTS = ['id', 'target', 'info_hash', 'port', 'implied_port', 'token', '__proto__'] as const;
const RESULTS = ['id', 'nodes', 'token', 'values', '__proto__'] as const;

/**
 * The kind of a datagram that is safe to hand on, undefined for every other. Fields that nobody reads (`v`, `ip`, `ro`,
 * `want`, `nodes6`, those to come) may hold anything well-formed. Queries are those of BEP 5 alone: `get` and `put`
 * (BEP 44) are refused, as we store nothing for strangers.
 */
export function krpcKind(bytes: Uint8Array): KrpcKind | undefined {
  if (bytes.length > LIMITS.dhtDatagramBytes || endOfValue(bytes, 0, DEPTH_LIMIT) !== bytes.length)
    return undefined;
  const message = fieldsOf(bytes, { start: 0, end: bytes.length }, MESSAGE);
  if (message === undefined) return undefined;
  const transaction = lengthOf(bytes, message.get('t'));
  switch (textOf(bytes, message.get('y'))) {
    case 'q': {
      const known = transaction >= 1 && transaction <= TRANSACTION_LIMIT;
      return known && isQuery(bytes, message.get('q'), message.get('a')) ? 'query' : undefined;
    }
    case 'r':
      return transaction === TRANSACTION_LENGTH && isResult(bytes, message.get('r')) ? 'response' : undefined;
    case 'e':
      return transaction === TRANSACTION_LENGTH && isError(bytes, message.get('e')) ? 'error' : undefined;
    default:
      return undefined;
  }
}

/**
 * An answer of ours cut to LIMITS.dhtReplyBytes: the closest nodes alone (they come sorted), and as many peers as fit (they
 * come in random order). Else a query of 100 bytes from a forged address could bring 60 KiB upon its victim.
 */
export function trimReply(bytes: Uint8Array): Uint8Array {
  const message = fieldsOf(bytes, { start: 0, end: bytes.length }, MESSAGE);
  const result = message && fieldsOf(bytes, message.get('r'), RESULTS);
  const nodes = result?.get('nodes');
  const values = result?.get('values');
  if (nodes !== undefined && lengthOf(bytes, nodes) > NODES_ANSWERED * NODE_LENGTH) {
    const length = NODES_ANSWERED * NODE_LENGTH;
    const body = stringBody(bytes, nodes.start)?.subarray(0, length) ?? [];
    return replaced(bytes, nodes, Buffer.concat([Buffer.from(`${length}:`), Buffer.from(body)]));
  }
  if (values !== undefined && bytes.length > LIMITS.dhtReplyBytes) {
    const rest = bytes.length - (values.end - values.start);
    const itemLength = '6:'.length + PEER_LENGTH;
    const count = Math.max(0, Math.floor((LIMITS.dhtReplyBytes - rest - 'le'.length) / itemLength));
    const items = bytes.subarray(values.start + 1, values.start + 1 + count * itemLength);
    return replaced(bytes, values, Buffer.concat([Buffer.from('l'), items, Buffer.from('e')]));
  }
  return bytes;
}

function replaced(bytes: Uint8Array, span: Span, by: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, span.start), by, bytes.subarray(span.end)]);
}

function isQuery(bytes: Uint8Array, method: Span | undefined, a: Span | undefined): boolean {
  const args = fieldsOf(bytes, a, ARGUMENTS);
  if (args === undefined || lengthOf(bytes, args.get('id')) !== HASH_LENGTH) return false;
  switch (textOf(bytes, method)) {
    case 'ping':
      return true;
    case 'find_node':
      return lengthOf(bytes, args.get('target')) === HASH_LENGTH;
    case 'get_peers':
      return lengthOf(bytes, args.get('info_hash')) === HASH_LENGTH;
    case 'announce_peer':
      return (
        lengthOf(bytes, args.get('info_hash')) === HASH_LENGTH &&
        isToken(bytes, args.get('token')) &&
        isAnnouncedPort(bytes, args.get('port'), args.get('implied_port'))
      );
    default:
      return false;
  }
}

/** `port` counts only where `implied_port` is absent or zero (BEP 5, "announce_peer"). */
function isAnnouncedPort(bytes: Uint8Array, port: Span | undefined, implied: Span | undefined): boolean {
  const use = implied === undefined ? 0 : integerOf(bytes, implied);
  if (use === undefined) return false;
  if (use !== 0) return true;
  const number = integerOf(bytes, port) ?? 0;
  return number > 0 && number < 65536;
}

function isResult(bytes: Uint8Array, r: Span | undefined): boolean {
  const result = fieldsOf(bytes, r, RESULTS);
  if (result === undefined || lengthOf(bytes, result.get('id')) !== HASH_LENGTH) return false;
  const nodes = result.get('nodes');
  const token = result.get('token');
  const values = result.get('values');
  if (nodes !== undefined && lengthOf(bytes, nodes) % NODE_LENGTH !== 0) return false;
  if (token !== undefined && !isToken(bytes, token)) return false;
  return values === undefined || isListOfPeers(bytes, values);
}

function isToken(bytes: Uint8Array, token: Span | undefined): boolean {
  const length = lengthOf(bytes, token);
  return length >= 1 && length <= TOKEN_LIMIT;
}

function isListOfPeers(bytes: Uint8Array, values: Span): boolean {
  if (bytes[values.start] !== 0x6c) return false;
  for (const item of listItems(bytes, values.start)) if (lengthOf(bytes, item) !== PEER_LENGTH) return false;
  return true;
}

/** A code and a text (BEP 5, "Errors"). */
function isError(bytes: Uint8Array, e: Span | undefined): boolean {
  const [code, text, ...more] = e ? listItems(bytes, e.start) : [];
  return integerOf(bytes, code) !== undefined && lengthOf(bytes, text) >= 0 && more.length === 0;
}

/** The values of a dictionary; undefined where there is none, or its prototype would be of the sender's choice. */
function fieldsOf<Name extends string>(
  bytes: Uint8Array,
  span: Span | undefined,
  names: readonly (Name | '__proto__')[],
): Map<Name | '__proto__', Span> | undefined {
  if (span === undefined || bytes[span.start] !== 0x64) return undefined;
  const fields = findValues(bytes, span.start, names);
  return fields.has('__proto__') ? undefined : fields;
}

/** Bytes of a string; -1 where there is none. */
function lengthOf(bytes: Uint8Array, span: Span | undefined): number {
  return (span && stringBody(bytes, span.start)?.length) ?? -1;
}

/** A short ASCII string; longer and other ones are like none. */
function textOf(bytes: Uint8Array, span: Span | undefined): string | undefined {
  const body = span && stringBody(bytes, span.start);
  return body && body.length < 20 ? String.fromCharCode(...body) : undefined;
}

function integerOf(bytes: Uint8Array, span: Span | undefined): number | undefined {
  if (span === undefined || bytes[span.start] !== 0x69) return undefined;
  return Number(String.fromCharCode(...bytes.subarray(span.start + 1, span.end - 1)));
}
