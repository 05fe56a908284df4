// Bindings of tests.

import type { Binding } from '../../src/torrent/binding.js';

export function boundTo(...addresses: string[]): Binding {
  return { name: addresses[0] ?? '', addresses };
}
