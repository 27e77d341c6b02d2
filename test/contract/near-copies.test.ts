/**
 * Small objects that a thread reads again and again are kept near it, as templates that each get copies. Whatever is stored,
 * the tenth get gives what the first one gave, and nobody else's.
 */
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { withCache } from '../fixtures/with-cache.js';

/** More reads than make a template of a value. */
const READS = 10;

const shared = { n: 1 };
const cycle: { self?: unknown; n: number } = { n: 1 };
cycle.self = cycle;
const named = Object.assign([1, 2], { name: 'x' });
// biome-ignore lint/suspicious/noSparseArray: holes are what is tried.
const oneHole = Object.assign([, 1], { name: 'as many names as elements' });
const withProto = JSON.parse('{"__proto__":{"isAdmin":true},"b":{"__proto__":[1]}}') as object;

const values: Record<string, object> = {
  'an object of primitives': { a: 1, b: 'two', c: null, d: undefined, e: -0, f: Number.NaN, g: 2n ** 70n, h: true },
  'an empty object': {},
  'an empty array': [],
  'an array of primitives': [1, 'two', null, undefined, -0],
  'objects in arrays in objects': { list: [{ deep: [[{ n: 1 }]] }, { deep: [] }], other: { list: [[], {}] } },
  'keys that are numbers': { 2: { n: 2 }, 1: [1], name: 'x' },
  'a key of the prototype': { constructor: { n: 1 }, toString: 'x', hasOwnProperty: [] },
  'an own key __proto__': withProto,
  'an object in two places': { one: shared, two: shared, list: [shared] },
  'a circle': cycle,
  // biome-ignore lint/suspicious/noSparseArray: holes are what is tried.
  'an array with holes': [1, , 3, ,],
  'an array with a name': named,
  'an array with a hole and a name': oneHole,
  'such an array inside': { list: [oneHole, named] },
  'what is no plain object': {
    at: new Date(5),
    map: new Map([[{ n: 1 }, [1]]]),
    set: new Set([1]),
    bytes: new Uint8Array([1]),
  },
  'a typed array': new Float64Array([1]),
  'more than is kept near': { text: 'x'.repeat(2_000), list: [1] },
  'a wide text': { text: 'ž'.repeat(20), list: ['漢'] },
  'many levels': JSON.parse(`${'['.repeat(60)}${']'.repeat(60)}`) as object,
};

/** Changes everything that can be changed in it, to the last object. */
function spoil(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Map || value instanceof Set) value.clear();
  else if (value instanceof Date) value.setTime(0);
  else if (ArrayBuffer.isView(value)) (value as Uint8Array).fill(0);
  else
    for (const name of Object.keys(value)) {
      const own = value as Record<string, unknown>;
      spoil(own[name], seen);
      own[name] = 'spoilt';
    }
  if (Array.isArray(value)) value.push('spoilt');
}

for (const [name, value] of Object.entries(values)) {
  t.test(`${name}: each get gives its caller a copy of its own`, async (t) => {
    const cache = withCache(t) as SharedCache<object>;
    cache.put('key', value);
    const like = structuredClone(value);
    const kept: unknown[] = [];
    for (let read = 0; read < READS; read++) {
      const got = cache.get('key');
      kept.push(got);
      t.ok(isDeepStrictEqual(got, like), `read ${read}`);
      spoil(got);
    }
    t.equal(new Set(kept).size, READS);
    t.ok(isDeepStrictEqual(cache.getMany(['key'])[0], like), 'getMany');
    t.ok(isDeepStrictEqual(await cache.getOrSet('key', () => ({})), like), 'getOrSet');
  });
}

/** Reads until the object is surely near. */
function read(cache: Pick<SharedCache<unknown>, 'get'>, key = 'key'): unknown {
  for (let i = 1; i < READS; i++) cache.get(key);
  return cache.get(key);
}

t.test('a get after a change of any kind sees it', async (t) => {
  const cache = withCache(t) as SharedCache<unknown>;
  const other = SharedCache.attach<unknown>(cache.handle);
  t.teardown(() => other.close());
  const one = { n: 1, list: [1] };
  cache.put('key', one);
  t.same(read(cache), one);
  other.put('key', { n: 2 });
  t.same(cache.get('key'), { n: 2 });
  cache.put('key', { n: 3 });
  t.same(read(cache), { n: 3 });
  other.put('key', 'text');
  t.equal(read(cache), 'text');
  other.put('key', one);
  t.same(read(cache), one);
  other.update('key', (found) => ({ ...(found as object), n: 4 }));
  t.same(read(cache), { n: 4, list: [1] });
  other.touch('key', 60_000);
  t.same(cache.get('key'), { n: 4, list: [1] });
  other.delete('key');
  t.equal(cache.get('key'), undefined);
  cache.put('key', one);
  t.same(read(cache), one);
  other.take('key');
  t.equal(cache.get('key'), undefined);
  cache.put('key', one);
  t.same(read(cache), one);
  other.clear();
  t.equal(cache.get('key'), undefined);
});

t.test('tags, namespaces and ends hold for objects that are near', async (t) => {
  let now = 1_000;
  const cache = withCache(t, { now: () => now }) as SharedCache<unknown>;
  const space = cache.namespace('space');
  cache.put('key', { n: 1 }, { tags: ['t'] });
  space.put('key', { n: 2 });
  t.same(read(cache), { n: 1 });
  t.same(read(space), { n: 2 });
  t.same(read(cache), { n: 1 });
  cache.invalidateTags('t');
  t.equal(cache.get('key'), undefined);
  t.same(read(space), { n: 2 });
  space.clear();
  t.equal(space.get('key'), undefined);
  cache.put('key', { n: 3 }, { ttl: 50 });
  t.same(read(cache), { n: 3 });
  now += 49;
  t.same(cache.get('key'), { n: 3 });
  now += 1;
  t.equal(cache.get('key'), undefined);
});

t.test('what others have put on the prototypes changes no copy', async (t) => {
  const cache = withCache(t) as SharedCache<unknown>;
  const value = { name: 'x', list: [{ n: 1 }] };
  cache.put('key', value);
  read(cache);
  const caught: unknown[] = [];
  const trap = { configurable: true, set: (to: unknown) => void caught.push(to), get: () => 'inherited' };
  Object.defineProperty(Object.prototype, 'name', trap);
  Object.defineProperty(Object.prototype, 'list', trap);
  Object.defineProperty(Array.prototype, '0', trap);
  const got = [cache.get('key'), cache.get('key')] as { name: string; list: object[] }[];
  const names = got.flatMap((each) => [...Object.keys(each), ...Object.keys(each.list)]);
  delete (Object.prototype as { name?: unknown }).name;
  delete (Object.prototype as { list?: unknown }).list;
  delete (Array.prototype as { 0?: unknown })[0];
  t.same(caught, []);
  t.same(names, ['name', 'list', '0', 'name', 'list', '0']);
  t.same(got, [value, value]);
});
