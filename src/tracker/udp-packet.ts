// The packets of the UDP tracker protocol (BEP 15) and the option that carries the path of the URL (BEP 41). Pure: sends
// nothing.

import type { InfoHash } from '../torrent/ids.js';
import { decodeUtf8 } from '../torrent/text.js';
import { type AnnounceReply, addCompact, PeerList, type SwarmCounts, wordsOf } from './announce-reply.js';
import type { AnnounceRequest } from './announce-url.js';

const ACTIONS = ['connect', 'announce', 'scrape', 'error'] as const;
const EVENTS = [undefined, 'completed', 'started', 'stopped'] as const;
/** The magic constant of connect requests. */
const PROTOCOL_ID = 0x41727101980n;
const URL_DATA = 2;
/** What the length byte of an option allows. */
const OPTION_BYTES = 255;

/** A packet from a tracker. `transactionId` says which request it answers. */
export type UdpReply = { readonly transactionId: number } & (
  | { readonly action: 'connect'; readonly connectionId: bigint }
  | { readonly action: 'announce'; readonly reply: AnnounceReply }
  | { readonly action: 'scrape'; readonly counts: SwarmCounts }
  | { readonly action: 'error'; readonly message: string }
  /** Too short for what it claims to be. */
  | { readonly action: 'malformed' }
);

/** 16 bytes. */
export function encodeConnect(transactionId: number): Uint8Array {
  return head(16, PROTOCOL_ID, 'connect', transactionId);
}

/** 98 bytes, and the options. @param urlData path and query of the tracker's URL, '' for none */
export function encodeAnnounce(
  connectionId: bigint,
  transactionId: number,
  request: AnnounceRequest,
  urlData: string,
): Uint8Array {
  const options = encodeUrlData(urlData);
  const packet = head(98 + options.length, connectionId, 'announce', transactionId);
  const view = new DataView(packet.buffer);
  packet.set(request.infoHash, 16);
  packet.set(request.peerId, 36);
  view.setBigUint64(56, BigInt(request.downloaded));
  view.setBigUint64(64, BigInt(request.left));
  view.setBigUint64(72, BigInt(request.uploaded));
  // BEP 15 has no number for `paused`.
  view.setUint32(80, request.event === 'paused' ? 0 : EVENTS.indexOf(request.event));
  // 84: our IP address, 0: the one the packet comes from.
  view.setUint32(88, request.key);
  view.setInt32(92, request.numWant);
  view.setUint16(96, request.port);
  packet.set(options, 98);
  return packet;
}

/** 36 bytes: one torrent. */
export function encodeScrape(connectionId: bigint, transactionId: number, infoHash: InfoHash): Uint8Array {
  const packet = head(36, connectionId, 'scrape', transactionId);
  packet.set(infoHash, 16);
  return packet;
}

/**
 * Reads a packet; undefined when it is none of this protocol. Packets may be longer than what is known of them.
 * @param addressLength of peers: that of the family the packet came by
 */
export function decodeReply(packet: Uint8Array, addressLength: 4 | 16): UdpReply | undefined {
  if (packet.length < 8) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const action = ACTIONS[view.getUint32(0)];
  const transactionId = view.getUint32(4);
  switch (action) {
    case undefined:
      return undefined;
    case 'error':
      return { transactionId, action, message: wordsOf(decodeUtf8(packet.subarray(8))) ?? 'no reason given' };
    case 'connect':
      if (packet.length < 16) break;
      return { transactionId, action, connectionId: view.getBigUint64(8) };
    case 'announce':
      if (packet.length < 20) break;
      return { transactionId, action, reply: announceReply(view, packet.subarray(20), addressLength) };
    case 'scrape':
      if (packet.length < 20) break;
      return { transactionId, action, counts: { seeds: view.getUint32(8), leechers: view.getUint32(16) } };
  }
  return { transactionId, action: 'malformed' };
}

function head(
  length: number,
  connectionId: bigint,
  action: (typeof ACTIONS)[number],
  transactionId: number,
): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(length);
  const view = new DataView(packet.buffer);
  view.setBigUint64(0, connectionId);
  view.setUint32(8, ACTIONS.indexOf(action));
  view.setUint32(12, transactionId);
  return packet;
}

/** As many options as the length byte makes necessary (BEP 41). */
function encodeUrlData(urlData: string): Uint8Array {
  const bytes = new TextEncoder().encode(urlData);
  const options: number[] = [];
  for (let at = 0; at < bytes.length; at += OPTION_BYTES) {
    const part = bytes.subarray(at, at + OPTION_BYTES);
    options.push(URL_DATA, part.length, ...part);
  }
  return Uint8Array.from(options);
}

function announceReply(view: DataView, compact: Uint8Array, addressLength: 4 | 16): AnnounceReply {
  const seconds = view.getInt32(8);
  const peers = new PeerList();
  addCompact(peers, compact, addressLength);
  return {
    peers: peers.list,
    intervalMs: seconds > 0 ? seconds * 1000 : undefined,
    leechers: view.getUint32(12),
    seeds: view.getUint32(16),
    minIntervalMs: undefined,
    trackerId: undefined,
    warning: undefined,
    externalHost: undefined,
  };
}
