import { Worker } from 'node:worker_threads';
import type { Endpoint, Remote } from 'comlink';
import { loadPackage, workerScript } from './installed.js';
import type { ArenaBuffers } from './memory/arena.js';

/** What the sweeper thread offers over comlink. */
export interface SweeperApi {
  /** Sweeps the cache every `intervalMs` from now on, unless the job is over already. */
  add(assignment: Assignment): void;
  remove(id: number): void;
}

/** One cache to sweep. */
export interface Job {
  readonly id: number;
  readonly buffers: ArenaBuffers;
  readonly intervalMs: number;
}

/** A job as its thread is given it. `phase` is one shared word, a PHASE. */
export interface Assignment extends Job {
  readonly phase: Int32Array;
}

/** How far the thread is with its job. */
export const PHASE = { waiting: 0, sweeping: 1, over: 2 } as const;

/** Of an opened cache: how long its close waits for the sweeper to leave the file, ms. */
const LEAVE_PATIENCE_MS = 1_000;

const ignore = (): void => {};

/** A thread that sweeps caches. It never keeps the process alive, and ends when it has none left. */
export class SweeperThread {
  /** What it sweeps now. */
  readonly jobs = new Map<number, Assignment>();
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
    const assignment = { ...job, phase: new Int32Array(new SharedArrayBuffer(4)) };
    this.jobs.set(job.id, assignment);
    void this.#api.add(assignment).then(ignore, () => {
      if (this.jobs.delete(job.id)) this.#onRefused(job);
    });
  }

  remove(job: Job): void {
    const assignment = this.jobs.get(job.id);
    if (assignment === undefined) return;
    this.jobs.delete(job.id);
    this.heldBytes += bytesOf(job.buffers);
    this.#removing++;
    // Not before it has answered: until then other threads count on its ticking, and the next cache can have it.
    void this.#api.remove(job.id).then(() => {
      this.#removing--;
      if (this.jobs.size === 0 && this.#removing === 0) void this.#worker.terminate();
    }, ignore);
    waitUntilOver(assignment);
  }
}

/**
 * A job that has not begun never does. One of an opened cache is over when this returns, so that who opens the path next
 * does not find the sweeper there and take the cache for one in use.
 */
function waitUntilOver({ phase, buffers }: Assignment): void {
  if (Atomics.compareExchange(phase, 0, PHASE.waiting, PHASE.over) === PHASE.waiting) return;
  if (buffers.file !== undefined) Atomics.wait(phase, 0, PHASE.sweeping, LEAVE_PATIENCE_MS);
}

function bytesOf({ control, segments }: ArenaBuffers): number {
  return segments.reduce((sum, segment) => sum + segment.byteLength, control.byteLength);
}
