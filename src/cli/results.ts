// What goes to stdout: the items of a command or JSON lines, and what to do when its reader goes away.

import type { TorrentError } from '../torrent/errors.js';
import { formatHostPort } from '../torrent/host-port.js';
import { writeError } from './failure.js';
import type { OutputStream } from './io.js';
import type { OutputOptions } from './options.js';
import { printableJson } from './printable.js';
import type { ReportedEvent, Subject } from './reported.js';

/** Text for stdout in answer to an event; empty where it is no result. */
export type Results = (event: ReportedEvent, subject: Subject | undefined) => string;

/** What of an event is a result of the command: items, each one line of stdout. */
export type Items = (event: ReportedEvent, subject: Subject | undefined) => readonly string[];

/** The items of a command, each behind a newline or NUL. */
export function plainResults({ nul }: OutputOptions, items: Items): Results {
  const end = nul ? '\0' : '\n';
  return (event, subject) =>
    items(event, subject)
      .map(item => item + end)
      .join('');
}

/** Of `download`: the path of each finished file. */
export const filePaths: Items = event => (event.event === 'file' ? [event.path] : []);

/** Of `seed` and `magnet`: the magnet link. */
export const magnetLinks: Items = event =>
  event.event === 'seeding' || event.event === 'magnet' ? [event.magnet] : [];

/** Of `peers`: who was found, and who told. */
export const foundAddresses: Items = event =>
  event.event === 'found' ? [`${formatHostPort(event)}\t${event.from}`] : [];

/** Of `verify`: each bad piece with each file that it touches. */
export const badPieces: Items = event =>
  event.event === 'bad' ? event.files.map(file => `${event.piece}\t${file}`) : [];

/** Of `create`: the .torrent. */
export const createdPaths: Items = event => (event.event === 'created' ? [event.path] : []);

/** NDJSON: every event, but for those of single peers and pieces, which come with --verbose. `t` counts from `startedAt`. */
export function jsonResults({ verbose }: OutputOptions, startedAt: number, now: () => number): Results {
  return (event, subject) => {
    const detail = event.event === 'piece' || event.event === 'peer' || event.event === 'choke';
    if (detail && !verbose) return '';
    const { event: kind, ...fields } = event;
    const about = subject && { source: subject.source, infoHash: subject.infoHash };
    return `${printableJson({ v: 1, t: now() - startedAt, event: kind, ...about, ...fields })}\n`;
  };
}

/** stdout. When its reader has gone what is written is dropped in silence; any other failure is kept for the exit code. */
export class ResultStream {
  readonly #stream: OutputStream;
  readonly #onGone: () => void;
  readonly #onFailure: (error: TorrentError) => void;
  #closed = false;
  /** Text that is to leave with what else this turn of the event loop brings. */
  #gathered = '';
  /** Fulfilled once all that was written is out, or never will be. */
  #written: Promise<unknown> = Promise.resolve();

  /** `onGone` hears once that nobody reads any more, `onFailure` that writing failed. */
  constructor(stream: OutputStream, onGone: () => void, onFailure: (error: TorrentError) => void) {
    this.#stream = stream;
    this.#onGone = onGone;
    this.#onFailure = onFailure;
    stream.on('error', error => this.#failed(error));
  }

  write(text: string): void {
    if (text !== '') void this.writeAll(text);
  }

  /** As `write`, but at the end of this turn, in one piece with what else comes: many small files end at the same time. */
  gather(text: string): void {
    if (this.#gathered === '' && text !== '') setImmediate(() => this.flush());
    this.#gathered += text;
  }

  /** Writes what was gathered now. */
  flush(): void {
    const text = this.#gathered;
    this.#gathered = '';
    this.write(text);
  }

  /** Whether the bytes were written; known once they are, or never will be. */
  writeAll(bytes: Uint8Array | string): Promise<boolean> {
    this.flush();
    if (this.#closed) return Promise.resolve(false);
    const written = new Promise<boolean>(resolve => {
      this.#stream.write(bytes, error => {
        if (error) this.#failed(error);
        resolve(!error);
      });
    });
    this.#written = written;
    return written;
  }

  /** All failures of what was written so far have been told: only then is an exit code known. */
  async flushed(): Promise<void> {
    this.flush();
    await this.#written;
  }

  #failed(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    if ('code' in error && error.code === 'EPIPE') this.#onGone();
    else this.#onFailure(writeError('writing to stdout', error));
  }
}
