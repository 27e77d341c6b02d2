import { SHARD } from '../memory/layout.js';
import type { Draft } from '../table/draft.js';
import type { Shard } from '../table/shard.js';
import { blocksOfDraft } from '../table/spare.js';
import type { Totals } from './contents.js';

/** A shard gets its share of the entries, and of their bytes, to within so many standard deviations. */
const DEVIATIONS = 6;
/** What an entry takes beyond its bytes in a file, at most about: its head, and blocks that do not fit well. */
const COST_FACTOR = 1.3;
const COST_BYTES = 32;
/** The share of the entries that have room is found to within 2 to the power of minus this. */
const HALVINGS = 12;

/** Below every generation. */
const NO_CUT = -1;

/** Entries, and the blocks of each size class that they take. */
interface Demand {
  entries: number;
  blocks: Float64Array;
}

/** What one shard has room for. */
interface ShardRoom {
  /** Those that may still come. */
  entries: number;
  /** Those in use. */
  blocks: Float64Array;
  /** Entries of later generations have room, those of earlier ones do not. */
  cut: number;
  /** Of the cut itself, what has room. */
  atCut: Demand;
  /** What comes of each generation; empty before the first. */
  wanted: Map<number, Demand>;
}

/**
 * Decides what of a file has room, shard by shard, before anything is stored: the entries used most recently, and nothing
 * that the cache already holds makes room for them. To put all entries, and let the policy evict, would keep what the policy
 * likes, which need not be what came last.
 *
 * A page holds blocks of one size class, so what has room is counted in blocks of each class and not in bytes.
 */
export class Room {
  readonly #shards = new Map<Shard, ShardRoom>();

  constructor(shards: readonly Shard[]) {
    for (const shard of shards) {
      const blocks = shard.heap.blocksInUse();
      this.#shards.set(shard, {
        entries: shard.capacityEntries - shard.words[SHARD.entries],
        blocks,
        cut: NO_CUT,
        atCut: { entries: 0, blocks: blocks.map(() => 0) },
        wanted: new Map(),
      });
    }
  }

  /** Whether so much has room for certain, or nearly so. Then nothing needs to be counted. */
  isAmple({ entries, payloadBytes, squaredBytes }: Totals): boolean {
    const { size } = this.#shards;
    const share = (total: number, squares: number): number =>
      size === 1 ? total : total / size + DEVIATIONS * Math.sqrt(squares / size);
    const bytes = share(payloadBytes, squaredBytes) * COST_FACTOR;
    const count = share(entries, entries);
    return [...this.#shards].every(
      ([shard, room]) => room.entries >= count && freeBytes(shard) >= bytes + count * COST_BYTES,
    );
  }

  /** Counts an entry, in any order. */
  reserve(shard: Shard, generation: number, draft: Draft): void {
    const { wanted, blocks } = this.#shards.get(shard) as ShardRoom;
    const demand = wanted.get(generation) ?? { entries: 0, blocks: blocks.map(() => 0) };
    wanted.set(generation, demand);
    demand.entries++;
    for (const sizeClass of blocksOfDraft(shard, draft)) demand.blocks[sizeClass]++;
  }

  /** Decides, once all are counted. */
  settle(): void {
    for (const [shard, room] of this.#shards) {
      const latestFirst = [...room.wanted].sort(([a], [b]) => b - a);
      for (const [generation, demand] of latestFirst) {
        if (tryTake(shard, room, demand)) continue;
        room.cut = generation;
        room.atCut = shareWithRoom(shard, room, demand);
        break;
      }
      room.wanted.clear();
    }
  }

  /** Whether the next entry of this generation is one of those that have room. */
  admits(shard: Shard, generation: number, draft: Draft): boolean {
    const { cut, atCut } = this.#shards.get(shard) as ShardRoom;
    if (generation !== cut) return generation > cut;
    const blocks = atCut.blocks.slice();
    for (const sizeClass of blocksOfDraft(shard, draft)) blocks[sizeClass]--;
    if (atCut.entries === 0 || blocks.some((left) => left < 0)) return false;
    atCut.entries--;
    atCut.blocks = blocks;
    return true;
  }
}

/** Heap bytes that entries can take, whatever their sizes: each class may leave nearly a page of its own unused. */
function freeBytes({ heap, memory: { geometry }, words }: Shard): number {
  return (geometry.pageCount - geometry.classBytes.length) * heap.pageBytes - words[SHARD.usedUnits] * 8;
}

/** Gives the shard's room to so much; false, and nothing given, when there is too little. */
function tryTake({ heap, memory }: Shard, room: ShardRoom, { entries, blocks }: Demand): boolean {
  const all = room.blocks.map((count, sizeClass) => count + blocks[sizeClass]);
  if (entries > room.entries || heap.pagesFor(all) > memory.geometry.pageCount) return false;
  room.entries -= entries;
  room.blocks = all;
  return true;
}

/** The largest share of so much that the shard has room for, alike for blocks of all classes. */
function shareWithRoom(shard: Shard, room: ShardRoom, { entries, blocks }: Demand): Demand {
  let share = 0;
  const part = (of: number): Demand => ({
    entries: Math.floor(entries * of),
    blocks: blocks.map((count) => Math.floor(count * of)),
  });
  for (let step = 0.5, halvings = 0; halvings < HALVINGS; step /= 2, halvings++)
    if (tryTake(shard, { ...room }, part(share + step))) share += step;
  return part(share);
}
