// Which places may be dialled, and one spelling for each. Knows no socket and resolves no name.

import { addressBytes, hostText, isDialable as isDialableHost } from '../torrent/ip.js';

/**
 * One spelling for one host: brackets and zone ids removed, IPv6 as RFC 5952 has it, IPv4-mapped IPv6 as IPv4.
 * Undefined where `host` is no IP address.
 */
export function normalizeHost(host: string): string | undefined {
  const bytes = addressBytes(host.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, ''));
  return bytes && hostText(bytes);
}

/**
 * Whether a connection to this place can make sense: the IP address of one machine, and a port from 1 to 65535. Link-local
 * IPv6 addresses are left out: the zone they need is never told.
 */
export function isDialable(host: string, port: number): boolean {
  const bytes = addressBytes(host);
  if (bytes === undefined || !isDialableHost(bytes)) return false;
  const linkLocal = bytes.length === 16 && bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
  return !linkLocal && Number.isInteger(port) && port > 0 && port < 65536;
}
