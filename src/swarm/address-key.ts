// How addresses are compared: one spelling for each, and a key for whom a strike or a ban is meant.

import { formatHostPort, isPort } from '../torrent/host-port.js';
import { addressBytes, hostText, isDialable } from '../torrent/ip.js';
import type { Address } from './port.js';

/**
 * Names whoever a strike or ban is meant for. A peer that we dialled is its host and port. One that came in is its host
 * alone, its port being ephemeral, and the ban shuts out incoming connections of that host only: others behind the same
 * address can still be dialled, and a ban of one dialled port leaves the other ports alone.
 */
export function peerKey(address: Address, incoming: boolean): string {
  const host = canonicalHost(address.host) ?? address.host;
  return incoming ? host : formatHostPort({ host, port: address.port });
}

function canonicalHost(host: string): string | undefined {
  const bytes = addressBytes(host);
  return bytes && hostText(bytes);
}

/** The address with its host in canonical text, or undefined where nobody can be dialled. */
export function dialable(address: Address): Address | undefined {
  const bytes = addressBytes(address.host);
  if (bytes === undefined || !isDialable(bytes) || !isPort(address.port)) return undefined;
  const host = hostText(bytes);
  return host === undefined ? undefined : { host, port: address.port };
}
