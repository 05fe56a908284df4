// Sends each event where it belongs: results to stdout, words for people to stderr. Holds what is known of each torrent.

import { type Failure, failureLines } from './failure.js';
import { humanLine, type Words } from './human-lines.js';
import type { OutputOptions } from './options.js';
import type { ReportedEvent, Subject } from './reported.js';
import type { Results } from './results.js';
import { shownSource } from './source-text.js';
import { shownName, statusLine, TorrentView } from './torrent-view.js';

/** Where words for people go: a terminal with bars, plain lines, or nowhere. */
export interface Human {
  /** It draws in place: whoever else writes to the same terminal breaks that. */
  readonly draws: boolean;
  /** A line that stays. */
  print(line: string): void;
  /** A torrent moved on. */
  progress(view: TorrentView): void;
  /** It is no longer at work. */
  ended(view: TorrentView): void;
  close(): void;
}

export interface ReporterParts {
  readonly output: OutputOptions;
  readonly human: Human;
  readonly results: Results;
  /** Instead of the usual ones. */
  readonly words?: Words | undefined;
  /** Writes results. */
  readonly write: (text: string) => void;
  /** More than one source: failures and warnings say which. */
  readonly several: boolean;
}

export class Reporter {
  readonly #parts: ReporterParts;
  readonly #views = new Map<Subject, TorrentView>();
  #closed = false;

  constructor(parts: ReporterParts) {
    this.#parts = parts;
  }

  /** With JSON the events say it all; stderr is then for errors alone, as with --quiet. */
  get #silent(): boolean {
    return this.#parts.output.quiet || this.#parts.output.json;
  }

  /** Whether a torrent is at work that has more to lose than some hashing. */
  get transfers(): boolean {
    return [...this.#views.values()].some(({ hashing }) => !hashing);
  }

  /** A torrent is at work from now on; `hashing`: what it is made of is read, its progress events say how far. */
  begun(subject: Subject, hashing = false): void {
    const view = new TorrentView(subject.label, hashing);
    this.#views.set(subject, view);
    if (!this.#silent) this.#parts.human.progress(view);
  }

  event(event: ReportedEvent, subject?: Subject): void {
    if (this.#closed) return;
    this.#report(event, subject);
    const view = subject && this.#views.get(subject);
    const moved = view?.update(event) ?? false;
    if (this.#silent) return;
    const { words = humanLine, output, several } = this.#parts;
    const name = view?.name ?? (several && subject !== undefined ? shownName(subject.label) : undefined);
    const line = words(event, name, output.verbose);
    if (line !== undefined) this.#parts.human.print(line);
    if (view !== undefined && moved) this.#parts.human.progress(view);
  }

  /** The error line and its hint, and an `error` event. */
  failure(failure: Failure, subject?: Subject): void {
    const { code, message, exit } = failure;
    this.#report({ event: 'error', code, message, exit }, subject);
    const name = subject && (this.#views.get(subject)?.name ?? subject.label);
    const unclear =
      this.#parts.several &&
      subject !== undefined &&
      ![subject.source, subject.label, shownSource(subject.source)].some(known => message.includes(known));
    const shown = unclear ? { ...failure, message: `${name}: ${message}` } : failure;
    for (const line of failureLines(shown, this.#parts.output.verbose)) this.#parts.human.print(line);
  }

  /** A remark for people, on a torrent or on the whole run. */
  note(text: string, subject?: Subject): void {
    const about = subject === undefined ? 'rarest' : shownName(subject.label);
    if (!this.#silent) this.#parts.human.print(`${about}: ${text}`);
  }

  /** Where what others have to say must go, line by line; undefined where they may write to stderr themselves. */
  get linesOfOthers(): ((line: string) => void) | undefined {
    const { human } = this.#parts;
    return human.draws ? line => human.print(line) : undefined;
  }

  /** One line on how things stand; shown even when all else is silent, for somebody asked. */
  status(): void {
    this.#parts.human.print(statusLine([...this.#views.values()]));
  }

  /** Nothing more will come of this torrent. */
  ended(subject: Subject): void {
    const view = this.#views.get(subject);
    if (view !== undefined) this.#parts.human.ended(view);
    this.#views.delete(subject);
  }

  /** Gives the terminal back; errors can still be reported, events no longer. */
  close(): void {
    this.#closed = true;
    this.#parts.human.close();
  }

  #report(event: ReportedEvent, subject: Subject | undefined): void {
    const text = this.#parts.results(event, subject);
    if (text !== '') this.#parts.write(text);
  }
}
