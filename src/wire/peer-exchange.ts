// The payload of ut_pex (BEP 11): who a peer has met and lost since it last said so. Shape only; what to believe of it is
// decided elsewhere.

import { findValues, type Span, stringBody } from '../torrent/bencode-scanner.js';
import { addressBytes, hostText } from '../torrent/ip.js';
import { LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import type { PeerExchangeMessage, PexFlags, PexPeer } from './message.js';

const FIELDS = ['added', 'added.f', 'added6', 'added6.f', 'dropped', 'dropped6'] as const;
const PORT_BYTES = 2;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;

/** Bits of a flag byte (BEP 11). */
const ENCRYPTION = 0x01;
const UPLOAD_ONLY = 0x02;
const UTP = 0x04;
const HOLEPUNCH = 0x08;
const OUTGOING = 0x10;

/**
 * Reads a dictionary that was scanned. These are hints from one of many sources, so a list of the wrong type or of a broken
 * length is passed over, without a fault: nobody can tell where its addresses begin. The same goes for flags that are not
 * one for each address. Of each list LIMITS.pexListed entries are read.
 */
export function parsePeerExchange(payload: Uint8Array): PeerExchangeMessage {
  const fields = findValues(payload, 0, FIELDS);
  const text = (name: (typeof FIELDS)[number]) => bodyOf(payload, fields.get(name));
  return {
    type: 'peerExchange',
    added: [
      ...flagged(contacts(text('added'), IPV4_BYTES), text('added'), text('added.f'), IPV4_BYTES),
      ...flagged(contacts(text('added6'), IPV6_BYTES), text('added6'), text('added6.f'), IPV6_BYTES),
    ],
    dropped: [...contacts(text('dropped'), IPV4_BYTES), ...contacts(text('dropped6'), IPV6_BYTES)],
  };
}

/** The strings of the dictionary by key, those that are not empty. Hosts that are no IP literals are left out. */
export function peerExchangeFields({ added, dropped }: PeerExchangeMessage): Record<string, Uint8Array> {
  const fields: Record<string, Uint8Array> = {};
  for (const [length, suffix] of [
    [IPV4_BYTES, ''],
    [IPV6_BYTES, '6'],
  ] as const) {
    const come = added.filter(({ host }) => addressBytes(host)?.length === length);
    const gone = dropped.filter(({ host }) => addressBytes(host)?.length === length);
    if (come.length > 0) {
      fields[`added${suffix}`] = compact(come, length);
      fields[`added${suffix}.f`] = Uint8Array.from(come, ({ flags }) => flagByte(flags));
    }
    if (gone.length > 0) fields[`dropped${suffix}`] = compact(gone, length);
  }
  return fields;
}

function bodyOf(payload: Uint8Array, span: Span | undefined): Uint8Array {
  return (span && stringBody(payload, span.start)) ?? new Uint8Array(0);
}

/** Addresses in compact form (BEP 23, BEP 7), or none when the length is broken. */
function contacts(bytes: Uint8Array, addressLength: number): HostPort[] {
  const stride = addressLength + PORT_BYTES;
  if (bytes.length % stride !== 0) return [];
  const found: HostPort[] = [];
  for (let at = 0; at < bytes.length && found.length < LIMITS.pexListed; at += stride) {
    const portAt = at + addressLength;
    const port = ((bytes[portAt] as number) << 8) | (bytes[portAt + 1] as number);
    found.push({ host: hostText(bytes.subarray(at, portAt)) ?? '', port });
  }
  return found;
}

function flagged(
  found: readonly HostPort[],
  list: Uint8Array,
  flags: Uint8Array,
  addressLength: number,
): PexPeer[] {
  const fits = flags.length * (addressLength + PORT_BYTES) === list.length;
  return found.map((contact, at) => ({ ...contact, flags: flagsOf(fits ? (flags[at] as number) : 0) }));
}

function compact(list: readonly HostPort[], addressLength: number): Uint8Array {
  const stride = addressLength + PORT_BYTES;
  const bytes = new Uint8Array(list.length * stride);
  for (const [index, { host, port }] of list.entries()) {
    const at = index * stride;
    bytes.set(addressBytes(host) ?? [], at);
    bytes[at + addressLength] = port >> 8;
    bytes[at + addressLength + 1] = port & 0xff;
  }
  return bytes;
}

function flagsOf(byte: number): PexFlags {
  return {
    encryption: (byte & ENCRYPTION) !== 0,
    uploadOnly: (byte & UPLOAD_ONLY) !== 0,
    utp: (byte & UTP) !== 0,
    holepunch: (byte & HOLEPUNCH) !== 0,
    outgoing: (byte & OUTGOING) !== 0,
  };
}

function flagByte({ encryption, uploadOnly, utp, holepunch, outgoing }: PexFlags): number {
  return (
    (encryption ? ENCRYPTION : 0) |
    (uploadOnly ? UPLOAD_ONLY : 0) |
    (utp ? UTP : 0) |
    (holepunch ? HOLEPUNCH : 0) |
    (outgoing ? OUTGOING : 0)
  );
}
