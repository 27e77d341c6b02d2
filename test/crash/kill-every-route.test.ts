/**
 * The compiled engine, killed before every store of the calls that kill-every-store.test.ts leaves out: tags, namespaces,
 * takes, counters, touches, sweeps, clears, with somebody listening. Each call must leave the cache as it was before or as
 * it is after, or, where it is about many entries, each entry so; and an event is told if and only if an entry has left.
 */
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import type { SharedCache as Cache, Namespace } from '../../src/index.js';
import { SHARD } from '../../src/memory/layout.js';
import { effort, ONLY_LONG } from '../fixtures/effort.js';
import { type Bug, instrumentedEngineFor } from '../fixtures/instrument.js';
import { killed, Snapshots } from '../fixtures/kill-points.js';
import { wholeNumbers } from '../fixtures/random.js';

const seed = Number(process.env.SEED ?? 42);
const WANTED = effort('KILL_POINTS', 3_000, 100_000);
/** Of a control, which ends with its first finding. */
const MOST_KILLS = 20_000;
t.setTimeout(300_000 + WANTED * 3);
t.comment(`SEED=${seed}`);

type Keys = Cache<unknown> | Namespace<unknown>;
/** What is in the cache, by keyspace and key: the value and its tags. */
type State = Map<string, unknown>;

/** What a call does, and whether it is about one entry or many. */
interface Operation {
  name: string;
  many?: boolean;
  run(): void;
}

function stateOf(spaces: Record<string, Keys>): State {
  const state: State = new Map();
  for (const [name, keys] of Object.entries(spaces)) {
    for (const key of keys.keys()) {
      const entry = keys.entry(key);
      if (entry !== undefined) state.set(`${name} ${key}`, { value: entry.value, tags: entry.tags });
    }
  }
  return state;
}

/** Whether the state is one of the two; of a call about many entries, whether each entry is in one of the two. */
function isBetween(now: State, before: State, after: State, many: boolean): boolean {
  if (!many) return isDeepStrictEqual(now, before) || isDeepStrictEqual(now, after);
  const names = new Set([...now.keys(), ...before.keys(), ...after.keys()]);
  return [...names].every((name) => {
    const value = now.get(name);
    return isDeepStrictEqual(value, before.get(name)) || isDeepStrictEqual(value, after.get(name));
  });
}

function run(SharedCache: typeof Cache, wanted: number): { kills: number; problems: string[] } {
  const random = wholeNumbers(seed);
  let time = 1_000;
  const cache = new SharedCache<unknown>({
    maxBytes: '1MB',
    maxEntries: 40,
    shards: 1,
    sweep: false,
    eviction: 's3-fifo',
    now: () => time,
  });
  cache.onLeave(() => {});
  const inner = cache.namespace('inner');
  const spaces = { cache, inner };
  const memory = new Snapshots(cache);
  const shard = new Int32Array(cache.handle.buffers.segments[0]);
  const problems: string[] = [];
  let kills = 0;
  const operation = (n: number): Operation => {
    const keys: Keys = random(2) === 0 ? cache : inner;
    const key = random(40) === 0 ? 'long '.repeat(2_000) : `key-${random(50)}`;
    const tags = Array.from({ length: random(3) }, () => `tag-${random(6)}`);
    const ttl = random(6) === 0 ? 1 + random(50) : 1_000_000;
    const counter = `count-${random(4)}`;
    const value = `${n}:`.padEnd(random(2) === 0 ? 40 : 10 + random(3_000), '.');
    switch (random(13)) {
      case 0:
        return { name: 'take', run: () => void keys.take(key) };
      case 1:
        return { name: 'touch', run: () => void keys.touch(key, ttl) };
      case 2:
        return { name: 'touch with tags', many: true, run: () => void keys.touch(key, ttl, { tags }) };
      case 3:
      case 4:
        return {
          name: 'increment',
          many: true,
          run: () => void keys.increment(counter, 1 / 3, { ttl, tags }),
        };
      case 5:
        return {
          name: 'update',
          many: true,
          run: () => void keys.update(key, (v) => (n % 3 === 0 ? undefined : `${v}`.slice(-90))),
        };
      case 6:
        return {
          name: 'putIfVersion',
          many: true,
          run: () => void keys.putIfVersion(key, value, keys.entry(key)?.version ?? 0),
        };
      case 7:
        return { name: 'invalidateTags', many: true, run: () => keys.invalidateTags(tags[0] ?? 'tag-0') };
      case 8:
        return { name: 'sweep', many: true, run: () => void cache.cleanupExpired() };
      case 9:
        if (n % 5 !== 0) break;
        return { name: 'clear', many: true, run: () => (n % 2 === 0 ? cache : inner).clear() };
      default:
    }
    // As with all that store: room for the new entry may cost others theirs.
    return { name: 'put', many: true, run: () => void keys.put(key, value, { ttl, tags }) };
  };
  for (let n = 0; kills < wanted && problems.length === 0; n++) {
    time += random(20);
    const { name, many = false, run: call } = operation(n);
    const before = stateOf(spaces);
    const saved = memory.take();
    const eventsBefore = shard[SHARD.events];
    call();
    const after = stateOf(spaces);
    const eventsAfter = shard[SHARD.events];
    for (let at = 0; problems.length === 0; at++) {
      memory.restore(saved);
      if (!killed(at, call)) break;
      kills++;
      problems.push(...cache.inspect().problems.map((problem) => `${name} ${n}, store ${at}: ${problem}`));
      const now = stateOf(spaces);
      if (!isBetween(now, before, after, many)) problems.push(`${name} ${n}, store ${at}: neither before nor after`);
      // What was over already is in neither state, and may have left with its event or not.
      const changes = !isDeepStrictEqual(before, after);
      const told = isDeepStrictEqual(now, before) ? eventsBefore : eventsAfter;
      if (!many && changes && shard[SHARD.events] !== told)
        problems.push(`${name} ${n}, store ${at}: an event too many or too few`);
    }
  }
  cache.close();
  return { kills, problems };
}

t.test('a kill before any store leaves the state before or after', async (t) => {
  const { entry } = instrumentedEngineFor(t);
  const { SharedCache } = (await import(entry)) as { SharedCache: typeof Cache };
  const { kills, problems } = run(SharedCache, WANTED);
  t.comment(`${kills} kills`);
  t.same(problems, []);
  t.ok(kills >= WANTED);
});

const controls: readonly { name: string; bug: Bug; options?: typeof ONLY_LONG }[] = [
  {
    name: 'a counter whose version is not journaled with it is found out',
    bug: { file: 'table/increment.js', from: 'memory.set(at[0], low);', to: 'm[at[0]] = low;' },
    options: ONLY_LONG,
  },
  {
    name: 'an event that is told apart from its removal is found out',
    bug: {
      file: 'table/events.js',
      from: 'memory.set(SHARD.events, (number + 1) | 0);\n}',
      to: 'm[SHARD.events] = (number + 1) | 0;\n}',
    },
    options: ONLY_LONG,
  },
  {
    name: 'without the undo the same kills are found out',
    bug: { file: 'table/shard.js', from: 'this.memory.rollback();', to: 'this.memory.commit();' },
  },
];
for (const { name, bug, options = {} } of controls) {
  t.test(name, options, async (t) => {
    const { entry } = instrumentedEngineFor(t, bug);
    const { SharedCache } = (await import(entry)) as { SharedCache: typeof Cache };
    t.not(run(SharedCache, MOST_KILLS).problems.length, 0);
  });
}
