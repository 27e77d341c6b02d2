/**
 * What a hit costs through getOrSet and getOrSetSync, against get. All ways run in turn in every round, each round beginning
 * with another one; a ratio is one of two times of the same round.
 *
 *   node dist/bench/micro/hit-cost.js [--rounds=21] [--time=100]
 *
 * `--time` is the measuring time of each way in a round, ms. `await` ways include the microtask that hands over the value:
 * `await get` is what awaiting costs any caller, whatever it awaits.
 */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import { SharedCache } from '../../src/index.js';
import { median, spread } from '../stats.js';

const KEYS = 1_000;
const VALUES: Record<string, (i: number) => unknown> = {
  number: (i) => i,
  'string of 100': (i) => `${i}`.padStart(100, 'x'),
  'string of 1,000': (i) => `${i}`.padStart(1_000, 'x'),
  'small object': (i) => ({ id: i, name: `user ${i}`, tags: ['a', 'b'], active: true }),
};
const STALE = { staleTtl: 1_000 };

interface Way {
  readonly name: string;
  readonly run: () => void | Promise<void>;
  /** The way its ratio is taken to. */
  readonly against: string;
}

function waysFor(cache: SharedCache<unknown>, keys: readonly string[]): Way[] {
  const load = (key: string): never => {
    throw new Error(`${key} is no hit`);
  };
  const sync = (name: string, read: (key: string) => unknown): Way => ({
    name,
    against: 'get',
    run: () => {
      for (const key of keys) if (read(key) === undefined) load(key);
    },
  });
  const awaited = (name: string, read: (key: string) => unknown): Way => ({
    name,
    against: 'await get',
    run: async () => {
      for (const key of keys) if ((await read(key)) === undefined) load(key);
    },
  });
  return [
    sync('get', (key) => cache.get(key)),
    sync('getOrSetSync', (key) => cache.getOrSetSync(key, load)),
    sync('getOrSetSync, staleTtl', (key) => cache.getOrSetSync(key, load, STALE)),
    sync('getOrSet, the call alone', (key) => cache.getOrSet(key, load)),
    awaited('await get', (key) => cache.get(key)),
    awaited('await getOrSet', (key) => cache.getOrSet(key, load)),
    awaited('await getOrSet, staleTtl', (key) => cache.getOrSet(key, load, STALE)),
  ];
}

/** The median time of each way in this round, ns a call. */
async function round(ways: readonly Way[], first: number, timeMs: number): Promise<Map<string, number>> {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 4 });
  for (let i = 0; i < ways.length; i++) {
    const { name, run } = ways[(first + i) % ways.length] as Way;
    bench.add(name, run);
  }
  await bench.run();
  return new Map(
    bench.tasks.map(({ name, result }) => {
      if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`, { cause: result });
      return [name, (result.latency.p50 * 1e6) / KEYS];
    }),
  );
}

function ratioText(numbers: readonly number[]): string {
  const { median: middle, min, max } = spread(numbers);
  return `${middle.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
}

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '21' }, time: { type: 'string', default: '100' } },
});
console.log(`${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} threads, Node ${process.version}`);
for (const [kind, make] of Object.entries(VALUES)) {
  using cache = new SharedCache<unknown>({ maxBytes: '64MB' });
  const keys = Array.from({ length: KEYS }, (_, i) => `user:${i}:profile`);
  for (const [i, key] of keys.entries()) cache.put(key, make(i));
  const ways = waysFor(cache, keys);
  const rounds: Map<string, number>[] = [];
  for (let i = 0; i < Number(flags.rounds); i++) rounds.push(await round(ways, i, Number(flags.time)));
  const timesOf = (name: string): number[] => rounds.map((times) => times.get(name) as number);
  console.log(`\n${kind}: medians of ${rounds.length} rounds of ${KEYS} keys`);
  console.table(
    Object.fromEntries(
      ways.map(({ name, against }) => {
        const ratios = (base: string): number[] => rounds.map((t) => (t.get(name) as number) / (t.get(base) as number));
        return [
          name,
          {
            'ns a call': Math.round(median(timesOf(name))),
            'x get': ratioText(ratios('get')),
            'x await get': against === 'get' ? '' : ratioText(ratios(against)),
          },
        ];
      }),
    ),
  );
}
