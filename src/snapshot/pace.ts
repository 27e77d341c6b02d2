import { clearInterval, monotonicMs, setImmediate, setInterval } from '../sync/monotonic.js';
import type { SnapshotOptions } from './options.js';

/** Longest run without giving the event loop its turn. */
const SLICE_MS = 8;
const PROGRESS_EVERY_MS = 100;

/** Keeps long work from blocking its thread, tells how far it has come, and ends it when it is to end. */
export class Pace {
  entries = 0;
  bytes = 0;
  readonly startedAt = monotonicMs();
  readonly #options: SnapshotOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  #sliceEnd = this.startedAt + SLICE_MS;
  #failure: { error: unknown } | undefined;

  constructor(options: SnapshotOptions) {
    this.#options = options;
    if (options.onProgress !== undefined) this.#timer = setInterval(() => this.#report(), PROGRESS_EVERY_MS);
  }

  get durationMs(): number {
    return monotonicMs() - this.startedAt;
  }

  /** Whether it is time for `breathe`. */
  isDue(): boolean {
    return monotonicMs() >= this.#sliceEnd;
  }

  /** Lets the event loop turn. Throws as `check`. */
  async breathe(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#sliceEnd = monotonicMs() + SLICE_MS;
    this.check();
  }

  /** Throws the signal's reason once it is aborted, and what onProgress has thrown. */
  check(): void {
    if (this.#options.signal?.aborted) throw this.#options.signal.reason;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** The last report. Throws as `check`. */
  finish(): void {
    this.check();
    this.#report();
    this.check();
  }

  stop(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer);
  }

  #report(): void {
    if (this.#failure !== undefined) return;
    try {
      this.#options.onProgress?.({ entries: this.entries, bytes: this.bytes });
    } catch (error) {
      this.#failure = { error };
    }
  }
}
