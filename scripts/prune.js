// Deletes from dist what no source compiles to any more: tsc leaves it there, and tap would run it.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

for (const name of readdirSync('dist', { recursive: true })) {
  const source = name.replace(/\.js(\.map)?$/, '.ts');
  if (/\.d\.ts$/.test(name) || (source !== name && !existsSync(source))) rmSync(join('dist', name));
}
