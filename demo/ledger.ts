// Who gave how much to whom. Each connection is booked by the side that dialled it: that side knows the other by the
// port it listens at, whereas a connection that came in has a port that says nothing. Pure.

import type { ReportedEvent } from '../src/cli/reported.js';

interface Booking {
  readonly by: string;
  readonly address: string;
  /** Bytes of blocks that `by` got from the address, and gave to it. */
  readonly received: number;
  readonly sent: number;
}

export class Ledger {
  readonly #names = new Map<string, string>();
  /** Connections that were dialled and are not over. */
  readonly #dialled = new Set<string>();
  readonly #bookings: Booking[] = [];

  /** Takes in what `name` tells. */
  event(name: string, event: ReportedEvent): void {
    if (event.event === 'listening') this.#names.set(`127.0.0.1:${event.port}`, name);
    if (event.event !== 'peer') return;
    const { address, how, received = 0, sent = 0 } = event;
    const connection = `${name} ${address}`;
    if (how === 'dialled') this.#dialled.add(connection);
    else if ((how === 'closed' || how === 'banned') && this.#dialled.delete(connection))
      this.#bookings.push({ by: name, address, received, sent });
  }

  /** Bytes of blocks that these gave to those, over all connections that are closed. */
  given(givers: readonly string[], takers: readonly string[]): number {
    let bytes = 0;
    for (const { by, address, received, sent } of this.#bookings) {
      const other = this.#names.get(address) ?? '';
      if (givers.includes(other) && takers.includes(by)) bytes += received;
      if (givers.includes(by) && takers.includes(other)) bytes += sent;
    }
    return bytes;
  }

  /** Addresses of those who took part and are none of us. */
  strangers(): string[] {
    return this.#bookings.map(({ address }) => address).filter(address => !this.#names.has(address));
  }
}

/** A table of megabytes: a row for each giver, a column for each taker, and the sums. */
export function matrix(ledger: Ledger, givers: readonly string[], takers: readonly string[]): string[] {
  const row = (title: string, cells: readonly string[]) =>
    [title.padEnd(8), ...cells.map(cell => cell.padStart(8))].join('');
  const megabytes = (from: readonly string[], to: readonly string[]) =>
    (ledger.given(from, to) / 1e6).toFixed(1);
  return [
    row('MB', [...takers.map(to => `to ${to}`), 'total']),
    ...givers.map(from => {
      const cells = takers.map(to => (from === to ? '-' : megabytes([from], [to])));
      return row(from, [...cells, megabytes([from], takers)]);
    }),
    row('total', [...takers.map(to => megabytes(givers, [to])), megabytes(givers, takers)]),
  ];
}
