// A command line from its arguments to its exit code.

import { version } from '../engine/version.js';
import { eventsWanted, loadSettings, parseCommandLine } from './args.js';
import { failureLines, failureOf } from './failure.js';
import type { Io } from './io.js';
import { printableJson } from './printable.js';
import type { Settings } from './settings.js';

/** Runs the command in `argv`, the arguments behind the program's name. Fulfilled with the exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  // who reads us may leave at any time; those who write results listen for more
  io.stdout.on('error', () => {});
  io.stderr.on('error', () => {});
  const startedAt = io.now();
  let settings: Settings | undefined;
  try {
    settings = await loadSettings(argv, io.env);
    const line = parseCommandLine(argv, io.env, settings);
    if (line.kind === 'version') {
      io.stdout.write(`rarest ${version()}\n`);
      return 0;
    }
    if (line.kind === 'help') {
      const { helpText } = await import('./help.js');
      io.stdout.write(await helpText(line.spec));
      return 0;
    }
    const [command, { bindOption }, { runSession }] = await Promise.all([
      line.spec.load(),
      import('./options.js'),
      import('./session.js'),
    ]);
    const plan = command.plan(line.invocation, io);
    const bind = bindOption(line.invocation.values);
    return await runSession(io, plan.session, bind, session => plan.run(session));
  } catch (error) {
    const failure = failureOf(error);
    const { code, message, exit } = failure;
    const events = eventsWanted(argv, io.env, settings);
    if (events !== undefined) {
      const event = { v: 1, t: io.now() - startedAt, event: 'error', code, message, exit };
      io[events].write(`${printableJson(event)}\n`);
    }
    io.stderr.write(
      failureLines(failure, false)
        .map(line => `${line}\n`)
        .join(''),
    );
    return exit;
  }
}
