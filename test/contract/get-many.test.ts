/** getMany of many keys in a large cache, where the memory of a group of keys is fetched ahead: the same as key by key. */
import t from 'tap';
import { withCache } from '../fixtures/with-cache.js';

const ENTRIES = 80_000;

t.test('getMany gives what get gives, however many keys, in every state', (t) => {
  let now = 1_000_000;
  const cache = withCache<unknown>(t, { maxBytes: '64MB', now: () => now });
  const space = cache.namespace<unknown>('space');
  const valueFor = (i: number): unknown => (i % 3 === 0 ? `text ${i}` : i % 3 === 1 ? { i } : 'long '.repeat(i % 500));
  for (let i = 0; i < ENTRIES; i++) cache.put(`key ${i}`, valueFor(i), { ttl: i % 5 === 0 ? 10 : 60_000 });
  for (let i = 0; i < 1_000; i++) space.put(`key ${i}`, i, { tags: [`tag ${i % 7}`] });
  now += 1_000;
  space.invalidateTags('tag 3');
  for (const keys of [cache, space]) {
    for (const length of [0, 1, 63, 64, 65, 500]) {
      const list = Array.from({ length }, (_, i) => `key ${(i * 7_919) % (ENTRIES + 20)}`);
      const wanted = list.map((key) => keys.peek(key));
      // Twice: whether memory is fetched ahead depends on what the call before found near.
      t.same(keys.getMany(list), wanted);
      t.same(keys.getMany(list), wanted);
    }
  }
  const { hits, misses } = cache.getStats();
  cache.getMany(['key 1', 'absent', 'key 1']);
  t.same([cache.getStats().hits - hits, cache.getStats().misses - misses], [2, 1]);
  t.end();
});
