// Places to dial as users, torrents and links write them: `host:port`, `[v6]:port`. Resolves nothing.

import { addressBytes } from './ip.js';
import type { HostPort } from './metainfo-types.js';

/** A port of the form 1 to 65535. */
export function isPort(port: unknown): port is number {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535;
}

/** `host:port` with a name or an IPv4 address, `[address]:port` with an IPv6 one; undefined when it is neither. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (!match) return undefined;
  const [, address, name, digits] = match;
  const port = Number(digits);
  if (!isPort(port)) return undefined;
  if (address !== undefined) return isIPv6(address) ? { host: address, port } : undefined;
  return name !== undefined && isHostName(name) ? { host: name, port } : undefined;
}

/** The form that parseHostPort reads. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether it is an IPv4 or IPv6 address, or could be a name that DNS resolves (RFC 1123, and underscores). */
export function isHost(text: string): boolean {
  return text.includes(':') ? isIPv6(text) : isHostName(text);
}

function isIPv6(text: string): boolean {
  return text.includes(':') && addressBytes(text) !== undefined;
}

function isHostName(text: string): boolean {
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.');
  // A last label of digits would be read as part of an IPv4 address by some resolvers (inet_aton).
  if (/^\d+$/.test(labels.at(-1) ?? '')) return addressBytes(text) !== undefined;
  return (
    text.length <= 253 && labels.every(label => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))
  );
}
