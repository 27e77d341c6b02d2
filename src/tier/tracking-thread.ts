import { Worker } from 'node:worker_threads';
import { SharedCacheError } from '../errors.js';
import { workerScript } from '../installed.js';
import { clearTimeout, monotonicMs, setTimeout } from '../sync/monotonic.js';
import type { Link } from './link.js';
import type { TrackerData } from './tracker.js';

const LOOK_MS = 250;
/** Longest that closing waits for the thread, ms: one that does not end by then holds up nobody. */
const END_MS = 3_000;

/**
 * Sees to it that some thread of the machine tracks: starts one when there is none that lives. Of several that were started
 * at once all but one end by themselves.
 */
export class TrackingThread {
  /** What the remote said when it refused. */
  onRefused: (error: SharedCacheError) => void = () => {};
  readonly #link: Link;
  readonly #data: TrackerData;
  #worker: Worker | undefined;
  #ended: Promise<void> = Promise.resolve();
  #lookedAt = 0;
  #isClosed = false;

  constructor(link: Link, data: TrackerData) {
    this.#link = link;
    this.#data = data;
  }

  /** Call it often: it looks now and then. */
  look(): void {
    const now = monotonicMs();
    if (now - this.#lookedAt < LOOK_MS || this.#isClosed) return;
    this.#lookedAt = now;
    if (!this.#link.isTrackerGone()) return;
    this.#link.noteTrackerGone();
    if (this.#worker === undefined) this.#start();
  }

  #start(): void {
    const worker = new Worker(workerScript('tracker.js'), {
      name: 'mooncake-cache-tracker',
      execArgv: [],
      workerData: this.#data,
    });
    this.#worker = worker;
    worker.unref();
    worker.on('message', (message: string) => this.onRefused(new SharedCacheError('ERR_REMOTE_REFUSED', message)));
    // Whoever looks next starts another.
    worker.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      worker.once('exit', () => {
        if (this.#worker === worker) this.#worker = undefined;
        resolve();
      });
    });
  }

  /** Ends the thread if this one started it; another member's takes over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.ref();
    worker.postMessage('end');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, END_MS);
    });
    await Promise.race([this.#ended, late]);
    clearTimeout(timer);
    // Nothing to do once it has ended.
    worker.unref();
    void worker.terminate();
  }
}
