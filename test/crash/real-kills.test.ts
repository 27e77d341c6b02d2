import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { KEYS_PER_SEAT, KINDS, type Kind, keyOf, textOf, type Victim } from '../fixtures/crash.js';

/** Real threads that die seven ways in the middle of their writes; after each the cache must be whole and at hand. */
const seed = Number(process.env.SEED ?? 42);
const KILLS = Number(process.env.KILLS ?? 100);
const LANES = 4;
/** ms */
const LONGEST_BLOCK = 1_000;
t.setTimeout(170_000);
t.comment(`SEED=${seed}`);

let seats = 0;
let longest = 0;

async function die(cache: SharedCache<string>, kind: Kind, problems: string[]): Promise<void> {
  const seat = seats++;
  const acknowledged = new SharedArrayBuffer(KEYS_PER_SEAT * 4);
  const workerData: Victim = { handle: cache.handle, kind, seat, acknowledged, seed: seed + seat * 7 };
  const worker = new Worker(new URL('../fixtures/crash-victim.js', import.meta.url), {
    workerData,
    execArgv: [],
    stderr: true,
    ...(kind === 'memory' ? { resourceLimits: { maxOldGenerationSizeMb: 16 } } : {}),
    ...(kind === 'stack' ? { resourceLimits: { stackSizeMb: 1 } } : {}),
  });
  worker.on('error', () => {});
  const gone = new Promise((resolve) => worker.once('exit', resolve));
  // Some die before their message is read, so `once` would reject.
  await Promise.race([gone, new Promise((resolve) => worker.once('message', resolve))]);
  if (kind === 'terminate' || kind === 'wait') {
    await delay((seed + seat) % 7);
    await worker.terminate();
  }
  await gone;
  const versions = new Int32Array(acknowledged);
  const start = performance.now();
  for (let key = 0; key < KEYS_PER_SEAT; key++) {
    const name = keyOf(seat, key);
    const now = cache.get(name);
    const version = versions[key] as number;
    // The last write may have been stored and not yet acknowledged.
    if (now !== textOf(name, version) && now !== textOf(name, version + 1))
      problems.push(`${kind}, ${name}: acknowledged ${version}, found ${now?.slice(0, 20)}`);
    cache.delete(name);
  }
  longest = Math.max(longest, performance.now() - start);
  for (const problem of cache.inspect().problems) problems.push(`${kind}, seat ${seat}: ${problem}`);
}

for (const kind of KINDS) {
  t.test(`${KILLS} deaths by ${kind}`, async (t) => {
    const cache = new SharedCache<string>({ maxBytes: '16MB', shards: 2, ttl: Number.POSITIVE_INFINITY });
    // A load that never ends is what the `wait` victims wait for.
    const pending = new AbortController();
    const load = cache.getOrSet('never loaded', () => new Promise<string>(() => {}), { signal: pending.signal });
    load.catch(() => {});
    const problems: string[] = [];
    let left = KILLS;
    await Promise.all(
      Array.from({ length: LANES }, async () => {
        while (left-- > 0) await die(cache, kind, problems);
      }),
    );
    const { recoveries, lockTimeouts } = cache.getStats();
    t.comment(`${recoveries} recoveries, longest check ${longest.toFixed(1)} ms`);
    t.same(problems.slice(0, 5), []);
    t.equal(lockTimeouts, 0);
    t.ok(longest < LONGEST_BLOCK, `blocked ${longest} ms`);
    pending.abort();
    cache.close();
  });
}
