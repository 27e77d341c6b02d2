import { SHARD } from '../memory/layout.js';
import type { Draft } from '../table/draft.js';
import { NO_CLASS, paddedToWord, planBlocks, singleClass } from '../table/entry.js';
import type { Shard } from '../table/shard.js';
import { GENERATIONS } from './format.js';

/** The share of a shard's heap that entries of many sizes can fill. */
const USABLE_SHARE = 0.97;
/** A shard gets its share of the entries to within so many standard deviations. */
const DEVIATIONS = 6;
/** What an entry takes beyond its bytes in a file, at most about: its head, and blocks that do not fit well. */
const COST_FACTOR = 1.3;
const COST_BYTES = 32;

/** Below every generation. */
const NO_CUT = -1;

/** What one shard has room for. */
interface ShardRoom {
  entries: number;
  bytes: number;
  /** Entries of later generations have room, those of earlier ones do not. */
  cut: number;
  /** How many entries of the cut itself have room. */
  atCut: number;
  /** Of each generation, how many entries come and how many bytes they take; undefined before the first. */
  wanted: Float64Array | undefined;
}

/**
 * Decides what of a file has room, shard by shard, before anything is stored: the entries used most recently, and nothing
 * that the cache already holds makes room for them. To put all entries, and let the policy evict, would keep what the policy
 * likes, which need not be what came last.
 */
export class Room {
  readonly #shards = new Map<Shard, ShardRoom>();

  constructor(shards: readonly Shard[]) {
    for (const shard of shards) {
      const { heap, memory, words } = shard;
      this.#shards.set(shard, {
        entries: shard.capacityEntries - words[SHARD.entries],
        bytes: memory.geometry.pageCount * heap.pageBytes * USABLE_SHARE - words[SHARD.usedUnits] * 8,
        cut: NO_CUT,
        atCut: 0,
        wanted: undefined,
      });
    }
  }

  /** Whether so much has room for certain. Then nothing needs to be counted. */
  isAmple(entries: number, bytes: number): boolean {
    const share = (total: number): number => {
      const mean = total / this.#shards.size;
      return this.#shards.size === 1 ? mean : mean + DEVIATIONS * Math.sqrt(mean);
    };
    const meanCost = entries === 0 ? 0 : (bytes * COST_FACTOR) / entries + COST_BYTES;
    return [...this.#shards.values()].every(
      (room) => room.entries >= share(entries) && room.bytes >= share(entries) * meanCost,
    );
  }

  /** Counts an entry, in any order. */
  reserve(shard: Shard, generation: number, draft: Draft): void {
    const room = this.#shards.get(shard) as ShardRoom;
    room.wanted ??= new Float64Array(2 * GENERATIONS);
    room.wanted[2 * generation]++;
    room.wanted[2 * generation + 1] += costOf(shard, draft);
  }

  /** Decides, once all are counted. */
  settle(): void {
    for (const room of this.#shards.values()) {
      const { wanted } = room;
      if (wanted === undefined) continue;
      for (let generation = GENERATIONS - 1; generation >= 0 && room.cut === NO_CUT; generation--) {
        const [entries, bytes] = wanted.subarray(2 * generation);
        if (entries > 0 && (entries > room.entries || bytes > room.bytes)) {
          room.cut = generation;
          room.atCut = Math.floor(entries * Math.max(0, Math.min(room.entries / entries, room.bytes / bytes)));
        }
        room.entries -= entries;
        room.bytes -= bytes;
      }
    }
  }

  /** Whether the next entry of this generation is one of those that have room. */
  admits(shard: Shard, generation: number): boolean {
    const room = this.#shards.get(shard) as ShardRoom;
    if (generation !== room.cut) return generation > room.cut;
    return room.atCut-- > 0;
  }
}

/** Heap bytes that the entry will take. */
function costOf(shard: Shard, draft: Draft): number {
  const { heap } = shard;
  const payload = paddedToWord(draft.key.lengthBytes) + draft.lengthBytes;
  const single = singleClass(heap, payload);
  if (single !== NO_CLASS) return heap.classBytes(single);
  return planBlocks(heap, payload).reduce((sum, sizeClass) => sum + heap.classBytes(sizeClass), 0);
}
