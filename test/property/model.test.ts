/**
 * SharedCache against a Map, by random commands. The cache is large enough never to evict; entries live for ever or not at
 * all, so time plays no part. `BUG=forget-deletes` plants a bug in the model's partner, and the test must fail.
 */
import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { SharedCache } from '../../src/index.js';

const RUNS = 500;
const MAX_COMMANDS = 200;
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const forgetDeletes = process.env.BUG === 'forget-deletes';
console.log(`# SEED=${seed}, ${RUNS} runs of up to ${MAX_COMMANDS} commands`);

type Value = unknown;
type Model = Map<string, Value>;
interface Real {
  cache: SharedCache<Value>;
  second: SharedCache<Value>;
}

const key = fc.constantFrom('', 'a', 'b', 'c', 'ü', '\ud800', 'a long key '.repeat(500));
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.double(),
  fc.constantFrom(null, true, 5n, 'x'.repeat(50_000)),
  fc.uint8Array({ maxLength: 9_000 }).map((bytes) => Buffer.from(bytes)),
  fc.record({ id: fc.integer(), tags: fc.array(fc.string()) }, { noNullPrototype: true }),
);

/** A command: what it does to the model, and what the cache must then answer. */
class Command implements fc.Command<Model, Real> {
  readonly #name: string;
  readonly #expected: (model: Model) => unknown;
  readonly #actual: (real: Real) => unknown;

  constructor(name: string, expected: (model: Model) => unknown, actual: (real: Real) => unknown) {
    this.#name = name;
    this.#expected = expected;
    this.#actual = actual;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Real): void {
    const expected = this.#expected(model);
    const actual = this.#actual(real);
    if (!isDeepStrictEqual(actual, expected))
      throw new Error(`${this.#name}: ${inspect(actual)} instead of ${inspect(expected)}`);
  }

  toString(): string {
    return this.#name;
  }
}

const keyAndValue = fc.tuple(key, value);
const commands = [
  keyAndValue.map(
    ([k, v]) =>
      new Command(
        `put ${k.slice(0, 9)}`,
        (m) => !!m.set(k, v),
        (r) => r.cache.put(k, v),
      ),
  ),
  key.map(
    (k) =>
      new Command(
        `get ${k.slice(0, 9)}`,
        (m) => m.get(k),
        (r) => r.cache.get(k),
      ),
  ),
  key.map(
    (k) =>
      new Command(
        `second.get ${k.slice(0, 9)}`,
        (m) => m.get(k),
        (r) => r.second.get(k),
      ),
  ),
  key.map(
    (k) =>
      new Command(
        `has ${k.slice(0, 9)}`,
        (m) => m.has(k),
        (r) => r.second.has(k),
      ),
  ),
  key.map(
    (k) =>
      new Command(
        `delete ${k.slice(0, 9)}`,
        (m) => m.delete(k),
        (r) => (forgetDeletes ? r.cache.has(k) : r.cache.delete(k)),
      ),
  ),
  keyAndValue.map(
    ([k, v]) =>
      new Command(
        `put ttl 0 ${k.slice(0, 9)}`,
        (m) => m.delete(k) || true,
        (r) => r.cache.put(k, v, { ttl: 0 }),
      ),
  ),
  keyAndValue.map(
    ([k, v]) =>
      new Command(
        `putIfAbsent ${k.slice(0, 9)}`,
        (m) => !m.has(k) && !!m.set(k, v),
        (r) => r.second.putIfAbsent(k, v),
      ),
  ),
  keyAndValue.map(
    ([k, v]) =>
      new Command(
        `update ${k.slice(0, 9)}`,
        (m) => {
          const before = m.get(k);
          m.set(k, [before, v]);
          return [before, v];
        },
        (r) => r.cache.update(k, (before) => [before, v]),
      ),
  ),
  fc.tuple(key, fc.integer()).map(
    ([k, by]) =>
      new Command(
        `increment ${k.slice(0, 9)}`,
        (m) => {
          const before = m.has(k) ? m.get(k) : 0;
          if (typeof before !== 'number') return 'not a number';
          m.set(k, before + by);
          return before + by;
        },
        (r) => {
          try {
            return r.second.increment(k, by);
          } catch {
            return 'not a number';
          }
        },
      ),
  ),
  fc.array(key).map(
    (ks) =>
      new Command(
        'longestPrefix',
        (m) => prefix(m, ks),
        (r) => r.cache.longestPrefix(ks),
      ),
  ),
  fc.constant(
    new Command(
      'size',
      (m) => m.size,
      (r) => r.cache.size,
    ),
  ),
  fc.constant(
    new Command(
      'keys',
      (m) => [...m.keys()].sort(),
      (r) => [...r.second.keys()].sort(),
    ),
  ),
  fc.constant(
    new Command(
      'clear',
      (m) => m.clear(),
      (r) => r.cache.clear(),
    ),
  ),
  fc.constant(
    new Command(
      'inspect',
      () => [],
      (r) => r.cache.inspect().problems,
    ),
  ),
];

function prefix(model: Model, keys: readonly string[]): number {
  const first = keys.findIndex((k) => !model.has(k));
  return first < 0 ? keys.length : first;
}

t.test('a cache and a Map do the same', (t) => {
  const cache = new SharedCache<Value>({ maxBytes: '8MB', ttl: Number.POSITIVE_INFINITY, sweep: false });
  const second = SharedCache.attach<Value>(cache.handle);
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: MAX_COMMANDS, size: 'max' }), (sequence) => {
      cache.clear();
      fc.modelRun(() => ({ model: new Map<string, Value>(), real: { cache, second } }), sequence);
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
