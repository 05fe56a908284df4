// `rarest completion`: a script that teaches a shell our commands and flags.

import { basename } from 'node:path';
import type { Invocation, Plan } from '../command.js';
import { usageError } from '../failure.js';
import { outputOptions } from '../options.js';

const SCRIPTS: Readonly<Record<string, () => Promise<string>>> = {
  bash: async () => (await import('../completion/bash.js')).bashScript(),
  zsh: async () => (await import('../completion/zsh.js')).zshScript(),
};
const GOOD = 'rarest completion bash, or zsh';

export function plan(invocation: Invocation): Plan {
  const { operands, env } = invocation;
  if (operands.length > 1)
    throw usageError('completion', `one shell at a time, not ${operands.length}`, GOOD);
  const [named = ownShell(env.SHELL)] = operands;
  const script = Object.hasOwn(SCRIPTS, named) ? SCRIPTS[named] : undefined;
  if (script === undefined) throw usageError(named, 'no shell that we know', GOOD);
  return {
    session: {
      output: outputOptions(invocation),
      several: false,
      endsWithReader: true,
      items: () => [],
      payload: true,
    },
    run: async session => {
      await session.writePayload(Buffer.from(await script()));
    },
  };
}

/** The name of the user's shell. Throws USAGE where there is none. */
function ownShell(shell: string | undefined): string {
  if (!shell) throw usageError('completion', 'no shell given, and SHELL is not set', GOOD);
  return basename(shell);
}
