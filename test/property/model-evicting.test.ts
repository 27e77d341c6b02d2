/**
 * The model of a cache that evicts: any key may be absent, none may ever have another value than its last. Small caches,
 * mixed sizes, every policy, from two attachments. Prints its seed; SEED= sets it.
 */
import fc from 'fast-check';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { EVICTION_NAMES } from '../../src/policy/index.js';
import { effort } from '../fixtures/effort.js';

const RUNS = effort('RUNS', 25, 400);
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`# SEED=${seed}, ${RUNS} runs for each policy`);

type Step = { kind: 'put' | 'get' | 'delete'; key: number; size: number };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('put', 'put', 'put', 'get', 'get', 'delete'),
  key: fc.nat({ max: 400 }),
  size: fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 400 }) }, fc.nat({ max: 20_000 }), fc.nat({ max: 90_000 })),
});

for (const eviction of EVICTION_NAMES) {
  t.test(eviction, (t) => {
    const maxEntries = 150;
    const options = { maxBytes: '1MB', maxEntries, eviction, shards: 1, sweep: false, ttl: Number.POSITIVE_INFINITY };
    const cache = new SharedCache<string>(options);
    const second = SharedCache.attach<string>(structuredClone(cache.handle));
    let version = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1_000, size: 'max' }), (steps) => {
        cache.clear();
        const last = new Map<string, string>();
        for (const { kind, key, size } of steps) {
          const name = `key ${key}`;
          if (kind === 'put') {
            const value = `${key} ${++version} `.padEnd(size, 'é');
            const fits = Buffer.byteLength(value) + name.length <= cache.maxEntryBytes;
            const stored = cache.put(name, value);
            if (fits && !stored) throw new Error(`a value of ${value.length} characters was refused`);
            if (stored) last.set(name, value);
            else last.delete(name);
          } else if (kind === 'delete') {
            const removed = second.delete(name);
            if (removed && !last.delete(name)) throw new Error(`${name} was there again`);
            last.delete(name);
          }
          const value = second.get(name);
          if (value !== undefined && value !== last.get(name)) throw new Error(`${name} has another value`);
          if (kind === 'put' && value === undefined && last.has(name)) throw new Error(`${name} left at once`);
        }
        if (cache.size > maxEntries) throw new Error(`${cache.size} entries`);
        const { problems } = cache.inspect();
        if (problems.length > 0) throw new Error(problems.join('\n'));
      }),
      { numRuns: RUNS, seed },
    );
    second.close();
    cache.close();
    t.pass(`${RUNS} runs`);
    t.end();
  });
}
