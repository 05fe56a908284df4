#!/usr/bin/env node
// Hands the command line to src/cli.

import { main } from '../src/cli/main.js';
import { processIo } from '../src/cli/process.js';

process.exitCode = await main(process.argv.slice(2), processIo());
