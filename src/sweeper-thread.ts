import { Worker } from 'node:worker_threads';
import type { Endpoint, Remote } from 'comlink';
import { loadPackage, workerScript } from './installed.js';
import type { ArenaBuffers } from './memory/arena.js';

/** What the sweeper thread offers over comlink. */
export interface SweeperApi {
  /** Sweeps this cache every `intervalMs` from now on. */
  add(id: number, buffers: ArenaBuffers, intervalMs: number): void;
  remove(id: number): void;
}

/** One cache to sweep. */
export interface Job {
  readonly id: number;
  readonly buffers: ArenaBuffers;
  readonly intervalMs: number;
}

const ignore = (): void => {};

/** A thread that sweeps caches. It never keeps the process alive, and ends when it has none left. */
export class SweeperThread {
  /** What it sweeps now. */
  readonly jobs = new Map<number, Job>();
  /**
   * Memory of the caches it no longer sweeps: none of it is freed before the thread ends. A thread that allocates nothing
   * collects no garbage, and V8 does not count shared memory as a reason to.
   */
  heldBytes = 0;
  readonly #worker: Worker;
  readonly #api: Remote<SweeperApi>;
  readonly #onRefused: (job: Job) => void;
  #removing = 0;

  /** Throws when no thread can be started. `onRefused`: it does not sweep this job; `onEnd`: it has ended. */
  constructor(onRefused: (job: Job) => void, onEnd: (thread: SweeperThread) => void) {
    const { wrap } = loadPackage<typeof import('comlink')>('comlink');
    const nodeEndpoint = loadPackage<(worker: Worker) => Endpoint>('comlink/dist/umd/node-adapter');
    const script = workerScript('sweeper.js');
    this.#worker = new Worker(script, { name: 'mooncake-cache-sweeper', execArgv: [] });
    this.#worker.on('error', ignore);
    this.#worker.once('exit', () => onEnd(this));
    this.#api = wrap<SweeperApi>(nodeEndpoint(this.#worker));
    this.#onRefused = onRefused;
    // After comlink's listener, which would hold the process again.
    this.#worker.unref();
  }

  add(job: Job): void {
    this.jobs.set(job.id, job);
    void this.#api.add(job.id, job.buffers, job.intervalMs).then(ignore, () => {
      if (this.jobs.delete(job.id)) this.#onRefused(job);
    });
  }

  remove(job: Job): void {
    if (!this.jobs.delete(job.id)) return;
    this.heldBytes += bytesOf(job.buffers);
    this.#removing++;
    // Not before it has answered: until then other threads count on its ticking, and the next cache can have it.
    void this.#api.remove(job.id).then(() => {
      this.#removing--;
      if (this.jobs.size === 0 && this.#removing === 0) void this.#worker.terminate();
    }, ignore);
  }
}

function bytesOf({ control, segments }: ArenaBuffers): number {
  return segments.reduce((sum, segment) => sum + segment.byteLength, control.byteLength);
}
