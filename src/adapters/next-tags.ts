import { SharedCache, SharedCacheError, type SharedCacheOptions } from '../index.js';
import type { Keys } from './keyspace.js';

/**
 * The path of a cache that every process opens, with the options of `SharedCache.open`, the same for both handlers since
 * either may be the first; or a cache of one's own. One path is for one site.
 */
export type NextHandlerOptions = (SharedCacheOptions & { path: string }) | { cache: Keys };

export function cacheOf(options: NextHandlerOptions): Keys {
  if ('cache' in options) return options.cache;
  const { path, ...others } = options;
  return SharedCache.open(path, others);
}

/** What a revalidation leaves of an entry: all, one last use while it is made anew, nothing. */
export type TagState = 'fresh' | 'stale' | 'expired';

const ROWS = 64;
const SLOTS = 64;
/** Of a slot: entries made before `EXPIRED` are over; those made before `STALE` are stale, and over from `DEADLINE` on (0: never). */
const [EXPIRED, STALE, DEADLINE, STAMPS] = [0, 1, 2, 3];

/** The time in ms, in the clock that Next itself stamps its entries with. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * When the tags of a Next application were revalidated, in the cache itself, so that every process sees it at once. The
 * stamps lie in a table of constant size, by a hash of the tag, since Next asks about any number of tags that no entry was
 * put with. Tags that share a slot share their revalidations: a tag may end too much, and never too little. A row that was
 * evicted comes back with every tag in it expired, for the same reason.
 */
export class NextTags {
  readonly #rows: ReturnType<Keys['namespace']>;

  constructor(cache: Keys) {
    this.#rows = cache.namespace('next-tags');
    // An empty cache has nothing that a lost stamp could have ended.
    const isEmpty = cache.keys().next().done === true;
    for (let row = 0; row < ROWS; row++) this.#makeRow(row, isEmpty ? new Float64Array(SLOTS * STAMPS) : allExpired());
  }

  /** Ends the entries that have one of the tags; with `durations` they are stale at first, and end after `expire` seconds. */
  revalidate(tags: readonly string[], durations?: { expire?: number | undefined } | undefined): void {
    for (const tag of tags) {
      const [row, slot] = placeOf(tag);
      const stamp = (found: unknown): Float64Array => {
        const stamps = found instanceof Float64Array ? found : allExpired();
        mark(stamps.subarray(slot, slot + STAMPS), durations);
        return stamps;
      };
      if (this.#rows.update(String(row), stamp, { ttl: Number.POSITIVE_INFINITY }) === undefined) {
        throw new SharedCacheError('ERR_LOCK_TIMEOUT', `the revalidation of the tag ${tag} could not be stored`);
      }
    }
  }

  /** What the revalidations of the tags leave of an entry that was made then. */
  stateOf(tags: readonly string[], madeAt: number): TagState {
    const time = now();
    let state: TagState = 'fresh';
    for (const tag of new Set(tags)) {
      const [row, slot] = placeOf(tag);
      const stamps = this.#rowOf(row)?.subarray(slot, slot + STAMPS);
      if (stamps === undefined || stamps[EXPIRED] >= madeAt) return 'expired';
      if (stamps[STALE] < madeAt) continue;
      if (isOver(stamps, time)) return 'expired';
      state = 'stale';
    }
    return state;
  }

  /** Undefined when the row can be neither read nor made. */
  #rowOf(row: number): Float64Array | undefined {
    const read = (): unknown => this.#rows.get(String(row));
    let found = read();
    if (found === undefined) {
      this.#makeRow(row, allExpired());
      found = read();
    }
    return found as Float64Array | undefined;
  }

  #makeRow(row: number, stamps: Float64Array): void {
    this.#rows.putIfAbsent(String(row), stamps, { ttl: Number.POSITIVE_INFINITY });
  }
}

function allExpired(): Float64Array {
  const row = new Float64Array(SLOTS * STAMPS);
  for (let slot = 0; slot < row.length; slot += STAMPS) row[slot + EXPIRED] = now();
  return row;
}

/** Of two revalidations with durations the later one decides what is stale, the earlier deadline when that is over. */
function mark(stamps: Float64Array, durations: { expire?: number | undefined } | undefined): void {
  const time = now();
  if (durations === undefined) {
    stamps[EXPIRED] = time;
    return;
  }
  if (isOver(stamps, time)) {
    stamps[EXPIRED] = Math.max(stamps[EXPIRED], stamps[STALE]);
    stamps[DEADLINE] = 0;
  }
  stamps[STALE] = time;
  if (durations.expire === undefined) return;
  const deadline = time + durations.expire * 1_000;
  stamps[DEADLINE] = stamps[DEADLINE] === 0 ? deadline : Math.min(stamps[DEADLINE], deadline);
}

function isOver(stamps: Float64Array, time: number): boolean {
  return stamps[DEADLINE] !== 0 && stamps[DEADLINE] <= time;
}

/** FNV-1a, which costs nothing beside reading the row. */
function placeOf(tag: string): readonly [row: number, slot: number] {
  let hash = 0x811c9dc5;
  for (let i = 0; i < tag.length; i++) hash = Math.imul(hash ^ tag.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  return [(hash >>> 6) % ROWS, (hash & (SLOTS - 1)) * STAMPS];
}
