// Canonical peer priority (BEP 40): a number on which both ends of a possible connection agree, so that full swarms
// stay well mixed. Knows nothing of who is connected.

import { addressBytes } from '../torrent/ip.js';
import type { Address } from './port.js';

/** CRC-32C (Castagnoli), reflected: the remainder of each byte. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1;
  return rest;
});

/** Bytes of the address that are hashed whole where the two addresses differ early (BEP 40: FF.FF.55.55, FFFF:FFFF:FFFF:5555:...). */
const WHOLE_BYTES_IPV4 = 2;
const WHOLE_BYTES_IPV6 = 6;

/**
 * Priority of a connection between two addresses, 0 to 2^32 - 1, the same from both ends; higher is better (BEP 40).
 * 0 when either is no IP literal or the families differ, for which BEP 40 has no rule.
 */
export function canonicalPriority(a: Address, b: Address): number {
  const ours = addressBytes(a.host);
  const theirs = addressBytes(b.host);
  if (ours === undefined || theirs === undefined || ours.length !== theirs.length) return 0;
  const common = commonBytes(ours, theirs);
  if (common === ours.length) return crc32c(portBytes(Math.min(a.port, b.port), Math.max(a.port, b.port)));
  const whole = Math.max(ours.length === 4 ? WHOLE_BYTES_IPV4 : WHOLE_BYTES_IPV6, common + 1);
  const [low, high] = (ours[common] as number) < (theirs[common] as number) ? [ours, theirs] : [theirs, ours];
  const hashed = new Uint8Array(2 * ours.length);
  hashed.set(low);
  hashed.set(high, ours.length);
  for (let at = whole; at < ours.length; at++) {
    hashed[at] = (hashed[at] as number) & 0x55;
    hashed[at + ours.length] = (hashed[at + ours.length] as number) & 0x55;
  }
  return crc32c(hashed);
}

function commonBytes(a: Uint8Array, b: Uint8Array): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

function portBytes(low: number, high: number): Uint8Array {
  return Uint8Array.of(low >> 8, low & 0xff, high >> 8, high & 0xff);
}

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] as number);
  return (crc ^ 0xffffffff) >>> 0;
}
