import { randomFillSync } from 'node:crypto';
import { describe, SharedCacheError } from '../errors.js';
import { wallMs } from '../sync/monotonic.js';
import { HEADER, MONITOR_LAYOUT_VERSION, MONITOR_MAGIC, type MonitorLayout, monitorLayout } from './layout.js';
import { isDimension, type MonitorDimensions } from './options.js';
import type { MonitorLocks } from './presence.js';

/** A monitor's shared buffer, checked, with its views. */
export class MonitorMemory {
  readonly buffer: SharedArrayBuffer;
  /** Of the monitor of a cache that was opened by its path. */
  readonly locks: MonitorLocks | undefined;
  readonly dimensions: MonitorDimensions;
  readonly layout: MonitorLayout;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly longs: BigInt64Array;

  private constructor(buffer: SharedArrayBuffer, dimensions: MonitorDimensions, locks?: MonitorLocks) {
    this.buffer = buffer;
    this.locks = locks;
    this.dimensions = dimensions;
    this.layout = monitorLayout(dimensions);
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.longs = new BigInt64Array(buffer);
  }

  /** Throws ERR_INVALID_OPTION when the system refuses that much address space. */
  static create(dimensions: MonitorDimensions): MonitorMemory {
    const { bytes } = monitorLayout(dimensions);
    let buffer: SharedArrayBuffer;
    try {
      buffer = new SharedArrayBuffer(bytes);
    } catch (cause) {
      throw new SharedCacheError(
        'ERR_INVALID_OPTION',
        `a monitor of ${bytes} bytes cannot be allocated; lower operations, threads, histograms or retention`,
        { cause },
      );
    }
    return MonitorMemory.format(buffer, dimensions);
  }

  /** Makes a zeroed buffer of that size, or larger, an empty monitor. */
  static format(buffer: SharedArrayBuffer, dimensions: MonitorDimensions): MonitorMemory {
    const memory = new MonitorMemory(buffer, dimensions);
    const { words } = memory;
    words[HEADER.layoutVersion] = MONITOR_LAYOUT_VERSION;
    words[HEADER.operations] = dimensions.operations;
    words[HEADER.threads] = dimensions.threads;
    words[HEADER.histograms] = dimensions.histograms;
    words[HEADER.retention] = dimensions.retention;
    words[HEADER.sample] = dimensions.sample;
    words[HEADER.epoch] = 1;
    memory.startedAt = wallMs();
    randomFillSync(words, HEADER.id0, 2);
    Atomics.store(words, HEADER.magic, MONITOR_MAGIC);
    return memory;
  }

  /** Believes nothing. Throws ERR_INVALID_HANDLE. A file's buffer is of whole pages, and comes with locks. */
  static attach(buffer: unknown, locks?: MonitorLocks): MonitorMemory {
    return new MonitorMemory(buffer as SharedArrayBuffer, dimensionsOf(buffer, locks !== undefined), locks);
  }

  /** Throws ERR_INVALID_HANDLE for the memory of a file that is none of a monitor. */
  static check(buffer: SharedArrayBuffer): void {
    dimensionsOf(buffer, true);
  }

  /** Tells monitors of one process apart. */
  get id(): string {
    return `${this.words[HEADER.id0] >>> 0}-${this.words[HEADER.id1] >>> 0}`;
  }

  /** ms since the epoch. */
  get startedAt(): number {
    return this.doubles[HEADER.startedAt >> 1];
  }

  set startedAt(time: number) {
    this.doubles[HEADER.startedAt >> 1] = time;
  }
}

/** What the monitor in this buffer was made for. Believes nothing. Throws ERR_INVALID_HANDLE. */
function dimensionsOf(buffer: unknown, isRounded: boolean): MonitorDimensions {
  if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength < HEADER.words * 4 || buffer.byteLength % 8 !== 0) {
    throw invalidHandle(`its buffer is ${describe(buffer)}`);
  }
  const words = new Int32Array(buffer);
  if (Atomics.load(words, HEADER.magic) !== MONITOR_MAGIC) throw invalidHandle('its buffer is not one of a monitor');
  if (words[HEADER.layoutVersion] !== MONITOR_LAYOUT_VERSION) {
    throw invalidHandle(
      `it has layout version ${words[HEADER.layoutVersion]}, this library has ${MONITOR_LAYOUT_VERSION}`,
    );
  }
  const dimensions: MonitorDimensions = {
    operations: words[HEADER.operations],
    threads: words[HEADER.threads],
    histograms: words[HEADER.histograms],
    retention: words[HEADER.retention],
    sample: words[HEADER.sample],
  };
  const names = Object.keys(dimensions) as (keyof MonitorDimensions)[];
  const agrees =
    names.every((name) => isDimension(name, dimensions[name])) &&
    isBytesOf(dimensions, buffer.byteLength, isRounded) &&
    words[HEADER.epoch] >= 1 &&
    words[HEADER.operationCount] >= 0 &&
    words[HEADER.operationCount] <= dimensions.operations;
  if (!agrees) throw invalidHandle('its buffer does not have the size its header tells');
  return dimensions;
}

function isBytesOf(dimensions: MonitorDimensions, bytes: number, isRounded: boolean): boolean {
  const needed = monitorLayout(dimensions).bytes;
  return isRounded ? needed <= bytes : needed === bytes;
}

function invalidHandle(why: string): SharedCacheError {
  return new SharedCacheError(
    'ERR_INVALID_HANDLE',
    `the handle cannot be attached: ${why}; pass what monitor.handle returned`,
  );
}
