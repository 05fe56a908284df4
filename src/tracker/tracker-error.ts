// Why a tracker gave no answer that is of use.

/** One announce or scrape failed; `message` fits behind `<tracker>: `. */
export class TrackerError extends Error {
  /** ms after which it may be asked again (BEP 31), Infinity: never; undefined: it did not say. */
  readonly retryMs: number | undefined;
  constructor(message: string, retryMs?: number) {
    super(message);
    this.name = 'TrackerError';
    this.retryMs = retryMs;
  }
}
