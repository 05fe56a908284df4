// Hooks: commands of the user for when a file or a torrent is done. They run one after another, in the order of the events.
// What a torrent says reaches them by stdin and environment alone, never by the command line.

import type { TorrentEvent } from '../engine/events.js';
import { TorrentError } from '../torrent/errors.js';
import { systemReason } from './failure.js';
import { variableOf } from './flags.js';
import type { HookEnd } from './io.js';
import type { Subject } from './reported.js';
import type { Results } from './results.js';
import type { Session } from './session.js';

/** Commands for the shell; an event without one is not told. */
export interface HookCommands {
  /** For `done` events: --exec. */
  readonly done: string | undefined;
  /** For `file` events: --exec-file. */
  readonly file: string | undefined;
}

/** What hooks are run for. */
export type HookEvent = Extract<TorrentEvent, { event: 'done' | 'file' }>;

type Environment = Readonly<Record<string, string | undefined>>;

const KILLED = 'killed by ';
const FLAGS = { done: 'exec', file: 'exec-file' } as const;
/** Of the variables that tell a hook what happened. */
const PREFIX = 'RAREST_HOOK_';
/** Longest value of a variable, in UTF-8: Linux starts nothing with one of 128 KiB, and a magnet link may be as long. */
const MAX_VALUE_BYTES = 32 * 1024;
/** How long one that still runs is waited for when we are told to end. */
const PATIENCE_MS = 5_000;
/** A terminal's ^C goes to us and to the hook, and its death may be known first: how long to wait for our own signal. */
const SIGNAL_GRACE_MS = 200;

/**
 * The hooks of one run of a command. One that fails is a warning, and in the end HOOK_FAILED; the download goes on. What was
 * complete before is told again by a later run, so its hooks run again too.
 */
export class Hooks {
  readonly #commands: HookCommands;
  readonly #session: Session;
  readonly #line: Results;
  /** Fulfilled when all of so far have ended; never rejects. */
  #last: Promise<void> = Promise.resolve();
  #failure: TorrentError | undefined;

  /** `line` makes an event into the JSON for stdin. */
  constructor(commands: HookCommands, session: Session, line: Results) {
    this.#commands = commands;
    this.#session = session;
    this.#line = line;
    session.beforeEnd(() => this.#left());
  }

  /** Takes the events of a torrent. */
  listener(subject: Subject): (event: TorrentEvent) => void {
    let name = subject.label;
    return event => {
      if (event.event === 'metadata') name = event.name;
      if (event.event !== 'done' && event.event !== 'file') return;
      const command = this.#commands[event.event];
      if (command === undefined) return;
      const line = this.#line(event, subject);
      this.#last = this.#last.then(() => this.#run(command, event, subject, name, line));
    };
  }

  /** Fulfilled when all have ended. Rejects with HOOK_FAILED where one failed, the first of them in the message. */
  async ended(): Promise<void> {
    await this.#last;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Starts nothing once the command is to end. */
  async #run(command: string, event: HookEvent, subject: Subject, name: string, line: string): Promise<void> {
    const { io, stopped, reporter } = this.#session;
    if (stopped.aborted) return;
    const env = hookEnvironment(io.env, event, subject, name);
    const why = await io.runHook(command, env, line, reporter.linesOfOthers).then(failedHow, systemReason);
    if (why === undefined || stopped.aborted) return;
    if (why === `${KILLED}SIGINT` || why === `${KILLED}SIGTERM`) {
      await new Promise<void>(resolve => io.after(SIGNAL_GRACE_MS, resolve));
      if (stopped.aborted) return;
    }
    const what = `running --${FLAGS[event.event]}`;
    reporter.event({ event: 'warning', message: `${what} for ${event.path}: ${why}` }, subject);
    this.#failure ??= new TorrentError('HOOK_FAILED', `${what}: ${why}`);
  }

  /** Waits for the one that runs, but not for ever. */
  #left(): Promise<void> {
    return new Promise(resolve => {
      const cancel = this.#session.io.after(PATIENCE_MS, resolve);
      void this.#last.then(() => {
        cancel();
        resolve();
      });
    });
  }
}

/**
 * The environment of a hook: `env` and RAREST_HOOK_*. Flags that run hooks are not inherited, so that a hook may itself run
 * rarest. A value that no environment can hold, with a NUL or too long, is left out; the JSON has it.
 */
export function hookEnvironment(
  env: Environment,
  event: HookEvent,
  subject: Subject,
  name: string,
): Environment {
  const unwanted: readonly string[] = Object.values(FLAGS).map(variableOf);
  const inherited = Object.entries(env).filter(
    ([variable]) => !unwanted.includes(variable) && !variable.startsWith(PREFIX),
  );
  const told: Environment = {
    EVENT: event.event,
    // a torrent may be called -rf, and no command is to take that for a flag
    PATH: event.path.startsWith('-') ? `./${event.path}` : event.path,
    NAME: name,
    SOURCE: subject.source,
    INFO_HASH: subject.infoHash,
    LENGTH: `${event.length}`,
    ...(event.event === 'file' ? { INDEX: `${event.index}` } : { FILES: `${event.files}` }),
  };
  const fitting = Object.entries(told)
    .filter(([, value = '\0']) => !value.includes('\0') && Buffer.byteLength(value) <= MAX_VALUE_BYTES)
    .map(([key, value]) => [`${PREFIX}${key}`, value]);
  return Object.fromEntries([...inherited, ...fitting]);
}

/** In words; undefined for success. */
function failedHow({ status, signal }: HookEnd): string | undefined {
  if (signal !== null) return KILLED + signal;
  return status === 0 ? undefined : `exit status ${status}`;
}
