// Announces of local service discovery as bytes (BEP 14). Knows no sockets.

import { isPort } from '../torrent/host-port.js';
import { fromHex, type InfoHash, infoHash, toHex } from '../torrent/ids.js';
import { LIMITS } from '../torrent/limits.js';

export interface LocalAnnounce {
  /** TCP port at which the sender listens. */
  readonly port: number;
  readonly infoHashes: readonly InfoHash[];
  /** Tells the sender its own announces; opaque to others. */
  readonly cookie: string | undefined;
}

const REQUEST = 'BT-SEARCH * HTTP/1.1';

/** @param group `host:port` of the multicast group; at most LIMITS.lsdHashes info hashes fit */
export function encodeAnnounce(group: string, { port, infoHashes, cookie }: LocalAnnounce): Buffer {
  const lines = [REQUEST, `Host: ${group}`, `Port: ${port}`];
  for (const hash of infoHashes) lines.push(`Infohash: ${toHex(hash)}`);
  if (cookie !== undefined) lines.push(`cookie: ${cookie}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n\r\n`, 'latin1');
}

/**
 * Reads an announce; undefined when it is none or malformed. Headers of other names and info hashes of other lengths are
 * passed over, as later versions may have them.
 */
export function parseAnnounce(datagram: Uint8Array): LocalAnnounce | undefined {
  if (datagram.length > LIMITS.lsdDatagramBytes) return undefined;
  const text = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length).toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const [request, ...headers] = text.slice(0, Math.max(0, end)).split('\r\n');
  if (request !== REQUEST) return undefined;
  let port: number | undefined;
  let cookie: string | undefined;
  const infoHashes: InfoHash[] = [];
  for (const header of headers) {
    const match = /^([A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(header);
    if (!match) return undefined;
    const [, name = '', value = ''] = match;
    if (name.toLowerCase() === 'port') {
      if (port !== undefined || !/^\d{1,5}$/.test(value) || !isPort(Number(value))) return undefined;
      port = Number(value);
    } else if (name.toLowerCase() === 'infohash') {
      const hash = infoHash(fromHex(value) ?? new Uint8Array(0));
      if (hash) infoHashes.push(hash);
    } else if (name.toLowerCase() === 'cookie') cookie = value;
  }
  return port === undefined || infoHashes.length === 0 ? undefined : { port, infoHashes, cookie };
}
