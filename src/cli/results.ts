// What goes to stdout: paths, addresses or JSON lines, and what to do when its reader goes away.

import { TorrentError } from '../torrent/errors.js';
import { formatHostPort } from '../torrent/host-port.js';
import { systemReason } from './failure.js';
import type { OutputStream } from './io.js';
import type { OutputOptions } from './options.js';
import { printableJson } from './printable.js';
import type { ReportedEvent, Subject } from './reported.js';

/** Text for stdout in answer to an event; empty where it is no result. */
export type Results = (event: ReportedEvent, subject: Subject | undefined) => string;

/** Paths of finished files and addresses of peers, each behind a newline or NUL. */
export function plainResults({ nul }: OutputOptions): Results {
  const end = nul ? '\0' : '\n';
  return event => {
    if (event.event === 'file') return event.path + end;
    if (event.event === 'found') return `${formatHostPort(event)}\t${event.from}${end}`;
    return '';
  };
}

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
  #closed = false;

  /** `onGone` hears once that nobody reads any more, `onFailure` that writing failed. */
  constructor(stream: OutputStream, onGone: () => void, onFailure: (error: TorrentError) => void) {
    this.#stream = stream;
    stream.on('error', error => {
      if (this.#closed) return;
      this.#closed = true;
      if (error.code === 'EPIPE') onGone();
      else onFailure(failed(error));
    });
  }

  write(text: string): void {
    if (!this.#closed && text !== '') this.#stream.write(text);
  }
}

function failed(error: NodeJS.ErrnoException): TorrentError {
  const code = error.code === 'ENOSPC' ? 'DISK_FULL' : 'DISK_IO';
  return new TorrentError(code, `writing to stdout: ${systemReason(error)}`, { cause: error });
}
