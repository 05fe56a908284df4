// A command line from its arguments to its exit code.

import { version } from '../engine/version.js';
import { parseCommandLine, wantsJson } from './args.js';
import { failureLines, failureOf } from './failure.js';
import type { Io } from './io.js';
import { printableJson } from './printable.js';
import { runSession } from './session.js';

/** Runs the command in `argv`, the arguments behind the program's name. Fulfilled with the exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  // who reads us may leave at any time; those who write results listen for more
  io.stdout.on('error', () => {});
  io.stderr.on('error', () => {});
  const startedAt = io.now();
  try {
    const command = await parseCommandLine(argv, io.env);
    switch (command.verb) {
      case 'help':
        io.stdout.write(command.text);
        return 0;
      case 'version':
        io.stdout.write(`rarest ${version()}\n`);
        return 0;
      case 'download': {
        const { options } = command;
        const { download } = await import('./download.js');
        const several = options.sources.length > 1 || options.sources.includes('-');
        const session = { output: options.output, several, endsWithReader: false };
        return await runSession(io, session, running => download(options, running));
      }
      case 'peers': {
        const { options } = command;
        const { peers } = await import('./peers.js');
        const session = { output: options.output, several: false, endsWithReader: true };
        return await runSession(io, session, running => peers(options, running));
      }
    }
  } catch (error) {
    const failure = failureOf(error);
    const { code, message, exit } = failure;
    if (wantsJson(argv, io.env)) {
      const event = { v: 1, t: io.now() - startedAt, event: 'error', code, message, exit };
      io.stdout.write(`${printableJson(event)}\n`);
    }
    io.stderr.write(
      failureLines(failure, false)
        .map(line => `${line}\n`)
        .join(''),
    );
    return exit;
  }
}
