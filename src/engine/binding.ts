// What --bind names, as the system has it: an address or an interface becomes addresses, which stay or go. Opens no socket.

import { isIP } from 'node:net';
import type { Interfaces } from '../discovery/multicast-group.js';
import { type Binding, familyOf } from '../torrent/binding.js';
import { TorrentError } from '../torrent/errors.js';
import { addressBytes, hostText } from '../torrent/ip.js';

/**
 * The addresses of an interface, without those that are link-local IPv6 where it has others; or the address itself. Throws
 * NETWORK where this machine has none such; the hint says what it has.
 * @param name an IP literal, or else the name of an interface
 */
export function bindingTo(name: string, interfaces: Interfaces): Binding {
  const found = addressesOf(name, interfaces);
  const wide = found.filter(address => !isLinkLocal(address));
  const addresses = wide.length > 0 ? wide : found;
  if (addresses.length > 0) {
    return { name, addresses: addresses.toSorted((one, other) => familyOf(one) - familyOf(other)) };
  }
  const why = isIP(name) ? 'this machine has no such address' : 'no interface of that name has an address';
  throw new TorrentError('NETWORK', `binding to ${name}: ${why}`, { hint: hint(interfaces) });
}

/** Whether every address is where it was. */
export function isHeld({ name, addresses }: Binding, interfaces: Interfaces): boolean {
  const present = addressesOf(name, interfaces);
  return addresses.every(address => present.includes(address));
}

/** For the user, when `isHeld` no longer holds. */
export function lostBinding({ name, addresses }: Binding): TorrentError {
  const what = isIP(name) ? name : `${name} (${addresses.join(', ')})`;
  return new TorrentError('NETWORK', `lost the bound interface: ${what} is gone or has changed`, {
    hint: 'everything was closed; the same command goes on where this one ended',
  });
}

function addressesOf(name: string, interfaces: Interfaces): string[] {
  if (isIP(name) === 0) return namedAddresses(name, interfaces);
  const present = Object.keys(interfaces).flatMap(each => namedAddresses(each, interfaces));
  const wanted = canonical(name);
  // A link-local address may be named without its zone.
  const found = present.find(address => address === wanted || address.split('%')[0] === wanted);
  if (found !== undefined) return [found];
  return isLoopback(wanted) && present.some(isLoopback) ? [wanted] : [];
}

function namedAddresses(name: string, interfaces: Interfaces): string[] {
  const own = Object.hasOwn(interfaces, name) ? interfaces[name] : undefined;
  return (own ?? []).map(({ address }) => {
    const text = canonical(address);
    return isLinkLocal(text) && !text.includes('%') ? `${text}%${name}` : text;
  });
}

/** One spelling for one address; a zone is kept as it is. */
function canonical(address: string): string {
  const [host = '', zone] = address.split('%');
  const bytes = addressBytes(host);
  const text = (bytes && hostText(bytes)) ?? host;
  return zone === undefined ? text : `${text}%${zone}`;
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/.test(address);
}

/** All of 127.0.0.0/8 is the machine itself, of which interfaces list only the first. */
function isLoopback(address: string): boolean {
  return address.startsWith('127.');
}

function hint(interfaces: Interfaces): string {
  const present = Object.keys(interfaces).map(
    name => `${name} (${namedAddresses(name, interfaces).join(', ')})`,
  );
  return present.length > 0 ? `there are ${present.join(', ')}` : 'there is no interface with an address';
}
