// `npm run docs`: writes man/rarest.1.

import { writeFileSync } from 'node:fs';
import { version } from '../src/engine/version.js';
import { manPage } from './page.js';

writeFileSync('man/rarest.1', manPage(version()));
