// One waits, others wake it: with nothing, or with the error that ends everything. An error that nobody waits for yet
// is kept for who does.

export class SignalLine {
  #resolve: (() => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #error: Error | undefined;

  /** Whether somebody waits. */
  get isAwaited(): boolean {
    return this.#resolve !== undefined;
  }

  /** Wakes who waits; an error is thrown there, now or at the next wait. */
  wake(error?: Error): void {
    if (error && this.#reject) this.#reject(error);
    else if (error) this.#error ??= error;
    else this.#resolve?.();
    this.#resolve = undefined;
    this.#reject = undefined;
  }

  /** Waits for the next `wake`. */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error) reject(this.#error);
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }
}
