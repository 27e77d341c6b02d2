import t from 'tap';
import type { SharedCache as Cache } from '../../src/index.js';
import { effort, ONLY_LONG } from '../fixtures/effort.js';
import { type Bug, instrumentedEngineFor } from '../fixtures/instrument.js';
import { killed, Snapshots } from '../fixtures/kill-points.js';
import { wholeNumbers } from '../fixtures/random.js';

/**
 * The compiled engine, killed before every store of its writes, and its repair killed before every store as well. The
 * next call finds the lock in its own abandoned hand, which is repaired exactly as a dead thread's.
 */
const seed = Number(process.env.SEED ?? 42);
const WANTED = effort('KILL_POINTS', 5_000, 300_000);
t.setTimeout(300_000 + WANTED * 3);
t.comment(`SEED=${seed}`);
const random = wholeNumbers(seed);

interface Result {
  kills: number;
  nested: number;
  problems: string[];
}

function run(SharedCache: typeof Cache, wanted: number): Result {
  const cache = new SharedCache<string>({
    maxBytes: '1MB',
    maxEntries: 48,
    shards: 1,
    sweep: false,
    eviction: 's3-fifo',
  });
  const memory = new Snapshots(cache);
  const result: Result = { kills: 0, nested: 0, problems: [] };
  const check = (key: string, before: string | undefined, after: string | undefined, what: string): void => {
    const now = cache.peek(key);
    if (now !== before && now !== after) result.problems.push(`${what}: ${key} is neither before nor after`);
    for (const problem of cache.inspect().problems) result.problems.push(`${what}: ${problem}`);
  };
  for (let n = 0; result.kills + result.nested < wanted && result.problems.length === 0; n++) {
    const key = `key-${random(64)}`;
    // Every other value is of one length, so that it is rewritten where it lies.
    const length = random(2) === 0 ? 60 : 200 + random(8) * random(400);
    const value = `${n}:`.padEnd(length, String(n % 10));
    const isDelete = random(5) === 0;
    const operation = (): void => void (isDelete ? cache.delete(key) : cache.put(key, value));
    const before = cache.peek(key);
    const after = isDelete ? undefined : value;
    const saved = memory.take();
    for (let at = 0; ; at++) {
      memory.restore(saved);
      if (!killed(at, operation)) break;
      result.kills++;
      const wreck = n % 16 === 0 ? memory.take() : undefined;
      check(key, before, after, `operation ${n}, store ${at}`);
      for (let inner = 0; wreck !== undefined && result.problems.length === 0; inner++) {
        memory.restore(wreck);
        if (!killed(inner, () => void cache.inspect())) break;
        result.nested++;
        check(key, before, after, `operation ${n}, store ${at}, repair ${inner}`);
      }
      if (result.problems.length > 0) return result;
    }
    if (cache.peek(key) !== after) result.problems.push(`operation ${n} did nothing`);
  }
  cache.close();
  return result;
}

t.test('a kill before any store leaves the state before or after', async (t) => {
  const { entry } = instrumentedEngineFor(t);
  const { SharedCache } = (await import(entry)) as { SharedCache: typeof Cache };
  const { kills, nested, problems } = run(SharedCache, WANTED);
  t.comment(`${kills} kills, ${nested} kills of the repair`);
  t.same(problems, []);
  t.ok(kills + nested >= WANTED);
});

/** Controls: the planted bug, and after how many kills it must have been found out. */
const controls: { name: string; bug: Bug; kills: number; options?: typeof ONLY_LONG }[] = [
  {
    name: 'a value rewritten in place without a journal is found out',
    bug: { file: 'table/put.js', from: 'memory.save(valueWord, valueWords);', to: '' },
    // Some hundred operations, so that values of one length meet.
    kills: 40_000,
    options: ONLY_LONG,
  },
  {
    name: 'without the undo the same kills are found out',
    bug: { file: 'table/shard.js', from: 'this.memory.rollback();', to: 'this.memory.commit();' },
    kills: 5_000,
  },
];
for (const { name, bug, kills, options = {} } of controls) {
  t.test(name, options, async (t) => {
    const { entry } = instrumentedEngineFor(t, bug);
    const { SharedCache } = (await import(entry)) as { SharedCache: typeof Cache };
    t.not(run(SharedCache, kills).problems.length, 0);
  });
}
