import { writeFileSync } from 'node:fs';
import type { Histogram } from 'hdr-histogram-js';
import { checkFunction, describe, SharedCacheError } from '../errors.js';
import type { MappedFile } from '../memory/arena.js';
import { Place } from '../process/place.js';
import { monotonicMs, wallMs } from '../sync/monotonic.js';
import { checkQuantity, checkSuccess } from './arguments.js';
import { clearShared } from './block.js';
import { writeHlog } from './hlog.js';
import { readHottest } from './hottest.js';
import type { EncodedKey } from './key-notes.js';
import { BLOCK, HEADER, NAME } from './layout.js';
import { MonitorMemory } from './memory.js';
import { observed } from './observed.js';
import { resolveMonitorOptions } from './options.js';
import type { MonitorLocks } from './presence.js';
import { type MonitorState, metricFamilies, toText } from './prometheus.js';
import { RecentRing } from './recent.js';
import { Recorder, Sampler } from './recorder.js';
import { type PrometheusRegistry, registerIn } from './registry.js';
import { renderReport } from './report/page.js';
import { OperationSnapshot, readOperation } from './snapshot.js';
import { summarize } from './summary.js';
import { readTimeline } from './timeline.js';
import type {
  HottestKeys,
  MonitoredTotals,
  MonitorInterval,
  OperationSummary,
  PerformanceMetric,
  SharedMonitorHandle,
  SharedMonitorOptions,
  ThroughputPoint,
} from './types.js';
import { MonitorWriter } from './writer.js';

const NS_PER_MS = 1e6;

/** What an attaching constructor is given. */
interface AttachedMonitor {
  memory: MonitorMemory;
  /** The file it lies in, of the monitor of a cache that was opened by its path. */
  file?: MappedFile | undefined;
  /** A place at that file of the monitor's own, where it has no cache beside it. */
  place?: Place | undefined;
}

/** What a monitor holds beyond its own memory. */
interface Resources {
  writer: MonitorWriter;
  place: Place | undefined;
}

function giveBack({ writer, place }: Resources): void {
  writer.release();
  place?.close();
}

/** A monitor that was dropped without close() gives its thread's place back all the same, and its own at the file. */
const collected = new FinalizationRegistry<Resources>(giveBack);

/**
 * One latency picture over all threads of a process. Every thread records into shared memory of its own, without locks;
 * any thread reads the whole at any time, the records of ended and terminated threads included.
 *
 * Throws SharedCacheError only: ERR_INVALID_ARGUMENT, ERR_TOO_MANY_OPERATIONS, ERR_CLOSED after close().
 */
export class SharedMonitor {
  readonly #memory: MonitorMemory;
  readonly #writer: MonitorWriter;
  readonly #file: MappedFile | undefined;
  readonly #place: Place | undefined;
  #totals: (() => MonitoredTotals) | undefined;
  /** What they were when they could last be had. */
  #lastTotals: MonitoredTotals | undefined;
  /** By registry: what takes this monitor out of it. */
  readonly #registries = new Map<PrometheusRegistry, () => void>();
  #before = new Map<string, OperationSnapshot>();
  #intervalStart: number;
  #closed = false;

  /** Allocates the shared memory. Throws ERR_INVALID_OPTION. */
  constructor(options?: SharedMonitorOptions);
  /** @internal */
  constructor(options: undefined, attached: AttachedMonitor);
  constructor(options?: SharedMonitorOptions, attached?: AttachedMonitor) {
    this.#memory = attached?.memory ?? MonitorMemory.create(resolveMonitorOptions(options));
    this.#file = attached?.file;
    this.#place = attached?.place;
    this.#writer = MonitorWriter.of(this.#memory);
    this.#intervalStart = this.#memory.startedAt;
    collected.register(this, { writer: this.#writer, place: this.#place }, this);
  }

  /** The same monitor in another thread. Throws ERR_INVALID_HANDLE. */
  static attach(handle: SharedMonitorHandle): SharedMonitor {
    if (typeof handle !== 'object' || handle === null || handle.kind !== 'mooncake-monitor') {
      throw new SharedCacheError(
        'ERR_INVALID_HANDLE',
        `handle must be what monitor.handle returned, received ${describe(handle)}`,
      );
    }
    const { buffer, file } = handle;
    if (file === undefined) return new SharedMonitor(undefined, { memory: MonitorMemory.attach(buffer) });
    const place = Place.join(file, [buffer]);
    try {
      return new SharedMonitor(undefined, { memory: MonitorMemory.attach(buffer, place.monitorLocks()), file, place });
    } catch (error) {
      place.close();
      throw error;
    }
  }

  /** @internal The one in the file of a cache that this thread has opened. */
  static inFile(file: MappedFile, locks: MonitorLocks): SharedMonitor {
    return new SharedMonitor(undefined, { memory: MonitorMemory.attach(file.monitor, locks), file });
  }

  /** What another thread attaches by; travels in workerData and postMessage. */
  get handle(): SharedMonitorHandle {
    const { buffer } = this.#memory;
    return this.#file === undefined
      ? { kind: 'mooncake-monitor', buffer }
      : { kind: 'mooncake-monitor', buffer, file: this.#file };
  }

  /** Names in use, over all threads. */
  get operations(): readonly string[] {
    return [...this.#open().names.list()];
  }

  /**
   * Records that counted in the histograms but not in recent metrics and throughput, because more threads recorded than the
   * monitor has places for. Nothing else is ever left out.
   */
  get dropped(): number {
    return Number(Atomics.load(this.#memory.longs, HEADER.unlisted / 2));
  }

  /** `durationMs` and `dataSize` (bytes) must be finite and not negative. */
  recordOperation(operation: string, durationMs: number, success: boolean, dataSize = 0): void {
    const writer = this.#open();
    const number = writer.number(operation);
    checkQuantity('durationMs', durationMs);
    checkQuantity('dataSize', dataSize);
    checkSuccess(success);
    writer.record(number, durationMs * NS_PER_MS, success, dataSize, 1);
  }

  /** Runs `run`, records how long it or its promise took, and returns its result; what it throws counts as a failure. */
  time<T>(operation: string, run: () => T): T {
    const writer = this.#open();
    checkFunction('run', run);
    const number = writer.number(operation);
    const start = monotonicMs();
    return observed(run, (success) => {
      writer.record(number, (monotonicMs() - start) * NS_PER_MS, success, 0, 1);
    });
  }

  /** For hot paths: no look-up and no checks for each record. */
  recorder(operation: string): Recorder {
    const writer = this.#open();
    // It records as long as it is there: then a monitor with a place of its own at the file must not be collected.
    return new Recorder(writer, writer.number(operation), this.#place === undefined ? undefined : this);
  }

  /** Chooses one of `every` operations, default the monitor's `sample`. */
  sampler(every: number = this.#memory.dimensions.sample): Sampler {
    if (!Number.isInteger(every) || every < 1 || every > 1_000_000) {
      throw new SharedCacheError(
        'ERR_INVALID_ARGUMENT',
        `every must be a whole number from 1 to 1000000, received ${describe(every)}`,
      );
    }
    return new Sampler(every);
  }

  /** Operations recorded since creation or reset. */
  getPerformanceSummary(): Record<string, OperationSummary> {
    const elapsedMs = wallMs() - this.#memory.startedAt;
    return summaries(this.#snapshots(), elapsedMs);
  }

  /** Oldest first, of the last `minutes`; at most `retention` of each thread. */
  getRecentMetrics(minutes = 5): PerformanceMetric[] {
    checkQuantity('minutes', minutes, true);
    const names = this.#open().names.list();
    const { words, dimensions } = this.#memory;
    const epoch = Atomics.load(words, HEADER.epoch);
    const since = wallMs() - minutes * 60_000;
    const metrics: PerformanceMetric[] = [];
    for (let thread = 0; thread < dimensions.threads; thread++) {
      for (const record of new RecentRing(this.#memory, thread).read(epoch, since)) {
        metrics.push({
          operation: names[record.what >> 1] ?? this.#writer.names.list()[record.what >> 1],
          timestamp: record.timestamp,
          duration: record.durationNs / NS_PER_MS,
          success: (record.what & 1) === 1,
          dataSize: record.sizeBytes,
          thread: record.thread,
        });
      }
    }
    return metrics.sort((a, b) => a.timestamp - b.timestamp);
  }

  /**
   * The keys that operations on the cache had most often in the last `minutes`, over all threads: an estimate. The cache notes
   * the key of each `get`, `put` and `delete` that its monitor times, one in `sample`, and each thread keeps its last 256 notes
   * (`retention` of them, if that is less): busy threads have noted that many in less time, and then only that time counts. A
   * key that was noted once is left out. Nothing for a monitor that is no cache's.
   */
  getHottestKeys(limit = 10, minutes = 1): HottestKeys {
    checkQuantity('limit', limit, true);
    checkQuantity('minutes', minutes, true);
    this.#open();
    return readHottest(this.#memory, limit, wallMs() - minutes * 60_000);
  }

  /** @internal The key of an operation on the cache that was timed. */
  noteKey(key: EncodedKey, isRead: boolean): void {
    this.#writer.noteKey(key, isRead);
  }

  /** Merged over all threads, in ns; empty for a name nobody used. What was recorded, not scaled up where sampled. */
  histogram(operation: string): Histogram {
    const number = this.#open().names.find(operation);
    const snapshot = number === undefined ? new OperationSnapshot() : readOperation(this.#memory, number);
    const histogram = snapshot.toHistogram();
    histogram.startTimeStampMsec = this.#memory.startedAt;
    histogram.endTimeStampMsec = wallMs();
    histogram.tag = operation;
    return histogram;
  }

  /** What happened since this object's last call, or since creation or reset; the totals stay. */
  interval(): MonitorInterval {
    const end = wallMs();
    const start = Math.max(this.#intervalStart, this.#memory.startedAt);
    const now = this.#snapshots();
    const changes = now.map(([name, snapshot]): [string, OperationSnapshot] => {
      const before = this.#before.get(name);
      // Another epoch: there was a reset, and all there is came after it.
      const kept = before !== undefined && before.epoch === snapshot.epoch;
      return [name, kept ? snapshot.since(before) : snapshot];
    });
    this.#before = new Map(now);
    this.#intervalStart = end;
    return { start, end, operations: summaries(changes, end - start) };
  }

  /** Operations, hits and misses for each of the last 300 seconds, the running one left out. */
  getThroughput(): ThroughputPoint[] {
    this.#open();
    return readTimeline(this.#memory, wallMs());
  }

  /** HdrHistogram log, format 1.3: one tagged interval for each operation, values in ns, maxima in ms. */
  toHlog(): string {
    return writeHlog(this.#recorded(), this.#memory.startedAt, wallMs());
  }

  /** Prometheus text exposition format. */
  toPrometheus(): string {
    return toText(metricFamilies(this.#state()));
  }

  /**
   * Adds the same metrics to a prom-client registry; each scrape computes them anew. Several monitors of one registry are
   * summed up there, one that is registered twice counts once, and what a closed one counted stays.
   */
  registerPrometheus(registry: PrometheusRegistry): void {
    this.#open();
    if (this.#registries.has(registry)) return;
    this.#registries.set(
      registry,
      registerIn(registry, () => (this.#closed ? undefined : this.#state())),
    );
  }

  /** Lets this thread's exporters show a cache: `monitor.observe(() => cache.getStats())`. */
  observe(totals: () => MonitoredTotals): void {
    checkFunction('totals', totals);
    this.#totals = totals;
  }

  /** Writes a self-contained HTML page. Throws what the file system throws. */
  writeReport(path: string, title = 'Latency report'): void {
    const { startedAt } = this.#memory;
    const html = renderReport({
      title,
      start: startedAt,
      end: wallMs(),
      operations: this.#recorded(),
      throughput: this.getThroughput(),
      totals: this.#currentTotals(),
      dropped: this.dropped,
    });
    writeFileSync(path, html);
  }

  /** Starts again from nothing, for all threads; names and running recorders stay. */
  reset(): void {
    this.#open();
    const { words, longs, layout } = this.#memory;
    this.#memory.startedAt = wallMs();
    // Each thread clears its own blocks at its next record; until then their stamp is out of date and they count nothing.
    Atomics.add(words, HEADER.epoch, 1);
    for (let operation = 0; operation < words[HEADER.operationCount]; operation++) {
      if (Atomics.load(words, layout.namesWord + operation * NAME.words + NAME.sharedUsed) === 0) continue;
      clearShared(longs, layout.sharedBlocksDouble + operation * BLOCK.doubles);
    }
    Atomics.store(longs, HEADER.unlisted / 2, 0n);
    this.#before.clear();
  }

  /** Gives this thread's place back; what it recorded stays for the others. Closing twice is allowed. */
  close(): void {
    if (this.#closed) return;
    for (const takeOut of this.#registries.values()) takeOut();
    this.#registries.clear();
    this.#closed = true;
    collected.unregister(this);
    giveBack({ writer: this.#writer, place: this.#place });
  }

  /** As close, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(): MonitorWriter {
    if (this.#closed)
      throw new SharedCacheError(
        'ERR_CLOSED',
        'this monitor was closed in this thread; SharedMonitor.attach(handle) opens it again',
      );
    return this.#writer;
  }

  #snapshots(): [string, OperationSnapshot][] {
    return this.#open()
      .names.list()
      .map((name, number) => [name, readOperation(this.#memory, number)]);
  }

  #recorded(): [string, OperationSnapshot][] {
    return this.#snapshots().filter(([, snapshot]) => snapshot.recorded > 0);
  }

  #state(): MonitorState {
    return { operations: this.#recorded(), totals: this.#currentTotals(), unlisted: this.dropped };
  }

  /** A cache that was closed since has no totals any more: its last ones stay. */
  #currentTotals(): MonitoredTotals | undefined {
    try {
      if (this.#totals !== undefined) this.#lastTotals = this.#totals();
    } catch (error) {
      if (!(error instanceof SharedCacheError && error.code === 'ERR_CLOSED')) throw error;
      this.#totals = undefined;
    }
    return this.#lastTotals;
  }
}

function summaries(
  operations: readonly [string, OperationSnapshot][],
  elapsedMs: number,
): Record<string, OperationSummary> {
  const entries: [string, OperationSummary][] = [];
  for (const [name, snapshot] of operations) {
    const summary = summarize(snapshot, elapsedMs);
    if (summary !== undefined) entries.push([name, summary]);
  }
  return Object.fromEntries(entries);
}
