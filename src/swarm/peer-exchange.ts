// Peer exchange of one torrent (BEP 11): whom to tell of whom, and what to believe of what others tell. Knows no pieces and
// no sockets. A private torrent has none of it (BEP 27).

import type { CloseReason } from '../torrent/errors.js';
import { formatHostPort, isPort } from '../torrent/host-port.js';
import { addressBytes, EVERYWHERE, isDialable, type Scope, scopeOf } from '../torrent/ip.js';
import { LIMITS } from '../torrent/limits.js';
import type { PeerExchangeMessage, PexFlags, PexPeer } from '../wire/message.js';
import type { Address, PeerNumber } from './port.js';

/** What others can be told of a connected peer. */
export interface PexContact {
  /** The host at the other end of the connection. */
  readonly host: string;
  /** Where it can be dialled; undefined for one that came in and has not said where it listens. */
  readonly address: Address | undefined;
  readonly flags: PexFlags;
}

/** What is to be done about a message: the addresses in it that may be dialled, or why its sender has to be closed. */
export interface PexVerdict {
  readonly addresses: readonly PexPeer[];
  readonly fault?: CloseReason;
}

const NOTHING: PexVerdict = { addresses: [] };

interface Member {
  readonly scope: Scope;
  contact: PexContact;
  /** The contact's address as text, and how far it reaches. */
  key: string | undefined;
  addressScope: Scope;
  /** Whom it was told of and not told to be gone; undefined while it does not want to be told anything. */
  told: Map<string, Address> | undefined;
  /** When it may be told more. */
  dueMs: number;
  /** The revision of the members at which there was nothing to tell it. */
  seenRevision: number;
  /** What it may say: until when its messages are paid for, how many came too early, how many addresses were taken. */
  paidUntilMs: number;
  early: number;
  taken: number;
}

export class PeerExchange {
  readonly #send: (peer: PeerNumber, message: PeerExchangeMessage) => void;
  readonly #members = new Map<PeerNumber, Member>();
  /** Counts the changes that could be news to somebody. */
  #revision = 0;

  constructor(send: (peer: PeerNumber, message: PeerExchangeMessage) => void) {
    this.#send = send;
  }

  /** Both handshakes are done, so that others may be told of the peer. */
  connected(peer: PeerNumber, contact: PexContact): void {
    const scope = scopeOf(addressBytes(contact.host));
    const member: Member = {
      scope,
      contact,
      key: undefined,
      addressScope: EVERYWHERE,
      told: undefined,
      dueMs: 0,
      seenRevision: -1,
      paidUntilMs: 0,
      early: 0,
      taken: 0,
    };
    this.#members.set(peer, member);
    this.#introduce(member, contact);
  }

  /** More is known of the peer: where it listens, or that it became a seed. What others were told already stays as it is. */
  learned(peer: PeerNumber, news: Partial<Pick<PexContact, 'address' | 'flags'>>): void {
    const member = this.#members.get(peer);
    if (member) this.#introduce(member, { ...member.contact, ...news });
  }

  /** The peer announced ut_pex, or took it back. It is told of others from now on. */
  enable(peer: PeerNumber, wants: boolean, now: number): void {
    const member = this.#members.get(peer);
    if (!member || wants === (member.told !== undefined)) return;
    member.told = wants ? new Map() : undefined;
    member.dueMs = Math.max(member.dueMs, now + LIMITS.pexFirstMs);
    member.seenRevision = -1;
  }

  closed(peer: PeerNumber): void {
    if (this.#members.delete(peer)) this.#revision++;
  }

  /**
   * A peer tells of others. `dropped` ones say nothing to us: we dial and see. A second message that comes soon is heard,
   * more than that are not, and many of those are a fault.
   */
  message(peer: PeerNumber, message: PeerExchangeMessage, now: number): PexVerdict {
    const member = this.#members.get(peer);
    if (!member) return NOTHING;
    if (member.paidUntilMs - now > LIMITS.pexHeardMs) {
      return ++member.early > LIMITS.pexEarly ? { addresses: [], fault: 'message-flood' } : NOTHING;
    }
    member.paidUntilMs = Math.max(member.paidUntilMs, now) + LIMITS.pexHeardMs;
    member.early = 0;
    const addresses = believable(message.added, member.scope).slice(0, LIMITS.pexFromPeer - member.taken);
    member.taken += addresses.length;
    return { addresses };
  }

  /** Tells everybody who is due what is news to them. Returns when to call again; Infinity: after the next change. */
  tick(now: number): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [peer, member] of this.#members) {
      if (!member.told || member.seenRevision === this.#revision) continue;
      if (now >= member.dueMs) {
        const message = this.#newsFor(member, member.told);
        if (!message) {
          member.seenRevision = this.#revision;
          continue;
        }
        this.#send(peer, message);
        member.dueMs = now + LIMITS.pexEveryMs;
      }
      nextMs = Math.min(nextMs, member.dueMs);
    }
    return nextMs;
  }

  #introduce(member: Member, contact: PexContact): void {
    const { address } = contact;
    const bytes = address && addressBytes(address.host);
    const tellable = address && bytes && isDialable(bytes) && isPort(address.port);
    const key = tellable ? formatHostPort(address) : undefined;
    if (key !== member.key) this.#revision++;
    member.key = key;
    member.addressScope = scopeOf(bytes);
    member.contact = contact;
  }

  /**
   * The difference between who is connected and whom it was told of: who came and went in between is in neither, and what
   * does not fit waits for the next message. Undefined when there is none.
   */
  #newsFor(member: Member, told: Map<string, Address>): PeerExchangeMessage | undefined {
    const added: PexPeer[] = [];
    const here = new Set<string>();
    for (const other of this.#members.values()) {
      const { key, contact } = other;
      if (key === undefined || key === member.key || !contact.address) continue;
      if (other.addressScope < member.scope || here.has(key)) continue;
      here.add(key);
      if (told.has(key) || added.length >= LIMITS.pexTold) continue;
      added.push({ ...contact.address, flags: contact.flags });
    }
    const dropped: Address[] = [];
    for (const [key, address] of told) {
      if (here.has(key) || dropped.length >= LIMITS.pexTold) continue;
      dropped.push(address);
      told.delete(key);
    }
    for (const { host, port } of added) told.set(formatHostPort({ host, port }), { host, port });
    return added.length + dropped.length > 0 ? { type: 'peerExchange', added, dropped } : undefined;
  }
}

/**
 * Those that could be peers: no ports or hosts that nobody listens at, nothing nearer than its teller is (who is on the
 * internet must not send us into our own network), each host of the internet once (BEP 11, "Duplicate IP addresses").
 */
function believable(added: readonly PexPeer[], scope: Scope): PexPeer[] {
  const seen = new Set<string>();
  return added.filter(({ host, port }) => {
    const bytes = addressBytes(host);
    if (bytes === undefined || !isDialable(bytes) || !isPort(port)) return false;
    const reach = scopeOf(bytes);
    const name = reach === EVERYWHERE ? host : formatHostPort({ host, port });
    if (reach < scope || seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}
