import { cellOf, MAX_NS } from './buckets.js';
import { BLOCK } from './layout.js';

/** What one record adds to a block; durations whole ns up to MAX_NS, `operations` those it stands for. */
export interface Sample {
  durationNs: number;
  sizeBytes: number;
  success: boolean;
  clamped: boolean;
  operations: number;
}

/**
 * Adds to a block of the calling thread's own. Plain stores: there is no other writer, and a thread that is killed leaves
 * an exact prefix of them. The count comes last, so a record counts only when it is whole.
 */
export function addToOwn(doubles: Float64Array, at: number, epoch: number, sample: Sample): void {
  if (doubles[at + BLOCK.stamp] !== epoch) {
    // The stamp last: killed in between, the block still belongs to a past epoch.
    doubles.fill(0, at + 1, at + BLOCK.doubles);
    doubles[at + BLOCK.stamp] = epoch;
  }
  const { durationNs } = sample;
  const shortness = MAX_NS - durationNs;
  if (doubles[at + BLOCK.shortness] < shortness) doubles[at + BLOCK.shortness] = shortness;
  if (doubles[at + BLOCK.maxNs] < durationNs) doubles[at + BLOCK.maxNs] = durationNs;
  if (!sample.success) doubles[at + BLOCK.failures]++;
  if (sample.clamped) doubles[at + BLOCK.clamped]++;
  doubles[at + BLOCK.sumNs] += durationNs;
  doubles[at + BLOCK.sumBytes] += sample.sizeBytes;
  doubles[at + BLOCK.operations] += sample.operations;
  doubles[at + BLOCK.counts + cellOf(durationNs)]++;
}

/** Adds to a block that several threads write. Each word is exact; a thread killed in between leaves its last record partly counted. */
export function addToShared(longs: BigInt64Array, at: number, sample: Sample): void {
  const { durationNs } = sample;
  raise(longs, at + BLOCK.shortness, BigInt(MAX_NS - durationNs));
  raise(longs, at + BLOCK.maxNs, BigInt(durationNs));
  if (!sample.success) Atomics.add(longs, at + BLOCK.failures, 1n);
  if (sample.clamped) Atomics.add(longs, at + BLOCK.clamped, 1n);
  Atomics.add(longs, at + BLOCK.sumNs, BigInt(durationNs));
  Atomics.add(longs, at + BLOCK.sumBytes, BigInt(Math.round(sample.sizeBytes)));
  Atomics.add(longs, at + BLOCK.operations, BigInt(sample.operations));
  Atomics.add(longs, at + BLOCK.counts + cellOf(durationNs), 1n);
}

/** Empties a shared block word by word: what others add meanwhile is taken away with the past or kept, never counted twice. */
export function clearShared(longs: BigInt64Array, at: number): void {
  for (let i = at; i < at + BLOCK.doubles; i++) if (longs[i] !== 0n) Atomics.exchange(longs, i, 0n);
}

function raise(longs: BigInt64Array, at: number, value: bigint): void {
  let seen = Atomics.load(longs, at);
  // Every failed exchange means that another thread raised the word: it ends after as many as there are larger values.
  while (seen < value) {
    const found = Atomics.compareExchange(longs, at, seen, value);
    if (found === seen) return;
    seen = found;
  }
}
