import t from 'tap';
import { controlGeometry } from '../../src/memory/geometry.js';
import { CONTROL, COUNTER, MAX_THREADS, MIN_TAG_SLOTS, OWNER_INDEX_BITS, THREAD } from '../../src/memory/layout.js';
import { Clock } from '../../src/sync/clock.js';
import { monotonicMs } from '../../src/sync/monotonic.js';
import { lockSlow, nextVersion, SLICE_MS, tryLockWord, unlockWord } from '../../src/sync/mutex.js';
import { ThreadRegistry } from '../../src/sync/threads.js';

const places = controlGeometry({ threadCount: MAX_THREADS, tagSlots: MIN_TAG_SLOTS, policyWords: 0 });
const recordOf = (owner: number): number => owner & (2 ** OWNER_INDEX_BITS - 1);

function createRegistry(): { registry: ThreadRegistry; words: Int32Array; doubles: Float64Array } {
  const buffer = new SharedArrayBuffer(places.words * 4);
  const [words, doubles] = [new Int32Array(buffer), new Float64Array(buffer)];
  return { registry: new ThreadRegistry(words, doubles, places), words, doubles };
}

/** A thread that has ended: no task of this number can exist. */
function bury(words: Int32Array, owner: number): void {
  words[places.threadsWord + recordOf(owner) * THREAD.words + THREAD.identity + 1] = 2 ** 30;
}

t.test('owners are told apart, and a number of the past names a dead thread', (t) => {
  const { registry } = createRegistry();
  const first = registry.attach(false);
  const second = registry.attach(false);
  t.ok(first > 0 && second > 0 && first !== second);
  t.equal(registry.isDead(first), false);
  registry.detach(first);
  t.equal(registry.isDead(first), true);
  const third = registry.attach(false);
  t.not(third, first, 'the same record, another number');
  t.equal(registry.isDead(first), true);
  t.equal(registry.isDead(third), false);
  t.equal(registry.countAttached(), 2);
  registry.attach(true);
  t.equal(registry.countAttached(), 2, 'a service is not counted');
  t.end();
});

t.test('records of the dead are taken again once none is free, their counts stay', (t) => {
  const { registry, words } = createRegistry();
  const owners = Array.from({ length: MAX_THREADS }, () => registry.attach(false));
  registry.counters(owners[5])[COUNTER.hits] = 7;
  t.throws(() => registry.attach(false), { code: 'ERR_TOO_MANY_THREADS' });
  bury(words, owners[5]);
  t.equal(registry.isDead(owners[5]), true);
  const heir = registry.attach(false);
  registry.counters(heir)[COUNTER.hits] += 1;
  t.equal(registry.total(COUNTER.hits), 8);
  t.end();
});

t.test('of two threads that find the same one dead, only one gets its record', (t) => {
  const { registry, words, doubles } = createRegistry();
  const owners = Array.from({ length: MAX_THREADS }, () => registry.attach(false));
  bury(words, owners[5]);
  bury(words, owners[9]);
  const { compareExchange } = Atomics;
  let other = 0;
  // The other one is quicker: it claims and attaches after this one has looked, before this one claims.
  Atomics.compareExchange = ((...args: Parameters<typeof compareExchange>) => {
    Atomics.compareExchange = compareExchange;
    other = new ThreadRegistry(words, doubles, places).attach(false);
    return compareExchange(...args);
  }) as typeof compareExchange;
  t.teardown(() => {
    Atomics.compareExchange = compareExchange;
  });
  const mine = registry.attach(false);
  t.not(recordOf(mine), recordOf(other));
  t.equal(registry.isDead(mine), false);
  t.equal(registry.isDead(other), false);
  t.end();
});

t.test('threads that prove their life in different ways tell each other alive', (t) => {
  const { registry, words, doubles } = createRegistry();
  const before = process.env.MOONCAKE_LIVENESS;
  process.env.MOONCAKE_LIVENESS = 'descriptor';
  t.teardown(() => {
    if (before === undefined) delete process.env.MOONCAKE_LIVENESS;
    else process.env.MOONCAKE_LIVENESS = before;
  });
  const portable = new ThreadRegistry(words, doubles, places);
  const [first, second] = [registry.attach(false), portable.attach(false)];
  t.equal(portable.isDead(first), false);
  t.equal(registry.isDead(second), false);
  portable.detach(second);
  t.equal(registry.isDead(second), true);
  t.end();
});

t.test('a lock: taken, refused, given back with the next version, stolen from the dead', (t) => {
  const { registry, words } = createRegistry();
  const [me, other] = [registry.attach(false), registry.attach(false)];
  const context = { owner: me, registry, lockTimeoutMs: 20, sliceMs: SLICE_MS, left: false };
  const m = new Int32Array(new SharedArrayBuffer(64));
  t.equal(tryLockWord(m, 0, 0, -me), true);
  t.equal(m[0], -me);
  t.equal(tryLockWord(m, 0, m[0], -other), false);
  unlockWord(m, 0);
  t.equal(m[0], 2);
  t.equal(tryLockWord(m, 0, 0, -me), false, 'the version has moved on');
  t.equal(lockSlow(m, 0, context), 'locked');
  t.equal(lockSlow(m, 0, context), 'stolen', 'from its own past');
  unlockWord(m, 0);
  t.equal(tryLockWord(m, 0, m[0], -other), true);
  t.equal(lockSlow(m, 0, context), 'timeout', 'a live owner is never robbed');
  bury(words, other);
  t.equal(lockSlow(m, 0, context), 'stolen');
  unlockWord(m, 0);
  t.ok(m[0] > 0 && m[0] % 2 === 0);
  t.equal(nextVersion(0x7ffffffe), 0, 'versions begin again and stay even');
  t.end();
});

t.test('the clock never calls a live entry expired, nor an expired one live, whatever the coarse word says', (t) => {
  const { words, doubles } = createRegistry();
  const clock = new Clock(words, doubles);
  for (const ticking of [0, 1]) {
    for (const lag of [0, 10, 900]) {
      for (const left of [-5_000, -1, 50, 5_000, Number.POSITIVE_INFINITY]) {
        words[CONTROL.ticking] = ticking;
        const now = Math.floor(monotonicMs());
        doubles[CONTROL.clock >> 1] = now - lag;
        doubles[CONTROL.tickedAt >> 1] = now - lag;
        t.equal(clock.hasExpired(now + left), left < 0, `ticking ${ticking}, ${lag} ms late, ${left} ms left`);
      }
    }
  }
  t.end();
});

t.test('a sweeper that fell silent is found out', (t) => {
  const { words, doubles } = createRegistry();
  const silent = (sinceMs: number): void => {
    words[CONTROL.ticking] = 1;
    doubles[CONTROL.clock >> 1] = Math.floor(monotonicMs()) - sinceMs;
    doubles[CONTROL.tickedAt >> 1] = Math.floor(monotonicMs()) - sinceMs;
  };
  silent(60_000);
  const often = new Clock(words, doubles);
  for (let i = 0; i < 1_000; i++) often.hasExpired(Math.floor(monotonicMs()) + 100_000);
  t.equal(words[CONTROL.ticking], 0, 'by a thread that asks often');
  silent(60_000);
  new Clock(words, doubles).now();
  t.equal(words[CONTROL.ticking], 0, 'by a write');
  silent(60_000);
  t.equal(
    new Clock(words, doubles).hasExpired(Math.floor(monotonicMs()) - 5_000),
    true,
    'by the first question of a thread',
  );
  often.tick();
  often.now();
  t.equal(words[CONTROL.ticking], 1, 'until it ticks again');
  t.end();
});
