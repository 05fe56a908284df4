// What is to be said of single files: the first few by name, the others counted, so that a million of them make no
// million lines.

import { LIMITS } from '../torrent/limits.js';

export class FileWarnings {
  readonly #listed: string[] = [];
  #unlisted = 0;

  /** @param shown the path as it is printed @param what is the matter with it */
  add(shown: string, what: string): void {
    if (this.#listed.length < LIMITS.fileWarnings) this.#listed.push(`${shown}: ${what}`);
    else this.#unlisted++;
  }

  list(): string[] {
    const more = this.#unlisted === 0 ? [] : [`${this.#unlisted} more files of this kind`];
    return [...this.#listed.sort(), ...more];
  }
}
