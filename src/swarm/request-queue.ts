// The requests outstanding at one peer, oldest first: a ring of block numbers and the times they were sent. Peers
// answer mostly in order, so the front is tried first and the common case costs a comparison.

const ANSWERED = 0xffffffff;

/** How many requests are outstanding at several peers together; kept by their queues. */
export interface RequestTotal {
  count: number;
}

export class RequestQueue {
  #blocks = new Uint32Array(8);
  #sentAtMs = new Float64Array(8);
  #head = 0;
  #tail = 0;
  #count = 0;
  readonly #total: RequestTotal;

  /** @param total counts the requests of this queue too */
  constructor(total: RequestTotal) {
    this.#total = total;
  }

  /** How many requests are outstanding. */
  get count(): number {
    return this.#count;
  }

  /** When the oldest one was sent; only meaningful while there is one. */
  get oldestAtMs(): number {
    return this.#sentAtMs[this.#head & (this.#blocks.length - 1)] as number;
  }

  /** The oldest block number; only meaningful while there is one. */
  get oldest(): number {
    return this.#blocks[this.#head & (this.#blocks.length - 1)] as number;
  }

  push(block: number, now: number): void {
    if (this.#tail - this.#head === this.#blocks.length) this.#makeRoom();
    const at = this.#tail++ & (this.#blocks.length - 1);
    this.#blocks[at] = block;
    this.#sentAtMs[at] = now;
    this.#count++;
    this.#total.count++;
  }

  has(block: number): boolean {
    return this.#find(block) >= 0;
  }

  /** Takes the request out; false when it is not outstanding. */
  remove(block: number): boolean {
    const at = this.#find(block);
    if (at < 0) return false;
    this.#blocks[at & (this.#blocks.length - 1)] = ANSWERED;
    this.#count--;
    this.#total.count--;
    while (this.#head < this.#tail && this.#blocks[this.#head & (this.#blocks.length - 1)] === ANSWERED)
      this.#head++;
    return true;
  }

  /** Every outstanding block number, oldest first. */
  toArray(): number[] {
    const blocks: number[] = [];
    for (let i = this.#head; i < this.#tail; i++) {
      const block = this.#blocks[i & (this.#blocks.length - 1)] as number;
      if (block !== ANSWERED) blocks.push(block);
    }
    return blocks;
  }

  clear(): void {
    this.#total.count -= this.#count;
    this.#head = this.#tail = this.#count = 0;
  }

  #find(block: number): number {
    const mask = this.#blocks.length - 1;
    for (let i = this.#head; i < this.#tail; i++) if (this.#blocks[i & mask] === block) return i;
    return -1;
  }

  /** Closes the gaps of answered requests, and doubles the ring when there are too few of them. */
  #makeRoom(): void {
    const length = this.#count > this.#blocks.length / 2 ? this.#blocks.length * 2 : this.#blocks.length;
    const blocks = new Uint32Array(length);
    const sentAtMs = new Float64Array(length);
    let count = 0;
    for (let i = this.#head; i < this.#tail; i++) {
      const at = i & (this.#blocks.length - 1);
      if (this.#blocks[at] === ANSWERED) continue;
      blocks[count] = this.#blocks[at] as number;
      sentAtMs[count++] = this.#sentAtMs[at] as number;
    }
    this.#blocks = blocks;
    this.#sentAtMs = sentAtMs;
    this.#head = 0;
    this.#tail = count;
  }
}
