// The version of this package, for --version and the `start` event.

import { readFileSync } from 'node:fs';

let known: string | undefined;

/** As package.json says: `0.1.0`. */
export function version(): string {
  known ??= read();
  return known;
}

/** The file lies one folder further up once the sources are compiled into dist. */
function read(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) {
        return String(manifest.version);
      }
    } catch {
      // not there: look further up
    }
  }
  return 'unknown';
}
