/** What is over (expired, in its grace period, invalidated) goes before any live entry, though nothing sweeps it away. */
import t from 'tap';
import { ValueEncoder } from '../../src/codec/value.js';
import type { EvictionName, SharedCache } from '../../src/index.js';
import { Arena } from '../../src/memory/arena.js';
import { EVICTION_NAMES } from '../../src/policy/index.js';
import { NO_SLOT } from '../../src/table/buckets.js';
import { putLocked } from '../../src/table/put.js';
import { Reclaimer } from '../../src/table/reclaim.js';
import { Table } from '../../src/table/table.js';
import { newCache } from '../fixtures/with-cache.js';

const TTL_MS = 20;
const HOUR_MS = 3_600_000;
/** Of 1,000. */
const MOST_LOST = 8;

interface Load {
  eviction: EvictionName;
  entries: number;
  /** Whether live and short-lived keys come in turn, or all live ones first. */
  mixed: boolean;
  /** How a short-lived entry is put. */
  put: (cache: SharedCache<number>, key: string) => void;
  /** What ends all short-lived entries. */
  end: (cache: SharedCache<number>, clock: { now: number }) => void;
}

/** Fills a cache, half of it with entries that then are over, and puts as many new ones: how many live ones are lost. */
function liveLost({ eviction, entries, mixed, put, end }: Load): number {
  const clock = { now: 1_700_000_000_000 };
  const cache = newCache<number>({
    maxBytes: '8MB',
    maxEntries: entries,
    shards: 1,
    eviction,
    sweep: false,
    ttl: HOUR_MS,
    now: () => clock.now,
  });
  const half = Math.floor(entries / 2);
  const live = Array.from({ length: half }, (_, i) => `live ${i}`);
  const short = Array.from({ length: half }, (_, i) => `short ${i}`);
  for (let i = 0; i < half; i++) {
    cache.put(live[i] as string, i);
    if (mixed) put(cache, short[i] as string);
  }
  if (!mixed) for (const key of short) put(cache, key);
  for (const key of [...live, ...short, ...short]) cache.get(key);
  const held = live.filter((key) => cache.has(key));
  const gone = short.filter((key) => cache.has(key)).length;
  end(cache, clock);
  for (let i = 0; i < gone; i++) cache.put(`new ${i}`, i);
  const lost = held.filter((key) => !cache.has(key)).length;
  const { problems } = cache.inspect();
  cache.close();
  if (problems.length > 0) throw new Error(problems.join('; '));
  return lost;
}

const pass = (_: SharedCache<number>, clock: { now: number }): void => {
  clock.now += 2 * TTL_MS;
};
/** What a load with a grace period stores. */
function putWithGrace(cache: SharedCache<number>, key: string): void {
  const table = Table.of(Arena.attach(cache.handle.buffers));
  const { draft, clock, tags } = table;
  const value = new ValueEncoder(undefined);
  value.encode(0);
  const extras = {
    begun: tags.now(),
    graceEnd: clock.now() + HOUR_MS,
    lifetime: TTL_MS,
    namespaces: [],
    tags: [],
    tagHashes: [],
  };
  table.key.encode(key);
  draft.fill(value, clock.now() + TTL_MS, false, extras);
  const shard = table.shardOf(draft.key.hash);
  shard.locked(NO_SLOT, () => putLocked(shard, draft, cache.maxEntryBytes));
  table.release();
}

const kinds: Readonly<Record<string, Pick<Load, 'put' | 'end'>>> = {
  expired: { put: (cache, key) => cache.put(key, 0, { ttl: TTL_MS }), end: pass },
  'in their grace period': { put: putWithGrace, end: pass },
  invalidated: {
    put: (cache, key) => cache.put(key, 0, { tags: ['short'] }),
    end: (cache) => cache.invalidateTags('short'),
  },
};

for (const eviction of EVICTION_NAMES) {
  for (const [kind, load] of Object.entries(kinds)) {
    t.test(`${eviction}: entries that are ${kind} go first`, async (t) => {
      for (const entries of [2, 7, 64, 65, 300, 2000]) {
        for (const mixed of [true, false]) {
          const lost = liveLost({ eviction, entries, mixed, ...load });
          // Pages are searched without a hint, four for an eviction; and few hash keys of many entries fill a probe path.
          const most = entries <= 300 ? 0 : MOST_LOST;
          t.ok(lost <= most, `${entries} entries, ${mixed ? 'mixed' : 'apart'}: ${lost} lost`);
        }
      }
    });
  }
}

t.test('without the reclaimer live entries are lost', async (t) => {
  const { reclaimLocked } = Reclaimer.prototype;
  Reclaimer.prototype.reclaimLocked = () => false;
  t.teardown(() => {
    Reclaimer.prototype.reclaimLocked = reclaimLocked;
  });
  const load = kinds.expired as Pick<Load, 'put' | 'end'>;
  for (const eviction of ['lru', 'fifo', 's3-fifo'] as const) {
    t.ok(liveLost({ eviction, entries: 300, mixed: false, ...load }) > 0, eviction);
  }
});
