// Five peers say anything at all, sense and nonsense, and after every single message the books must balance.

import t from 'tap';
import type { PartialPiece } from '../../src/swarm/partial-piece.js';
import type { Piece } from '../../src/torrent/geometry.js';
import { BLOCK_LENGTH } from '../../src/torrent/limits.js';
import type { Message } from '../../src/wire/message.js';
import { type Drawing, type DrawnSwarm, swarmOf } from '../support/draw.js';
import { seeded } from '../support/random.js';

const NAMES = ['A', 'B', 'C', 'D', 'E'];
const PIECES = 100;

/** Of web seeds there are some. */
interface Weather extends Drawing {
  readonly outstandingLimit?: number;
}

/** What the storage holds of incomplete pieces, from what it was ordered to do. */
class Shelf {
  readonly blocks = new Map<number, Set<number>>();
  readonly #drawn: DrawnSwarm;
  #read = 0;

  constructor(drawn: DrawnSwarm) {
    this.#drawn = drawn;
  }

  /** Follows the orders since the last time; answers with what was wrong about them. */
  follow(): string | undefined {
    const { log } = this.#drawn.port;
    for (; this.#read < log.length; this.#read++) {
      const [order, where = ''] = (log[this.#read] ?? '').split(' ');
      const [piece = 0, begin = 0] = where.split('+').map(Number);
      const stored = this.blocks.get(piece) ?? new Set();
      if (order === 'discard') this.blocks.delete(piece);
      if (order !== 'store') continue;
      if (stored.has(begin)) return `stored twice: ${where}`;
      this.blocks.set(piece, stored.add(begin));
    }
    return undefined;
  }

  isFull(piece: Piece): boolean {
    return this.blocks.get(piece)?.size === this.#drawn.swarm.geometry.blocksIn(piece);
  }
}

/** What does not add up, if anything. */
function imbalance({ swarm }: DrawnSwarm, shelf: Shelf): string | undefined {
  const { geometry, picker, peers, downloads } = swarm;
  /** How often each block is outstanding. */
  const askers = new Map<number, number>();
  let outstanding = 0;
  for (const peer of peers.values()) {
    const numbers = peer.outstanding.toArray();
    if (numbers.length !== peer.outstanding.count) return `${peer.number}: count of outstanding`;
    if (new Set(numbers).size !== numbers.length) return `${peer.number}: asked for a block twice`;
    outstanding += numbers.length;
    for (const number of numbers) askers.set(number, (askers.get(number) ?? 0) + 1);
    const useful = [...peer.have].filter(piece => !picker.wants.have.has(piece)).length;
    if (peer.useful !== useful) return `${peer.number}: useful ${peer.useful}, not ${useful}`;
    if (peer.amInterested !== useful > 0) return `${peer.number}: interest`;
    if (peer.readingBytes < 0) return `${peer.number}: reading`;
    const { current } = peer;
    if (current && (current.owner !== peer || picker.partials.get(current.piece) !== current))
      return `${peer.number}: owns ${current.piece}, which is not its own`;
  }
  const { count } = downloads.outstanding;
  if (count !== outstanding) return `${outstanding} outstanding at all, counted as ${count}`;
  if (count > downloads.outstandingLimit) return `${count} outstanding at all, more than allowed`;
  const pickable = new Set<Piece>();
  for (let rank = 0; rank < picker.availability.size; rank++) pickable.add(picker.availability.at(rank));
  for (const piece of geometry.pieces()) {
    const holders = [...peers.values()].filter(({ have }) => have.has(piece)).length;
    if (picker.availability.of(piece) !== holders) return `piece ${piece}: availability`;
    const partial = picker.partials.get(piece);
    const states = [picker.wants.have.has(piece), !!partial, shelf.isFull(piece), pickable.has(piece)];
    if (states.filter(state => state).length !== 1) return `piece ${piece}: states ${states}`;
    if (!partial && !shelf.isFull(piece) && shelf.blocks.has(piece))
      return `piece ${piece}: left on the shelf`;
    const wrong =
      partial &&
      partialImbalance(partial, swarm.geometry.blocksIn(piece), block => {
        const number = geometry.blockNumber(piece, block);
        const asked = askers.get(number) ?? 0;
        askers.delete(number);
        return { asked, stored: shelf.blocks.get(piece)?.has(block * BLOCK_LENGTH) ?? false };
      });
    if (wrong) return `piece ${piece}: ${wrong}`;
  }
  if (askers.size > 0) return `asked for what is not missing: ${[...askers.keys()]}`;
  return picker.partials.size > 4 ? 'too many pieces in memory' : undefined;
}

function partialImbalance(
  partial: PartialPiece,
  blockCount: number,
  factsOf: (block: number) => { asked: number; stored: boolean },
): string | undefined {
  let [free, asked, missing] = [0, 0, 0];
  for (let block = 0; block < blockCount; block++) {
    const facts = factsOf(block);
    if (partial.has(block) !== facts.stored) return `block ${block} stored: ${facts.stored}`;
    if (facts.asked > (facts.stored ? 0 : 2)) return `block ${block} asked of ${facts.asked}`;
    if (!facts.stored) missing++;
    if (!facts.stored && facts.asked === 0) free++;
    asked += facts.asked;
  }
  const [is, ought] = [[partial.free, partial.asked, partial.missing].join(), [free, asked, missing].join()];
  return is === ought ? undefined : `free, asked, missing are ${is}, not ${ought}`;
}

/** A source of nonsense with enough sense in it that downloads get somewhere. */
class Storm {
  readonly drawn: DrawnSwarm;
  readonly shelf: Shelf;
  readonly random: () => number;
  readonly #webSeeds: boolean;
  now = 0;

  constructor(seed: number, { outstandingLimit, ...drawing }: Weather) {
    this.random = seeded(seed);
    this.drawn = swarmOf(`we: ${'.'.repeat(PIECES)}`, { ...drawing, seed });
    if (outstandingLimit !== undefined) this.drawn.swarm.downloads.outstandingLimit = outstandingLimit;
    this.#webSeeds = drawing.webSeed ?? false;
    this.shelf = new Shelf(this.drawn);
    for (const name of NAMES) this.drawn.connect(name);
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  /** One thing happens. */
  step(): void {
    const name = NAMES[this.below(NAMES.length)] ?? '';
    const { drawn } = this;
    if (!drawn.swarm.peers.has(drawn.number(name))) return this.#meet(name);
    const chance = this.random();
    if (chance < 0.4) drawn.gives(name, this.#some(drawn.awaited(name)), this.now);
    else if (chance < 0.45) drawn.rejects(name, this.#some(drawn.awaited(name)), this.now);
    else if (chance < 0.5) this.#check();
    else if (chance < 0.505) drawn.leaves(name, this.now);
    else if (chance < 0.55) this.#pass();
    else drawn.says(name, this.#message(), this.now);
  }

  #meet(name: string): void {
    // What was read for its last connection must not be booked on the new one.
    this.drawn.flushes(true, this.now);
    const fast = this.random() < 0.7;
    const webSeed = this.#webSeeds && this.random() < 0.3;
    this.drawn.connect(name, { fast: fast && !webSeed, webSeed }, this.now);
  }

  #some(blocks: readonly string[]): string[] {
    return blocks.length === 0 ? [] : [blocks[this.below(this.random() < 0.7 ? 1 : blocks.length)] ?? ''];
  }

  #check(): void {
    for (const piece of this.drawn.swarm.geometry.pieces()) {
      if (!this.shelf.isFull(piece)) continue;
      this.shelf.blocks.delete(piece);
      return this.drawn.checked(piece, this.random() < 0.5, this.now);
    }
  }

  #pass(): void {
    this.now += this.below(this.random() < 0.1 ? 70_000 : 3000);
    this.drawn.swarm.tick(this.now);
    this.drawn.flushes(this.random() < 0.9, this.now);
  }

  #message(): Message {
    const index = this.below(this.random() < 0.002 ? 2 ** 32 : PIECES);
    const begin = this.below(5) * BLOCK_LENGTH;
    const request = { index, begin, length: this.random() < 0.99 ? BLOCK_LENGTH : this.below(2 ** 18) };
    const bits = new Uint8Array(this.random() < 0.9 ? 13 : this.below(20)).map(() => this.below(256) & 0xf0);
    const messages: Message[] = [
      { type: 'choke' },
      { type: 'unchoke' },
      { type: 'unchoke' },
      { type: 'interested' },
      { type: 'notInterested' },
      { type: 'have', index },
      { type: 'have', index },
      { type: 'dontHave', index },
      { type: 'allowedFast', index },
      { type: 'suggest', index },
      { type: 'request', ...request },
      { type: 'cancel', ...request },
      { type: 'reject', ...request },
      { type: 'extensionHandshake', reqq: this.below(20), uploadOnly: this.random() < 0.1 },
    ];
    const rare: Message[] = [
      { type: 'bitfield', bits },
      { type: 'haveAll' },
      { type: 'haveNone' },
      { type: 'piece', index, begin, block: { length: request.length } },
      { type: 'metadataRequest', piece: index },
    ];
    const from = this.random() < 0.05 ? rare : messages;
    return from[this.below(from.length)] ?? { type: 'choke' };
  }
}

const DRAWINGS: Weather[] = [
  {},
  { settings: { sequential: true } },
  { settings: { allowedFast: () => [1, 2, 3] } },
  { lastPieceLength: 1 },
  { outstandingLimit: 12 },
  { outstandingLimit: 12, webSeed: true },
];
for (const [seed, drawing] of DRAWINGS.entries()) {
  t.test(`five thousand messages, storm ${seed}`, async t => {
    const settings = { bufferedPieceBytes: 4 * 5 * BLOCK_LENGTH, ...drawing.settings };
    const storm = new Storm(seed, { ...drawing, settings, blocksPerPiece: 5 });
    const { drawn, shelf } = storm;
    for (let step = 0; step < 5000; step++) {
      storm.step();
      const wrong = shelf.follow() ?? imbalance(drawn, shelf);
      if (wrong) return t.fail(`step ${step}: ${wrong}`, { log: drawn.port.log.slice(-20) });
    }
    t.comment(`${drawn.swarm.picker.wants.have.count} pieces, ${drawn.port.closed.length} closed`);
    for (const name of NAMES) drawn.leaves(name);
    drawn.join('S', '#'.repeat(PIECES), {}, storm.now);
    for (let round = 0; round < 100 && !drawn.swarm.complete; round++) {
      drawn.exhaust(storm.now);
      shelf.follow();
      for (const piece of drawn.swarm.geometry.pieces())
        if (shelf.isFull(piece) && shelf.blocks.delete(piece)) drawn.checked(piece, true, storm.now);
    }
    t.ok(drawn.swarm.complete, 'nothing was lost: a seed gives all the rest');
  });
}
