// Which blocks were ever asked of one peer. A block that was asked for is welcome even when it comes late; one that
// was never asked for is a fault. Pages of bits are made as they are needed, up to a budget.

/** Blocks of one page: 512 MiB of a torrent in 4 KiB of bits. */
const PAGE_BLOCKS = 32_768;
/** Pages of one peer: 32 GiB asked of a single connection. Beyond, the peer gets the benefit of the doubt. */
const PAGE_BUDGET = 64;

export class AskedBlocks {
  readonly #blockCount: number;
  readonly #pages = new Map<number, Uint8Array>();
  #overflowed = false;

  /** @param blockCount blocks of the whole torrent */
  constructor(blockCount: number) {
    this.#blockCount = blockCount;
  }

  add(block: number): void {
    const number = Math.floor(block / PAGE_BLOCKS);
    let page = this.#pages.get(number);
    if (!page) {
      if (this.#pages.size >= PAGE_BUDGET) {
        this.#overflowed = true;
        return;
      }
      const blocks = Math.min(PAGE_BLOCKS, this.#blockCount - number * PAGE_BLOCKS);
      page = new Uint8Array(Math.ceil(blocks / 8));
      this.#pages.set(number, page);
    }
    const bit = block % PAGE_BLOCKS;
    page[bit >> 3] = (page[bit >> 3] as number) | (1 << (bit & 7));
  }

  has(block: number): boolean {
    const page = this.#pages.get(Math.floor(block / PAGE_BLOCKS));
    if (!page) return this.#overflowed;
    const bit = block % PAGE_BLOCKS;
    return ((page[bit >> 3] as number) & (1 << (bit & 7))) !== 0;
  }
}
