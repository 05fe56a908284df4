// How we introduce ourselves to a peer (BEP 10), and what is known of it once it did.

import type { PeerFacts } from '../swarm/port.js';
import { addressBytes } from '../torrent/ip.js';
import { LIMITS } from '../torrent/limits.js';
import { LOCAL_IDS } from '../wire/extension.js';
import type { Handshake } from '../wire/handshake.js';
import type { ExtensionHandshake } from '../wire/message.js';
import type { PeerLink } from './peer-link.js';
import { version } from './version.js';

export interface Ourselves {
  /** Where we listen; 0: nowhere. */
  readonly port: number;
  /** Bytes of the info dictionary, if we have it. */
  readonly metadataSize: number | undefined;
  /** We only give. */
  readonly uploadOnly: boolean;
  /** We take part in peer exchange (BEP 11). */
  readonly pex: boolean;
}

export function extensionHandshake(
  { socket }: PeerLink,
  { port, metadataSize, uploadOnly, pex }: Ourselves,
): ExtensionHandshake {
  const { address, incoming } = socket;
  return {
    type: 'extensionHandshake',
    // 0 takes back what a magnet link, which does not know that its torrent is private, has announced.
    utPex: pex ? LOCAL_IDS.utPex : 0,
    reqq: LIMITS.incomingRequests,
    client: `rarest ${version()}`,
    yourIp: addressBytes(address.host),
    listenPort: incoming ? undefined : port || undefined,
    metadataSize,
    uploadOnly: uploadOnly || undefined,
  };
}

/** @param inPhaseOne the metadata was missing when the peer came */
export function factsOf(
  { socket }: PeerLink,
  { peerId, fast, extended }: Handshake,
  inPhaseOne: boolean,
): PeerFacts {
  const { address, incoming } = socket;
  return { address, incoming, peerId, fast, extended, greeted: inPhaseOne && fast, webSeed: false };
}
