import type { SnapshotProgress } from '../index.js';
import { megabytes, number } from './view.js';

/** Work that takes no longer says nothing. */
const QUIET_MS = 2_000;
/** Between two lines where there is no terminal. */
const LINE_EVERY_MS = 10_000;
const CLEAR_LINE = '\r\x1b[K';

/** Where progress is told: a terminal or not. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** How far long work has come: on a terminal one line that changes, elsewhere a line now and then. */
export class Progress {
  readonly #what: string;
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #startedAt: number;
  #dueAt: number;
  #isShown = false;

  /** `now`: a clock in ms. */
  constructor(what: string, stream: ProgressStream, now = (): number => performance.now()) {
    this.#what = what;
    this.#stream = stream;
    this.#now = now;
    this.#startedAt = now();
    this.#dueAt = this.#startedAt + QUIET_MS;
  }

  readonly onProgress = ({ entries, bytes }: SnapshotProgress): void => {
    const now = this.#now();
    if (now < this.#dueAt) return;
    const seconds = ((now - this.#startedAt) / 1_000).toFixed(0);
    const line = `${this.#what}: ${number.format(entries)} entries, ${megabytes(bytes)}, ${seconds} s`;
    if (this.#stream.isTTY === true) {
      this.#stream.write(CLEAR_LINE + line);
      this.#isShown = true;
    } else {
      this.#stream.write(`${line}\n`);
      this.#dueAt = now + LINE_EVERY_MS;
    }
  };

  /** Takes the line away. */
  stop(): void {
    if (this.#isShown) this.#stream.write(CLEAR_LINE);
    this.#isShown = false;
  }
}
