// Who holds what: keeps the availability, what each peer is good for, and whether we are interested in it.

import type { Bitfield } from '../torrent/bitfield.js';
import type { Piece } from '../torrent/geometry.js';
import type { SwarmPeer } from './peer.js';
import type { Picker } from './picker.js';
import type { PeerNumber, SwarmPort } from './port.js';

export class Holdings {
  readonly #picker: Picker;
  readonly #port: SwarmPort;

  constructor(picker: Picker, port: SwarmPort) {
    this.#picker = picker;
    this.#port = port;
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
        this.#port.send(peer.number, { type: 'have', index: piece });
        continue;
      }
      peer.useful--;
      this.#setInterest(peer);
    }
  }

  #setInterest(peer: SwarmPeer): void {
    const interested = peer.useful > 0;
    if (peer.amInterested === interested) return;
    peer.amInterested = interested;
    this.#port.send(peer.number, { type: interested ? 'interested' : 'notInterested' });
  }
}
