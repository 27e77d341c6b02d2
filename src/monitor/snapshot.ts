import type { Histogram } from 'hdr-histogram-js';
import { CELLS, cellOf, highestOf, lowestOf, MAX_NS, SIGNIFICANT_DIGITS } from './buckets.js';
import { hdr } from './hdr.js';
import { BLOCK, HEADER, NAME } from './layout.js';
import type { MonitorMemory } from './memory.js';

const ATTEMPTS = 8;

/** One operation over all threads, as plain numbers. */
export class OperationSnapshot {
  readonly counts = new Float64Array(CELLS);
  epoch = 0;
  recorded = 0;
  failures = 0;
  clamped = 0;
  operations = 0;
  sumNs = 0;
  sumBytes = 0;
  minNs = MAX_NS;
  maxNs = 0;

  /** Adds a block whose words `at` reads. Cells outside the block's own range are zero and not looked at. */
  add(read: (index: number) => number): void {
    const minNs = MAX_NS - read(BLOCK.shortness);
    const maxNs = read(BLOCK.maxNs);
    for (let cell = cellOf(minNs); cell <= cellOf(maxNs); cell++) {
      const count = read(BLOCK.counts + cell);
      this.counts[cell] += count;
      this.recorded += count;
    }
    this.failures += read(BLOCK.failures);
    this.clamped += read(BLOCK.clamped);
    this.operations += read(BLOCK.operations);
    this.sumNs += read(BLOCK.sumNs);
    this.sumBytes += read(BLOCK.sumBytes);
    this.minNs = Math.min(this.minNs, minNs);
    this.maxNs = Math.max(this.maxNs, maxNs);
  }

  /** What was added after `before` was taken. Shortest and longest are then known to their cell only. */
  since(before: OperationSnapshot): OperationSnapshot {
    const result = new OperationSnapshot();
    for (let cell = 0; cell < CELLS; cell++) {
      // Never less than before but for a shared block that was being cleared.
      const count = Math.max(0, this.counts[cell] - before.counts[cell]);
      if (count === 0) continue;
      result.counts[cell] = count;
      result.recorded += count;
      result.minNs = Math.min(result.minNs, Math.max(lowestOf(cell), this.minNs));
      result.maxNs = Math.min(highestOf(cell), this.maxNs);
    }
    for (const field of ['failures', 'clamped', 'operations', 'sumNs', 'sumBytes'] as const) {
      result[field] = Math.max(0, this[field] - before[field]);
    }
    return result;
  }

  /** The same counts in an hdr-histogram-js histogram, in ns. */
  toHistogram(): Histogram {
    const histogram = hdr().build({
      bitBucketSize: 64,
      autoResize: false,
      lowestDiscernibleValue: 1,
      highestTrackableValue: MAX_NS,
      numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
    });
    const first = cellOf(this.minNs);
    const last = cellOf(this.maxNs);
    for (let cell = 0; cell < CELLS; cell++) {
      if (this.counts[cell] === 0) continue;
      // The extremes are known exactly: a histogram remembers them apart from its cells.
      const value = cell === last ? this.maxNs : cell === first ? this.minNs : lowestOf(cell);
      histogram.recordValueWithCount(value, this.counts[cell]);
    }
    return histogram;
  }
}

/**
 * Sums all blocks of an operation. Writers go on meanwhile: a record made during the read is in the result or not, one made
 * before it is, and each record is counted once. A reset during the read starts it again.
 */
export function readOperation(memory: MonitorMemory, operation: number): OperationSnapshot {
  const { words } = memory;
  let snapshot = new OperationSnapshot();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const epoch = Atomics.load(words, HEADER.epoch);
    snapshot.epoch = epoch;
    addOwnBlocks(memory, operation, epoch, snapshot);
    addSharedBlock(memory, operation, snapshot);
    if (Atomics.load(words, HEADER.epoch) === epoch) return snapshot;
    snapshot = new OperationSnapshot();
  }
  // Somebody resets without pause: nothing lasts long enough to be counted.
  return snapshot;
}

function addOwnBlocks(memory: MonitorMemory, operation: number, epoch: number, snapshot: OperationSnapshot): void {
  const { words, doubles, layout, dimensions } = memory;
  for (let thread = 0; thread < dimensions.threads; thread++) {
    const block = words[layout.directoryWord + thread * dimensions.operations + operation];
    if (block <= 0) continue;
    const at = layout.ownBlocksDouble + (block - 1) * BLOCK.doubles;
    if (doubles[at + BLOCK.stamp] === epoch) snapshot.add((index) => doubles[at + index]);
  }
}

function addSharedBlock(memory: MonitorMemory, operation: number, snapshot: OperationSnapshot): void {
  const { words, longs, layout } = memory;
  if (Atomics.load(words, layout.namesWord + operation * NAME.words + NAME.sharedUsed) === 0) return;
  const at = layout.sharedBlocksDouble + operation * BLOCK.doubles;
  // A block that is empty, or was cleared this moment, has no range to scan.
  if (longs[at + BLOCK.operations] !== 0n) snapshot.add((index) => Number(longs[at + index]));
}
