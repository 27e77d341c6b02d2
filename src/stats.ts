import type { Cause } from './listen.js';
import { CAUSE, CAUSES, CONTROL, COUNTER, INDEX_BYTES_PER_ENTRY, SHARD } from './memory/layout.js';
import type { Table } from './table/table.js';

/** Totals over all threads, those that have ended included. */
export interface CacheStats {
  /** Live entries; expired ones not yet swept may count. */
  totalObjects: number;
  /** Hits and misses. */
  totalAccesses: number;
  /** Bytes of the entries with their bookkeeping. */
  memoryUsage: number;
  /** Reads that found a live entry. */
  hits: number;
  /** Reads that did not. */
  misses: number;
  /** Hits over accesses, 0 before the first. */
  hitRatio: number;
  /** Entries that were to be stored, by whichever call, those refused included. */
  puts: number;
  /** Live entries that a call removed: `delete`, `take`, an `update` to undefined. `clear` does not count. */
  deletes: number;
  /** Entries removed to make room. */
  evictions: number;
  /** Entries removed after their TTL, wherever they were found. */
  expirations: number;
  /** Entries removed because a tag of theirs was invalidated, or a namespace they were in was cleared. */
  invalidations: number;
  /** Entries that left, by cause. */
  left: Record<Cause, number>;
  /** Puts refused because the entry can never be stored. */
  rejections: number;
  /** Times a thread repaired what another, dead or thrown out, had left locked. */
  recoveries: number;
  /** Operations given up because a live thread kept a lock for the whole lock timeout. */
  lockTimeouts: number;
  /** Loaders run by getOrSet and getOrSetSync. */
  loads: number;
  /** Callers that waited for another's load. */
  waits: number;
  /** Loads taken over from a thread that died or failed. */
  takeovers: number;
  /** The bound given to the constructor, bytes. */
  maxBytes: number;
  /** The bound given to the constructor, if there was one. */
  maxEntries?: number;
  /** Threads attached now. */
  threads: number;
}

export function collectStats(table: Table): CacheStats {
  const { arena, registry } = table;
  const total = (name: keyof typeof COUNTER): number => registry.total(COUNTER[name]);
  const totalObjects = table.countEntries();
  const left = Object.fromEntries(
    CAUSES.map((cause) => [cause, registry.total(COUNTER.left + CAUSE[cause])]),
  ) as Record<Cause, number>;
  const heapBytes = arena.shards.reduce((sum, shard) => sum + shard.words[SHARD.usedUnits] * 8, 0);
  const hits = total('hits');
  const misses = total('misses');
  const maxEntries = arena.doubles[CONTROL.maxEntries >> 1];
  return {
    totalObjects,
    totalAccesses: hits + misses,
    memoryUsage: heapBytes + Math.round(totalObjects * INDEX_BYTES_PER_ENTRY),
    hits,
    misses,
    hitRatio: hits + misses === 0 ? 0 : hits / (hits + misses),
    puts: total('puts'),
    deletes: left.deleted,
    evictions: left.evicted,
    expirations: left.expired,
    invalidations: total('invalidations'),
    left,
    rejections: total('rejections'),
    recoveries: total('recoveries'),
    lockTimeouts: total('lockTimeouts'),
    loads: total('loads'),
    waits: total('waits'),
    takeovers: total('takeovers'),
    maxBytes: arena.doubles[CONTROL.maxBytes >> 1],
    ...(maxEntries > 0 ? { maxEntries } : {}),
    threads: registry.countAttached(),
  };
}
