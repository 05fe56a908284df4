// Who holds what: keeps the availability, what each peer is good for, and whether we are interested in it.

import type { Bitfield } from '../torrent/bitfield.js';
import type { Piece } from '../torrent/geometry.js';
import type { SwarmPeer } from './peer.js';
import type { Picker } from './picker.js';
import type { PeerNumber, SwarmPort } from './port.js';

export class Holdings {
  readonly #picker: Picker;
  readonly #port: SwarmPort;
  readonly #forgets: boolean;

  /** @param forgets what we get is not kept, and more is wanted later on */
  constructor(picker: Picker, port: SwarmPort, forgets = false) {
    this.#picker = picker;
    this.#port = port;
    this.#forgets = forgets;
  }

  /** Says what we have (BEP 3, BEP 6). */
  greet(peer: SwarmPeer): void {
    if (!this.mayTell(peer)) return;
    const { have } = this.#picker.wants;
    const { fast, greeted } = peer.facts;
    if (greeted) {
      for (const piece of have) this.#port.send(peer.number, { type: 'have', index: piece });
    } else if (fast && have.full) this.#port.send(peer.number, { type: 'haveAll' });
    else if (fast && have.count === 0) this.#port.send(peer.number, { type: 'haveNone' });
    else if (have.count > 0) this.#port.send(peer.number, { type: 'bitfield', bits: have.bytes.slice() });
  }

  /** The peer said what it holds, all at once. */
  fieldArrived(peer: SwarmPeer, field: Bitfield): void {
    this.left(peer);
    for (const piece of field) peer.have.add(piece);
    if (field.full) {
      peer.countedAsSeed = true;
      this.#picker.availability.seeds++;
    } else this.#picker.availability.gainedAll(field);
    peer.useful = this.#picker.wants.lackingOf(field);
    this.#setInterest(peer);
  }

  /** The peer has one piece more; returns whether that is new and of use. */
  gained(peer: SwarmPeer, piece: Piece): boolean {
    if (!peer.have.add(piece)) return false;
    this.#picker.availability.gained(piece);
    if (!this.#picker.wants.lacks(piece)) return false;
    peer.useful++;
    this.#setInterest(peer);
    return true;
  }

  /** The peer has a piece no more (BEP 54). */
  lost(peer: SwarmPeer, piece: Piece): void {
    if (!peer.have.has(piece)) return;
    if (peer.countedAsSeed) {
      peer.countedAsSeed = false;
      this.#picker.availability.seeds--;
      this.#picker.availability.gainedAll(peer.have);
    }
    peer.have.delete(piece);
    this.#picker.availability.lost(piece);
    if (this.#picker.wants.lacks(piece)) peer.useful--;
    this.#setInterest(peer);
  }

  /** Nothing of this peer counts any more. */
  left(peer: SwarmPeer): void {
    if (peer.countedAsSeed) this.#picker.availability.seeds--;
    else this.#picker.availability.lostAll(peer.have);
    peer.countedAsSeed = false;
    peer.have.clear();
  }

  /** We have a piece: tells those who lack it, and wants less of the others. */
  weGot(piece: Piece, peers: ReadonlyMap<PeerNumber, SwarmPeer>): void {
    for (const peer of peers.values()) {
      if (!peer.have.has(piece)) {
        if (this.mayTell(peer)) this.#port.send(peer.number, { type: 'have', index: piece });
        continue;
      }
      peer.useful--;
      this.#setInterest(peer);
    }
  }

  /** We begin to want a piece that we lack. */
  weWant(piece: Piece, peers: ReadonlyMap<PeerNumber, SwarmPeer>): void {
    for (const peer of peers.values()) {
      if (!peer.have.has(piece)) continue;
      peer.useful++;
      this.#setInterest(peer);
    }
  }

  /** We have a piece no more. Who does not know BEP 54 is refused when it asks (BEP 6). */
  weLost(piece: Piece, peers: ReadonlyMap<PeerNumber, SwarmPeer>): void {
    for (const peer of peers.values())
      if (peer.knowsDontHave) this.#port.send(peer.number, { type: 'dontHave', index: piece });
  }

  /** Whether the peer may hear what we have: where that does not last, it has to be able to hear or see that it is gone. */
  mayTell(peer: SwarmPeer): boolean {
    return !this.#forgets || peer.facts.fast || peer.knowsDontHave;
  }

  /** The peer says whether it knows BEP 54; who may hear what we have by that alone hears it now. */
  saidDontHave(peer: SwarmPeer, knows: boolean): void {
    const before = this.mayTell(peer);
    peer.knowsDontHave = knows;
    if (before || !this.mayTell(peer)) return;
    for (const piece of this.#picker.wants.have) this.#port.send(peer.number, { type: 'have', index: piece });
  }

  #setInterest(peer: SwarmPeer): void {
    // While the window of a reader is full nothing is wanted for a moment: who is told so chokes us.
    const interested = peer.useful > 0 || (peer.amInterested && this.#picker.wants.moves);
    if (peer.amInterested === interested) return;
    peer.amInterested = interested;
    this.#port.send(peer.number, { type: interested ? 'interested' : 'notInterested' });
  }
}
