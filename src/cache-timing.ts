import type { EncodedKey } from './monitor/key-notes.js';
import type { SharedMonitor } from './monitor/monitor.js';
import type { Recorder, Sampler } from './monitor/recorder.js';
import { monotonicMs } from './sync/monotonic.js';

/** One operation in so many is timed unless the monitor's settings say otherwise. */
export const DEFAULT_SAMPLE = 128;

/**
 * Times a cache's operations into its monitor: hits and misses of get apart, one operation in `sample`. Of those it times it
 * notes the keys too.
 */
export class CacheTiming {
  readonly #monitor: SharedMonitor;
  readonly #sampler: Sampler;
  readonly #hit: Recorder;
  readonly #miss: Recorder;
  readonly #put: Recorder;
  readonly #delete: Recorder;
  readonly #getOrSet: Recorder;
  readonly #evict: Recorder;

  constructor(monitor: SharedMonitor) {
    this.#monitor = monitor;
    this.#sampler = monitor.sampler();
    this.#hit = monitor.recorder('get.hit');
    this.#miss = monitor.recorder('get.miss');
    this.#put = monitor.recorder('put');
    this.#delete = monitor.recorder('delete');
    this.#getOrSet = monitor.recorder('getOrSet');
    this.#evict = monitor.recorder('evict');
  }

  /** 0: do not time this operation. Else how many operations it stands for. */
  due(): number {
    return this.#sampler.due();
  }

  recordGet(startMs: number, hit: boolean, due: number): void {
    (hit ? this.#hit : this.#miss).record(elapsedNs(startMs), true, 0, due);
  }

  recordPut(startMs: number, stored: boolean, sizeBytes: number, due: number): void {
    this.#put.record(elapsedNs(startMs), stored, sizeBytes, due);
  }

  recordDelete(startMs: number, due: number): void {
    this.#delete.record(elapsedNs(startMs), true, 0, due);
  }

  /** The key that a timed get, put or delete had, as it is encoded now. */
  noteKey(key: EncodedKey, isRead: boolean): void {
    this.#monitor.noteKey(key, isRead);
  }

  /** A load begins: what to call when it has ended, with whether it gave a value; undefined when it is not to be timed. */
  load(): ((success: boolean) => void) | undefined {
    const due = this.due();
    if (due === 0) return undefined;
    const start = monotonicMs();
    return (success) => this.#getOrSet.record(elapsedNs(start), success, 0, due);
  }

  recordEviction(startMs: number, due: number): void {
    this.#evict.record(elapsedNs(startMs), true, 0, due);
  }
}

const elapsedNs = (startMs: number): number => (monotonicMs() - startMs) * 1e6;
